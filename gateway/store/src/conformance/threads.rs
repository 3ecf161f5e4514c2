//! Many callers at once.

use super::{Harness, args, commit, commit_ok, enqueue, finish, key, put, read};
use crate::{
    engine::{Batch, CommitError, Expect},
    keys::{Lane, Queue, Space},
};
use std::{collections::HashMap, sync::Mutex, time::Duration};

/// Everything that was acknowledged is there, and versions are unique.
pub fn concurrent_commits_lose_nothing(harness: &mut dyn Harness) {
    const THREADS: u32 = 8;
    const EACH: u32 = 25;
    let engine = harness.engine();
    let row = |thread: u32, n: u32| crate::keys::Key::new(Space::Messages, 1).u32(thread).u32(n);
    let versions = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (engine, versions) = (&engine, &versions);
            scope.spawn(move || {
                for n in 0..EACH {
                    let put = vec![(row(thread, n), n.to_be_bytes().to_vec())];
                    let version = commit_ok(&**engine, Batch { put, ..Batch::default() });
                    versions.lock().expect("no thread panicked").push(version);
                }
            });
        }
    });
    let mut versions = versions.into_inner().expect("no thread panicked");
    versions.sort_unstable();
    versions.dedup();
    assert_eq!(versions.len(), (THREADS * EACH) as usize);
    drop(engine);
    harness.reopen();
    let engine = harness.engine();
    for (thread, n) in (0..THREADS).flat_map(|thread| (0..EACH).map(move |n| (thread, n))) {
        assert_eq!(engine.get(&row(thread, n)).expect("read").expect("there").value, n.to_be_bytes());
    }
}

/// A counter kept by expected versions counts right.
pub fn of_two_who_expect_the_same_version_one_wins(harness: &mut dyn Harness) {
    const THREADS: usize = 4;
    const EACH: usize = 10;
    let engine = harness.engine();
    commit_ok(&*engine, Batch { put: vec![put("count", "0")], ..Batch::default() });
    let add_one = || loop {
        let row = engine.get(&key("count")).expect("read").expect("there");
        let count: usize = String::from_utf8_lossy(&row.value).parse().expect("a number");
        let expect = vec![(key("count"), Expect::Version(row.version))];
        let put = vec![put("count", &(count + 1).to_string())];
        match commit(&*engine, Batch { expect, put, ..Batch::default() }) {
            Ok(_) => return,
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..EACH).for_each(|_| add_one()));
        }
    });
    assert_eq!(read(&*engine, "count"), Some((THREADS * EACH).to_string()));
}

/// Several workers, several lanes: each row once, each lane in order.
pub fn workers_take_every_row_once_and_in_order(harness: &mut dyn Harness) {
    const LANES: u32 = 6;
    const ROWS: u32 = 20;
    let engine = harness.engine();
    let done: Mutex<HashMap<Lane, Vec<u32>>> = Mutex::default();
    let left = || engine.stats().ready[Queue::Pure.index()] > 0;
    std::thread::scope(|scope| {
        for resource in 0..LANES {
            enqueue(&*engine, Queue::Pure, Lane::new(resource % 2, resource, 0), ROWS);
        }
        for _ in 0..3 {
            scope.spawn(|| {
                while left() {
                    if !engine.wait_ready(Queue::Pure, Duration::from_millis(20)) {
                        continue;
                    }
                    while let Some(claim) = engine.claim(Queue::Pure, 7).expect("the engine works") {
                        done.lock().expect("no thread panicked").entry(claim.lane()).or_default().extend(args(&claim));
                        finish(&*engine, &claim);
                    }
                }
            });
        }
    });
    let done = done.into_inner().expect("no thread panicked");
    assert_eq!(done.len(), LANES as usize);
    assert!(done.values().all(|rows| rows.iter().copied().eq(0..ROWS)), "{done:?}");
}
