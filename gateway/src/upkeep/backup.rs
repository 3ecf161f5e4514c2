//! Backup, restoring and compaction: copies of a store, and where they go.

use serde::{Deserialize, Serialize};
use std::path::Path;
use tidegate_model::Timestamp;
use tidegate_store::{
    Engine,
    copy::{self, CopyError, Counts, Home, Report, Stopped, Tell},
};

/// The copy, while it is made.
const PLACE: &str = "store";
/// What a backup says about itself, in its store's directory.
const NOTE: &str = "backup.json";
/// Damaged rows that an error names; the report names all.
const NAMED: usize = 5;

/// Why a store was not copied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpkeepFault {
    /// The copy.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// It has rows that can't be read.
    #[error(
        "{what} has {count} damaged rows ({named}): nothing was changed; `tidegate repair --data {what}` saves the others, and tells what is lost"
    )]
    Damaged {
        /// The directory.
        what: String,
        /// How many.
        count: usize,
        /// The first of them.
        named: String,
    },
    /// It is not what it was.
    #[error(
        "the backup has {found} rows, and had {noted} when it was made: it is incomplete; nothing was changed. Use another backup"
    )]
    Incomplete {
        /// Rows that are there.
        found: u64,
        /// Rows that were.
        noted: u64,
    },
}

/// What a backup says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Backup {
    /// The version that made it.
    pub tidegate: String,
    /// When.
    pub made_at: Timestamp,
    /// The commit that it stands at.
    pub commit: u64,
    /// Its rows by kind.
    pub rows: Counts,
    /// Rows of the source that could not be read.
    pub damaged: Vec<String>,
}

impl Backup {
    fn of(report: Report, made_at: Timestamp) -> Self {
        let Report { commit, rows, damaged } = report;
        Self { tidegate: env!("CARGO_PKG_VERSION").to_owned(), made_at, commit, rows, damaged }
    }
}

/// Backs up the store of a gateway that works, into a new or empty directory. Its data directory and its disk reserve say what must stay free.
///
/// # Errors
/// The store's, or the disk's; nothing is left behind then.
pub(crate) fn backup_running(
    store: &dyn Engine,
    (data, reserve_bytes): (&Path, u64),
    to: &Path,
    now: Timestamp,
    tell: Tell<'_>,
) -> Result<Backup, CopyError> {
    let home = Home::new(to)?;
    home.needs(copy::store_bytes(data)?, Some((data, reserve_bytes)))?;
    let place = home.place(PLACE);
    let report = copy::copy_running(store, &place, tell)?;
    publish(home, &place, Backup::of(report, now))
}

/// Backs up the store of a gateway that is stopped.
///
/// # Errors
/// As [`backup_running`]; and when a gateway runs on it.
pub(crate) fn backup_stopped(data: &Path, to: &Path, now: Timestamp, tell: Tell<'_>) -> Result<Backup, CopyError> {
    let from = Stopped::open(&data.join(PLACE))?;
    let home = Home::new(to)?;
    home.needs(copy::store_bytes(data)?, None)?;
    let place = home.place(PLACE);
    let report = copy::copy_stopped(&from, &place, tell)?;
    publish(home, &place, Backup::of(report, now))
}

fn publish(home: Home, place: &Path, backup: Backup) -> Result<Backup, CopyError> {
    let text = serde_json::to_vec_pretty(&backup).map_err(|error| CopyError::Write(error.to_string()))?;
    home.publish(place, Some((NOTE, &text)))?;
    Ok(backup)
}

/// What a backup says about itself; none when it says nothing.
pub(crate) fn note_of(backup: &Path) -> Option<Backup> {
    let text = std::fs::read(backup.join(PLACE).join(NOTE)).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Makes a data directory of a backup. Every row is checked before anything is in place.
///
/// # Errors
/// The backup is damaged or incomplete, or the directory is not empty; nothing is left behind then.
pub(crate) fn restore(backup: &Path, data: &Path, tell: Tell<'_>) -> Result<Report, UpkeepFault> {
    let from = Stopped::open(&backup.join(PLACE)).map_err(CopyError::Open)?;
    let home = Home::new(data)?;
    home.needs(copy::store_bytes(backup)?, None)?;
    let place = home.place(PLACE);
    let report = copy::copy_stopped(&from, &place, tell)?;
    refuse_damaged(backup, &report)?;
    // A backup that a gateway was started on has gone on since.
    if let Some(note) = note_of(backup).filter(|note| note.commit == from.commit() && note.rows != report.rows) {
        return Err(UpkeepFault::Incomplete { found: report.rows.total().rows, noted: note.rows.total().rows });
    }
    home.publish(&place, None)?;
    Ok(report)
}

fn refuse_damaged(dir: &Path, report: &Report) -> Result<(), UpkeepFault> {
    let count = report.damaged.len();
    if count == 0 {
        return Ok(());
    }
    let named = report.damaged.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
    Err(UpkeepFault::Damaged { what: dir.display().to_string(), count, named })
}

/// What a compaction gained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Compacted {
    /// Bytes on disk before.
    pub before_bytes: u64,
    /// Bytes on disk now.
    pub after_bytes: u64,
    /// What was copied.
    #[serde(flatten)]
    pub report: Report,
}

/// Copies the store of a stopped gateway to a fresh one, which takes its place in one step.
///
/// # Errors
/// A gateway runs on it, rows are damaged, or the disk refuses; the store stays as it is then.
pub(crate) fn compact(data: &Path, tell: Tell<'_>) -> Result<Compacted, UpkeepFault> {
    let home = Home::of_a_store(data)?;
    let from = Stopped::open(&home.store()).map_err(CopyError::Open)?;
    let before_bytes = copy::store_bytes(data)?;
    home.needs(before_bytes, None)?;
    let place = home.place(PLACE);
    let report = copy::copy_stopped(&from, &place, tell)?;
    refuse_damaged(data, &report)?;
    home.exchange(&place)?;
    Ok(Compacted { before_bytes, after_bytes: copy::store_bytes(data)?, report })
}
