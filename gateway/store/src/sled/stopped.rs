//! A store that no gateway runs on, opened to be read: no opening is counted, no format is brought up to date, no row is written.

use super::{DEFAULT_CACHE_BYTES, backend::SledBackend, files, lock::DirLock, mark::Mark, open_guarded, read_known};
use crate::{
    embedded::{Backend, Fault, Flow, Known, open_row, panic_text},
    engine::{KeyRange, OpenError, Order, Row},
    keys::Key,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

/// A store that is held, and only read.
pub struct Stopped {
    backend: SledBackend,
    known: Known,
    dir: PathBuf,
}

impl Stopped {
    /// Takes the store in this directory; nobody else can open it meanwhile.
    ///
    /// # Errors
    /// As [`super::open`]; and when there is none.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let lock = take_existing(dir)?;
        files::remove_unfinished_snapshots(dir)?;
        files::refuse_blobs(dir)?;
        let mark = Mark::open(dir)?;
        let db = open_guarded(dir, DEFAULT_CACHE_BYTES)?;
        let backend = SledBackend::new(db, dir, mark, lock)?;
        let known = read_known(&backend, dir)?;
        Ok(Self { backend, known, dir: dir.to_owned() })
    }

    /// Its last commit.
    pub fn commit(&self) -> u64 {
        self.known.commit()
    }

    /// Its format; none when it was never begun.
    pub fn format(&self) -> Option<u32> {
        self.known.format
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Rows of a range, at most so many and about so many bytes; and the keys of the damaged ones among them.
    pub(crate) fn rows(&self, range: &KeyRange, limit: usize, bytes: usize) -> Result<Found, Fault> {
        scan(&self.backend, range, Order::Forward, limit, bytes)
    }
}

/// Rows that were read, the keys of damaged ones, and the last key of either; none at the end of the range.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) rows: Vec<(Key, Row)>,
    pub(crate) damaged: Vec<Key>,
    pub(crate) last: Option<Key>,
}

/// Takes the lock on a store that is there.
fn take_existing(dir: &Path) -> Result<DirLock, OpenError> {
    if !dir.join("db").is_file() {
        return Err(OpenError::Missing { dir: dir.to_owned() });
    }
    DirLock::take(dir, None)
}

/// Reads a slice; a panic of sled is a fault.
fn scan<B: Backend>(
    backend: &B,
    range: &KeyRange,
    order: Order,
    limit: usize,
    most_bytes: usize,
) -> Result<Found, Fault> {
    let mut found = Found::default();
    let (mut count, mut bytes) = (0, 0);
    let mut wandered = false;
    let scanned = catch_unwind(AssertUnwindSafe(|| {
        backend.scan(range, order, &mut |key, value| {
            count += 1;
            bytes += key.len() + value.len();
            // A damaged tree may lead in a circle.
            wandered = found.last.as_ref().is_some_and(|last| match order {
                Order::Forward => &**last >= key,
                Order::Backward => &**last <= key,
            });
            if wandered {
                return Flow::Stop;
            }
            let key = Key::from_bytes(key);
            found.last = Some(key.clone());
            match open_row(&key, value) {
                Some(row) => found.rows.push((key, row)),
                None => found.damaged.push(key),
            }
            if count < limit && bytes < most_bytes { Flow::More } else { Flow::Stop }
        })
    }));
    scanned.unwrap_or_else(|panic| Err(Fault(panic_text(&*panic))))?;
    if wandered {
        return Err(Fault("its keys are out of order".to_owned()));
    }
    if count < limit && bytes < most_bytes {
        found.last = None;
    }
    Ok(found)
}

/// A store that may be damaged, opened as far as it goes.
pub(crate) struct Opened {
    backend: SledBackend,
    /// What its meta rows say, as far as they can be read.
    pub(crate) known: Option<Known>,
    /// The commit that was acknowledged last.
    pub(crate) marked: Option<u64>,
}

/// Opens a copy of a damaged store: what does not fit together is no obstacle, unless sled itself gives up.
pub(crate) fn read_leniently(dir: &Path) -> Result<Opened, OpenError> {
    let lock = take_existing(dir)?;
    files::remove_unfinished_snapshots(dir)?;
    let marked = Mark::open(dir).ok().map(|mark| mark.commit());
    if marked.is_none() {
        let path = dir.join("durable.mark");
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(files::io_error("remove", &path)(error));
            }
            _ => {}
        }
    }
    let mark = Mark::of_a_copy(dir)?;
    let db = open_guarded(dir, DEFAULT_CACHE_BYTES)?;
    let backend = SledBackend::new(db, dir, mark, lock)?;
    let known = catch_unwind(AssertUnwindSafe(|| Known::read(&backend).ok())).ok().flatten();
    Ok(Opened { backend, known, marked })
}

impl Opened {
    /// As [`Stopped::rows`], in either order.
    pub(crate) fn rows(&self, range: &KeyRange, order: Order, limit: usize, bytes: usize) -> Result<Found, Fault> {
        scan(&self.backend, range, order, limit, bytes)
    }
}
