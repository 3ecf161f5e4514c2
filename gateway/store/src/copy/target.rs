//! What is copied to: a fresh store, written in bounded groups and read back before it counts as one.

use super::{CopyError, Counts};
use crate::{
    embedded::{Flow, Writes, is_own_row, open_row, openings_row, own_rows, seal},
    engine::{Followed, Row},
    keys::{Key, Space, TimerKey},
    sled::Fresh,
};
use std::{collections::BTreeMap, path::Path};

/// Rows of a group. Larger than a working store's: what is no store yet needs no sync before its end, and neighbours that are written
/// together take less room.
const GROUP_ROWS: usize = 1_000;
/// Bytes after which a group is written.
const GROUP_BYTES: usize = 2 * 1024 * 1024;

/// A copy under way.
pub(super) struct Target {
    fresh: Fresh,
    group: Writes,
    group_bytes: usize,
    /// What makes it a store, kept until the end: half a copy is none.
    meta: BTreeMap<Key, Row>,
    /// The newest commit of a row, or that was followed.
    newest: u64,
}

/// A copy that is whole.
pub(super) struct Finished {
    pub(super) counts: Counts,
    /// The commit that it stands at.
    pub(super) commit: u64,
}

impl Target {
    /// In a directory that does not exist yet.
    pub(super) fn create(dir: &Path) -> Result<Self, CopyError> {
        let fresh = Fresh::create(dir)?;
        Ok(Self { fresh, group: Writes::new(), group_bytes: 0, meta: BTreeMap::new(), newest: 0 })
    }

    /// Writes a row as it was.
    pub(super) fn put(&mut self, key: Key, row: Row) -> Result<(), CopyError> {
        self.newest = self.newest.max(row.version);
        if key.space() == Some(Space::Meta) {
            if !is_own_row(&key) {
                self.meta.insert(key, row);
            }
            return Ok(());
        }
        let sealed = seal(&key, &row.value, row.version);
        self.write(key, Some(sealed))
    }

    /// Puts later writes over what was copied.
    pub(super) fn catch_up(&mut self, followed: Followed) -> Result<(), CopyError> {
        self.newest = self.newest.max(followed.commit);
        for (key, row) in followed.writes {
            match row {
                Some(row) => self.put(key, row)?,
                None if key.space() == Some(Space::Meta) => drop(self.meta.remove(&key)),
                None => self.write(key, None)?,
            }
        }
        Ok(())
    }

    fn write(&mut self, key: Key, value: Option<Vec<u8>>) -> Result<(), CopyError> {
        self.group_bytes += key.len() + value.as_ref().map_or(0, Vec::len);
        self.group.insert(key, value);
        if self.group.len() >= GROUP_ROWS || self.group_bytes >= GROUP_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), CopyError> {
        let group = std::mem::take(&mut self.group);
        self.group_bytes = 0;
        if group.is_empty() {
            return Ok(());
        }
        self.fresh.apply(group).map_err(|fault| CopyError::Write(fault.to_string()))
    }

    /// Reads everything back, makes it a store that stands at its newest commit (or at `commit`, if that is later) and has been opened so
    /// often at least, and closes it.
    pub(super) fn finish(mut self, commit: u64, openings: u64) -> Result<Finished, CopyError> {
        self.flush()?;
        let (mut counts, timers) = self.read_back()?;
        let commit = self.newest.max(commit);
        let (key, value) = openings_row(openings);
        if openings > 0 {
            self.meta.insert(key, Row { version: commit, value: value.to_vec() });
        }
        let own = own_rows(self.fresh.store_id(), commit, timers);
        let own = own.into_iter().map(|(key, value)| (key, Row { version: commit, value }));
        let meta: Vec<(Key, Row)> = std::mem::take(&mut self.meta).into_iter().chain(own).collect();
        meta.iter().for_each(|(key, row)| counts.add(key, row.value.len()));
        let sealed = meta.into_iter().map(|(key, row)| {
            let sealed = seal(&key, &row.value, row.version);
            (key, Some(sealed))
        });
        self.fresh.write(sealed.collect(), commit).map_err(|fault| CopyError::Write(fault.to_string()))?;
        self.fresh.close()?;
        Ok(Finished { counts, commit })
    }

    /// Counts what was written, and checks each row; gives the number of timers too.
    fn read_back(&self) -> Result<(Counts, u64), CopyError> {
        let (mut counts, mut timers, mut broken) = (Counts::default(), 0, None);
        let scanned = self.fresh.scan(&mut |key, value| {
            let key = Key::from_bytes(key);
            timers += u64::from(TimerKey::parse(&key).is_some());
            match open_row(&key, value) {
                Some(row) => counts.add(&key, row.value.len()),
                None => broken = Some(key.to_string()),
            }
            if broken.is_none() { Flow::More } else { Flow::Stop }
        });
        scanned.map_err(|fault| CopyError::Write(fault.to_string()))?;
        match broken {
            Some(key) => Err(CopyError::Write(format!("{key} does not read back: the disk is at fault"))),
            None => Ok((counts, timers)),
        }
    }
}
