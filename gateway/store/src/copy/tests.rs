//! Copies: equal to their source at one commit, whole or none, and of damaged stores as much as can be read.

use super::*;
use crate::{
    engine::{CommitError, Expect, KeyRange, Order, Row},
    keys::{Key, Lane, Queue, ReadyKey, Space, TimerKey},
    memory::Memory,
    records::{Deferred, WorkRow},
    sled::{SledOptions, open, open_guarded},
};
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use tempfile::TempDir;

mod damage;

fn quiet(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn key(n: u32) -> Key {
    Key::new(Space::Messages, 1).u32(n)
}

fn commit(engine: &dyn Engine, put: Vec<(Key, Vec<u8>)>, delete: Vec<Key>) -> u64 {
    engine.commit(Batch { put, delete, ..Batch::default() }).wait().unwrap().version
}

/// Every row but the store's own, with its version.
fn rows(engine: &dyn Engine) -> BTreeMap<Key, Row> {
    let (mut found, mut range) = (BTreeMap::new(), KeyRange::prefix(&[]));
    loop {
        let slice = engine.range(&range, Order::Forward, 1_000).unwrap();
        let Some((last, _)) = slice.last() else { return found };
        range = range.after(last);
        let keyed = slice.into_iter().map(|(key, row)| (Key::from_bytes(key), row));
        found.extend(keyed.filter(|(key, _)| key.space() != Some(Space::Meta)));
    }
}

/// A store on disk, in a directory of its own, and room for copies beside it.
struct Bench {
    dir: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn open(&self, name: &str) -> Arc<dyn Engine> {
        open(&SledOptions::new(self.path(name))).unwrap()
    }
}

#[test]
fn a_copy_of_a_stopped_store_has_its_rows_versions_work_and_timers_and_a_name_of_its_own() {
    let bench = Bench::new();
    let engine = bench.open("store");
    for n in 0..2_500u32 {
        commit(&*engine, vec![(key(n), n.to_be_bytes().to_vec())], vec![]);
    }
    commit(&*engine, vec![], (0..100).map(key).collect());
    let work = WorkRow::new(1, [0; 16]);
    let lane = Lane::new(1, 2, 3);
    let timer = TimerKey { due_ms: 77, seq: engine.next_seq() };
    let ready = ReadyKey { queue: Queue::Pure, lane, seq: engine.next_seq() };
    let deferred = Deferred { queue: Queue::Io, lane, work };
    let last = commit(
        &*engine,
        vec![(timer.key(), deferred.encode().to_vec()), (ready.key(), work.encode().to_vec())],
        vec![],
    );
    let before = rows(&*engine);
    drop(engine);

    let stopped = Stopped::open(&bench.path("store")).unwrap();
    let report = copy_stopped(&stopped, &bench.path("copy"), &mut quiet).unwrap();
    assert!(report.commit >= last && report.damaged.is_empty());
    assert_eq!(report.rows.0["message"], Count { rows: 2_400, bytes: 2_400 * 13 });
    drop(stopped);

    let copy = bench.open("copy");
    assert_eq!(rows(&*copy), before);
    assert_eq!((copy.stats().timers, copy.next_due().unwrap(), copy.stats().ready), (1, Some(77), [1, 0]));
    assert!(copy.next_seq() > ready.seq, "numbers go on growing");
    let expect = vec![(key(200), Expect::Version(before[&key(200)].version))];
    assert!(copy.commit(Batch { expect, ..Batch::default() }).wait().is_ok());
    drop(copy);
    // Of two stores: the log of one and the mark of the other do not pass.
    fs::copy(bench.path("store/durable.mark"), bench.path("copy/durable.mark")).unwrap();
    let refused = open(&SledOptions::new(bench.path("copy"))).err().unwrap().to_string();
    assert!(refused.contains("two different stores"), "{refused}");
}

/// What each commit wrote, by its number.
type History = BTreeMap<u64, Vec<(Key, Option<Vec<u8>>)>>;

/// Writers that put, change and remove rows anywhere in the key space until they are stopped; each notes what it did.
fn write_until(engine: &dyn Engine, stop: &AtomicBool, seed: u64) -> History {
    let mut history = History::new();
    let mut random = seed;
    while !stop.load(Ordering::Relaxed) {
        let mut writes = BTreeMap::new();
        for _ in 0..6 {
            // Numbers of Knuth's MMIX generator: enough to be everywhere.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let space = [Space::Deliveries, Space::Messages, Space::Runs, Space::Ready, Space::Timers]
                [(random >> 60) as usize % 5];
            let n = (random >> 33) as u32 % 3_000;
            let key = match space {
                Space::Ready => ReadyKey { queue: Queue::Pure, lane: Lane::new(1, 0, 0), seq: n.into() }.key(),
                Space::Timers => TimerKey { due_ms: i64::from(n), seq: 1 }.key(),
                space => Key::new(space, 1).u32(n),
            };
            let value = (random >> 20 & 3 != 0).then(|| vec![random as u8; 20 + n as usize % 900]);
            writes.insert(key, value);
        }
        let mut batch = Batch::default();
        for (key, value) in &writes {
            match value {
                Some(value) => batch.put.push((key.clone(), value.clone())),
                None => batch.delete.push(key.clone()),
            }
        }
        match engine.commit(batch).wait() {
            Ok(done) => drop(history.insert(done.version, writes.into_iter().collect())),
            Err(CommitError::Closed) => break,
            Err(error) => panic!("{error}"),
        }
    }
    history
}

fn is_equal_to_the_store_at_one_commit(engine: &Arc<dyn Engine>) {
    let bench = Bench::new();
    let stop = AtomicBool::new(false);
    let histories = Mutex::new(History::new());
    let mut reports = Vec::new();
    std::thread::scope(|scope| {
        for seed in 1..=4 {
            let (engine, stop, histories) = (engine, &stop, &histories);
            scope.spawn(move || {
                let history = write_until(&**engine, stop, seed);
                histories.lock().unwrap().extend(history);
            });
        }
        while engine.stats().commits < 2_000 {
            std::thread::yield_now();
        }
        for copy in 0..4 {
            let mut told = 0;
            let mut tell = |progress: &Progress| {
                // Not only at the beginning and at the end.
                let until = engine.stats().commits + 50;
                while engine.stats().commits < until {
                    std::thread::yield_now();
                }
                told = progress.rows;
                ControlFlow::Continue(())
            };
            let report = copy_running(&**engine, &bench.path(&copy.to_string()), &mut tell).unwrap();
            assert!(told > 2_000);
            reports.push(report);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let history = histories.into_inner().unwrap();
    for (copy, report) in reports.iter().enumerate() {
        let mut expected = BTreeMap::new();
        for (version, writes) in history.range(..=report.commit) {
            for (key, value) in writes {
                match value {
                    Some(value) => drop(expected.insert(key.clone(), Row { version: *version, value: value.clone() })),
                    None => drop(expected.remove(key)),
                }
            }
        }
        let copied = bench.open(&copy.to_string());
        let found = rows(&*copied);
        assert_eq!(found.len(), expected.len());
        assert!(found == expected, "copy {copy} is not the store at commit {}", report.commit);
        let of = |space: Space| expected.keys().filter(|key| key.space() == Some(space)).count() as u64;
        assert_eq!((copied.stats().timers, copied.stats().ready[0]), (of(Space::Timers), of(Space::Ready)));
    }
    assert!(reports.windows(2).all(|two| two[0].commit < two[1].commit));
}

#[test]
fn a_copy_under_load_is_equal_to_the_store_at_one_commit() {
    is_equal_to_the_store_at_one_commit(&Memory::new().engine());
}

#[test]
fn a_copy_of_sled_under_load_is_equal_to_the_store_at_one_commit() {
    let bench = Bench::new();
    is_equal_to_the_store_at_one_commit(&bench.open("store"));
}

#[test]
fn half_a_copy_is_no_store() {
    let bench = Bench::new();
    let engine = bench.open("store");
    commit(&*engine, (0..400).map(|n| (key(n), vec![1; 100])).collect(), vec![]);
    let mut stopped_by_hand = |_: &Progress| ControlFlow::Break(());
    let error = copy_running(&*engine, &bench.path("copy"), &mut stopped_by_hand).unwrap_err();
    assert!(matches!(error, CopyError::Stopped));
    let mut target = target::Target::create(&bench.path("half")).unwrap();
    for (key, row) in rows(&*engine) {
        target.put(key, row).unwrap();
    }
    for n in 1_000..2_000 {
        target.put(key(n), Row { version: 1, value: vec![2; 100] }).unwrap();
    }
    drop(target);
    let refused = open(&SledOptions::new(bench.path("half"))).err().unwrap().to_string();
    assert!(refused.contains("did not write"), "{refused}");
}

#[test]
fn a_copy_goes_to_an_empty_home_only_and_leaves_nothing_when_it_is_given_up() {
    let bench = Bench::new();
    let home = bench.path("home");
    drop(Home::new(&home).unwrap());
    assert!(!home.exists(), "it was made for the copy");
    fs::create_dir_all(home.join(".store.partial/old")).unwrap();
    {
        let begun = Home::new(&home).unwrap();
        assert!(!home.join(".store.partial/old").exists(), "what an interrupted copy left goes");
        let busy = Home::new(&home).err().unwrap().to_string();
        assert!(busy.contains("is being copied to by process"), "{busy}");
        drop(begun);
    }
    assert!(home.exists() && fs::read_dir(&home).unwrap().count() == 0);
    fs::write(home.join("letter"), "mine").unwrap();
    let refused = Home::new(&home).err().unwrap().to_string();
    assert!(refused.contains("is not empty: name a directory that is new or empty"), "{refused}");
    let none = Home::of_a_store(&home).err().unwrap().to_string();
    assert!(none.starts_with("there is no store in"), "{none}");
}

#[test]
fn too_little_room_is_said_beforehand() {
    let bench = Bench::new();
    let home = Home::new(&bench.path("home")).unwrap();
    assert!(home.needs(1, None).is_ok());
    let error = home.needs(u64::MAX / 2, None).unwrap_err().to_string();
    assert!(error.contains("make room, or name a directory on another disk"), "{error}");
}

#[test]
fn a_copy_takes_the_place_of_the_store_in_one_step() {
    let bench = Bench::new();
    let data = bench.path("data");
    let engine = open(&SledOptions::new(data.join("store"))).unwrap();
    for round in 0..200u8 {
        commit(&*engine, (0..20).map(|n| (key(n), vec![round; 10_000])).collect(), vec![]);
    }
    let before = rows(&*engine);
    drop(engine);
    let size = store_bytes(&data).unwrap();
    {
        let home = Home::of_a_store(&data).unwrap();
        let stopped = Stopped::open(&home.store()).unwrap();
        copy_stopped(&stopped, &home.place("store"), &mut quiet).unwrap();
        home.exchange(&home.place("store")).unwrap();
        assert!(home.place("store").join("db").exists(), "the old one is kept until this is done with");
    }
    assert!(store_bytes(&data).unwrap() < size, "{size}");
    assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "nothing is left beside it");
    assert_eq!(rows(&*open(&SledOptions::new(data.join("store"))).unwrap()), before);
}

#[test]
fn a_copy_is_published_with_its_note_and_found_again() {
    let bench = Bench::new();
    let engine = bench.open("store");
    commit(&*engine, vec![(key(1), vec![7])], vec![]);
    let home = Home::new(&bench.path("backup")).unwrap();
    let place = home.place("store");
    let report = copy_running(&*engine, &place, &mut quiet).unwrap();
    home.publish(&place, Some(("backup.json", b"{}"))).unwrap();
    assert!(has_store(&bench.path("backup")) && bench.path("backup/store/backup.json").exists());
    assert!(!bench.path("backup/.store.partial").exists());
    let verified = verify(&Stopped::open(&bench.path("backup/store")).unwrap(), &mut quiet).unwrap();
    assert_eq!((verified.rows, verified.commit), (report.rows, report.commit));
    let missing = Stopped::open(&bench.path("nowhere")).err().unwrap().to_string();
    assert!(missing.starts_with("there is no store in") && !bench.path("nowhere").exists(), "{missing}");
}
