//! `durable.mark`: 24 bytes beside sled's files that say which commit is on disk, written after its sync.
//!
//! sled can lose rows without a word: a store whose own commit row is behind the mark has lost acknowledged commits. The
//! mark may lag, because it is synced only once, at the end of the first opening; it never leads.

use super::files::{self, io_error};
use crate::{embedded::Known, engine::OpenError};
use std::{
    fs::{self, File, OpenOptions},
    hash::{BuildHasher, RandomState},
    io,
    os::unix::fs::FileExt,
    path::Path,
};

const FILE: &str = "durable.mark";
const MAGIC: [u8; 4] = *b"tgm1";
const LEN: usize = 24;

/// The open mark.
pub(super) struct Mark {
    file: File,
    store_id: u64,
    /// The commit that it named when it was opened.
    commit: u64,
}

impl Mark {
    /// Opens the mark; creates it, with a new store's identity, before sled writes its first file.
    pub(super) fn open(dir: &Path) -> Result<Self, OpenError> {
        let path = dir.join(FILE);
        let damaged = |what: String| OpenError::Damaged { dir: dir.to_owned(), what };
        if !path.exists() {
            if dir.join("db").exists() {
                let what = "is missing: whether acknowledged rows are missing too cannot be told";
                return Err(damaged(format!("{} {what}", path.display())));
            }
            create(dir, &path)?;
        }
        let opened = OpenOptions::new().read(true).write(true).open(&path);
        let file = opened.map_err(io_error("open", &path))?;
        let mut bytes = [0; LEN];
        let read = file.read_exact_at(&mut bytes, 0);
        match read.ok().and_then(|()| decode(&bytes)) {
            Some((store_id, commit)) => Ok(Self { file, store_id, commit }),
            None => Err(damaged(format!("{} is unreadable", path.display()))),
        }
    }

    /// The mark of a copy of a damaged store: one that can't be read is made anew.
    pub(super) fn of_a_copy(dir: &Path) -> Result<Self, OpenError> {
        let path = dir.join(FILE);
        if !path.exists() {
            create(dir, &path)?;
        }
        Self::open(dir)
    }

    /// The commit that it named when it was opened.
    pub(super) fn commit(&self) -> u64 {
        self.commit
    }

    /// Whose mark it is.
    pub(super) fn store_id(&self) -> u64 {
        self.store_id
    }

    /// Whether no opening ever came to its end: then nothing was acknowledged either.
    pub(super) fn names_no_commit(&self) -> bool {
        self.commit == 0
    }

    /// Makes the mark itself durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Says that this commit is on disk.
    pub(super) fn write(&self, commit: u64) -> io::Result<()> {
        self.file.write_all_at(&encode(self.store_id, commit), 0)
    }

    /// Holds what the store says against the mark; an error says what is wrong.
    pub(super) fn check(&self, known: &Known) -> Result<(), String> {
        match known.store_id {
            Some(id) if id != self.store_id => Err(format!("`db` and `{FILE}` are of two different stores")),
            _ if known.commit() < self.commit => Err(format!(
                "it ends with commit {}, but commit {} was acknowledged: rows are missing",
                known.commit(),
                self.commit
            )),
            _ => Ok(()),
        }
    }
}

/// Writes a new store's mark aside and moves it into place, so that an interrupted start leaves a whole one or none.
fn create(dir: &Path, path: &Path) -> Result<(), OpenError> {
    let aside = dir.join(format!("{FILE}.new"));
    let store_id = RandomState::new().hash_one(FILE);
    fs::write(&aside, encode(store_id, 0)).map_err(io_error("write", &aside))?;
    files::sync(&aside)?;
    fs::rename(&aside, path).map_err(io_error("create", path))?;
    files::sync(dir)
}

fn encode(store_id: u64, commit: u64) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    bytes[..4].copy_from_slice(&MAGIC);
    bytes[4..12].copy_from_slice(&store_id.to_be_bytes());
    bytes[12..20].copy_from_slice(&commit.to_be_bytes());
    let crc = crc32c::crc32c(&bytes[..20]);
    bytes[20..].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn decode(bytes: &[u8; LEN]) -> Option<(u64, u64)> {
    let (magic, rest) = bytes.split_first_chunk::<4>()?;
    let (store_id, rest) = rest.split_first_chunk::<8>()?;
    let (commit, crc) = rest.split_first_chunk::<8>()?;
    let fits = *magic == MAGIC && *crc == crc32c::crc32c(&bytes[..20]).to_be_bytes();
    fits.then(|| (u64::from_be_bytes(*store_id), u64::from_be_bytes(*commit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back_and_a_changed_one_does_not() {
        let mut bytes = encode(7, 9);
        assert_eq!(decode(&bytes), Some((7, 9)));
        bytes[13] ^= 1;
        assert_eq!(decode(&bytes), None);
    }
}
