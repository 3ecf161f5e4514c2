//! Where a copy goes: it is made aside, in the directory that it is for, and moved into place when it is whole and on disk.

use super::CopyError;
use crate::{
    disk::{DiskSpace, below_watermark, disk_free},
    engine::OpenError,
    sled::{DirLock, dir_bytes, sync_path},
};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::{
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// The store, in a data directory or a backup.
const STORE: &str = "store";
/// What is being made, beside it.
const ASIDE: &str = ".store.partial";
/// Room that a copy needs beside its rows: segments of the log that are begun.
const SPARE_BYTES: u64 = 32 * 1024 * 1024;

/// A data directory or backup that is being copied to. Dropped before the copy is in place, it leaves nothing behind.
pub struct Home {
    dir: PathBuf,
    aside: PathBuf,
    lock: Option<DirLock>,
    /// Whether the directory was made for this.
    made: bool,
}

/// Whether a store is in place there.
pub fn has_store(home: &Path) -> bool {
    home.join(STORE).join("db").is_file()
}

/// Bytes on disk of the store there.
///
/// # Errors
/// It can't be looked at.
pub fn store_bytes(home: &Path) -> Result<u64, CopyError> {
    Ok(dir_bytes(&home.join(STORE))?)
}

/// Refuses a directory that is neither new nor empty, but for what an interrupted copy left there.
///
/// # Errors
/// There is something in it.
pub fn refuse_occupied(dir: &Path) -> Result<(), CopyError> {
    if !dir.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(dir).map_err(io_error("list", dir))? {
        if entry.map_err(io_error("list", dir))?.file_name() != ASIDE {
            return Err(CopyError::NotEmpty { dir: dir.to_owned() });
        }
    }
    Ok(())
}

impl Home {
    /// A directory that is new or empty, but for what an interrupted copy left there, which is removed.
    ///
    /// # Errors
    /// There is something in it.
    pub fn new(dir: &Path) -> Result<Self, CopyError> {
        refuse_occupied(dir)?;
        Self::aside(dir, !dir.exists())
    }

    /// A directory with a store in it, which the copy is to take the place of.
    ///
    /// # Errors
    /// There is none.
    pub fn of_a_store(dir: &Path) -> Result<Self, CopyError> {
        if !has_store(dir) {
            return Err(OpenError::Missing { dir: dir.to_owned() }.into());
        }
        Self::aside(dir, false)
    }

    fn aside(dir: &Path, made: bool) -> Result<Self, CopyError> {
        let aside = dir.join(ASIDE);
        // What is in a store is personal.
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&aside).map_err(io_error("create the directory", &aside))?;
        let lock = match DirLock::take(&aside, None) {
            Ok(lock) => lock,
            Err(OpenError::InUse { holder, .. }) => return Err(CopyError::Busy { dir: dir.to_owned(), holder }),
            Err(error) => return Err(error.into()),
        };
        let home = Self { dir: dir.to_owned(), aside, lock: Some(lock), made };
        home.clear()?;
        Ok(home)
    }

    /// Removes what an interrupted copy left, but for the lock that is held on it.
    fn clear(&self) -> Result<(), CopyError> {
        for entry in fs::read_dir(&self.aside).map_err(io_error("list", &self.aside))? {
            let path = entry.map_err(io_error("list", &self.aside))?.path();
            let removed = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else if path.ends_with("lock") {
                Ok(())
            } else {
                fs::remove_file(&path)
            };
            removed.map_err(io_error("remove", &path))?;
        }
        Ok(())
    }

    /// Where a copy is made; no such directory exists yet.
    pub fn place(&self, name: &str) -> PathBuf {
        self.aside.join(name)
    }

    /// The store that is in place.
    pub fn store(&self) -> PathBuf {
        self.dir.join(STORE)
    }

    /// Refuses when so many bytes more do not fit, with room to spare. Beside a gateway that works on the same disk so much must be left that it
    /// goes on taking webhooks: its data directory, and its reserve in bytes (0 for [`below_watermark`]).
    ///
    /// # Errors
    /// There is too little room.
    pub fn needs(&self, bytes: u64, beside: Option<(&Path, u64)>) -> Result<(), CopyError> {
        let space = disk_free(&self.aside).map_err(io_error("look at the disk of", &self.dir))?;
        let needed_bytes = bytes.saturating_add(SPARE_BYTES);
        let reserve = beside.filter(|(data, _)| same_disk(data, &self.aside)).map(|(_, reserve)| reserve);
        if is_too_little(space, needed_bytes, reserve) {
            return Err(CopyError::NoRoom { dir: self.dir.clone(), needed_bytes, free_bytes: space.free_bytes });
        }
        Ok(())
    }

    /// Moves a copy to where no store is; with a file in it that tells of it.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn publish(mut self, place: &Path, note: Option<(&str, &[u8])>) -> Result<(), CopyError> {
        if let Some((name, text)) = note {
            let note = place.join(name);
            fs::write(&note, text).map_err(io_error("write", &note))?;
            sync_path(&note)?;
            sync_path(place)?;
        }
        let store = self.store();
        fs::rename(place, &store).map_err(io_error("move the copy to", &store))?;
        self.made = false;
        self.settle()
    }

    /// Puts a copy in the place of the store, in one step; gives where the old one is now. The old one goes with this unless it is kept.
    ///
    /// # Errors
    /// The file system refuses, or can't exchange two directories in one step.
    pub fn exchange(&self, place: &Path) -> Result<(), CopyError> {
        let store = self.store();
        renameat_with(CWD, place, CWD, &store, RenameFlags::EXCHANGE)
            .map_err(|error| io_error("exchange the copy with", &store)(error.into()))?;
        sync_path(&self.dir)?;
        sync_path(&self.aside)?;
        Ok(())
    }

    /// Keeps something that was made or left aside, under a name of its own: `NAME-1`, or the next that is free.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn keep(&self, place: &Path, name: &str) -> Result<PathBuf, CopyError> {
        for number in 1.. {
            let kept = self.dir.join(format!("{name}-{number}"));
            if kept.exists() {
                continue;
            }
            fs::rename(place, &kept).map_err(io_error("move", &kept))?;
            sync_path(&self.dir)?;
            return Ok(kept);
        }
        unreachable!("the numbers do not end")
    }

    fn settle(&self) -> Result<(), CopyError> {
        sync_path(&self.dir)?;
        let absolute = fs::canonicalize(&self.dir).map_err(io_error("find", &self.dir))?;
        if let Some(parent) = absolute.parent() {
            sync_path(parent)?;
        }
        Ok(())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // What can't be removed now is removed by the next copy.
        let _ = fs::remove_dir_all(&self.aside);
        drop(self.lock.take());
        if self.made {
            let _ = fs::remove_dir(&self.dir);
        }
    }
}

