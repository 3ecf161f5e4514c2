//! An engine that lets somebody else write a row just before a commit, when a test wants it: so that the commit finds a conflict. Everything else is the engine's own.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tidegate_store::{
    Batch, Changes, Claim, Commit, CommitError, Engine, Health, KeyRange, LaneToken, Order, Queue, ReadySignal, Row,
    Seq, Stats, StoreError,
    engine::{Follow, Meter},
    keys::Key,
};

/// The engine.
pub(crate) struct Meddler {
    inner: Arc<dyn Engine>,
    plan: Mutex<Option<Plan>>,
}

struct Plan {
    key: Key,
    spare: usize,
    times: usize,
}

impl Meddler {
    pub(crate) fn over(inner: Arc<dyn Engine>) -> Arc<Self> {
        Arc::new(Self { inner, plan: Mutex::default() })
    }

    /// Spares so many commits, then writes this row before so many others.
    pub(crate) fn meddle(&self, key: Key, spare: usize, times: usize) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = Some(Plan { key, spare, times });
    }

    fn due(&self) -> Option<Key> {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = plan.as_mut()?;
        if plan.spare > 0 {
            plan.spare -= 1;
            return None;
        }
        plan.times = plan.times.checked_sub(1)?;
        Some(plan.key.clone())
    }
}

impl Engine for Meddler {
    fn commit(&self, batch: Batch) -> Commit {
        if let Some(key) = self.due()
            && let Ok(Some(row)) = self.inner.get(&key)
        {
            let mut changes = Changes::new(self.inner.seq());
            changes.put_row(key, row.value);
            self.inner.commit(changes.into_batch()).wait().unwrap();
        }
        self.inner.commit(batch)
    }

    fn get(&self, key: &[u8]) -> Result<Option<Row>, StoreError> {
        self.inner.get(key)
    }

    fn range(&self, range: &KeyRange, order: Order, limit: usize) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        self.inner.range(range, order, limit)
    }

    fn claim(&self, queue: Queue, max_rows: usize) -> Result<Option<Claim>, StoreError> {
        self.inner.claim(queue, max_rows)
    }

    fn release(&self, token: LaneToken) {
        self.inner.release(token);
    }

    fn next_due(&self) -> Result<Option<i64>, StoreError> {
        self.inner.next_due()
    }

    fn seq(&self) -> Seq {
        self.inner.seq()
    }

    fn wait_ready(&self, queue: Queue, timeout: Duration) -> bool {
        self.inner.wait_ready(queue, timeout)
    }

    fn ready_signal(&self, queue: Queue) -> ReadySignal {
        self.inner.ready_signal(queue)
    }

    fn timer_signal(&self) -> ReadySignal {
        self.inner.timer_signal()
    }

    fn follow(&self) -> Result<Follow, CommitError> {
        self.inner.follow()
    }

    fn set_meter(&self, meter: Arc<dyn Meter>) {
        self.inner.set_meter(meter);
    }

    fn health(&self) -> Health {
        self.inner.health()
    }

    fn stats(&self) -> Stats {
        self.inner.stats()
    }

    fn shutdown(&self) {
        self.inner.shutdown();
    }
}
