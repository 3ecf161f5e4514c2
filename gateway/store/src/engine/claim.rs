//! Leases on lanes of ready work.

use crate::{
    engine::Row,
    keys::{Key, Lane, Queue},
};
use std::{fmt, sync::Arc};
use tokio::sync::Notify;

/// The right to work on a lane, and the fence against those who had it before.
///
/// It ends when a batch that carries it succeeds, or when it is released; a batch that fails leaves it as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LaneToken {
    /// The queue.
    pub queue: Queue,
    /// The lane of it.
    pub lane: Lane,
    /// Which lease of the lane: no two have the same.
    pub lease: u64,
}

/// Who takes a lane back.
pub trait ReleaseLane: Send + Sync {
    /// Ends the lease, if it is still this one.
    fn release(&self, token: LaneToken);
}

/// A leased lane and its first rows, in order. Dropping it gives the lane back.
///
/// Keep it until the commit that carries its token has resolved.
pub struct Claim {
    token: LaneToken,
    rows: Vec<(Key, Row)>,
    home: Arc<dyn ReleaseLane>,
}

impl Claim {
    /// A claim that gives its lane back to `home`.
    pub fn new(token: LaneToken, rows: Vec<(Key, Row)>, home: Arc<dyn ReleaseLane>) -> Self {
        Self { token, rows, home }
    }

    /// The lane.
    pub fn lane(&self) -> Lane {
        self.token.lane
    }

    /// What the finishing batch carries.
    pub fn token(&self) -> LaneToken {
        self.token
    }

    /// The rows, in order. All are durable.
    pub fn rows(&self) -> &[(Key, Row)] {
        &self.rows
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.home.release(self.token);
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("token", &self.token).field("rows", &self.rows.len()).finish()
    }
}

/// What an async worker waits on. A signal that comes while nobody waits is kept for the next one who does.
#[derive(Debug, Clone, Default)]
pub struct ReadySignal(Arc<Notify>);

impl ReadySignal {
    /// Waits for the signal. Look again after it: it may be late, and it wakes one waiter only.
    pub async fn wait(&self) {
        self.0.notified().await;
    }

    pub(crate) fn wake_one(&self) {
        self.0.notify_one();
    }

    /// Wakes all who wait, for the end of the engine.
    pub(crate) fn wake_all(&self) {
        self.0.notify_waiters();
        self.0.notify_one();
    }
}
