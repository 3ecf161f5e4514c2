//! Timers: work that is put off, and its way back into a queue.

use super::{Changes, ReadError, WorkRow, readable_rows};
use crate::{
    engine::{CommitError, Engine, Expect, KeyRange, MAX_RANGE, Order, Row, StoreError},
    keys::{Key, Lane, NO_WORKSPACE, Queue, Space, TimerKey},
};
use serde::{Deserialize, Serialize};

/// The most timers that one commit moves: each is two row operations, and a group has to hold others too.
const MOVED_AT_ONCE: usize = 128;

/// Work and the lane that it goes to when it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Deferred {
    /// The queue.
    pub queue: Queue,
    /// The lane of it.
    pub lane: Lane,
    /// The work.
    pub work: WorkRow,
}

impl Deferred {
    /// Bytes of a timer row.
    pub const LEN: usize = 11 + WorkRow::LEN;

    /// `[queue u8][workspace u32][resource u32][shard u16][work 23]`.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[0] = self.queue.space() as u8;
        bytes[1..11].copy_from_slice(&self.lane.encode());
        bytes[11..].copy_from_slice(&self.work.encode());
        bytes
    }

    /// Reads a timer row; `None` when it is none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (queue, rest) = bytes.split_first()?;
        let (lane, work) = rest.split_at_checked(10)?;
        Some(Self {
            queue: Queue::ALL.into_iter().find(|q| q.space() as u8 == *queue)?,
            lane: Lane::decode(lane)?,
            work: WorkRow::decode(work)?,
        })
    }
}

/// What [`promote_due`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Promoted {
    /// Timers that are in their queues now.
    pub moved: usize,
    /// Due timers that cannot be read; they stay where they are.
    pub damaged: usize,
    /// Whether more may be due: call again at once.
    pub more: bool,
}

/// Moves timers that are due into their queues, in one commit, `limit` at most (and never more than 128). Waits for the disk.
///
/// A timer that is taken back meanwhile is not moved: then nothing is, and `more` says to call again.
///
/// # Errors
/// The engine.
pub fn promote_due(engine: &dyn Engine, now_ms: i64, limit: usize) -> Result<Promoted, ReadError> {
    let limit = limit.clamp(1, MOVED_AT_ONCE);
    let first = Key::new(Space::Timers, NO_WORKSPACE);
    let due = KeyRange::between(&first, &TimerKey::end_of_due(now_ms));
    let (rows, damaged) = readable_rows(engine, due, Order::Forward, limit)?;
    let mut promoted = Promoted { damaged: damaged.len(), more: rows.len() >= limit, ..Promoted::default() };
    let mut changes = Changes::new(engine.seq());
    for (key, row) in rows {
        if promote(&mut changes, key, &row) { promoted.moved += 1 } else { promoted.damaged += 1 }
    }
    if changes.is_empty() {
        return Ok(promoted);
    }
    match engine.commit(changes.into_batch()).wait() {
        Ok(_) => Ok(promoted),
        Err(CommitError::Conflict { .. }) => Ok(Promoted { moved: 0, more: true, ..promoted }),
        Err(error) => Err(error.into()),
    }
}

/// Moves timers that are due before a moment, and that `pick` wants, into their queues now. Gives how many. Waits for the disk.
///
/// A timer that is moved or taken back meanwhile is left to whoever did so.
///
/// # Errors
/// The engine.
pub fn hasten(engine: &dyn Engine, before_ms: i64, pick: impl Fn(&Deferred) -> bool) -> Result<usize, ReadError> {
    let end = TimerKey::end_of_due(before_ms);
    let mut range = KeyRange::between(&Key::new(Space::Timers, NO_WORKSPACE), &end);
    let mut moved = 0;
    loop {
        let (rows, _) = readable_rows(engine, range.clone(), Order::Forward, MOVED_AT_ONCE)?;
        let Some((last, _)) = rows.last().cloned() else { return Ok(moved) };
        let more = rows.len() >= MOVED_AT_ONCE;
        let wanted: Vec<_> =
            rows.into_iter().filter(|(_, row)| Deferred::decode(&row.value).is_some_and(|held| pick(&held))).collect();
        match hasten_rows(engine, &wanted) {
            Ok(()) => moved += wanted.len(),
            Err(CommitError::Conflict { .. }) => {
                for row in &wanted {
                    match hasten_rows(engine, std::slice::from_ref(row)) {
                        Ok(()) => moved += 1,
                        Err(CommitError::Conflict { .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            Err(error) => return Err(error.into()),
        }
        if !more {
            return Ok(moved);
        }
        range = range.after(&last);
    }
}

fn hasten_rows(engine: &dyn Engine, rows: &[(Key, Row)]) -> Result<(), CommitError> {
    let mut changes = Changes::new(engine.seq());
    for (key, row) in rows {
        promote(&mut changes, key.clone(), row);
    }
    if changes.is_empty() { Ok(()) } else { engine.commit(changes.into_batch()).wait().map(|_| ()) }
}

/// How many timers that are due before a moment `pick` wants; it stops at `most`.
///
/// # Errors
/// The engine.
pub fn count_timers(
    engine: &dyn Engine,
    before_ms: i64,
    most: usize,
    mut pick: impl FnMut(&Deferred) -> bool,
) -> Result<usize, StoreError> {
    let end = TimerKey::end_of_due(before_ms);
    let mut range = KeyRange::between(&Key::new(Space::Timers, NO_WORKSPACE), &end);
    let mut count = 0;
    loop {
        let (rows, _) = readable_rows(engine, range.clone(), Order::Forward, MAX_RANGE)?;
        count += rows.iter().filter(|(_, row)| Deferred::decode(&row.value).is_some_and(|held| pick(&held))).count();
        match rows.last() {
            Some((last, _)) if rows.len() >= MAX_RANGE && count < most => range = range.after(last),
            _ => return Ok(count.min(most)),
        }
    }
}

fn promote(changes: &mut Changes, key: Key, row: &Row) -> bool {
    let Some(deferred) = Deferred::decode(&row.value) else {
        tracing::error!(%key, "a timer row of an unknown form was left where it is");
        return false;
    };
    changes.expect(key.clone(), Expect::Version(row.version));
    changes.delete_row(key);
    changes.enqueue(deferred.queue, deferred.lane, &deferred.work);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn timer_rows_read_back(io: bool, lane: (u32, u32, u16), id: [u8; 16], attempt: u16) {
            let deferred = Deferred {
                queue: Queue::ALL[usize::from(io)],
                lane: Lane { workspace: lane.0, resource: lane.1, shard: lane.2 },
                work: WorkRow { attempt, ..WorkRow::new(1, id) },
            };
            prop_assert_eq!(Deferred::decode(&deferred.encode()), Some(deferred));
        }

        #[test]
        fn any_bytes_are_a_timer_row_or_none(bytes: Vec<u8>) {
            prop_assert!(Deferred::decode(&bytes).is_none() || bytes.len() == Deferred::LEN);
        }
    }
}
