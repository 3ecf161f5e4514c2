//! Decides a group: which batches succeed, and what the group writes. Reads through the backend, writes nothing.
//!
//! Batches are looked at in order; each sees what the earlier ones of its group will write.

use super::{
    Backend, Fault, Writes,
    envelope::{self, seal},
    intake::Prepared,
    members::Sets,
    ready::{Delta, Ready},
};
use crate::{
    engine::{
        CommitError, Committed, Expect, LaneToken, StoreError,
        ops::{self, GuardRow, Op},
    },
    keys::{GuardName, Key, ReadyKey, Space, TimerKey},
};

/// Why a batch of the group is not committed, or why no batch can be.
#[derive(Debug)]
pub(super) enum Stop {
    /// This batch only.
    Batch(CommitError),
    /// The backend broke.
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What a group will do.
#[derive(Default)]
pub(super) struct Plan {
    /// What each key becomes.
    pub(super) writes: Writes,
    /// The last commit number, that of the last batch that succeeded.
    pub(super) commit: u64,
    /// Timer rows after the group.
    pub(super) timers: u64,
    /// Moments of timers that the group arms.
    pub(super) armed_ms: Vec<i64>,
    /// What it changes in the lanes.
    pub(super) deltas: Vec<Delta>,
    /// Leases that end with it.
    pub(super) used: Vec<LaneToken>,
    pub(super) commits: u64,
    pub(super) rows_put: u64,
    pub(super) rows_deleted: u64,
}

/// Builds the plan of one group.
pub(super) struct Planner<'a, B> {
    backend: &'a B,
    ready: &'a Ready,
    plan: Plan,
    sets: Sets,
}

/// A value that a batch's operation wants written.
type Effect = (Key, GuardRow);

impl<'a, B: Backend> Planner<'a, B> {
    pub(super) fn new(backend: &'a B, ready: &'a Ready, commit: u64, timers: u64) -> Self {
        let plan = Plan { commit, timers, ..Plan::default() };
        Self { backend, ready, plan, sets: Sets::default() }
    }

    pub(super) fn finish(self) -> Plan {
        self.plan
    }

    /// Decides one batch, and takes over what it writes if it succeeds.
    pub(super) fn decide(&mut self, batch: Prepared) -> Result<Committed, Stop> {
        if let Some(token) = batch.token.filter(|token| !self.ready.is_current(*token)) {
            return Err(Stop::Batch(CommitError::Fenced { lane: token.lane }));
        }
        for (key, expect) in &batch.expect {
            self.check(key, *expect)?;
        }
        let mut effects = Vec::new();
        for (place, op) in batch.ops.iter().enumerate() {
            self.evaluate(place, op, &mut effects)?;
        }
        if let Some(token) = batch.token {
            if !self.ready.begin_commit(token) {
                return Err(Stop::Batch(CommitError::Fenced { lane: token.lane }));
            }
            self.plan.used.push(token);
        }
        self.accept(batch, effects)
    }

    fn check(&self, key: &Key, expect: Expect) -> Result<(), Stop> {
        let version = self.read(key, |row| row.map(|(version, _)| version))?;
        let holds = match expect {
            Expect::Absent => version.is_none(),
            Expect::Version(wanted) => version == Some(wanted),
        };
        if holds { Ok(()) } else { Err(Stop::Batch(CommitError::Conflict { key: key.clone() })) }
    }

    fn evaluate(&mut self, place: usize, op: &Op, effects: &mut Vec<Effect>) -> Result<(), Stop> {
        let refused = |refusal| Stop::Batch(CommitError::Refused { op: place, refusal });
        match op {
            Op::Gcra { guard, rate, now_ms } => {
                let tat = match self.guard(&guard.row(), effects)? {
                    Some(GuardRow::Rate(tat)) => Some(tat),
                    other => none_or_damaged(guard, other)?,
                };
                let next = ops::gcra(tat, *rate, *now_ms).map_err(refused)?;
                effects.push((guard.row(), GuardRow::Rate(next)));
            }
            Op::Add { guard, delta, floor } => {
                let value = match self.guard(&guard.row(), effects)? {
                    Some(GuardRow::Figure(value)) => Some(value),
                    other => none_or_damaged(guard, other)?,
                };
                let sum = ops::add(value, *delta, *floor).map_err(refused)?;
                effects.push((guard.row(), GuardRow::Figure(sum)));
            }
            Op::Member { guard, id, expires_at_ms, limit, now_ms } => {
                self.clear_expired(guard, *now_ms)?;
                let counted = match self.guard(&guard.row(), effects)? {
                    Some(GuardRow::Count(count)) => count,
                    other => none_or_damaged(guard, other)?.unwrap_or(0),
                };
                let known = match self.guard(&guard.member(id), effects)? {
                    Some(GuardRow::Until(until)) => Some(until),
                    other => none_or_damaged(guard, other)?,
                };
                match ops::member(counted, known, *expires_at_ms, *limit, *now_ms) {
                    ops::Membership::Stays => {}
                    ops::Membership::Extended => effects.push((guard.member(id), GuardRow::Until(*expires_at_ms))),
                    ops::Membership::Enters => {
                        effects.push((guard.row(), GuardRow::Count(counted + 1)));
                        effects.push((guard.member(id), GuardRow::Until(*expires_at_ms)));
                        effects.push((guard.expiry(*expires_at_ms, id), GuardRow::Expiry));
                        self.sets.entered(guard, *expires_at_ms);
                    }
                    ops::Membership::Full => {
                        let retry_at_ms = self.sets.place_free_at(guard, *now_ms);
                        return Err(refused(ops::Refusal::Full { members: counted, retry_at_ms }));
                    }
                }
            }
        }
        Ok(())
    }

