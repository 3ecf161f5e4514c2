//! The files around sled's log: what an interrupted opening leaves, blobs that nobody synced, syncs of directories.

use crate::engine::OpenError;
use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

pub(super) fn io_error<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> OpenError + 'a {
    move |source| OpenError::Io { action, path: path.to_owned(), source }
}

/// Creates the data directory where it is missing, and makes the entries of all that were created durable.
pub(super) fn create_dir(dir: &Path) -> Result<(), OpenError> {
    let missing: Vec<&Path> = dir.ancestors().take_while(|dir| !dir.as_os_str().is_empty() && !dir.is_dir()).collect();
    fs::create_dir_all(dir).map_err(io_error("create the directory", dir))?;
    missing.into_iter().try_for_each(|created| {
        let absolute = fs::canonicalize(created).map_err(io_error("find", created))?;
        absolute.parent().map_or(Ok(()), sync)
    })
}

/// Removes snapshots that were being written when the process ended: sled would take one for its newest.
pub(super) fn remove_unfinished_snapshots(dir: &Path) -> Result<(), OpenError> {
    remove(dir, "an unfinished snapshot of an interrupted start was removed", |name| {
        name.starts_with("snap.") && name.ends_with(".generating")
    })
}

/// Removes sled's files of a first start that came to no end: a power cut may leave them without their bytes.
pub(super) fn remove_unborn(dir: &Path) -> Result<(), OpenError> {
    remove(dir, "a file of an interrupted first start was removed", |name| {
        name == "conf" || name == "db" || name.starts_with("snap.")
    })
}

fn remove(dir: &Path, what: &str, is_meant: impl Fn(&str) -> bool) -> Result<(), OpenError> {
    for entry in fs::read_dir(dir).map_err(io_error("list", dir))? {
        let path = entry.map_err(io_error("list", dir))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if is_meant(&name) {
            tracing::info!(file = name, "{what}");
            fs::remove_file(&path).map_err(io_error("remove", &path))?;
        }
    }
    Ok(())
}

/// Refuses a store with blob files: sled does not sync them, and a missing one makes it panic or forget rows.
pub(super) fn refuse_blobs(dir: &Path) -> Result<(), OpenError> {
    let blobs = dir.join("blobs");
    let entries = match fs::read_dir(&blobs) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(io_error("list", &blobs))?,
    };
    match entries.count() {
        0 => Ok(()),
        files => {
            let what = format!("{} holds {files} files, and this gateway writes none there", blobs.display());
            Err(OpenError::Damaged { dir: dir.to_owned(), what })
        }
    }
}

/// Makes the files that an opening may have created durable, with their entries in the directory and its own in its parent.
pub(super) fn sync_created(dir: &Path) -> Result<(), OpenError> {
    for name in ["conf", "db"] {
        sync(&dir.join(name))?;
    }
    sync(&dir.join("blobs"))?;
    sync(dir)?;
    let absolute = fs::canonicalize(dir).map_err(io_error("find", dir))?;
    absolute.parent().map_or(Ok(()), sync)
}

/// Makes every file of a closed store durable, with their entries.
pub(super) fn sync_all(dir: &Path) -> Result<(), OpenError> {
    for entry in fs::read_dir(dir).map_err(io_error("list", dir))? {
        sync(&entry.map_err(io_error("list", dir))?.path())?;
    }
    sync(dir)
}

/// Bytes on disk of the files in a directory.
pub(crate) fn dir_bytes(dir: &Path) -> Result<u64, OpenError> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir).map_err(io_error("list", dir))? {
        let path = entry.map_err(io_error("list", dir))?.path();
        let about = fs::metadata(&path).map_err(io_error("look at", &path))?;
        bytes += if about.is_dir() { dir_bytes(&path)? } else { about.blocks() * 512 };
    }
    Ok(bytes)
}

/// Syncs a file or a directory.
pub(crate) fn sync(path: &Path) -> Result<(), OpenError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(io_error("sync", path))
}
