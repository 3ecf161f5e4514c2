//! Room on the disk: how much there is, and taking some of it away.

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use std::{
    fs::File,
    path::{Path, PathBuf},
};

const MIB: u64 = 1 << 20;

/// Free room of the file system that a folder is on, in MiB.
///
/// # Panics
/// When the system does not tell.
pub fn free_mib(folder: &Path) -> u64 {
    let stat = statvfs(folder).expect("the file system tells its room");
    stat.f_bavail * stat.f_frsize / MIB
}

/// A file that takes room until it is dropped.
#[derive(Debug)]
pub struct Taken(PathBuf);

impl Taken {
    /// Takes so many MiB of the file system that a folder is on. Nothing is written.
    ///
    /// # Panics
    /// When there is not so much room.
    pub fn new(folder: &Path, mib: u64) -> Self {
        let taken = Self(folder.join("taken"));
        let file = File::create(&taken.0).expect("a file can be made");
        fallocate(&file, FallocateFlags::empty(), 0, mib * MIB).expect("there is room");
        taken
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // A folder that is gone took the file with it.
        let _ = std::fs::remove_file(&self.0);
    }
}
