//! Stored formats: a store of each format is opened, a newer one is refused, and a step from an older one survives being cut between any two slices.

#[path = "fixtures/packed.rs"]
mod packed;

use std::{path::Path, sync::Arc};
use tempfile::TempDir;
use tidegate_store::{
    Batch, Engine, Key, KeyRange, OpenError, Order, Queue, Space, StoreError, TimerKey, keys,
    migrate::{FORMAT, Slice, Step, migrate},
    records::promote_due,
    sled::{SledOptions, open},
};

/// The stored directories, one for each format that ever was.
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

fn unpacked(format: u32) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder can be made");
    let unpacked = packed::unpack(&Path::new(FIXTURES).join(format!("format-{format}")), &dir.path().join("store"));
    unpacked.expect("the fixture is there");
    dir
}

fn reopen(dir: &TempDir) -> Result<Arc<dyn Engine>, OpenError> {
    open(&SledOptions::new(dir.path().join("store")))
}

fn format_of(engine: &dyn Engine) -> u32 {
    let row = engine.get(&keys::meta("format")).expect("the store reads").expect("it has a format");
    u32::from_be_bytes(row.value.try_into().expect("it has four bytes"))
}

#[test]
fn a_store_of_every_format_opens_and_its_work_and_timers_go_on() {
    for format in 1..=FORMAT {
        let dir = unpacked(format);
        let engine = reopen(&dir).unwrap();
        assert_eq!(format_of(&*engine), FORMAT);
        for space in Space::ALL {
            let whole = KeyRange::prefix(&Key::new(*space, 0)[..1]);
            let rows = engine.range(&whole, Order::Forward, 1_000).unwrap();
            assert!(!rows.is_empty(), "format {format} has no {}", space.label());
        }
        let stats = engine.stats();
        assert!(stats.timers > 0 && stats.ready.iter().all(|rows| *rows > 0), "{stats:?}");
        for queue in Queue::ALL {
            assert!(engine.claim(queue, 9).unwrap().is_some_and(|claim| !claim.rows().is_empty()));
        }
        let promoted = promote_due(&*engine, i64::MAX - 1, 128).unwrap();
        assert!(promoted.moved as u64 == stats.timers && promoted.damaged == 0, "{promoted:?}");
        let whole = KeyRange::prefix(&Key::new(Space::Timers, 0)[..1]);
        let numbered = |key: &[u8]| TimerKey::parse(key).is_some();
        assert!(engine.range(&whole, Order::Forward, 9).unwrap().iter().all(|(key, _)| numbered(key)));
    }
}

#[test]
fn a_newer_format_is_refused_and_left_as_it_is() {
    let dir = unpacked(FORMAT);
    let put = vec![(keys::meta("format"), (FORMAT + 1).to_be_bytes().to_vec())];
    reopen(&dir).unwrap().commit(Batch { put, ..Batch::default() }).wait().unwrap();
    for _ in 0..2 {
        let error = reopen(&dir).err().unwrap();
        assert!(matches!(error, OpenError::NewerFormat { found, known } if found == FORMAT + 1 && known == FORMAT));
        assert!(error.to_string().contains("start the newer version that wrote it"), "{error}");
    }
}

fn row(n: u8) -> Key {
    Key::new(Space::Messages, 7).u8(n)
}

/// Where a row holds a step up, until it is taken away: as a process that ends there.
fn barrier(n: u8) -> Key {
    Key::new(Space::Messages, 8).u8(n)
}

/// Adds one to each row, two rows a slice.
fn add_one(engine: &dyn Engine, place: Option<&[u8]>) -> Result<Slice, StoreError> {
    let all = KeyRange::prefix(&Key::new(Space::Messages, 7));
    let rows = engine.range(&place.map_or(all.clone(), |key| all.after(key)), Order::Forward, 2)?;
    if let Some((key, _)) = rows.first()
        && engine.get(&barrier(key[5]))?.is_some()
    {
        return Err(StoreError::Closed);
    }
    let next = rows.last().map(|(key, _)| key.clone());
    let put = rows.into_iter().map(|(key, row)| (Key::from_bytes(key), vec![row.value[0] + 1])).collect();
    Ok(Slice { batch: Batch { put, ..Batch::default() }, next })
}

#[test]
fn a_step_that_is_cut_between_any_two_slices_does_each_row_once() {
    const STEPS: &[Step] = &[Step { from: FORMAT, name: "add one", slice: add_one }];
    let dir = unpacked(FORMAT);
    let engine = reopen(&dir).unwrap();
    let put = (0..9).map(|n| (row(n), vec![n])).chain([0, 2, 4, 6, 8].map(|n| (barrier(n), vec![])));
    engine.commit(Batch { put: put.collect(), ..Batch::default() }).wait().unwrap();
    drop(engine);
    for n in [0, 2, 4, 6, 8] {
        let engine = reopen(&dir).unwrap();
        assert!(matches!(migrate(&*engine, FORMAT, STEPS), Err(OpenError::Migration { .. })), "the barrier at {n}");
        assert_eq!(format_of(&*engine), FORMAT, "not before its last slice");
        engine.commit(Batch { delete: vec![barrier(n)], ..Batch::default() }).wait().unwrap();
    }
    let engine = reopen(&dir).unwrap();
    migrate(&*engine, FORMAT, STEPS).unwrap();
    for n in 0..9 {
        assert_eq!(engine.get(&row(n)).unwrap().unwrap().value, [n + 1]);
    }
    drop(engine);
    assert!(matches!(reopen(&dir).err(), Some(OpenError::NewerFormat { .. })));
}
