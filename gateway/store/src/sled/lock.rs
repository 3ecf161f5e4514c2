//! The lock on a data directory: `lock`, held as long as the store is open, with the name of who holds it.

use super::files::io_error;
use crate::engine::OpenError;
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
    thread,
    time::Duration,
};

/// How often a lock that somebody has is tried again: a process that was just forked from one that let go may have it until it is another program.
const TRIES: usize = 20;
/// The time between two tries.
const PAUSE: Duration = Duration::from_millis(10);
/// Longest name that is read back.
const MAX_NAME: u64 = 256;

/// Held until dropped. The file stays: removing it would race with who takes it next.
pub(crate) struct DirLock {
    _file: File,
}

impl DirLock {
    /// Takes the lock and writes down who has it.
    pub(crate) fn take(dir: &Path, holder: Option<&str>) -> Result<Self, OpenError> {
        let path = dir.join("lock");
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(io_error("open", &path))?;
        match lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { dir: dir.to_owned(), holder: read_name(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(io_error("lock", &path)(source)),
        }
        write_name(&mut file, &name(holder)).map_err(io_error("write", &path))?;
        Ok(Self { _file: file })
    }
}

fn lock(file: &File) -> Result<(), TryLockError> {
    for _ in 1..TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            tried => return tried,
        }
    }
    file.try_lock()
}

/// Process and command. Later arguments may hold secrets and are left out.
fn name(holder: Option<&str>) -> String {
    let command = holder.map_or_else(command, str::to_owned);
    let command: String = command.chars().filter(|c| !c.is_control()).take(120).collect();
    format!("process {} ({command})", std::process::id())
}

fn command() -> String {
    let mut arguments = std::env::args();
    let program = arguments.next().unwrap_or_default();
    let program = Path::new(&program).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match arguments.next().filter(|argument| !argument.starts_with('-')) {
        Some(first) => format!("{program} {first}"),
        None => program,
    }
}

fn write_name(file: &mut File, name: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(name.as_bytes())
}

fn read_name(file: &mut File) -> String {
    let mut bytes = Vec::new();
    let read = file.take(MAX_NAME).read_to_end(&mut bytes);
    match read {
        Ok(1..) => String::from_utf8_lossy(&bytes).trim().to_owned(),
        Ok(0) | Err(_) => "another process, which is starting".to_owned(),
    }
}
