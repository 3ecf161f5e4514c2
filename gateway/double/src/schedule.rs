//! What comes due, in the order of domain time: one heap and one task for all of it.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use tidegate_clock::DomainClock;
use tokio::sync::Notify;

use crate::{
    record::{SentMessage, StatusWord},
    state::Shared,
    twilio,
    webhook::{Line, Parcel, Pricing, Who},
};

/// Something to do at a moment.
#[derive(Clone)]
pub(crate) enum Job {
    /// Tell a status.
    Status(Box<StatusJob>),
    /// Tell a status of an SMS.
    Sms(Box<twilio::StatusJob>),
    /// Try a webhook again.
    Again(Box<Parcel>),
}

/// A status to tell.
#[derive(Clone)]
pub(crate) struct StatusJob {
    pub(crate) line: Arc<Line>,
    pub(crate) message: Arc<SentMessage>,
    pub(crate) who: Arc<Who>,
    pub(crate) word: StatusWord,
    pub(crate) error: Option<i64>,
    pub(crate) at_ms: i64,
    pub(crate) pricing: Pricing,
}

/// The heap, and how many jobs were taken off it and are not done.
#[derive(Default)]
pub(crate) struct Schedule {
    heap: Mutex<Heap>,
    wake: Notify,
    in_hand: AtomicUsize,
}

#[derive(Default)]
struct Heap {
    due: BinaryHeap<Reverse<Due>>,
    next: u64,
    taken: u64,
}

/// Ordered by time, then by when it was put in.
struct Due {
    at_ms: i64,
    place: u64,
    job: Job,
}

impl Schedule {
    /// Puts jobs in, each with its moment (domain ms). Those of one moment stay in order.
    pub(crate) fn put(&self, jobs: impl IntoIterator<Item = (i64, Job)>) {
        let mut heap = self.lock();
        let head_before = heap.head();
        for (at_ms, job) in jobs {
            let place = heap.next;
            heap.next += 1;
            heap.due.push(Reverse(Due { at_ms, place, job }));
        }
        if heap.head() != head_before {
            self.wake.notify_one();
        }
    }

    /// When nothing is due and nothing that was due is still in hand: how many jobs were ever taken. Two equal answers mean that none was
    /// taken in between.
    pub(crate) fn settled(&self, now_ms: i64) -> Option<u64> {
        let heap = self.lock();
        let idle = heap.head().is_none_or(|at_ms| at_ms > now_ms) && self.in_hand.load(SeqCst) == 0;
        idle.then_some(heap.taken)
    }

    /// The next job that is due, or when the next one will be. A job that is given counts as in hand.
    fn take(&self, now_ms: i64) -> Result<Job, Option<i64>> {
        let mut heap = self.lock();
        match heap.head() {
            Some(at_ms) if at_ms <= now_ms => {}
            later => return Err(later),
        }
        self.in_hand.fetch_add(1, SeqCst);
        heap.taken += 1;
        heap.due.pop().map(|Reverse(due)| due.job).ok_or(None)
    }

    async fn next(&self, clock: &DomainClock) -> Job {
        loop {
            match self.take(clock.now_ms()) {
                Ok(job) => return job,
                Err(None) => self.wake.notified().await,
                Err(Some(at_ms)) => tokio::select! {
                    () = self.wake.notified() => {}
                    () = clock.sleep_until(at_ms) => {}
                },
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Heap> {
        self.heap.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one timer task: does each job when it is due, for ever.
pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        let job = shared.schedule.next(&shared.clock).await;
        shared.run(job);
        shared.schedule.in_hand.fetch_sub(1, SeqCst);
        shared.tell();
    }
}

impl Heap {
    fn head(&self) -> Option<i64> {
        self.due.peek().map(|Reverse(due)| due.at_ms)
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at_ms, self.place).cmp(&(other.at_ms, other.place))
    }
}
