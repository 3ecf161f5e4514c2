//! The backup that is being made: one at a time, watched from outside, and stopped when nobody waits for it any more.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use tidegate_store::copy::Progress;

/// Whether a backup is under way, and how far it is.
#[derive(Clone, Default)]
pub(crate) struct Underway(Arc<Mutex<Option<Progress>>>);

impl Underway {
    fn lock(&self) -> MutexGuard<'_, Option<Progress>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins one; none when another is under way.
    pub(crate) fn begin(&self) -> Option<Turn> {
        let mut held = self.lock();
        if held.is_some() {
            return None;
        }
        *held = Some(Progress::default());
        Some(Turn(self.clone()))
    }

    /// How far it is; none when none is under way.
    pub(crate) fn progress(&self) -> Option<Progress> {
        *self.lock()
    }
}

/// The right to make a backup. Ends when it is dropped.
pub(crate) struct Turn(Underway);

impl Turn {
    /// Says how far it is.
    pub(crate) fn tell(&self, progress: &Progress) {
        *self.0.lock() = Some(*progress);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.0.lock() = None;
    }
}

/// Somebody waits: until this is dropped.
#[derive(Default)]
pub(crate) struct Waiting(Arc<AtomicBool>);

impl Waiting {
    /// Whether nobody waits any more.
    pub(crate) fn gone(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
