//! What the committer thread and the callers share.

use super::{Backend, Fault, Flow, envelope, intake::Intake, panic_text, ready::Ready, taps::Taps};
use crate::{
    engine::{Health, KeyRange, Meter, Order, ReadySignal, Row, StoreError},
    keys::{Key, NO_WORKSPACE, Space, TimerKey},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};

/// One engine's state.
pub(super) struct Shared<B> {
    pub(super) backend: B,
    pub(super) intake: Intake,
    pub(super) ready: Arc<Ready>,
    pub(super) counters: Counters,
    pub(super) meter: OnceLock<Arc<dyn Meter>>,
    pub(super) taps: Taps,
    /// The last commit that is on disk.
    durable: AtomicU64,
    timers: TimerWatch,
    stopped: AtomicBool,
    failure: Mutex<Option<String>>,
}

/// Figures that only grow, and the number of timers.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) rows_put: AtomicU64,
    pub(super) rows_deleted: AtomicU64,
    pub(super) commits: AtomicU64,
    pub(super) groups: AtomicU64,
    pub(super) damaged: AtomicU64,
    pub(super) timers: AtomicU64,
    /// Rows of work in the group that is being written, per queue.
    pub(super) arriving: [AtomicU64; 2],
}

/// Tells who sleeps until the next timer when an earlier one comes.
#[derive(Debug)]
struct TimerWatch {
    /// The earliest moment that was told of, or has been signalled since.
    told: AtomicI64,
    signal: ReadySignal,
}

impl<B: Backend> Shared<B> {
    pub(super) fn new(backend: B, commit: u64, timers: u64) -> Self {
        Self {
            backend,
            intake: Intake::default(),
            ready: Arc::default(),
            taps: Taps::default(),
            counters: Counters { timers: AtomicU64::new(timers), ..Counters::default() },
            meter: OnceLock::new(),
            durable: AtomicU64::new(commit),
            timers: TimerWatch { told: AtomicI64::new(i64::MAX), signal: ReadySignal::default() },
            stopped: AtomicBool::new(false),
            failure: Mutex::new(None),
        }
    }

    /// Reads from the backend. A fault or a panic in there stops the engine.
    pub(super) fn read<T>(&self, look: impl FnOnce(&B) -> Result<T, Fault>) -> Result<T, StoreError> {
        if self.stopped.load(Ordering::Acquire) {
            return Err(self.why_stopped());
        }
        let reason = match catch_unwind(AssertUnwindSafe(|| look(&self.backend))) {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(fault)) => format!("a read failed: {fault}"),
            Err(panic) => format!("a read found the store damaged: {}", panic_text(&*panic)),
        };
        self.fail(&reason);
        Err(StoreError::Failed { reason })
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Row>, StoreError> {
        match self.read(|backend| backend.get(key))? {
            None => Ok(None),
            Some(bytes) => open(key, &bytes).map(Some),
        }
    }

    pub(super) fn range(
        &self,
        range: &KeyRange,
        order: Order,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        let mut rows: Result<Vec<(Vec<u8>, Row)>, StoreError> = Ok(Vec::new());
        if limit == 0 || range.is_empty() {
            return rows;
        }
        self.read(|backend| {
            backend.scan(range, order, &mut |key, bytes| match (&mut rows, open(key, bytes)) {
                (Ok(rows), Ok(row)) => {
                    rows.push((key.to_vec(), row));
                    if rows.len() < limit { Flow::More } else { Flow::Stop }
                }
                (rows, Err(error)) => {
                    *rows = Err(error);
                    Flow::Stop
                }
                (Err(_), Ok(_)) => Flow::Stop,
            })
        })?;
        rows
    }

    /// The first durable, readable rows of a range. Damaged ones are left out, counted and logged.
    pub(super) fn durable_rows(&self, range: &KeyRange, limit: usize) -> Result<Vec<(Key, Row)>, StoreError> {
        self.durable_rows_but(range, limit, |error| {
            self.counters.damaged.fetch_add(1, Ordering::Relaxed);
            tracing::error!(%error, "a damaged row was left out");
        })
    }

