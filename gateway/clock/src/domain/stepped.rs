//! A clock that moves only when told, and wakes its sleepers then.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::ClockError;
use crate::mode::{ClockMode, MAX_MS};
use crate::socket::Link;

#[derive(Debug)]
pub(crate) struct Stepped {
    start_ms: i64,
    /// The time; also wakes async sleepers.
    now: watch::Sender<i64>,
    /// Held while the time moves, so that a thread about to block misses no step.
    moving: Mutex<()>,
    /// Wakes blocked threads.
    moved: Condvar,
    /// The connection that moves this clock, if it follows another one.
    link: Option<Link>,
}

impl Stepped {
    pub(super) fn new(start_ms: i64, link: Option<Link>) -> Self {
        Self { start_ms, now: watch::Sender::new(start_ms), moving: Mutex::new(()), moved: Condvar::new(), link }
    }

    pub(super) fn mode(&self) -> ClockMode {
        ClockMode::Stepped { start_ms: self.start_ms }
    }

    pub(crate) fn link(&self) -> Option<&Link> {
        self.link.as_ref()
    }

    pub(super) fn follows(&self) -> bool {
        self.link.is_some()
    }

    pub(super) fn now_ms(&self) -> i64 {
        *self.now.borrow()
    }

    /// Moves to what `next` makes of the time shown.
    pub(super) fn step(&self, next: impl FnOnce(i64) -> i64) -> Result<i64, ClockError> {
        let moving = self.lock();
        let now_ms = self.now_ms();
        let asked_ms = next(now_ms);
        if asked_ms < now_ms {
            return Err(ClockError::Backwards { now_ms, asked_ms });
        }
        if asked_ms > MAX_MS {
            return Err(ClockError::OutOfRange { now_ms });
        }
        self.show(asked_ms, moving);
        Ok(asked_ms)
    }

    /// Moves to the time of the clock that is followed. One that lies behind (that process started anew) is waited for.
    pub(crate) fn follow_to(&self, leader_ms: i64) {
        let moving = self.lock();
        if leader_ms > self.now_ms() {
            self.show(leader_ms.min(MAX_MS), moving);
        }
    }

    fn show(&self, ms: i64, moving: MutexGuard<'_, ()>) {
        self.now.send_if_modified(|now| std::mem::replace(now, ms) != ms);
        drop(moving);
        self.moved.notify_all();
    }

    pub(super) async fn sleep_until(&self, at_ms: i64) {
        self.wait_for(|now_ms| now_ms >= at_ms).await;
    }

    pub(super) async fn changed(&self, seen_ms: i64) {
        self.wait_for(|now_ms| now_ms != seen_ms).await;
    }

    async fn wait_for(&self, mut come: impl FnMut(i64) -> bool) {
        let mut steps = self.now.subscribe();
        // The sender is `self.now`, which outlives this call, so that waiting cannot fail.
        let _ = steps.wait_for(|now_ms| come(*now_ms)).await;
    }

    pub(super) fn wait_until(&self, at_ms: i64, cap: Duration) {
        let waiting = |(): &mut ()| self.now_ms() < at_ms;
        // A poisoned lock or a spent cap ends the wait all the same.
        let _ = self.moved.wait_timeout_while(self.lock(), cap, waiting);
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
