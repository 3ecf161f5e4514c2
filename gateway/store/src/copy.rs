//! Copies of a store: the readable rows, as they were at one commit, in a fresh store of its own. Backup, restoring, compaction and repair are
//! this one routine.
//!
//! A copy keeps keys, values and versions; it has an identity of its own, and a mark that is no older than its source's. It is complete or
//! no gateway opens it: what makes it a store is written last. Knows rows, never what they mean.

mod error;
mod home;
mod repair;
mod report;
mod salvage;
mod source;
mod target;

pub use crate::sled::Stopped;
pub use error::CopyError;
pub use home::{Home, has_store, refuse_occupied, store_bytes};
pub use repair::{Repaired, repair};
pub use report::{Count, Counts, Progress, Report};
pub use salvage::{Hole, Salvaged, Variant, salvage};
pub use source::{Slice, Slices};

use crate::engine::{Batch, Engine};
use report::Tally;
use source::Live;
use std::{ops::ControlFlow, path::Path};
use target::{Finished, Target};

/// Rows of a slice.
const SLICE_ROWS: usize = 1_000;
/// Bytes after which a slice of a stopped store ends.
const SLICE_BYTES: usize = 8 * 1024 * 1024;

/// Who is told how far a copy is, after each slice; a break stops the copy.
pub type Tell<'a> = &'a mut dyn FnMut(&Progress) -> ControlFlow<()>;

/// Copies a store that goes on working, into a directory that does not exist yet: the copy is equal to the store at one commit.
///
/// The rows are read slice by slice while others write. Whatever is written after the beginning is followed, and put over what was read: so
/// every row is as the last followed commit left it, whenever it was read. Nobody waits for this.
///
/// # Errors
/// The store, or the disk that is copied to. What was written so far is no store.
pub fn copy_running(engine: &dyn Engine, into: &Path, tell: Tell<'_>) -> Result<Report, CopyError> {
    let follow = engine.follow()?;
    let mut target = Target::create(into)?;
    let mut tally = Tally::default();
    let mut after = None;
    loop {
        let slice = Live(engine).slice(after.as_ref())?;
        after = slice.next.clone();
        tally.read(&slice);
        for (key, row) in slice.rows {
            target.put(key, row)?;
        }
        // Only behind the slice, whose rows may be older than these.
        let followed = follow.take()?;
        target.catch_up(followed)?;
        tally.tell(tell)?;
        if after.is_none() {
            break;
        }
    }
    // The last that was taken may not be on disk in the source yet: a copy is never ahead of it.
    engine.commit(Batch::default()).wait()?;
    let Finished { counts, commit } = target.finish(0, 0)?;
    Ok(tally.report(counts, commit))
}

/// Copies a store that is stopped, into a directory that does not exist yet.
///
/// # Errors
/// As [`copy_running`].
pub fn copy_stopped(from: &Stopped, into: &Path, tell: Tell<'_>) -> Result<Report, CopyError> {
    let mut target = Target::create(into)?;
    let mut tally = Tally::default();
    let mut after = None;
    loop {
        let slice = from.slice(after.as_ref())?;
        after = slice.next.clone();
        tally.read(&slice);
        for (key, row) in slice.rows {
            target.put(key, row)?;
        }
        tally.tell(tell)?;
        if after.is_none() {
            break;
        }
    }
    let Finished { counts, commit } = target.finish(from.commit(), 0)?;
    Ok(tally.report(counts, commit))
}

/// Reads every row, checks it and counts it; nothing is written.
///
/// # Errors
/// The store can't be read.
pub fn verify(from: &dyn Slices, tell: Tell<'_>) -> Result<Report, CopyError> {
    let mut tally = Tally::default();
    let (mut counts, mut commit) = (Counts::default(), 0);
    let mut after = None;
    loop {
        let slice = from.slice(after.as_ref())?;
        after = slice.next.clone();
        tally.read(&slice);
        for (key, row) in &slice.rows {
            counts.add(key, row.value.len());
            commit = commit.max(row.version);
        }
        tally.tell(tell)?;
        if after.is_none() {
            return Ok(tally.report(counts, commit));
        }
    }
}

#[cfg(test)]
mod tests;
