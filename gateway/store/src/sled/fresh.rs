//! A store that is being written by a copy: rows as they were, versions and all, and nobody reads it before it is whole.

use super::{backend::SledBackend, files, lock::DirLock, mark::Mark, open_guarded};
use crate::{
    embedded::{Backend, Fault, Flow, Writes, panic_text},
    engine::{KeyRange, OpenError, Order},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

/// Little: what is written is read once more, at the end.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;

/// A new store with an identity of its own. Until its meta rows are written no gateway opens it.
pub(crate) struct Fresh {
    backend: SledBackend,
    dir: PathBuf,
}

impl Fresh {
    /// In a directory that does not exist yet.
    pub(crate) fn create(dir: &Path) -> Result<Self, OpenError> {
        files::create_dir(dir)?;
        let lock = DirLock::take(dir, None)?;
        let mark = Mark::open(dir)?;
        let db = open_guarded(dir, CACHE_BYTES)?;
        let backend = SledBackend::new(db, dir, mark, lock)?;
        files::sync_created(dir)?;
        Ok(Self { backend, dir: dir.to_owned() })
    }

    /// Its identity.
    pub(crate) fn store_id(&self) -> u64 {
        self.backend.mark().store_id()
    }

    /// Reads back what was written: every row in the order of keys.
    pub(crate) fn scan(&self, row: &mut dyn FnMut(&[u8], &[u8]) -> Flow) -> Result<(), Fault> {
        let scanned = catch_unwind(AssertUnwindSafe(|| self.backend.scan(&KeyRange::prefix(&[]), Order::Forward, row)));
        scanned.unwrap_or_else(|panic| Err(Fault(panic_text(&*panic))))
    }

    /// Writes one group. It is on disk after the next [`Self::write`].
    pub(crate) fn apply(&self, writes: Writes) -> Result<(), Fault> {
        let rows = writes.len();
        let applied = catch_unwind(AssertUnwindSafe(|| {
            self.backend.apply(writes)?;
            self.backend.free_memory(rows);
            Ok(())
        }));
        applied.unwrap_or_else(|panic| Err(Fault(panic_text(&*panic))))
    }

    /// Writes one group and waits until everything is on disk; `commit` goes to the mark.
    pub(crate) fn write(&self, writes: Writes, commit: u64) -> Result<(), Fault> {
        let rows = writes.len();
        let written = catch_unwind(AssertUnwindSafe(|| {
            self.backend.apply(writes)?;
            self.backend.sync(commit, rows)
        }));
        written.unwrap_or_else(|panic| Err(Fault(panic_text(&*panic))))
    }

    /// Closes it, with every file on disk.
    pub(crate) fn close(self) -> Result<(), OpenError> {
        drop(self.backend);
        files::sync_all(&self.dir)
    }
}
