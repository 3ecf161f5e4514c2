//! The memory engine: visible and durable, crashes, sticky errors.

use super::*;
use crate::{
    engine::{Batch, Commit, CommitError, Health, StoreError},
    keys::{Lane, Queue, ReadyKey, Space, TimerKey},
};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Waker},
    time::Duration,
};

fn key(name: &str) -> Key {
    Key::new(Space::Messages, 1).text(name)
}

/// A record, a ready row and a timer.
fn write(engine: &dyn Engine, name: &str) -> Commit {
    let ready = ReadyKey { queue: Queue::Pure, lane: Lane::new(1, 0, 0), seq: engine.next_seq() };
    let timer = TimerKey { due_ms: 100, seq: engine.next_seq() };
    let put = vec![(key(name), vec![1]), (ready.key(), vec![0; 23]), (timer.key(), vec![0; 34])];
    engine.commit(Batch { put, ..Batch::default() })
}

fn is_pending(commit: &mut Commit) -> bool {
    Pin::new(commit).poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

fn claimed_rows(engine: &dyn Engine) -> usize {
    engine.claim(Queue::Pure, 10).unwrap().map_or(0, |claim| claim.rows().len())
}

#[test]
fn a_row_that_is_visible_but_not_durable_is_acted_on_by_nobody() {
    let memory = Memory::new();
    let engine = memory.engine();
    memory.hold_sync();
    let mut commit = write(&*engine, "a");
    memory.wait_until_held();
    assert!(engine.get(&key("a")).unwrap().is_some());
    assert!(is_pending(&mut commit));
    assert_eq!((claimed_rows(&*engine), engine.next_due().unwrap()), (0, None));
    assert!(!engine.wait_ready(Queue::Pure, Duration::from_millis(1)));
    memory.release_sync();
    commit.wait().unwrap();
    assert_eq!((claimed_rows(&*engine), engine.next_due().unwrap()), (1, Some(100)));
}

#[test]
fn a_lane_with_durable_rows_gives_out_only_those() {
    let memory = Memory::new();
    let engine = memory.engine();
    write(&*engine, "a").wait().unwrap();
    memory.hold_sync();
    let commit = write(&*engine, "b");
    memory.wait_until_held();
    assert_eq!(claimed_rows(&*engine), 1);
    memory.release_sync();
    commit.wait().unwrap();
    assert_eq!(claimed_rows(&*engine), 2);
}

#[test]
fn a_crash_loses_what_was_not_durable_and_nothing_else() {
    let memory = Memory::new();
    let engine = memory.engine();
    write(&*engine, "a").wait().unwrap();
    memory.hold_sync();
    let lost = write(&*engine, "b");
    memory.wait_until_held();
    let last_seq = engine.next_seq();
    let memory = memory.crash();
    assert!(matches!(lost.wait(), Err(CommitError::Failed { .. })));
    let after = memory.engine();
    assert_eq!(after.get(&key("a")).unwrap().unwrap().value, [1]);
    assert_eq!(after.get(&key("b")).unwrap(), None);
    assert_eq!((after.stats().ready, after.stats().timers), ([1, 0], 1));
    assert!(after.next_seq() > last_seq);
    assert!(matches!(engine.health(), Health::Failed(_)));
}

#[test]
fn an_io_error_stays_and_everybody_is_told() {
    let memory = Memory::new();
    let engine = memory.engine();
    let sleeper = std::thread::spawn({
        let engine = memory.engine();
        move || engine.wait_ready(Queue::Pure, Duration::from_secs(60))
    });
    memory.fail_io("disk gone");
    let reason = "a write failed: disk gone".to_owned();
    for _ in 0..2 {
        assert_eq!(write(&*engine, "a").wait(), Err(CommitError::Failed { reason: reason.clone() }));
    }
    assert_eq!(engine.health(), Health::Failed(reason.clone()));
    assert_eq!(engine.get(&key("a")), Err(StoreError::Failed { reason: reason.clone() }));
    assert_eq!(engine.claim(Queue::Pure, 1).err(), Some(StoreError::Failed { reason }));
    assert!(!sleeper.join().unwrap());
}

#[test]
fn batches_that_wait_share_one_sync() {
    let memory = Memory::new();
    let engine = memory.engine();
    memory.hold_sync();
    let first = write(&*engine, "a");
    memory.wait_until_held();
    let before = engine.stats();
    let rest: Vec<Commit> = (0..20).map(|n| write(&*engine, &n.to_string())).collect();
    memory.release_sync();
    first.wait().unwrap();
    assert!(rest.into_iter().all(|commit| commit.wait().is_ok()));
    let after = engine.stats();
    assert_eq!((after.commits - before.commits, after.groups - before.groups), (21, 2));
}

#[test]
fn an_engine_that_is_dropped_while_its_sync_is_held_answers_who_waits() {
    let memory = Memory::new();
    memory.hold_sync();
    let commit = write(&*memory.engine(), "a");
    memory.wait_until_held();
    drop(memory);
    assert!(matches!(commit.wait(), Err(CommitError::Failed { .. })));
}

#[tokio::test]
async fn a_commit_can_be_awaited_and_a_task_is_woken_by_ready_work() {
    let memory = Memory::new();
    let engine = memory.engine();
    let signal = engine.ready_signal(Queue::Pure);
    let (committed, ()) = tokio::join!(write(&*engine, "a"), signal.wait());
    assert!(committed.unwrap().version > 0);
    assert_eq!(claimed_rows(&*engine), 1);
}

#[test]
fn a_timer_that_is_being_moved_is_in_the_figures() {
    use crate::records::{Changes, Deferred, WorkRow, promote_due};
    let memory = Memory::new();
    let engine = memory.engine();
    let mut changes = Changes::new(engine.seq());
    changes.defer(100, &Deferred { queue: Queue::Io, lane: Lane::new(1, 0, 0), work: WorkRow::new(1, [0; 16]) });
    engine.commit(changes.into_batch()).wait().unwrap();
    let seen = || (engine.stats().ready[Queue::Io.index()], engine.stats().oldest_due_ms);
    assert_eq!(seen(), (0, Some(100)));
    memory.hold_sync();
    std::thread::scope(|scope| {
        let moving = scope.spawn(|| promote_due(&*engine, 100, 10).unwrap().moved);
        memory.wait_until_held();
        assert_eq!(seen(), (1, None), "its row is gone, and it is not ready yet");
        memory.release_sync();
        assert_eq!(moving.join().unwrap(), 1);
    });
    assert_eq!(seen(), (1, None));
}

#[derive(Default)]
struct Counted(std::sync::atomic::AtomicU64, Mutex<Vec<(u64, usize, u64)>>);

impl crate::engine::Meter for Counted {
    fn now_ns(&self) -> u64 {
        1 + self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }

    fn committed(&self, waited_ns: u64) {
        self.1.lock().unwrap().push((waited_ns, 0, 0));
    }

    fn wrote(&self, batches: usize, took_ns: u64) {
        self.1.lock().unwrap().push((0, batches, took_ns));
    }
}

#[test]
fn commits_are_measured_from_the_meter_on() {
    let memory = Memory::new();
    let engine = memory.engine();
    write(&*engine, "a").wait().unwrap();
    let meter = Arc::new(Counted::default());
    engine.set_meter(Arc::clone(&meter) as Arc<dyn crate::engine::Meter>);
    write(&*engine, "b").wait().unwrap();
    // Its group is measured after it was answered.
    engine.shutdown();
    let seen = meter.1.lock().unwrap().clone();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert_eq!(seen[0], (0, 1, 1), "one batch in the group, of one tick");
    assert!(seen[1].0 >= 2, "it waited for its group: {seen:?}");
}
