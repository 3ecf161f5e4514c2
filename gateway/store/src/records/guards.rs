//! Retention of guard rows: a rate that has recovered says no more than a missing row.

use super::{ReadError, readable_rows};
use crate::{
    engine::{Batch, CommitError, Engine, Expect, KeyRange, Order, ops::GuardRow},
    keys::{Key, NO_WORKSPACE, Space},
};

/// The most rows that one sweep removes: it shares the disk with real work.
const SWEPT_AT_ONCE: usize = 200;

/// What a sweep did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// Rows that were removed.
    pub removed: usize,
    /// Where to go on; `None` at the end.
    pub next: Option<Key>,
}

/// Removes rows of rates that have recovered, a slice at a time. Waits for the disk.
///
/// # Errors
/// The engine.
pub fn sweep_idle_guards(engine: &dyn Engine, now_ms: i64, after: Option<&Key>) -> Result<Sweep, ReadError> {
    let all = KeyRange::prefix(&Key::new(Space::Guards, NO_WORKSPACE)[..1]);
    let range = after.map_or(all.clone(), |key| all.after(key));
    let (rows, _) = readable_rows(engine, range, Order::Forward, SWEPT_AT_ONCE)?;
    let next = if rows.len() < SWEPT_AT_ONCE { None } else { rows.last().map(|(key, _)| key.clone()) };
    let mut batch = Batch::default();
    for (key, row) in rows {
        if GuardRow::decode(&row.value).is_some_and(|guard| guard.is_idle(now_ms)) {
            batch.expect.push((key.clone(), Expect::Version(row.version)));
            batch.delete.push(key);
        }
    }
    let removed = batch.delete.len();
    if removed == 0 {
        return Ok(Sweep { removed, next });
    }
    match engine.commit(batch).wait() {
        Ok(_) => Ok(Sweep { removed, next }),
        // One was used meanwhile: the next round gets the rest.
        Err(CommitError::Conflict { .. }) => Ok(Sweep { removed: 0, next }),
        Err(error) => Err(error.into()),
    }
}
