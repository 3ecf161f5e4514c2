//! What a copy tells: how far it is, and what was in it.

use super::{CopyError, Slice, Tell};
use crate::{engine::Row, keys::Key};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What rows of an unknown kind are called.
const UNKNOWN: &str = "unknown";

/// How far a copy is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Rows read.
    pub rows: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// Rows that can't be read.
    pub damaged: u64,
}

/// Rows of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// How many.
    pub rows: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

/// Rows by kind: what people call rows of a space, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counts(pub BTreeMap<String, Count>);

impl Counts {
    /// Counts a row.
    pub fn add(&mut self, key: &Key, value_bytes: usize) {
        let label = key.space().map_or(UNKNOWN, |space| space.label());
        if !self.0.contains_key(label) {
            self.0.insert(label.to_owned(), Count::default());
        }
        if let Some(count) = self.0.get_mut(label) {
            count.rows += 1;
            count.bytes += (key.len() + value_bytes) as u64;
        }
    }

    /// All kinds together.
    pub fn total(&self) -> Count {
        self.0
            .values()
            .fold(Count::default(), |sum, one| Count { rows: sum.rows + one.rows, bytes: sum.bytes + one.bytes })
    }
}

/// What a copy holds, and what it could not take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The commit that it stands at.
    pub commit: u64,
    /// Its rows, read back and checked.
    pub rows: Counts,
    /// Rows of the source that are damaged, by the text form of their keys: no personal data.
    pub damaged: Vec<String>,
}

/// Sums up while slices are read.
#[derive(Default)]
pub(super) struct Tally {
    progress: Progress,
    damaged: BTreeSet<Key>,
}

impl Tally {
    pub(super) fn read(&mut self, slice: &Slice) {
        self.read_parts(&slice.rows, &slice.damaged);
    }

    pub(super) fn read_parts(&mut self, rows: &[(Key, Row)], damaged: &[Key]) {
        self.progress.rows += rows.len() as u64;
        self.progress.bytes += rows.iter().map(|(key, row)| key.len() + row.value.len()).sum::<usize>() as u64;
        // Slices may name one at their border twice.
        self.damaged.extend(damaged.iter().cloned());
        self.progress.damaged = self.damaged.len() as u64;
    }

    pub(super) fn tell(&self, tell: Tell<'_>) -> Result<(), CopyError> {
        if tell(&self.progress).is_break() { Err(CopyError::Stopped) } else { Ok(()) }
    }

    pub(super) fn report(self, rows: Counts, commit: u64) -> Report {
        Report { commit, rows, damaged: self.damaged.iter().map(Key::to_string).collect() }
    }
}