    /// Before a set's first use in a group: takes out who has expired. That stands whatever becomes of the batch.
    fn clear_expired(&mut self, guard: &GuardName, now_ms: i64) -> Result<(), Stop> {
        if self.sets.knows(guard) {
            return Ok(());
        }
        let upkeep = self.sets.clear(self.backend, guard, now_ms)?;
        for (key, row) in upkeep {
            // The number of the commit before: the figures that people see do not depend on it.
            let version = self.plan.commit;
            let value = row.map(|row| seal(&key, &row.encode(), version));
            self.write(key, value)?;
        }
        Ok(())
    }

    /// A guard's row as the batch sees it: its own effects first.
    fn guard(&self, key: &Key, effects: &[Effect]) -> Result<Option<GuardRow>, Stop> {
        if let Some((_, row)) = effects.iter().rev().find(|(k, _)| k == key) {
            return Ok(Some(*row));
        }
        match self.read(key, |row| row.map(|(_, value)| GuardRow::decode(value)))? {
            None => Ok(None),
            Some(Some(row)) => Ok(Some(row)),
            Some(None) => Err(damaged(key)),
        }
    }

    /// A row as the group sees it: version and value.
    fn read<T>(&self, key: &Key, look: impl FnOnce(Option<(u64, &[u8])>) -> T) -> Result<T, Stop> {
        if let Some(written) = self.plan.writes.get(key) {
            return open(key, written.as_deref(), look);
        }
        open(key, self.backend.get(key)?.as_deref(), look)
    }

    fn accept(&mut self, batch: Prepared, effects: Vec<Effect>) -> Result<Committed, Stop> {
        self.plan.commit += 1;
        self.plan.commits += 1;
        let version = self.plan.commit;
        for key in batch.delete {
            self.write(key, None)?;
        }
        for (key, draft) in batch.put {
            self.write(key, Some(draft.seal(version)))?;
        }
        for (key, row) in effects {
            let value = seal(&key, &row.encode(), version);
            self.write(key, Some(value))?;
        }
        Ok(Committed { version })
    }

    /// Takes over one write, and counts it where lanes and timers are counted.
    fn write(&mut self, key: Key, value: Option<Vec<u8>>) -> Result<(), Fault> {
        let is_put = value.is_some();
        if is_put {
            self.plan.rows_put += 1
        } else {
            self.plan.rows_deleted += 1
        }
        if matches!(key.space(), Some(Space::Ready | Space::Io | Space::Timers)) {
            let was_there = self.exists(&key)?;
            if let Some(timer) = TimerKey::parse(&key) {
                self.plan.armed_ms.extend(is_put.then_some(timer.due_ms));
                self.plan.timers = (self.plan.timers + u64::from(is_put)).saturating_sub(u64::from(was_there));
            } else if let (Some(ready), true) = (ReadyKey::parse(&key), was_there != is_put) {
                self.plan.deltas.push((ready.queue, ready.lane, if is_put { 1 } else { -1 }));
            }
        }
        self.plan.writes.insert(key, value);
        Ok(())
    }

    fn exists(&self, key: &Key) -> Result<bool, Fault> {
        match self.plan.writes.get(key) {
            Some(written) => Ok(written.is_some()),
            None => Ok(self.backend.get(key)?.is_some()),
        }
    }
}

fn open<T>(key: &Key, envelope: Option<&[u8]>, look: impl FnOnce(Option<(u64, &[u8])>) -> T) -> Result<T, Stop> {
    match envelope.map(|bytes| envelope::open(key, bytes)) {
        None => Ok(look(None)),
        Some(Some(row)) => Ok(look(Some(row))),
        Some(None) => Err(damaged(key)),
    }
}

/// A guard's row that is missing is as good as new; one of another kind is not.
fn none_or_damaged<T>(guard: &GuardName, row: Option<GuardRow>) -> Result<Option<T>, Stop> {
    if row.is_none() { Ok(None) } else { Err(damaged(&guard.row())) }
}

fn damaged(key: &Key) -> Stop {
    Stop::Batch(CommitError::Read(StoreError::Corrupt { key: key.clone() }))
}
