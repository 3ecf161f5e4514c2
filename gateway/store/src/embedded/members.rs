//! The rolling sets of a group: clears expired members, and knows when a place is free.
//!
//! Rows of a set: one with the count, one per member with its moment, one per member in the order of the moments. When a
//! member stays longer only its own row is written; its place in the order is put right here, when it comes up.

use super::{Backend, Fault, Flow, envelope};
use crate::{
    engine::{Order, ops::GuardRow},
    keys::{GuardName, Key},
};
use std::collections::HashMap;

/// The most row operations that one group spends on clearing, on top of its batches'.
const UPKEEP_OPS: usize = 48;
/// The most row operations that one looked-at place costs: its own row, the member's or a new place.
const OPS_PER_PLACE: usize = 2;

/// What a group knows of the sets it has touched.
#[derive(Debug, Default)]
pub(super) struct Sets {
    /// From when on a place may be free, per set.
    free_at: HashMap<GuardName, i64>,
    spent: usize,
}

impl Sets {
    /// Whether the set was cleared in this group already.
    pub(super) fn knows(&self, guard: &GuardName) -> bool {
        self.free_at.contains_key(guard)
    }

    /// A member came in.
    pub(super) fn entered(&mut self, guard: &GuardName, until_ms: i64) {
        self.free_at.entry(guard.clone()).and_modify(|at| *at = until_ms.min(*at)).or_insert(until_ms);
    }

    /// From when on a place may be free, and later than now.
    pub(super) fn place_free_at(&self, guard: &GuardName, now_ms: i64) -> i64 {
        self.free_at.get(guard).copied().unwrap_or(i64::MAX).max(now_ms.saturating_add(1))
    }

    /// Looks at the places that come up first: what to write so that who has expired is out.
    pub(super) fn clear<B: Backend>(
        &mut self,
        backend: &B,
        guard: &GuardName,
        now_ms: i64,
    ) -> Result<Vec<(Key, Option<GuardRow>)>, Fault> {
        let places = UPKEEP_OPS.saturating_sub(self.spent + 1) / OPS_PER_PLACE;
        let due = due_places(backend, guard, places + 1)?;
        let mut writes = Vec::new();
        let (mut gone, mut free_at) = (0, i64::MAX);
        for (at, id) in due {
            if at > now_ms || writes.len() >= places * OPS_PER_PLACE {
                free_at = free_at.min(at);
                break;
            }
            writes.push((guard.expiry(at, &id), None));
            match number(backend, &guard.member(&id))? {
                Some(GuardRow::Until(until)) if until > now_ms => {
                    free_at = free_at.min(until);
                    writes.push((guard.expiry(until, &id), Some(GuardRow::Expiry)));
                }
                _ => {
                    gone += 1;
                    writes.push((guard.member(&id), None));
                }
            }
        }
        if let (1.., Some(GuardRow::Count(count))) = (gone, number(backend, &guard.row())?) {
            writes.push((guard.row(), Some(GuardRow::Count(count.saturating_sub(gone)))));
        }
        self.spent += writes.len();
        self.free_at.insert(guard.clone(), free_at);
        Ok(writes)
    }
}

fn due_places<B: Backend>(backend: &B, guard: &GuardName, limit: usize) -> Result<Vec<(i64, [u8; 16])>, Fault> {
    let mut places = Vec::new();
    backend.scan(&guard.expiries(), Order::Forward, &mut |key, _| {
        places.extend(guard.parse_expiry(key));
        if places.len() < limit { Flow::More } else { Flow::Stop }
    })?;
    Ok(places)
}

fn number<B: Backend>(backend: &B, key: &Key) -> Result<Option<GuardRow>, Fault> {
    let stored = backend.get(key)?;
    Ok(stored.and_then(|bytes| envelope::open(key, &bytes).and_then(|(_, value)| GuardRow::decode(value))))
}
