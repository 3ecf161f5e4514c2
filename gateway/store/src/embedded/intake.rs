//! Where batches wait for the committer, and how it gathers a group of them.

use super::envelope::Draft;
use crate::{
    engine::{Batch, CommitError, Expect, LaneToken, MAX_BATCH_BYTES, MAX_BATCH_OPS, Op, Resolver},
    keys::Key,
};
use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long a group may wait for callers that were in the last one: they have just been answered and will be back.
const GATHER: Duration = Duration::from_millis(1);
/// The most batches that wait for the disk; more are refused, so that a slow disk does not fill the memory.
const MAX_WAITING: usize = 16_384;
/// The most bytes that wait.
const MAX_WAITING_BYTES: usize = 256 * 1024 * 1024;

/// A batch as its caller prepared it: limits checked, values copied and summed.
pub(super) struct Prepared {
    pub(super) expect: Vec<(Key, Expect)>,
    pub(super) put: Vec<(Key, Draft)>,
    pub(super) delete: Vec<Key>,
    pub(super) ops: Vec<Op>,
    pub(super) token: Option<LaneToken>,
    row_ops: usize,
    bytes: usize,
}

impl Prepared {
    pub(super) fn new(batch: Batch) -> Result<Self, CommitError> {
        batch.check_limits()?;
        let (row_ops, bytes) = (batch.row_ops(), batch.bytes());
        let seal = |(key, value): (Key, Vec<u8>)| {
            let draft = Draft::new(&key, &value);
            (key, draft)
        };
        let put = batch.put.into_iter().map(seal).collect();
        let Batch { expect, delete, ops, token, .. } = batch;
        Ok(Self { expect, put, delete, ops, token, row_ops, bytes })
    }
}

/// A batch and who waits for it.
pub(super) struct Submission {
    pub(super) batch: Prepared,
    pub(super) resolver: Resolver,
    /// When it was handed over, by the meter; 0 without one.
    pub(super) at_ns: u64,
}

/// The line in front of the committer.
#[derive(Default)]
pub(super) struct Intake {
    line: Mutex<Line>,
    arrived: Condvar,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Submission>,
    row_ops: usize,
    bytes: usize,
    /// The committer sleeps until so many wait; 0 when it does not sleep.
    wanted: usize,
    closed: Option<CommitError>,
}

impl Line {
    fn is_full_group(&self) -> bool {
        self.row_ops >= MAX_BATCH_OPS || self.bytes >= MAX_BATCH_BYTES
    }

    fn is_enough(&self, wanted: usize) -> bool {
        self.waiting.len() >= wanted || self.is_full_group() || self.closed.is_some()
    }
}

impl Intake {
    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a batch in line, or answers it at once.
    pub(super) fn submit(&self, submission: Submission) {
        let mut line = self.lock();
        let refused = line.closed.clone().or_else(|| {
            let waiting = line.waiting.len();
            (waiting >= MAX_WAITING || line.bytes >= MAX_WAITING_BYTES).then_some(CommitError::Busy { waiting })
        });
        if let Some(error) = refused {
            drop(line);
            return submission.resolver.resolve(Err(error));
        }
        line.row_ops += submission.batch.row_ops;
        line.bytes += submission.batch.bytes;
        line.waiting.push_back(submission);
        if line.wanted > 0 && line.is_enough(line.wanted) {
            line.wanted = 0;
            self.arrived.notify_one();
        }
    }

