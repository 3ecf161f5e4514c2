//! Where followers of all writes hang on to the committer.

use super::Writes;
use crate::engine::{Follow, Line};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The followers that are still there.
#[derive(Default)]
pub(super) struct Taps(Mutex<Vec<Weak<Line>>>);

impl Taps {
    /// Lets somebody follow from the next group on.
    pub(super) fn attach(&self) -> Follow {
        let line = Arc::new(Line::default());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&line));
        Follow::new(line)
    }

    /// Tells the followers of a group, before it can be seen.
    pub(super) fn record(&self, commit: u64, writes: &Writes) {
        let mut taps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taps.retain(|line| match line.upgrade() {
            Some(line) => {
                line.record(commit, writes.iter().map(|(key, value)| (key, value.as_deref())));
                true
            }
            None => false,
        });
    }
}
