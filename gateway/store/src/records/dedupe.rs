//! What was received before: one small row per item and day, so that old days can be dropped as a range.

use super::Changes;
use crate::{
    engine::{Engine, Expect, KeyRange, StoreError},
    keys::{self, Key, Space},
};

const MS_PER_DAY: i64 = 24 * 60 * 60 * 1_000;

/// The day of a moment (milliseconds since 1970), as days since 1970.
pub fn day_of(at_ms: i64) -> u16 {
    u16::try_from(at_ms.div_euclid(MS_PER_DAY).max(0)).unwrap_or(u16::MAX)
}

/// One thing that may come twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dedupe {
    /// The workspace.
    pub workspace: u32,
    /// The endpoint that it came by.
    pub endpoint: u32,
    /// The hash of what makes it the same.
    pub hash: [u8; 16],
}

impl Dedupe {
    /// Who came first, when the same thing came on this day or one of the `days - 1` before; the newest day is looked at first.
    ///
    /// # Errors
    /// The engine.
    pub fn seen(&self, engine: &dyn Engine, today: u16, days: u16) -> Result<Option<[u8; 16]>, StoreError> {
        for day in (0..days).map_while(|back| today.checked_sub(back)) {
            if let Some(row) = engine.get(&self.key(day))? {
                return Ok(Some(row.value.try_into().unwrap_or_default()));
            }
        }
        Ok(None)
    }

    /// Records it as received today, by `first`. The commit fails when it came before: on this day or one of the `days - 1` before.
    ///
    /// Who has looked with [`Dedupe::seen`] needs two days only: it may have come meanwhile, late yesterday. Who has not leaves the whole
    /// look to the commit, which costs no read of its own in the usual case that it is new.
    pub fn record(&self, changes: &mut Changes, today: u16, days: u16, first: &[u8; 16]) {
        for day in (0..days).map_while(|back| today.checked_sub(back)) {
            changes.expect(self.key(day), Expect::Absent);
        }
        changes.put_row(self.key(today), first.to_vec());
    }

    /// Whether a conflict means that it came before.
    pub fn is_conflict(&self, key: &Key, today: u16, days: u16) -> bool {
        (0..days).map_while(|back| today.checked_sub(back)).any(|day| *key == self.key(day))
    }

    /// The rows of an endpoint from days before this one: what retention may remove.
    pub fn before(workspace: u32, endpoint: u32, day: u16) -> KeyRange {
        let all = Key::new(Space::Dedupe, workspace).u32(endpoint);
        KeyRange::between(&all, &all.clone().u16(day))
    }

    fn key(&self, day: u16) -> Key {
        keys::dedupe(self.workspace, self.endpoint, day, &self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::CommitError, memory::Memory};

    const FIRST: [u8; 16] = [1; 16];

    fn record(engine: &dyn Engine, dedupe: Dedupe, day: u16) -> Result<(), CommitError> {
        let mut changes = Changes::new(engine.seq());
        dedupe.record(&mut changes, day, 2, &FIRST);
        engine.commit(changes.into_batch()).wait().map(drop)
    }

    #[test]
    fn a_thing_is_seen_on_its_day_and_for_the_days_that_are_looked_back() {
        let memory = Memory::new();
        let engine = memory.engine();
        let dedupe = Dedupe { workspace: 1, endpoint: 2, hash: [3; 16] };
        record(&*engine, dedupe, 100).unwrap();
        let check = |dedupe: Dedupe, today, expected| assert_eq!(dedupe.seen(&*engine, today, 8).unwrap(), expected);
        check(dedupe, 100, Some(FIRST));
        check(dedupe, 107, Some(FIRST));
        check(dedupe, 108, None);
        check(Dedupe { endpoint: 3, ..dedupe }, 100, None);
        check(Dedupe { workspace: 2, ..dedupe }, 100, None);
    }

    #[test]
    fn of_two_that_come_at_once_one_is_first_even_around_midnight() {
        let memory = Memory::new();
        let engine = memory.engine();
        let dedupe = Dedupe { workspace: 1, endpoint: 2, hash: [3; 16] };
        record(&*engine, dedupe, 100).unwrap();
        for day in [100, 101] {
            let Err(CommitError::Conflict { key }) = record(&*engine, dedupe, day) else { panic!("twice") };
            assert!(dedupe.is_conflict(&key, day, 2));
        }
        record(&*engine, dedupe, 102).unwrap();
    }

    #[test]
    fn days_count_from_1970_and_stay_in_their_range() {
        let check = |ms, expected| assert_eq!(day_of(ms), expected);
        check(0, 0);
        check(MS_PER_DAY - 1, 0);
        check(MS_PER_DAY, 1);
        check(-1, 0);
        check(i64::MAX, u16::MAX);
    }
}
