//! The sled engine: opening, damage, limits.

use super::*;
use crate::{
    engine::{Batch, KeyRange, Order, StoreError},
    keys::{self, Key, Lane, Queue, ReadyKey, Space, TimerKey},
    records::promote_due,
};
use std::fs;
use tempfile::TempDir;

fn key(n: u32) -> Key {
    Key::new(Space::Messages, 1).u32(n)
}

fn put(engine: &dyn Engine, rows: impl IntoIterator<Item = (Key, Vec<u8>)>) -> u64 {
    let put = rows.into_iter().collect();
    engine.commit(Batch { put, ..Batch::default() }).wait().unwrap().version
}

/// A closed store with this many rows of 1 KB, each in a commit of its own.
fn filled(rows: u32) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(&SledOptions::new(dir.path())).unwrap();
    for n in 0..rows {
        put(&*engine, [(key(n), vec![n as u8; 1_000])]);
    }
    dir
}

fn refused(dir: &Path) -> String {
    match open(&SledOptions::new(dir)) {
        Ok(_) => panic!("the store was opened"),
        Err(error) => error.to_string(),
    }
}

/// Changes rows behind the gateway's back.
fn tamper(dir: &Path, change: impl FnOnce(&::sled::Db)) {
    let db = open_guarded(dir, DEFAULT_CACHE_BYTES).unwrap();
    change(&db);
    db.flush().unwrap();
}

#[test]
fn a_directory_in_use_is_refused_with_who_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(&SledOptions::new(dir.path()).holder("tidegate serve")).unwrap();
    let error = refused(dir.path());
    assert!(error.contains(&format!("in use by process {} (tidegate serve)", std::process::id())), "{error}");
    drop(engine);
    assert!(open(&SledOptions::new(dir.path())).is_ok());
}

#[test]
fn a_lock_of_sleds_own_is_refused_too() {
    let dir = filled(1);
    let holder = open_guarded(dir.path(), DEFAULT_CACHE_BYTES).unwrap();
    let error = refused(dir.path());
    assert!(error.contains("is in use by a program that does not write down its name"), "{error}");
    drop(holder);
}

#[test]
fn a_missing_directory_is_created_with_its_parents() {
    let dir = tempfile::tempdir().unwrap();
    let nested = dir.path().join("a/b/c");
    put(&*open(&SledOptions::new(&nested)).unwrap(), [(key(1), vec![1])]);
    for file in ["conf", "db", "lock", "durable.mark"] {
        assert!(nested.join(file).is_file(), "{file}");
    }
    assert_eq!(fs::read_dir(nested.join("blobs")).unwrap().count(), 0);
}

#[test]
fn what_an_interrupted_start_left_is_removed() {
    let dir = filled(1);
    let left = dir.path().join("snap.00000000000FFFFF.generating");
    fs::write(&left, "half").unwrap();
    let engine = open(&SledOptions::new(dir.path())).unwrap();
    assert!(!left.exists());
    assert!(engine.get(&key(0)).unwrap().is_some());
}

#[test]
fn a_first_start_that_a_power_cut_interrupted_begins_anew() {
    let unborn = || {
        let dir = tempfile::tempdir().unwrap();
        drop(Mark::open(dir.path()).unwrap());
        fs::create_dir(dir.path().join("blobs")).unwrap();
        dir
    };
    for (conf, log) in [(63, 0), (9, 0), (0, 5_000), (63, SEGMENT_BYTES)] {
        let dir = unborn();
        fs::write(dir.path().join("conf"), vec![0; conf]).unwrap();
        fs::write(dir.path().join("db"), vec![0; log]).unwrap();
        let engine = open(&SledOptions::new(dir.path())).unwrap();
        put(&*engine, [(key(1), vec![1])]);
        drop(engine);
        assert!(open(&SledOptions::new(dir.path())).unwrap().get(&key(1)).unwrap().is_some());
    }
    // A store that was opened once is another matter, even where it has no rows.
    let dir = filled(0);
    fs::write(dir.path().join("conf"), [0; 63]).unwrap();
    assert!(refused(dir.path()).contains("is damaged"));
    assert!(dir.path().join("db").exists());
}

#[test]
fn blobs_are_refused() {
    let dir = filled(1);
    fs::write(dir.path().join("blobs/123"), "x").unwrap();
    let error = refused(dir.path());
    assert!(error.contains("blobs holds 1 files"), "{error}");
}

#[test]
fn the_largest_rows_and_batches_write_no_blobs() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(&SledOptions::new(dir.path())).unwrap();
    for round in 0..3 {
        let rows = (0..42).map(|n| (key(n * 7 % 42 + round), vec![n as u8; crate::engine::MAX_VALUE_BYTES]));
        put(&*engine, rows);
    }
    assert_eq!(fs::read_dir(dir.path().join("blobs")).unwrap().count(), 0);
}

#[test]
fn a_newer_format_is_refused() {
    let dir = filled(0);
    let engine = open(&SledOptions::new(dir.path())).unwrap();
    put(&*engine, [(keys::meta("format"), 99u32.to_be_bytes().to_vec())]);
    drop(engine);
    let error = refused(dir.path());
    assert!(error.starts_with("the store has format 99, this version knows formats up to 1"), "{error}");
}

