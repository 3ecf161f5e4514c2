//! Errors of records: which record, which row, what is wrong.

use crate::{
    engine::{CommitError, Retry, StoreError},
    keys::Key,
};

/// A row cannot be read as its record, or a record cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The row's bytes are not what the record looks like.
    #[error("the {record} record of {key} cannot be read: {problem}")]
    Malformed {
        /// What people call the record.
        record: &'static str,
        /// Whose row.
        key: Key,
        /// What is wrong, and where.
        problem: String,
    },
    /// The row was written by a newer version.
    #[error(
        "the {record} record of {key} has version {found}, this gateway knows versions up to {known}: use the newer one that wrote it"
    )]
    Newer {
        /// What people call the record.
        record: &'static str,
        /// Whose row.
        key: Key,
        /// The row's version.
        found: u16,
        /// The newest known one.
        known: u16,
    },
    /// No step leads from the row's version to this one.
    #[error("the {record} record of {key} has version {found}, from which no step leads to version {known}")]
    NoUpgrade {
        /// What people call the record.
        record: &'static str,
        /// Whose row.
        key: Key,
        /// The row's version.
        found: u16,
        /// The version that is wanted.
        known: u16,
    },
    /// The record is not a JSON object: a mistake in the program.
    #[error("the {record} record of {key} cannot be written: {problem}")]
    Unwritable {
        /// What people call the record.
        record: &'static str,
        /// Whose row.
        key: Key,
        /// What is wrong.
        problem: String,
    },
}

/// A record could not be read from the store, or a small change around it not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The engine.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The row.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The commit.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl ReadError {
    /// Whether trying again may help.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Commit(error) => error.retry(),
            Self::Store(error) => error.retry(),
            Self::Record(_) => Retry::Never,
        }
    }
}
