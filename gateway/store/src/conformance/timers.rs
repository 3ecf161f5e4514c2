//! Timers: the earliest, promotion, taking back.

use super::{Harness, args, commit_ok};
use crate::{
    engine::Engine,
    keys::{Lane, Queue, TimerKey},
    records::{Changes, Deferred, Promoted, WorkRow, count_timers, hasten, promote_due},
};
use std::{future::Future, pin::pin, task::Poll};

fn defer(engine: &dyn Engine, due_ms: i64, arg: u32) -> TimerKey {
    let work = WorkRow { arg, ..WorkRow::new(1, [0; 16]) };
    let mut changes = Changes::new(engine.seq());
    let timer = changes.defer(due_ms, &Deferred { queue: Queue::Io, lane: Lane::new(1, 1, 0), work });
    commit_ok(engine, changes.into_batch());
    timer
}

fn promote(engine: &dyn Engine, now_ms: i64, limit: usize) -> Promoted {
    promote_due(engine, now_ms, limit).expect("the engine works")
}

fn cancel(engine: &dyn Engine, timer: TimerKey) {
    let mut changes = Changes::new(engine.seq());
    changes.cancel_timer(timer);
    commit_ok(engine, changes.into_batch());
}

/// Over all workspaces, whatever was armed first.
pub fn the_earliest_timer_is_next(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let next = || engine.next_due().expect("the engine works");
    assert_eq!(next(), None);
    let late = defer(&*engine, 500, 0);
    let early = defer(&*engine, 100, 0);
    defer(&*engine, 300, 0);
    assert_eq!((next(), engine.stats().timers, engine.stats().oldest_due_ms), (Some(100), 3, Some(100)));
    cancel(&*engine, early);
    assert_eq!(next(), Some(300));
    cancel(&*engine, late);
    cancel(&*engine, late);
    assert_eq!((next(), engine.stats().timers), (Some(300), 1));
}

/// Due ones are ready work in the order of their moments; the others wait on.
pub fn due_timers_move_to_their_lanes_and_others_stay(harness: &mut dyn Harness) {
    let engine = harness.engine();
    for (due, arg) in [(300, 3), (100, 1), (200, 2), (301, 4)] {
        defer(&*engine, due, arg);
    }
    assert_eq!(promote(&*engine, 99, 10), Promoted::default());
    assert_eq!(promote(&*engine, 300, 2), Promoted { moved: 2, more: true, damaged: 0 });
    assert_eq!(promote(&*engine, 300, 2), Promoted { moved: 1, more: false, damaged: 0 });
    let claim = engine.claim(Queue::Io, 10).expect("the engine works").expect("ready");
    assert_eq!(args(&claim), [1, 2, 3]);
    assert_eq!((engine.next_due(), engine.stats().timers), (Ok(Some(301)), 1));
}

/// A timer taken back before it was due leaves no work behind; taking it back twice or too late is no error.
pub fn a_timer_that_was_taken_back_is_not_promoted(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let timer = defer(&*engine, 100, 1);
    cancel(&*engine, timer);
    assert_eq!(promote(&*engine, 1_000, 10).moved, 0);
    let timer = defer(&*engine, 100, 1);
    assert_eq!(promote(&*engine, 1_000, 10).moved, 1);
    cancel(&*engine, timer);
    assert_eq!(engine.stats().ready, [0, 1]);
}

/// Who sleeps until the next timer is woken by an earlier one, and not by a later one.
pub fn the_timer_signal_comes_for_earlier_timers(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let signalled = || {
        let signal = engine.timer_signal();
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        pin!(signal.wait()).poll(&mut context) == Poll::Ready(())
    };
    assert_eq!(engine.next_due(), Ok(None));
    assert!(!signalled());
    let first = defer(&*engine, 100, 0);
    assert!(signalled());
    assert_eq!(engine.next_due(), Ok(Some(100)));
    defer(&*engine, 200, 0);
    assert!(!signalled());
    defer(&*engine, 50, 0);
    assert!(signalled());
    cancel(&*engine, first);
    assert_eq!(engine.next_due(), Ok(Some(50)));
}

/// Those that are wanted and due within a time are counted, and moved to their lanes before they are due; the others stay.
pub fn wanted_timers_can_be_counted_and_hastened(harness: &mut dyn Harness) {
    let engine = harness.engine();
    for n in 0..300 {
        defer(&*engine, 100 + i64::from(n), n);
    }
    let even = |held: &Deferred| held.work.arg.is_multiple_of(2);
    let count = |most| count_timers(&*engine, 299, most, even).expect("the engine works");
    assert_eq!((count(1_000), count(40)), (100, 40));
    assert_eq!(hasten(&*engine, 299, even).expect("the engine works"), 100);
    assert_eq!((engine.stats().timers, engine.stats().ready[Queue::Io.index()]), (200, 100));
    assert_eq!(hasten(&*engine, 299, even).expect("the engine works"), 0);
}
