//! Why a copy was not made.

use crate::engine::{CommitError, FollowError, OpenError, StoreError};
use std::{io, path::PathBuf};

/// A copy was not made; the source is as it was.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A directory can't be opened as a store.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The source can't be read.
    #[error(transparent)]
    Read(#[from] StoreError),
    /// The source does not go on.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The source is written faster than it is copied.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// A stopped source can't be read where it is damaged.
    #[error("the store can't be read to its end: {0}; `tidegate repair` saves what can be read")]
    Unreadable(String),
    /// The copy can't be written, or does not read back.
    #[error("the copy can't be written: {0}")]
    Write(String),
    /// There is something where the copy should go.
    #[error("{} is not empty: name a directory that is new or empty; nothing is ever copied over a store", dir.display())]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
    /// Another copy is being made there.
    #[error("{} is being copied to by {holder}", dir.display())]
    Busy {
        /// The directory.
        dir: PathBuf,
        /// Who copies.
        holder: String,
    },
    /// There is too little room.
    #[error("{} has room for {} MiB, and the copy may take {} MiB: make room, or name a directory on another disk",
        dir.display(), free_bytes >> 20, needed_bytes.div_ceil(1 << 20))]
    NoRoom {
        /// The directory.
        dir: PathBuf,
        /// What it may take.
        needed_bytes: u64,
        /// What is free.
        free_bytes: u64,
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
    /// Who watches it stopped it.
    #[error("it was stopped; nothing was left behind")]
    Stopped,
}
