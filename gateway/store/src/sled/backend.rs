//! sled as a plain ordered key-value store with one writer, made durable by a sync of our own.
//!
//! Never used here, because they deadlock, block everything or flush unasked: `flush_async`, `transaction`, `generate_id`.

use super::{files::io_error, lock::DirLock, mark::Mark};
use crate::{
    embedded::{Backend, Fault, Flow, Writes},
    engine::{KeyRange, OpenError, Order},
};
use ::sled::{Batch, Db, IVec};
use std::{
    fs::{File, OpenOptions},
    ops::Bound,
    path::Path,
};

/// sled collects the memory of old pages every 128 pins, and a whole batch is one pin: the epoch is advanced once per so many rows.
const ROWS_PER_EPOCH_FLUSH: usize = 32;

/// An open sled. The fields are dropped in this order: the lock on the directory goes last.
pub(super) struct SledBackend {
    db: Db,
    /// Our own descriptor of sled's log: `flush` only starts the writing, `fdatasync` finishes it.
    log: File,
    mark: Mark,
    _lock: DirLock,
}

impl SledBackend {
    pub(super) fn new(db: Db, dir: &Path, mark: Mark, lock: DirLock) -> Result<Self, OpenError> {
        let path = dir.join("db");
        let log = OpenOptions::new().write(true).open(&path).map_err(io_error("open", &path))?;
        Ok(Self { db, log, mark, _lock: lock })
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
        self.db.flush()?;
        self.log.sync_data().map_err(|error| Fault(format!("fdatasync of the log: {error}")))?;
        self.free_memory(row_ops);
        self.mark.write(commit).map_err(|error| Fault(format!("writing durable.mark: {error}")))
    }
}
