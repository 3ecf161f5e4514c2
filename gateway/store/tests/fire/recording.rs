//! Runs the driver with the recorder in front of its system calls, and reads what that wrote down.

use super::DRIVER;
use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// Something that the driver did to its files, or said. Paths are from the recorded directory.
#[derive(Debug)]
pub(crate) enum Event {
    /// A file was opened or created, or a directory opened.
    Opened { path: PathBuf, inode: u64, emptied: bool },
    /// Bytes were written.
    Written { inode: u64, offset: usize, data: Vec<u8> },
    /// A file's length was set.
    Truncated { inode: u64, len: usize },
    /// `fsync` or `fdatasync` came back.
    Synced { inode: u64 },
    /// A file got another name.
    Renamed { from: PathBuf, to: PathBuf },
    /// A file was removed.
    Removed { path: PathBuf },
    /// A directory was made.
    Made { path: PathBuf },
    /// The driver said something, see [`super::acks`].
    Acknowledged(Vec<u8>),
}

const SIGKILL: i32 = 9;
impl Event {
    /// How many bytes it wrote.
    pub(crate) fn written(&self) -> u64 {
        if let Self::Written { data, .. } = self { data.len() as u64 } else { 0 }
    }
}

/// Bytes in front of each event: `struct head` of the recorder.
const HEAD: usize = 32;

/// Runs `write` of the driver on `root/store`, and gives what it did.
pub(crate) fn record(root: &Path, batches: u64, openings: u64) -> Vec<Event> {
    let aside = tempfile::tempdir().unwrap();
    let acks = aside.path().join("acks");
    let ran = write(root, &acks, batches, openings).env("RECORD_LOG", aside.path().join("log")).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    read(&fs::read(aside.path().join("log")).unwrap(), root)
}

/// Runs `write` of the driver until it has done so many things to its files, then kills it. Gives what it said; `None` when it came to its end.
pub(crate) fn kill_after(events: u64, root: &Path, batches: u64, openings: u64) -> Option<Vec<u8>> {
    let aside = tempfile::tempdir().unwrap();
    let acks = aside.path().join("acks");
    let mut command = write(root, &acks, batches, openings);
    command.env("RECORD_LOG", "/dev/null").env("RECORD_DIE_AFTER", events.to_string());
    let ran = command.output().unwrap();
    assert!(ran.status.success() || ran.status.signal() == Some(SIGKILL), "{ran:?}");
    (!ran.status.success()).then(|| fs::read(acks).unwrap_or_default())
}

fn write(root: &Path, acks: &Path, batches: u64, openings: u64) -> Command {
    let mut command = Command::new(DRIVER);
    command.arg("write").arg(root.join("store")).arg(acks).args([batches, openings].map(|n| n.to_string()));
    command.env("LD_PRELOAD", recorder()).env("RECORD_ROOT", root).env("RECORD_ACKS", acks);
    command
}

/// The recorder, compiled once for all tests of this run.
fn recorder() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
        // Another run may compile it at the same time: it appears whole.
        let built = tempfile::Builder::new().prefix("recorder").tempfile_in(dir).unwrap().into_temp_path();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fire/recorder.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(&built).arg(source);
        let ran = compiler.args(["-ldl", "-pthread"]).output().expect("a C compiler (cc) is there");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let library = dir.join("recorder.so");
        built.persist(&library).unwrap();
        library
    })
}

fn read(mut log: &[u8], root: &Path) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some((head, rest)) = log.split_first_chunk::<HEAD>() {
        let word = |at: usize| u32::from_ne_bytes(head[at..at + 4].try_into().unwrap());
        let long = |at: usize| u64::from_ne_bytes(head[at..at + 8].try_into().unwrap());
        let (inode, offset) = (long(8), long(16) as usize);
        let (path, rest) = rest.split_at(word(4) as usize);
        let (data, rest) = rest.split_at(long(24) as usize);
        let inside = |path: &[u8]| Path::new(std::str::from_utf8(path).unwrap()).strip_prefix(root).unwrap().to_owned();
        events.push(match word(0) {
            1 => Event::Opened { path: inside(path), inode, emptied: offset != 0 },
            2 => Event::Written { inode, offset, data: data.to_vec() },
            3 => Event::Truncated { inode, len: offset },
            4 => Event::Synced { inode },
            5 => Event::Renamed { from: inside(path), to: inside(data) },
            6 => Event::Removed { path: inside(path) },
            7 => Event::Made { path: inside(path) },
            8 => Event::Acknowledged(data.to_vec()),
            other => panic!("an event of kind {other}"),
        });
        log = rest;
    }
    assert!(log.is_empty(), "the log ends within an event");
    events
}
