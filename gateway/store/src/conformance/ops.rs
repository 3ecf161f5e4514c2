//! Guarded operations, as they are kept and refused by a commit.

use super::{Harness, commit, put, read};
use crate::{
    engine::{
        Batch, CommitError, Engine, Refusal,
        ops::{Op, Rate},
    },
    keys::GuardName,
    records::sweep_idle_guards,
};

const NOW: i64 = 1_780_000_000_000;
const DAY: i64 = 86_400_000;

fn run(engine: &dyn Engine, ops: Vec<Op>) -> Result<(), (usize, Refusal)> {
    match commit(engine, Batch { ops, ..Batch::default() }) {
        Ok(_) => Ok(()),
        Err(CommitError::Refused { op, refusal }) => Err((op, refusal)),
        Err(error) => panic!("{error}"),
    }
}

fn take(name: &str, now_ms: i64) -> Op {
    Op::Gcra { guard: GuardName::new(1, name), rate: Rate { limit: 1, period_ms: 1_000, burst: 2 }, now_ms }
}

fn add(delta: i64) -> Op {
    Op::Add { guard: GuardName::new(1, "wallet"), delta, floor: 0 }
}

fn member(id: u8, now_ms: i64, limit: u64) -> Op {
    let guard = GuardName::new(1, "recipients");
    Op::Member { guard, id: [id; 16], expires_at_ms: now_ms + DAY, limit, now_ms }
}

/// Takes of one batch and of several count alike; a refusal says when it goes on.
pub fn a_rate_is_kept_across_batches(harness: &mut dyn Harness) {
    let engine = harness.engine();
    assert_eq!(run(&*engine, vec![take("a", NOW), take("b", NOW)]), Ok(()));
    let refused = Refusal::Rate { retry_at_ms: NOW + 1_000 };
    assert_eq!(run(&*engine, vec![take("a", NOW), take("a", NOW)]), Err((1, refused)));
    // The refused batch took nothing.
    assert_eq!(run(&*engine, vec![take("a", NOW)]), Ok(()));
    assert_eq!(run(&*engine, vec![take("a", NOW)]), Err((0, refused)));
    assert_eq!(run(&*engine, vec![take("a", NOW + 1_000)]), Ok(()));
}

/// Money that is not there is not spent.
pub fn a_figure_keeps_its_floor(harness: &mut dyn Harness) {
    let engine = harness.engine();
    assert_eq!(run(&*engine, vec![add(-1)]), Err((0, Refusal::Floor { value: 0 })));
    assert_eq!(run(&*engine, vec![add(10), add(-4)]), Ok(()));
    assert_eq!(run(&*engine, vec![add(-7)]), Err((0, Refusal::Floor { value: 6 })));
    assert_eq!(run(&*engine, vec![add(-6)]), Ok(()));
}

/// So many different members in a day; who has expired makes room.
pub fn a_set_keeps_its_limit_and_lets_members_out(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let check = |id, at, expected| assert_eq!(run(&*engine, vec![member(id, at, 3)]), expected, "{id} at {}", at - NOW);
    check(1, NOW, Ok(()));
    check(2, NOW + 10, Ok(()));
    check(3, NOW + 20, Ok(()));
    check(2, NOW + 30, Ok(()));
    check(4, NOW + 40, Err((0, Refusal::Full { members: 3, retry_at_ms: NOW + DAY })));
    check(4, NOW + DAY, Ok(()));
    check(1, NOW + DAY + 1, Err((0, Refusal::Full { members: 3, retry_at_ms: NOW + DAY + 10 })));
    check(1, NOW + DAY + 20, Ok(()));
    check(5, NOW + DAY + 30, Ok(()));
    check(6, NOW + DAY + 31, Err((0, Refusal::Full { members: 3, retry_at_ms: NOW + 2 * DAY })));
}

/// Two members of a set of two, one of which is written to again and again: only the other makes room.
pub fn a_member_that_stays_longer_keeps_its_place(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let check =
        |id, at, ok: bool| assert_eq!(run(&*engine, vec![member(id, at, 2)]).is_ok(), ok, "{id} at {}", at - NOW);
    check(1, NOW, true);
    check(2, NOW + 5, true);
    for step in 1..10 {
        check(1, NOW + step * DAY / 4, true);
        check(3, NOW + step * DAY / 4, step >= 5);
    }
}

/// Rows, expectations and operations stand or fall together.
pub fn a_refused_operation_stops_the_whole_batch(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let batch = Batch { put: vec![put("a", "1")], ops: vec![add(5), add(-6)], ..Batch::default() };
    assert!(matches!(commit(&*engine, batch), Err(CommitError::Refused { op: 1, .. })));
    assert_eq!(read(&*engine, "a"), None);
    assert_eq!(run(&*engine, vec![add(-1)]), Err((0, Refusal::Floor { value: 0 })));
}

/// A rate that has recovered needs no row; other guards stay.
pub fn recovered_rates_are_swept(harness: &mut dyn Harness) {
    let engine = harness.engine();
    assert_eq!(run(&*engine, vec![take("old", NOW), take("new", NOW + 60_000), add(1)]), Ok(()));
    let sweep = sweep_idle_guards(&*engine, NOW + 30_000, None).expect("the engine works");
    assert_eq!((sweep.removed, sweep.next), (1, None));
    assert_eq!(run(&*engine, vec![add(-1)]), Ok(()));
}
