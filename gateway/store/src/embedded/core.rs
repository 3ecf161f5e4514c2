//! The engine over any backend.

use super::{
    Backend, Known, boot, committer,
    intake::{Prepared, Submission},
    shared::Shared,
};
use crate::{
    engine::{
        Batch, Claim, Commit, CommitError, Engine, Follow, Health, KeyRange, LaneToken, MAX_RANGE, Meter, OpenError,
        Order, ReadySignal, ReleaseLane, Row, Seq, Stats, StoreError,
    },
    keys::{Key, Queue},
    migrate,
};
use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    thread::JoinHandle,
    time::Duration,
};

/// An embedded engine. Dropping it finishes the commits that were taken and releases the backend.
pub(crate) struct Core<B: Backend> {
    shared: Arc<Shared<B>>,
    seq: Seq,
    committer: Mutex<Option<JoinHandle<()>>>,
}

impl<B: Backend> Core<B> {
    /// Comes up over a backend whose meta rows are known: counts the lanes, starts the committer, records the opening, and
    /// brings an older format up to date. `store_id` names a new store.
    pub(crate) fn start(backend: B, known: &Known, store_id: u64) -> Result<Self, OpenError> {
        let shared = Arc::new(Shared::new(backend, known.commit(), known.progress.timers));
        shared.read(|backend| boot::count_lanes(backend, &shared.ready))?;
        let committer = std::thread::Builder::new().name("store-committer".to_owned()).spawn({
            let (shared, progress) = (Arc::clone(&shared), known.progress);
            move || committer::run(&shared, progress)
        });
        let committer = committer.map_err(|source| OpenError::Io {
            action: "start a thread for",
            path: "the store".into(),
            source,
        })?;
        let core = Self { shared, seq: Seq::of_opening(known.opening()), committer: Mutex::new(Some(committer)) };
        core.commit(known.first_batch(store_id)).wait()?;
        migrate::migrate(&core, known.format.unwrap_or(migrate::FORMAT), migrate::STEPS)?;
        Ok(core)
    }

    /// The backend, for who controls it.
    pub(crate) fn backend(&self) -> &B {
        &self.shared.backend
    }

    fn lane_rows(&self, token: LaneToken, max_rows: usize) -> Result<Vec<(Key, Row)>, StoreError> {
        let lane = KeyRange::prefix(&token.lane.prefix(token.queue));
        self.shared.durable_rows(&lane, max_rows.clamp(1, MAX_RANGE))
    }
}

impl<B: Backend> Engine for Core<B> {
    fn get(&self, key: &[u8]) -> Result<Option<Row>, StoreError> {
        self.shared.get(key)
    }

    fn range(&self, range: &KeyRange, order: Order, limit: usize) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        self.shared.range(range, order, limit.min(MAX_RANGE))
    }

    fn commit(&self, batch: Batch) -> Commit {
        match Prepared::new(batch) {
            Err(error) => Commit::refused(error),
            Ok(batch) => {
                let (commit, resolver) = Commit::pending();
                let at_ns = self.shared.meter.get().map_or(0, |meter| meter.now_ns());
                self.shared.intake.submit(Submission { batch, resolver, at_ns });
                commit
            }
        }
    }

    fn claim(&self, queue: Queue, max_rows: usize) -> Result<Option<Claim>, StoreError> {
        // A stopped engine gives out nothing, even where there would be nothing to read.
        self.shared.read(|_| Ok(()))?;
        let ready = &self.shared.ready;
        while let Some(token) = ready.lease(queue) {
            match self.lane_rows(token, max_rows) {
                Ok(rows) if rows.is_empty() => ready.found_empty(token),
                Ok(rows) => return Ok(Some(Claim::new(token, rows, Arc::clone(ready) as Arc<dyn ReleaseLane>))),
                Err(error) => {
                    ready.release(token);
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    fn release(&self, token: LaneToken) {
        self.shared.ready.release(token);
    }

    fn next_due(&self) -> Result<Option<i64>, StoreError> {
        self.shared.next_due()
    }

    fn seq(&self) -> Seq {
        self.seq.clone()
    }

    fn wait_ready(&self, queue: Queue, timeout: Duration) -> bool {
        self.shared.ready.wait(queue, timeout)
    }

    fn ready_signal(&self, queue: Queue) -> ReadySignal {
        self.shared.ready.signal(queue)
    }

    fn timer_signal(&self) -> ReadySignal {
        self.shared.timer_signal()
    }

    fn health(&self) -> Health {
        self.shared.health()
    }

    fn follow(&self) -> Result<Follow, CommitError> {
        let follow = self.shared.taps.attach();
        // The group that was under way may not have been recorded: after this one it can be read.
        self.commit(Batch::default()).wait().map(|_| follow)
    }

    fn stats(&self) -> Stats {
        let (counters, ready) = (&self.shared.counters, &self.shared.ready);
        // First: a timer that is gone by now is counted among the rows that are being written, or is ready.
        let oldest_due_ms = self.shared.shown_due();
        let [pure, io] = Queue::ALL.map(|queue| ready.figures(queue));
        let arriving = Queue::ALL.map(|queue| counters.arriving[queue.index()].load(Ordering::SeqCst));
        Stats {
            rows_put: counters.rows_put.load(Ordering::Relaxed),
            rows_deleted: counters.rows_deleted.load(Ordering::Relaxed),
            commits: counters.commits.load(Ordering::Relaxed),
            groups: counters.groups.load(Ordering::Relaxed),
            damaged: counters.damaged.load(Ordering::Relaxed),
            ready: [pure.0 + arriving[0], io.0 + arriving[1]],
            leased: [pure.1, io.1],
            timers: counters.timers.load(Ordering::Relaxed),
            oldest_due_ms,
            waiting: self.shared.intake.waiting(),
        }
    }

    fn set_meter(&self, meter: Arc<dyn Meter>) {
        // A second one is not taken, as the contract says.
        let _ = self.shared.meter.set(meter);
    }

    fn shutdown(&self) {
        self.shared.intake.close();
        let committer = self.committer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(committer) = committer {
            // A panic in there was caught and said; there is nothing to add.
            let _ = committer.join();
        }
    }
}

impl<B: Backend> Drop for Core<B> {
    fn drop(&mut self) {
        self.shutdown();
    }
}
