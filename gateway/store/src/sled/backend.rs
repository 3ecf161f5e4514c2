//! sled as a plain ordered key-value store with one writer, made durable by a sync of our own.
//!
//! Never used here, because they deadlock, block everything or flush unasked: `flush_async`, `transaction`, `generate_id`.

use super::{files::io_error, lock::DirLock, mark::Mark};
use crate::{
    embedded::{Backend, Fault, Flow, Writes},
    engine::{KeyRange, OpenError, Order},
};
use ::sled::{Batch, Db, IVec, Tree};
use std::{
    fs::{File, OpenOptions},
    ops::Bound,
    path::Path,
    sync::OnceLock,
};

/// sled collects the memory of old pages every 128 pins, and a whole batch is one pin: the epoch is advanced once per so many rows.
const ROWS_PER_EPOCH_FLUSH: usize = 32;

/// With each page that it replaces, sled moves one page out of the segments that are to be used again. With our rows that is too few: the segments that wait for it
/// only become more, and the file grows without end. So one more page, of our own, is replaced for so many row operations.
const ROWS_PER_CLEANED_PAGE: usize = 3;
/// Writes after which sled replaces a page.
const WRITES_PER_REPLACED_PAGE: usize = 10;
/// The tree of that page: it holds one row, and nobody reads it.
const CLEANING: &[u8] = b"cleaning";

/// An open sled. The fields are dropped in this order: the lock on the directory goes last.
pub(super) struct SledBackend {
    db: Db,
    /// Made by the first sync: a store that is only looked at is not changed.
    cleaning: OnceLock<Tree>,
    /// Our own descriptor of sled's log: `flush` only starts the writing, `fdatasync` finishes it.
    log: File,
    mark: Mark,
    _lock: DirLock,
}

impl SledBackend {
    pub(super) fn new(db: Db, dir: &Path, mark: Mark, lock: DirLock) -> Result<Self, OpenError> {
        let path = dir.join("db");
        let log = OpenOptions::new().write(true).open(&path).map_err(io_error("open", &path))?;
        Ok(Self { db, cleaning: OnceLock::new(), log, mark, _lock: lock })
    }

    pub(super) fn mark(&self) -> &Mark {
        &self.mark
    }

    /// Lets go the memory of pages that so many row operations replaced.
    pub(super) fn free_memory(&self, row_ops: usize) {
        for _ in 0..=row_ops / ROWS_PER_EPOCH_FLUSH {
            crossbeam_epoch::pin().flush();
        }
    }

    /// Lets sled move pages, so that it can use the space of old ones again.
    fn clean(&self, row_ops: usize) -> Result<(), Fault> {
        let page = match self.cleaning.get() {
            Some(page) => page,
            None => {
                let page = self.db.open_tree(CLEANING)?;
                self.cleaning.get_or_init(|| page)
            }
        };
        // A value that is there already would not be written.
        for n in 0..row_ops * WRITES_PER_REPLACED_PAGE / ROWS_PER_CLEANED_PAGE {
            page.insert([], &[n as u8])?;
        }
        Ok(())
    }

    /// Whether there is no row at all.
    pub(super) fn has_no_rows(&self) -> bool {
        self.db.is_empty()
    }
}

impl From<::sled::Error> for Fault {
    fn from(error: ::sled::Error) -> Self {
        Self(error.to_string())
    }
}

impl Backend for SledBackend {
    type Value = IVec;

    fn get(&self, key: &[u8]) -> Result<Option<IVec>, Fault> {
        Ok(self.db.get(key)?)
    }

    fn scan(&self, range: &KeyRange, order: Order, row: &mut dyn FnMut(&[u8], &[u8]) -> Flow) -> Result<(), Fault> {
        if range.is_empty() {
            return Ok(());
        }
        let end = range.end().map_or(Bound::Unbounded, Bound::Excluded);
        let mut rows = self.db.range::<&[u8], _>((Bound::Included(range.start()), end));
        while let Some(next) = match order {
            Order::Forward => rows.next(),
            Order::Backward => rows.next_back(),
        } {
            let (key, value) = next?;
            if row(&key, &value) == Flow::Stop {
                break;
            }
        }
        Ok(())
    }

    fn apply(&self, writes: Writes) -> Result<(), Fault> {
        let mut batch = Batch::default();
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(key.into_bytes(), value),
                None => batch.remove(key.into_bytes()),
            }
        }
        Ok(self.db.apply_batch(batch)?)
    }

    fn sync(&self, commit: u64, row_ops: usize) -> Result<(), Fault> {
        self.clean(row_ops)?;
        self.db.flush()?;
        self.log.sync_data().map_err(|error| Fault(format!("fdatasync of the log: {error}")))?;
        self.free_memory(row_ops);
        self.mark.write(commit).map_err(|error| Fault(format!("writing durable.mark: {error}")))
    }
}
