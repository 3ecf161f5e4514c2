//! Damage: bytes flipped and files cut, anywhere. The store is refused with a word, or every row is there or named; none is missing or other without one.

use super::{open_store, plan::Random, random, rounds, scratch};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use tidegate_store::{Batch, Key, Space, StoreError};

const ROWS: u32 = 300;

fn key(n: u32) -> Key {
    Key::new(Space::Messages, 1).u32(n)
}

fn value(n: u32) -> Vec<u8> {
    n.to_be_bytes().repeat(50)
}

/// A store that was opened twice, so that sled has a snapshot and a log behind it.
fn store() -> (TempDir, PathBuf) {
    let (dir, path) = scratch();
    for half in 0..2 {
        let engine = open_store(&path).unwrap();
        for n in (0..ROWS).filter(|n| n % 2 == half) {
            engine.commit(Batch { put: vec![(key(n), value(n))], ..Batch::default() }).wait().unwrap();
        }
    }
    (dir, path)
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The files that a store is made of; not its lock.
fn files(dir: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.is_file() && !path.ends_with("lock")).collect();
    files.sort();
    assert_eq!(files.len(), 4, "conf, db, durable.mark and a snapshot: {files:?}");
    files
}

/// What became of a damaged store.
fn look(dir: &Path) -> Result<&'static str, String> {
    let engine = match open_store(dir) {
        Ok(engine) => engine,
        Err(error) if error.to_string().contains("damaged") => return Ok("refused"),
        Err(error) => return Err(format!("refused without saying that it is damaged: {error}")),
    };
    let mut fate = "whole";
    for n in 0..ROWS {
        match engine.get(&key(n)) {
            Ok(Some(row)) if row.value == value(n) => {}
            Ok(Some(_)) => return Err(format!("row {n} has another value")),
            Ok(None) => return Err(format!("row {n} is missing")),
            Err(StoreError::Corrupt { .. } | StoreError::Failed { .. }) => fate = "named",
            Err(StoreError::Closed) => return Err("closed".to_owned()),
        }
    }
    Ok(fate)
}

fn damage(path: &Path, random: &mut Random) -> String {
    let mut bytes = fs::read(path).unwrap();
    // The end of the log is empty: damage there is none.
    let written = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1) as u64;
    let at = random.below(written) as usize;
    let how = if random.below(2) == 0 {
        bytes.truncate(at);
        "cut"
    } else {
        let end = bytes.len().min(at + 2);
        bytes[at..end].iter_mut().for_each(|byte| *byte ^= 0x55);
        "flipped"
    };
    fs::write(path, bytes).unwrap();
    format!("{} {how} at {at} of {written}", path.file_name().unwrap().to_string_lossy())
}

#[test]
fn damage_anywhere_is_told_and_never_hides_a_row() {
    let mut random = random();
    let (_whole, whole) = store();
    let mut refused = 0;
    for round in 0..rounds(60) {
        let (_dir, dir) = scratch();
        copy(&whole, &dir);
        let files = files(&dir);
        // The log most often: it has the rows.
        let log = files.iter().position(|path| path.ends_with("db")).unwrap();
        let file = if round % 2 == 0 { log } else { round as usize / 2 % files.len() };
        let what = damage(&files[file], &mut random);
        let fate = look(&dir).unwrap_or_else(|problem| panic!("{what}: {problem}"));
        refused += u64::from(fate == "refused");
    }
    assert!(refused > rounds(60) / 4, "only {refused} were refused: the damage does not reach the store");
}