/// Whether so many bytes more are too many for a disk; with the reserve of a gateway that works on it.
fn is_too_little(space: DiskSpace, needed_bytes: u64, reserve: Option<u64>) -> bool {
    let is_low = |free: u64, reserve: u64| match reserve {
        0 => below_watermark(free, space.total_bytes),
        reserve => free < reserve,
    };
    let left = space.free_bytes.saturating_sub(needed_bytes);
    // Where webhooks are refused already, nothing is made worse.
    let stops_webhooks = |reserve| is_low(left, reserve) && !is_low(space.free_bytes, reserve);
    needed_bytes > space.free_bytes || reserve.is_some_and(stops_webhooks)
}

fn same_disk(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &Path| fs::metadata(path).map(|about| about.dev()).ok();
    device(one).is_some() && device(one) == device(other)
}

fn io_error<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> CopyError + 'a {
    move |source| CopyError::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_must_fit_and_leave_a_gateway_beside_it_its_reserve() {
        let gib = 1 << 30;
        let space = |free_bytes| DiskSpace { free_bytes, total_bytes: 10 * gib };
        let check = |free, needed, reserve, expected| {
            assert_eq!(is_too_little(space(free), needed, reserve), expected, "{free} {needed} {reserve:?}");
        };
        check(2 * gib, 2 * gib, None, false);
        check(2 * gib, 2 * gib + 1, None, true);
        check(2 * gib, gib, Some(0), false);
        check(2 * gib, gib + 1, Some(0), true);
        check(2 * gib, gib + 1, Some(gib / 2), false);
        check(gib / 2, gib / 4, Some(0), false);
        check(gib / 2, gib, Some(0), true);
    }
}
