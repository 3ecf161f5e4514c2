//! The embedded default: sled 0.34, with every sharp edge of it covered (`docs/decisions/0002-sled.md`).
//!
//! The only place that names sled. Opening is guarded, because damage shows in sled as a panic or as missing rows.

mod backend;
mod files;
mod fresh;
mod lock;
mod mark;
mod stopped;

use crate::{
    embedded::{Core, Known, Unknown, panic_text},
    engine::{Engine, OpenError},
    migrate,
};
pub(crate) use files::{dir_bytes, sync as sync_path};
pub(crate) use fresh::Fresh;
pub(crate) use lock::DirLock;
pub use stopped::Stopped;
pub(crate) use stopped::{Opened, read_leniently};

use backend::SledBackend;
use mark::Mark;
use std::{
    panic::catch_unwind,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

/// Bytes of a segment of sled's log. With values up to 48 KiB nothing is larger than a quarter of it, so nothing goes to
/// `blobs/`, which sled does not sync. Stored in the directory: it cannot be changed later.
const SEGMENT_BYTES: usize = 4 * 1024 * 1024;
/// What sled may cache when nothing else is said.
const DEFAULT_CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// How often a lock of sled's own, which a store that has just been closed in this process may still hold, is tried again.
const LOCK_TRIES: usize = 100;
/// The time between two tries.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Where and how a store is opened.
#[derive(Debug, Clone)]
pub struct SledOptions {
    dir: PathBuf,
    cache_bytes: u64,
    holder: Option<String>,
}

impl SledOptions {
    /// The store in this directory; it is created when missing.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), cache_bytes: DEFAULT_CACHE_BYTES, holder: None }
    }

    /// Bytes that sled may cache (64 MiB when not set).
    #[must_use]
    pub fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// What others are told of who has the directory, for example `tidegate serve`. Program and first argument when not set.
    #[must_use]
    pub fn holder(mut self, holder: impl Into<String>) -> Self {
        self.holder = Some(holder.into());
        self
    }
}

/// Opens a store, or creates it.
///
/// The order: lock the directory, remove what an interrupted opening left, refuse unsynced blobs, open sled guarded, refuse
/// a newer format, refuse a store that lacks acknowledged commits, sync the directory, come up, and once sync the mark.
///
/// # Errors
/// Why the directory is not used; nothing in it was changed then.
pub fn open(options: &SledOptions) -> Result<Arc<dyn Engine>, OpenError> {
    let dir = options.dir.as_path();
    files::create_dir(dir)?;
    let lock = DirLock::take(dir, options.holder.as_deref())?;
    files::remove_unfinished_snapshots(dir)?;
    files::refuse_blobs(dir)?;
    let mark = Mark::open(dir)?;
    let is_new = mark.names_no_commit();
    let db = match open_guarded(dir, options.cache_bytes) {
        Err(OpenError::Damaged { what, .. }) if is_new => {
            tracing::info!(what, "a first start was interrupted before anything was stored; it begins anew");
            files::remove_unborn(dir)?;
            open_guarded(dir, options.cache_bytes)?
        }
        opened => opened?,
    };
    let backend = SledBackend::new(db, dir, mark, lock)?;
    files::sync_created(dir)?;
    let known = read_known(&backend, dir)?;
    let store_id = backend.mark().store_id();
    let core = Core::start(backend, &known, store_id)?;
    if is_new {
        // Before anybody can commit: from now on a mark that names no commit means that nothing was ever acknowledged.
        core.backend().mark().sync().map_err(files::io_error("sync the mark in", dir))?;
    }
    Ok(Arc::new(core))
}

/// Reads what the store knows about itself, and holds it against the mark.
fn read_known(backend: &SledBackend, dir: &Path) -> Result<Known, OpenError> {
    let damaged = |what: String| OpenError::Damaged { dir: dir.to_owned(), what };
    let known = catch_unwind(std::panic::AssertUnwindSafe(|| Known::read(backend)))
        .map_err(|panic| damaged(format!("sled panicked while reading: {}", panic_text(&*panic))))?
        .map_err(|unknown| match unknown {
            Unknown::Fault(fault) => damaged(fault.to_string()),
            Unknown::Damaged(error) => damaged(error.to_string()),
        })?;
    migrate::check_format(known.format)?;
    backend.mark().check(&known).map_err(damaged)?;
    if known.format.is_none() && !backend.has_no_rows() {
        let what = "sled rows that this gateway did not write".to_owned();
        return Err(OpenError::Foreign { dir: dir.to_owned(), what });
    }
    Ok(known)
}

/// Opens sled; a panic or an error in there is damage, a lock is somebody else.
pub(crate) fn open_guarded(dir: &Path, cache_bytes: u64) -> Result<::sled::Db, OpenError> {
    for attempt in 1.. {
        let opened = catch_unwind(|| config(dir, cache_bytes).open());
        let what = match opened {
            Ok(Ok(db)) => return Ok(db),
            Ok(Err(error)) if is_locked(&error) && attempt < LOCK_TRIES => {
                thread::sleep(LOCK_PAUSE);
                continue;
            }
            Ok(Err(error)) if is_locked(&error) => {
                let holder = "a program that does not write down its name (it holds the lock on `db`)".to_owned();
                return Err(OpenError::InUse { dir: dir.to_owned(), holder });
            }
            Ok(Err(::sled::Error::Io(source))) => {
                return Err(OpenError::Io { action: "open the store in", path: dir.to_owned(), source });
            }
            Ok(Err(error)) => format!("sled says: {error}"),
            Err(panic) => format!("sled panicked: {}", panic_text(&*panic)),
        };
        return Err(OpenError::Damaged { dir: dir.to_owned(), what });
    }
    unreachable!("the last attempt returns")
}

fn config(dir: &Path, cache_bytes: u64) -> ::sled::Config {
    ::sled::Config::new()
        .path(dir)
        .segment_size(SEGMENT_BYTES)
        .cache_capacity(cache_bytes)
        .mode(::sled::Mode::HighThroughput)
        .use_compression(false)
        // Off: it would fsync every 500 ms and grow the file; the committer syncs.
        .flush_every_ms(None)
}

fn is_locked(error: &::sled::Error) -> bool {
    matches!(error, ::sled::Error::Io(e) if e.to_string().contains("could not acquire lock"))
}

#[cfg(test)]
mod tests;
