//! The engine's errors: the cases that a caller treats differently.

use super::ops::Refusal;
use crate::keys::{Key, Lane};
use std::{io, path::PathBuf, time::Duration};

/// Whether the same call may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It will not, or not before the store is opened anew.
    Never,
    /// It may, after this time and with what is then in the store.
    After(Duration),
}

/// A read, or anything else that is no commit, failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A row's checksum does not fit its bytes.
    #[error(
        "the row of {key} is damaged (its checksum does not fit its bytes): the disk or a foreign program changed it; \
         stop the gateway, keep a copy of the data directory, and restore a backup of it"
    )]
    Corrupt {
        /// Whose row.
        key: Key,
    },
    /// The engine stopped after an I/O error or a panic.
    #[error("the store has stopped: {reason}")]
    Failed {
        /// What stopped it.
        reason: String,
    },
    /// The engine was shut down.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether the same read may succeed later: never, a person must act.
    pub fn retry(&self) -> Retry {
        Retry::Never
    }
}

/// A batch was not committed. Except after [`CommitError::Failed`], nothing of it was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// An expectation does not hold: somebody else wrote the row. Read again, decide again.
    #[error("{key} is not as expected: it was written meanwhile")]
    Conflict {
        /// Whose expectation.
        key: Key,
    },
    /// A guarded operation was refused.
    #[error("operation {op} of the batch was refused: {refusal}")]
    Refused {
        /// Its place in [`super::Batch::ops`].
        op: usize,
        /// Why, and when it may be allowed.
        refusal: Refusal,
    },
    /// The batch's token is no longer the lane's: the lease was released or used.
    #[error("the lease on {lane:?} has ended: another worker may have the lane")]
    Fenced {
        /// The lane of the token.
        lane: Lane,
    },
    /// The batch is over a limit.
    #[error("the {what} is too large: {size}, the limit is {limit}")]
    TooLarge {
        /// What is: a key, a value, the batch.
        what: &'static str,
        /// Its size, in bytes or row operations.
        size: usize,
        /// The limit, in the same unit.
        limit: usize,
    },
    /// Too much waits for the disk.
    #[error("the disk does not keep up: {waiting} batches wait for it")]
    Busy {
        /// How many.
        waiting: usize,
    },
    /// A row that the batch depends on cannot be read.
    #[error(transparent)]
    Read(#[from] StoreError),
    /// The engine stopped while the batch was under way: whether it was stored is known only after the next start.
    #[error("the store has stopped, the batch may or may not be stored: {reason}")]
    Failed {
        /// What stopped it.
        reason: String,
    },
    /// The engine was shut down before it took the batch.
    #[error("the store is closed")]
    Closed,
}

impl CommitError {
    /// Whether trying again may help. A conflict wants a new read and a new decision first.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Conflict { .. } => Retry::After(Duration::ZERO),
            Self::Refused { .. } | Self::Busy { .. } => Retry::After(Duration::from_millis(100)),
            Self::Fenced { .. } | Self::TooLarge { .. } | Self::Read(_) | Self::Failed { .. } | Self::Closed => {
                Retry::Never
            }
        }
    }
}

/// A store could not be opened. Nothing was changed in it, except where a migration had begun.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another part of this one, has the directory.
    #[error("the data directory {} is in use by {holder}: stop that one first, or choose another directory", dir.display())]
    InUse {
        /// The data directory.
        dir: PathBuf,
        /// Who has it.
        holder: String,
    },
    /// Written by a newer version.
    #[error(
        "the store has format {found}, this version knows formats up to {known}: start the newer version that wrote it, or restore a backup"
    )]
    NewerFormat {
        /// The stored format.
        found: u32,
        /// The newest that is known here.
        known: u32,
    },
    /// Rows that were acknowledged are missing or unreadable.
    #[error("the store in {} is damaged: {what}; nothing was changed: restore a backup into another directory, or let `tidegate repair` save what can be read", dir.display())]
    Damaged {
        /// The data directory.
        dir: PathBuf,
        /// What was found.
        what: String,
    },
    /// There is no store, and none was to be created.
    #[error("there is no store in {}", dir.display())]
    Missing {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory holds something else.
    #[error("{} holds something else: {what}; choose an empty directory", dir.display())]
    Foreign {
        /// The data directory.
        dir: PathBuf,
        /// What was found.
        what: String,
    },
    /// A file or directory could not be used.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A step from an older format failed; the next start goes on where it stopped.
    #[error("bringing the store from format {from} to {to} ({step}) stopped: {source}")]
    Migration {
        /// Format before the step.
        from: u32,
        /// Format after it.
        to: u32,
        /// The step's name.
        step: &'static str,
        /// Why it stopped.
        source: CommitError,
    },
    /// The first commit or the first read failed.
    #[error("the store does not work: {0}")]
    Commit(#[from] CommitError),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Commit(CommitError::Read(error))
    }
}