    /// The next group: waits for a batch, then a little for as many as the last group had. False when closed and empty.
    pub(super) fn next_group(&self, last: usize, group: &mut Vec<Submission>) -> bool {
        let mut line = self.lock();
        while line.waiting.is_empty() {
            if line.closed.is_some() {
                return false;
            }
            line.wanted = 1;
            line = self.arrived.wait(line).unwrap_or_else(PoisonError::into_inner);
        }
        if !line.is_enough(last) {
            line.wanted = last;
            let waited = self.arrived.wait_timeout_while(line, GATHER, |line| !line.is_enough(last));
            line = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        line.wanted = 0;
        take_group(&mut line, group);
        true
    }

    /// Takes no more batches. Those in line are still served.
    pub(super) fn close(&self) {
        let mut line = self.lock();
        line.closed.get_or_insert(CommitError::Closed);
        self.arrived.notify_one();
    }

    /// Takes no more batches, and answers those in line.
    pub(super) fn fail(&self, reason: &str) {
        let error = CommitError::Failed { reason: reason.to_owned() };
        let mut line = self.lock();
        line.closed = Some(error.clone());
        let waiting = std::mem::take(&mut line.waiting);
        self.arrived.notify_one();
        drop(line);
        for submission in waiting {
            submission.resolver.resolve(Err(error.clone()));
        }
    }

    pub(super) fn waiting(&self) -> u64 {
        self.lock().waiting.len() as u64
    }
}

/// Moves as many as one group may have, one at least.
fn take_group(line: &mut Line, group: &mut Vec<Submission>) {
    let (mut row_ops, mut bytes) = (0, 0);
    while let Some(next) = line.waiting.front() {
        row_ops += next.batch.row_ops;
        bytes += next.batch.bytes;
        if !group.is_empty() && (row_ops > MAX_BATCH_OPS || bytes > MAX_BATCH_BYTES) {
            break;
        }
        line.row_ops -= next.batch.row_ops;
        line.bytes -= next.batch.bytes;
        group.extend(line.waiting.pop_front());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Commit;
    use crate::keys::meta;

    fn submit(intake: &Intake, puts: usize, bytes: usize) -> Commit {
        let (commit, resolver) = Commit::pending();
        let put = (0..puts).map(|n| (meta(&n.to_string()), vec![0; bytes])).collect();
        let batch = Prepared::new(Batch { put, ..Batch::default() }).unwrap();
        intake.submit(Submission { batch, resolver, at_ns: 0 });
        commit
    }

    fn next(intake: &Intake) -> usize {
        let mut group = Vec::new();
        intake.next_group(0, &mut group);
        group.len()
    }

    #[test]
    fn a_group_keeps_to_its_limits_and_takes_one_at_least() {
        let intake = Intake::default();
        let commits: Vec<Commit> = [200, 200, 100, 400].map(|puts| submit(&intake, puts, 1)).into();
        assert_eq!([next(&intake), next(&intake), next(&intake)], [2, 1, 1]);
        let large: Vec<Commit> = [40, 40].map(|puts| submit(&intake, puts, 40_000)).into();
        assert_eq!([next(&intake), next(&intake)], [1, 1]);
        drop((commits, large));
    }

    #[test]
    fn a_closed_intake_serves_who_waits_and_refuses_who_comes() {
        let intake = Intake::default();
        let waiting = submit(&intake, 1, 1);
        intake.close();
        assert_eq!(submit(&intake, 1, 1).wait(), Err(CommitError::Closed));
        assert_eq!(next(&intake), 1);
        assert!(!intake.next_group(0, &mut Vec::new()));
        drop(waiting);
    }

    #[test]
    fn a_failed_intake_answers_who_waits() {
        let intake = Intake::default();
        let waiting = submit(&intake, 1, 1);
        intake.fail("disk gone");
        assert_eq!(waiting.wait(), Err(CommitError::Failed { reason: "disk gone".to_owned() }));
        assert!(matches!(submit(&intake, 1, 1).wait(), Err(CommitError::Failed { .. })));
    }

    #[test]
    fn what_is_over_a_limit_is_named_before_it_waits() {
        let check = |put: Vec<(Key, Vec<u8>)>, expected: &str| {
            let error = Prepared::new(Batch { put, ..Batch::default() }).err().map(|error| error.to_string());
            assert_eq!(error.as_deref(), Some(expected));
        };
        let row = |bytes: usize| (meta("a"), vec![0; bytes]);
        check(vec![row(49_153)], "the value is too large: 49153, the limit is 49152");
        check(vec![row(1); 449], "the number of row operations is too large: 449, the limit is 448");
        check(vec![row(49_000); 43], "the batch is too large: 2107258, the limit is 2097152");
        check(vec![(meta(&"k".repeat(1_020)), vec![])], "the key is too large: 1025, the limit is 1024");
    }
}