#[test]
fn the_mark_follows_the_commits() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(&SledOptions::new(dir.path())).unwrap();
    for n in 0..3 {
        let version = put(&*engine, [(key(n), vec![1])]);
        let mark = fs::read(dir.path().join("durable.mark")).unwrap();
        assert_eq!(mark.len(), 24);
        assert_eq!(mark[12..20], version.to_be_bytes());
    }
}

#[test]
fn a_store_without_its_mark_or_with_another_ones_is_refused() {
    let (dir, other) = (filled(2), filled(9));
    let mark = |dir: &TempDir| dir.path().join("durable.mark");
    let own = fs::read(mark(&dir)).unwrap();
    let check = |bytes: &[u8], expected: &str| {
        fs::write(mark(&dir), bytes).unwrap();
        let error = refused(dir.path());
        assert!(error.contains(expected), "{error}");
    };
    check(&fs::read(mark(&other)).unwrap(), "are of two different stores");
    check(&own[..20], "durable.mark is unreadable");
    fs::remove_file(mark(&dir)).unwrap();
    assert!(refused(dir.path()).contains("durable.mark is missing"));
    fs::write(mark(&dir), own).unwrap();
    assert!(open(&SledOptions::new(dir.path())).is_ok());
}

#[test]
fn a_store_that_lacks_acknowledged_commits_is_refused() {
    for percent in [95, 60, 30, 10, 0] {
        let dir = filled(200);
        let file = fs::OpenOptions::new().write(true).open(dir.path().join("db")).unwrap();
        file.set_len(file.metadata().unwrap().len() * percent / 100).unwrap();
        let error = refused(dir.path());
        assert!(error.contains("is damaged"), "{percent} %: {error}");
    }
}

#[test]
fn flipped_bytes_lose_nothing_without_a_word() {
    for place in [0.2, 0.5, 0.8] {
        let dir = filled(200);
        let path = dir.path().join("db");
        let mut bytes = fs::read(&path).unwrap();
        let written = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        let at = (written as f64 * place) as usize;
        bytes[at] ^= 0x55;
        bytes[at + 1] ^= 0x55;
        fs::write(&path, bytes).unwrap();
        // Either the store is refused, or every row is there or is named as damaged.
        if let Ok(engine) = open(&SledOptions::new(dir.path())) {
            for n in 0..200 {
                match engine.get(&key(n)) {
                    Ok(Some(row)) => assert_eq!(row.value, vec![n as u8; 1_000]),
                    Ok(None) => panic!("row {n} is missing, {place}"),
                    Err(_) => {}
                }
            }
        }
    }
}

#[test]
fn rows_that_are_not_ours_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(Mark::open(dir.path()).unwrap());
    tamper(dir.path(), |db| drop(db.insert("a", "b").unwrap()));
    let error = refused(dir.path());
    assert!(error.contains("sled rows that this gateway did not write"), "{error}");
}

#[test]
fn a_damaged_row_is_named_and_does_not_hide_the_others() {
    let dir = filled(3);
    let damaged = key(1);
    tamper(dir.path(), |db| drop(db.insert(&*damaged, "garbage in here").unwrap()));
    let engine = open(&SledOptions::new(dir.path())).unwrap();
    let error = engine.get(&damaged).unwrap_err();
    assert_eq!(error, StoreError::Corrupt { key: damaged.clone() });
    assert!(error.to_string().contains("message in workspace 1: 00000001") && error.to_string().contains("backup"));
    let all = KeyRange::prefix(&Key::new(Space::Messages, 1));
    for order in [Order::Forward, Order::Backward] {
        let (rows, named) = crate::records::readable_rows(&*engine, all.clone(), order, 9).unwrap();
        assert_eq!((rows.len(), named), (2, vec![damaged.clone()]));
    }
    let batch = Batch { expect: vec![(damaged.clone(), crate::engine::Expect::Absent)], ..Batch::default() };
    assert!(engine.commit(batch).wait().unwrap_err().to_string().contains("is damaged"));
}

#[test]
fn damaged_work_and_timers_do_not_stop_the_rest() {
    let dir = filled(0);
    let engine = open(&SledOptions::new(dir.path())).unwrap();
    let ready = |seq| ReadyKey { queue: Queue::Pure, lane: Lane::new(1, 0, 0), seq }.key();
    let timer = |seq| TimerKey { due_ms: 5, seq }.key();
    let work = crate::records::WorkRow::new(1, [0; 16]);
    let deferred = crate::records::Deferred { queue: Queue::Io, lane: Lane::new(1, 0, 0), work };
    for seq in 0..3 {
        put(&*engine, [(ready(seq), work.encode().to_vec()), (timer(seq), deferred.encode().to_vec())]);
    }
    drop(engine);
    tamper(dir.path(), |db| {
        drop(db.insert(&*ready(0), "x").unwrap());
        drop(db.insert(&*timer(0), "x").unwrap());
    });
    let engine = open(&SledOptions::new(dir.path())).unwrap();
    assert_eq!(engine.claim(Queue::Pure, 9).unwrap().unwrap().rows().len(), 2);
    assert_eq!(engine.stats().damaged, 1);
    let promoted = promote_due(&*engine, 5, 9).unwrap();
    assert_eq!((promoted.moved, promoted.damaged), (2, 1));
}

#[test]
fn sled_and_the_store_share_one_crossbeam_epoch() {
    let lock = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).unwrap();
    assert_eq!(lock.matches("name = \"crossbeam-epoch\"").count(), 1);
    assert!(lock.contains("name = \"sled\"\nversion = \"0.34.7\""));
}
