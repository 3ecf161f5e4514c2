//! How full the disk is, and when to stop accepting: before sled meets a full disk, which would stop it for good.

use std::{io, path::Path};

/// Below this many free bytes nothing more is accepted, however large the disk.
const LEAST_FREE_BYTES: u64 = 1 << 30;
/// Below this part of the disk (1/20) nothing more is accepted...
const LEAST_FREE_PART: u64 = 20;
/// ...unless this many bytes are free: minutes of webhooks at the highest rate, and a twentieth of a large disk would be wasted.
const ENOUGH_FREE_BYTES: u64 = 4 << 30;

/// A file system's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// What this process may still write.
    pub free_bytes: u64,
    /// The whole file system.
    pub total_bytes: u64,
}

/// The file system of a directory.
///
/// # Errors
/// The directory cannot be looked at.
pub fn disk_free(dir: &Path) -> io::Result<DiskSpace> {
    let stat = rustix::fs::statvfs(dir)?;
    Ok(DiskSpace {
        free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
        total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
    })
}

/// Whether so little is free that nothing more should be accepted: less than 5 % of the disk, but never with 4 GiB free, and always with less than 1 GiB.
pub fn below_watermark(free_bytes: u64, total_bytes: u64) -> bool {
    free_bytes < (total_bytes / LEAST_FREE_PART).clamp(LEAST_FREE_BYTES, ENOUGH_FREE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watermark_is_a_twentieth_of_the_disk_between_one_and_four_gibibytes() {
        let gib = 1 << 30;
        let check = |free, total, expected| assert_eq!(below_watermark(free, total), expected, "{free} of {total}");
        check(gib, 10 * gib, false);
        check(gib - 1, 10 * gib, true);
        check(3 * gib, 60 * gib, false);
        check(3 * gib - 1, 60 * gib, true);
        check(4 * gib, 2000 * gib, false);
        check(4 * gib - 1, 2000 * gib, true);
        check(gib / 2, gib / 2, true);
    }

    #[test]
    fn a_directory_has_a_disk_and_a_missing_one_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let space = disk_free(dir.path()).unwrap();
        assert!(space.total_bytes >= space.free_bytes && space.total_bytes > 0);
        assert!(disk_free(&dir.path().join("missing")).is_err());
    }
}
