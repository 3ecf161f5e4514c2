//! What a stage asks the store to do, all of it in one commit.

use super::{DeadLetter, Deferred, Record, RecordError, WorkRow, record};
use crate::{
    engine::{Batch, Expect, LaneToken, Op, Seq},
    keys::{Key, Lane, Queue, ReadyKey, TimerKey},
};

/// Records, work and timers to write or take back. Becomes one [`Batch`].
#[derive(Debug)]
pub struct Changes {
    seq: Seq,
    batch: Batch,
}

impl Changes {
    /// No changes yet. `seq` numbers the work and the timers.
    pub fn new(seq: Seq) -> Self {
        Self { seq, batch: Batch::default() }
    }

    /// Writes a record.
    ///
    /// # Errors
    /// It is not a JSON object.
    pub fn put<R: Record>(&mut self, record: &R) -> Result<(), RecordError> {
        let (key, row) = record::encode(record)?;
        self.put_row(key, row);
        Ok(())
    }

    /// Removes a record.
    pub fn delete<R: Record>(&mut self, key: &R::Key) {
        self.delete_row(R::row_key(key));
    }

    /// Only if there is no such record.
    pub fn expect_absent<R: Record>(&mut self, key: &R::Key) {
        self.expect(R::row_key(key), Expect::Absent);
    }

    /// Only if the record still has the version that was read.
    pub fn expect_version<R: Record>(&mut self, key: &R::Key, version: u64) {
        self.expect(R::row_key(key), Expect::Version(version));
    }

    /// Writes a row that is no JSON record. Of several writes of a row the last counts, and costs.
    pub fn put_row(&mut self, key: Key, row: Vec<u8>) {
        match self.batch.put.iter_mut().find(|(k, _)| *k == key) {
            Some((_, before)) => *before = row,
            None => self.batch.put.push((key, row)),
        }
    }

    /// Removes a row, also one that was to be written.
    pub fn delete_row(&mut self, key: Key) {
        self.batch.put.retain(|(k, _)| *k != key);
        self.batch.delete.push(key);
    }

    /// Only if this holds of a row.
    pub fn expect(&mut self, key: Key, expect: Expect) {
        self.batch.expect.push((key, expect));
    }

    /// Puts work at the end of a lane.
    pub fn enqueue(&mut self, queue: Queue, lane: Lane, work: &WorkRow) -> ReadyKey {
        let ready = ReadyKey { queue, lane, seq: self.seq.next() };
        self.put_row(ready.key(), work.encode().to_vec());
        ready
    }

    /// Puts work off. Keep the key to take it back.
    pub fn defer(&mut self, due_ms: i64, deferred: &Deferred) -> TimerKey {
        let timer = TimerKey { due_ms, seq: self.seq.next() };
        self.put_row(timer.key(), deferred.encode().to_vec());
        timer
    }

    /// Takes a timer back; one that has been promoted already is no error.
    pub fn cancel_timer(&mut self, timer: TimerKey) {
        self.delete_row(timer.key());
    }

    /// Gives work up, for a person to look at.
    ///
    /// # Errors
    /// As [`Changes::put`].
    pub fn dead_letter(&mut self, letter: &DeadLetter) -> Result<(), RecordError> {
        self.put(letter)
    }

    /// The next unique number, for keys that have one.
    pub fn next_seq(&self) -> u64 {
        self.seq.next()
    }

    /// A guarded operation; if it is refused, all of this is. Gives its place, which the refusal names.
    pub fn op(&mut self, op: Op) -> usize {
        self.batch.ops.push(op);
        self.batch.ops.len() - 1
    }

    /// Ends the lease on a lane, in the same commit.
    pub fn finish(&mut self, token: LaneToken) {
        self.batch.token = Some(token);
    }

    /// Takes over a later stage's changes: one commit for both. A token of this one stays.
    pub fn append(&mut self, other: Self) {
        let Batch { expect, put, delete, ops, token } = other.batch;
        self.batch.expect.extend(expect);
        delete.into_iter().for_each(|key| self.delete_row(key));
        put.into_iter().for_each(|(key, row)| self.put_row(key, row));
        self.batch.ops.extend(ops);
        self.batch.token = self.batch.token.or(token);
    }

    /// Row operations that this counts as, at most: what it costs.
    pub fn row_ops(&self) -> usize {
        self.batch.row_ops()
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.row_ops() == 0 && self.batch.expect.is_empty() && self.batch.token.is_none()
    }

    /// What the engine commits.
    pub fn into_batch(self) -> Batch {
        self.batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::meta;

    fn changes() -> Changes {
        Changes::new(Seq::starting_at(1))
    }

    #[test]
    fn the_last_write_of_a_row_counts_and_costs() {
        let mut first = changes();
        first.put_row(meta("a"), vec![1]);
        first.put_row(meta("a"), vec![2]);
        assert_eq!(first.row_ops(), 1);
        let mut second = changes();
        second.delete_row(meta("a"));
        first.append(second);
        let batch = first.into_batch();
        assert_eq!((batch.put, batch.delete), (vec![], vec![meta("a")]));
    }

    #[test]
    fn a_timer_that_is_armed_and_taken_back_in_one_commit_is_not_armed() {
        let mut changes = changes();
        let work = WorkRow::new(1, [0; 16]);
        let timer = changes.defer(5, &Deferred { queue: Queue::Pure, lane: Lane::new(1, 0, 0), work });
        changes.cancel_timer(timer);
        assert!(changes.into_batch().put.is_empty());
    }

    #[test]
    fn a_row_that_is_removed_and_written_again_is_there() {
        let mut changes = changes();
        changes.delete_row(meta("a"));
        changes.put_row(meta("a"), vec![1]);
        let memory = crate::memory::Memory::new();
        memory.engine().commit(changes.into_batch()).wait().unwrap();
        assert_eq!(memory.engine().get(&meta("a")).unwrap().unwrap().value, [1]);
    }
}
