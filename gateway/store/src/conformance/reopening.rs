//! What a restart keeps, and what it ends.

use super::{Harness, args, commit, commit_ok, enqueue, put, read};
use crate::{
    engine::{Batch, CommitError, StoreError},
    keys::{Lane, Queue, TimerKey},
};

/// Rows, ready work, timers and their numbers are as they were.
pub fn rows_work_and_timers_are_there_after_a_restart(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let version = commit_ok(&*engine, Batch { put: vec![put("a", "1")], ..Batch::default() });
    enqueue(&*engine, Queue::Pure, Lane::new(1, 1, 0), 3);
    enqueue(&*engine, Queue::Io, Lane::new(2, 7, 9).ahead(), 2);
    let timers = [500, 400].map(|due_ms| (TimerKey { due_ms, seq: engine.next_seq() }.key(), vec![0; 34]));
    commit_ok(&*engine, Batch { put: timers.into(), ..Batch::default() });
    let before = engine.stats();
    drop(engine);
    harness.reopen();
    let engine = harness.engine();
    assert_eq!((read(&*engine, "a"), engine.next_due()), (Some("1".into()), Ok(Some(400))));
    assert_eq!(engine.get(&super::key("a")).expect("read").expect("there").version, version);
    let after = engine.stats();
    assert_eq!((after.ready, after.timers, after.oldest_due_ms), (before.ready, 2, before.oldest_due_ms));
    let claim = engine.claim(Queue::Io, 9).expect("the engine works").expect("ready");
    assert_eq!((claim.lane(), args(&claim)), (Lane::new(2, 7, 9).ahead(), vec![0, 1]));
    assert!(commit_ok(&*engine, Batch { put: vec![put("a", "2")], ..Batch::default() }) > version);
}

/// No number is given twice.
pub fn numbers_grow_across_restarts(harness: &mut dyn Harness) {
    let mut last = 0;
    for _ in 0..3 {
        let engine = harness.engine();
        for _ in 0..100 {
            let next = engine.next_seq();
            assert!(next > last, "{next} after {last}");
            last = next;
        }
        drop(engine);
        harness.reopen();
    }
}

/// Work that was claimed when the process ended is ready after the restart.
pub fn a_lease_ends_with_the_process(harness: &mut dyn Harness) {
    let engine = harness.engine();
    enqueue(&*engine, Queue::Pure, Lane::new(1, 1, 0), 2);
    let claim = engine.claim(Queue::Pure, 9).expect("the engine works").expect("ready");
    let token = claim.token();
    drop((claim, engine));
    harness.reopen();
    let engine = harness.engine();
    let again = engine.claim(Queue::Pure, 9).expect("the engine works").expect("ready");
    assert_eq!(args(&again), [0, 1]);
    drop(again);
    assert!(matches!(
        commit(&*engine, Batch { token: Some(token), ..Batch::default() }),
        Err(CommitError::Fenced { .. })
    ));
}

/// After a shutdown nothing is taken, nobody sleeps on.
pub fn a_closed_engine_says_so(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let last = engine.commit(Batch { put: vec![put("a", "1")], ..Batch::default() });
    engine.shutdown();
    engine.shutdown();
    assert!(last.wait().is_ok());
    assert_eq!(commit(&*engine, Batch::default()), Err(CommitError::Closed));
    assert_eq!(engine.get(&super::key("a")), Err(StoreError::Closed));
    assert_eq!(engine.claim(Queue::Pure, 1).err(), Some(StoreError::Closed));
    assert!(!engine.wait_ready(Queue::Pure, std::time::Duration::from_secs(60)));
}