    /// The same, telling of damaged ones.
    fn durable_rows_but(
        &self,
        range: &KeyRange,
        limit: usize,
        damaged: impl Fn(StoreError),
    ) -> Result<Vec<(Key, Row)>, StoreError> {
        let durable = self.durable.load(Ordering::Acquire);
        let mut rows = Vec::new();
        self.read(|backend| {
            backend.scan(range, Order::Forward, &mut |key, bytes| {
                match open(key, bytes) {
                    Ok(row) if row.version <= durable => rows.push((Key::from_bytes(key), row)),
                    Ok(_) => {}
                    Err(error) => damaged(error),
                }
                if rows.len() < limit { Flow::More } else { Flow::Stop }
            })
        })?;
        Ok(rows)
    }

    pub(super) fn next_due(&self) -> Result<Option<i64>, StoreError> {
        // From here on every new timer signals, so that none falls between this look and its answer.
        self.timers.told.store(i64::MAX, Ordering::SeqCst);
        let due = self.first_due()?;
        self.timers.told.fetch_min(due.unwrap_or(i64::MAX), Ordering::SeqCst);
        Ok(due)
    }

    /// When the earliest durable timer is due.
    fn first_due(&self) -> Result<Option<i64>, StoreError> {
        Ok(due_of(&self.durable_rows(&timers(), 1)?))
    }

    /// The same for figures: looking at them neither counts nor logs what is damaged.
    pub(super) fn shown_due(&self) -> Option<i64> {
        self.durable_rows_but(&timers(), 1, drop).ok().and_then(|rows| due_of(&rows))
    }

    pub(super) fn timer_signal(&self) -> ReadySignal {
        self.timers.signal.clone()
    }

    /// Timers for these moments are on disk now.
    pub(super) fn armed(&self, moments_ms: &[i64]) {
        if let Some(earliest) = moments_ms.iter().min()
            && *earliest < self.timers.told.fetch_min(*earliest, Ordering::SeqCst)
        {
            self.timers.signal.wake_one();
        }
    }

    /// Everything up to this commit is on disk now.
    pub(super) fn set_durable(&self, commit: u64) {
        self.durable.store(commit, Ordering::Release);
    }

    /// Stops for good: waiters are answered, workers are woken.
    pub(super) fn fail(&self, reason: &str) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.is_none() {
            tracing::error!(reason, "the store has stopped; open it anew");
            *failure = Some(reason.to_owned());
        }
        drop(failure);
        self.stopped.store(true, Ordering::Release);
        self.intake.fail(reason);
        self.wake_all();
    }

    /// Stops orderly, after the last group.
    pub(super) fn close(&self) {
        self.stopped.store(true, Ordering::Release);
        self.wake_all();
    }

    fn wake_all(&self) {
        self.ready.stop();
        self.timers.signal.wake_all();
    }

    pub(super) fn health(&self) -> Health {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.clone().map_or(Health::Ok, Health::Failed)
    }

    fn why_stopped(&self) -> StoreError {
        match self.health() {
            Health::Failed(reason) => StoreError::Failed { reason },
            Health::Ok => StoreError::Closed,
        }
    }
}

fn timers() -> KeyRange {
    KeyRange::prefix(&Key::new(Space::Timers, NO_WORKSPACE))
}

fn due_of(rows: &[(Key, Row)]) -> Option<i64> {
    rows.first().and_then(|(key, _)| TimerKey::parse(key)).map(|timer| timer.due_ms)
}

fn open(key: &[u8], bytes: &[u8]) -> Result<Row, StoreError> {
    open_row(key, bytes).ok_or_else(|| StoreError::Corrupt { key: Key::from_bytes(key) })
}

/// A sealed row; `None` when it is damaged.
pub(crate) fn open_row(key: &[u8], bytes: &[u8]) -> Option<Row> {
    envelope::open(key, bytes).map(|(version, value)| Row { version, value: value.to_vec() })
}
