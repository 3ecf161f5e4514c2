//! The runner: claims a lane of pure work, takes it through the stages, and commits once for all. What it can't do is parked with its reason; the lane goes on.

mod asking;
mod deliveries;
mod effects;
mod parking;
mod replay;
mod rows;

pub(crate) use parking::resume_all;
pub(crate) use replay::{Applied, Examined, Now, Request as ReplayRequest, apply, examine};
pub(crate) use rows::{interpretations_in, interpretations_of, of_the_moment};

use super::advance;
use crate::{
    app::App,
    letters::{self, Behind},
    tx::{self, Tx, TxError},
    work::Work,
};
use std::{panic::AssertUnwindSafe, sync::Arc};
use tidegate_store::{Claim, Key, Queue, Row, WorkRow, records::DeadLetterKey};
use tokio::runtime::Handle;

/// Rows that are claimed at once: many share one commit and one sandbox.
const AT_ONCE: usize = 24;
/// Row operations after which no further row is taken into a commit. A batch of the store takes 448.
const ENOUGH_OPS: usize = 256;
/// Times that work is done again because another commit touched the same row.
const CONFLICTS: usize = 8;

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Something.
    Done,
    /// There was nothing to do.
    Idle,
}

/// Does pure work on a plain thread.
pub(crate) struct Runner {
    app: Arc<App>,
    runtime: Handle,
}

/// A claimed row that can be read as work.
struct Task {
    key: Key,
    row: WorkRow,
    work: Work,
    /// The letter that it is another try of.
    letter: Option<DeadLetterKey>,
}

impl Runner {
    /// For this gateway; plugins run on this runtime.
    pub(crate) const fn new(app: Arc<App>, runtime: Handle) -> Self {
        Self { app, runtime }
    }

    /// The gateway.
    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    /// Claims one lane and does its first rows.
    ///
    /// # Errors
    /// The store has stopped.
    pub(crate) fn tick(&self) -> Result<Progress, TxError> {
        let Some(claim) = self.app.store().claim(Queue::Pure, AT_ONCE)? else { return Ok(Progress::Idle) };
        if self.several(&claim)? {
            return Ok(Progress::Done);
        }
        // Together it did not work: one row alone, and if that fails it is the one to park.
        let alone = self.first(&claim);
        match alone {
            Ok(()) => Ok(Progress::Done),
            Err(error) if error.is_final() => Err(error),
            Err(error) => tx::give_up(self.app.store(), &claim, &error, self.app.now()).map(|()| Progress::Done),
        }
    }

    /// All claimed rows in one commit, as far as they fit. False when that failed for a reason that one row alone may not meet.
    fn several(&self, claim: &Claim) -> Result<bool, TxError> {
        for _ in 0..CONFLICTS {
            match self.attempt(claim, claim.rows()) {
                Ok(()) => return Ok(true),
                Err(error) if error.is_conflict() => {}
                Err(error) if error.is_final() => return Err(error),
                Err(error) => {
                    tracing::warn!(error = %error, rows = claim.rows().len(), "work failed together; trying one at a time");
                    return Ok(false);
                }
            }
        }
        Ok(false)
    }

    fn first(&self, claim: &Claim) -> Result<(), TxError> {
        let first = claim.rows().get(..1).unwrap_or_default();
        let mut last = Ok(());
        for _ in 0..CONFLICTS {
            last = self.attempt(claim, first);
            if !last.as_ref().is_err_and(TxError::is_conflict) {
                break;
            }
        }
        last
    }

    /// A panic in a stage is a failure of its rows, not of the gateway.
    fn attempt(&self, claim: &Claim, rows: &[(Key, Row)]) -> Result<(), TxError> {
        let done = std::panic::catch_unwind(AssertUnwindSafe(|| self.work(claim, rows)));
        done.unwrap_or(Err(TxError::Panicked))
    }

    fn work(&self, claim: &Claim, rows: &[(Key, Row)]) -> Result<(), TxError> {
        let mut tx = Tx::new(self.app.store(), claim.lane().workspace);
        let tasks = read(&mut tx, claim, rows)?;
        // One catalog from begin to end, whatever is put in its place meanwhile.
        let catalog = self.app.catalog();
        if let Some(Task { key, work: Work::Resume { endpoint, turn }, letter, .. }) = tasks.first() {
            parking::resume(&self.app, &catalog, &mut tx, claim.lane(), *endpoint, *turn)?;
            letters::done(&mut tx, key, *letter);
            return tx.commit(Some(claim.token()));
        }
        let deliveries = deliveries::load(&self.app, &catalog, &self.runtime, &mut tx, &tasks)?;
        for task in &tasks {
            match task.work {
                Work::Delivery { .. } | Work::Replay { .. } | Work::Answered { .. } => {
                    match deliveries.get(&task.key) {
                        Some(batch) => deliveries::apply(&self.app, &catalog, &mut tx, claim.lane(), task, batch)?,
                        // Left for the next claim: this one has enough.
                        None => break,
                    }
                }
                Work::Timer { run, wait } => {
                    advance::wake(&mut tx, &catalog, run, wait, self.app.now())?;
                    letters::done(&mut tx, &task.key, task.letter);
                }
                Work::Send { .. }
                | Work::Unknown { .. }
                | Work::Fetch { .. }
                | Work::Connect { .. }
                | Work::Letter { .. } => {
                    return Err(TxError::UnknownWork);
                }
                // It has a commit of its own.
                Work::Resume { .. } => break,
            }
            if tx.row_ops() >= ENOUGH_OPS {
                break;
            }
        }
        tx.commit(Some(claim.token()))
    }
}

/// The rows as work, up to the first that must have a commit of its own. A try that nobody asks for any more is taken away.
fn read(tx: &mut Tx<'_>, claim: &Claim, rows: &[(Key, Row)]) -> Result<Vec<Task>, TxError> {
    let mut tasks: Vec<Task> = Vec::with_capacity(rows.len());
    for (key, row) in rows {
        let row = WorkRow::decode(&row.value).ok_or(TxError::UnknownWork)?;
        let Behind { work, row, letter } =
            letters::behind(tx, claim.lane().workspace, row)?.ok_or(TxError::UnknownWork)?;
        match work {
            Some(Work::Resume { .. }) if !tasks.is_empty() => break,
            Some(work) => tasks.push(Task { key: key.clone(), row, work, letter }),
            None => tx.delete(key),
        }
    }
    Ok(tasks)
}

#[cfg(test)]
mod tests;
