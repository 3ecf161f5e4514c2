//! Ready work: order, leases, turns, fences.

use super::{Harness, args, commit, commit_ok, enqueue, finish, put, read};
use crate::{
    engine::{Batch, Claim, CommitError, Engine, Expect},
    keys::{Lane, Queue, ReadyKey},
};

fn claim(engine: &dyn Engine, max_rows: usize) -> Claim {
    claim_of(engine, Queue::Pure, max_rows).expect("a lane is ready")
}

fn claim_of(engine: &dyn Engine, queue: Queue, max_rows: usize) -> Option<Claim> {
    engine.claim(queue, max_rows).expect("the engine works")
}

/// A claim gives the first rows of its lane, in the order of their numbers, as many as were asked for.
pub fn rows_of_a_lane_come_in_order(harness: &mut dyn Harness) {
    let engine = harness.engine();
    enqueue(&*engine, Queue::Pure, Lane::new(1, 2, 3), 5);
    let claim = claim(&*engine, 3);
    assert_eq!((claim.lane(), args(&claim)), (Lane::new(1, 2, 3), vec![0, 1, 2]));
}

/// While a lane is claimed nobody gets it, also when rows come in; another lane is free.
pub fn a_claimed_lane_is_nobody_elses(harness: &mut dyn Harness) {
    let engine = harness.engine();
    enqueue(&*engine, Queue::Pure, Lane::new(1, 1, 0), 2);
    let held = claim(&*engine, 1);
    enqueue(&*engine, Queue::Pure, Lane::new(1, 1, 0), 2);
    assert!(claim_of(&*engine, Queue::Pure, 1).is_none());
    enqueue(&*engine, Queue::Pure, Lane::new(1, 2, 0), 1);
    assert_eq!(claim(&*engine, 1).lane(), Lane::new(1, 2, 0));
    finish(&*engine, &held);
    assert_eq!(claim(&*engine, 1).lane(), Lane::new(1, 2, 0));
}

/// A worker that gives up leaves its rows to the next one.
pub fn a_dropped_claim_gives_its_lane_back(harness: &mut dyn Harness) {
    let engine = harness.engine();
    enqueue(&*engine, Queue::Pure, Lane::new(1, 1, 0), 2);
    drop(claim(&*engine, 1));
    let again = claim(&*engine, 5);
    assert_eq!(args(&again), [0, 1]);
    engine.release(again.token());
    assert_eq!(args(&claim(&*engine, 5)), [0, 1]);
}

/// A lane with rows left is ready again after a commit, at the end of the line.
pub fn a_finished_lane_comes_back_while_it_has_rows(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let (one, two) = (Lane::new(1, 1, 0), Lane::new(1, 2, 0));
    enqueue(&*engine, Queue::Pure, one, 3);
    enqueue(&*engine, Queue::Pure, two, 1);
    let mut seen = Vec::new();
    while let Some(claim) = claim_of(&*engine, Queue::Pure, 2) {
        seen.push((claim.lane(), args(&claim)));
        finish(&*engine, &claim);
    }
    assert_eq!(seen, [(one, vec![0, 1]), (two, vec![0]), (one, vec![2])]);
    assert_eq!(engine.stats().ready, [0, 0]);
}

/// Who lost a lane cannot commit as if he had it.
pub fn a_used_or_released_token_is_fenced(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let lane = Lane::new(1, 1, 0);
    enqueue(&*engine, Queue::Pure, lane, 1);
    let with = |claim: &Claim| Batch { put: vec![put("a", "1")], token: Some(claim.token()), ..Batch::default() };
    let released = claim(&*engine, 1);
    engine.release(released.token());
    assert_eq!(commit(&*engine, with(&released)), Err(CommitError::Fenced { lane }));
    let used = claim(&*engine, 1);
    assert_eq!(commit(&*engine, with(&released)), Err(CommitError::Fenced { lane }));
    assert_eq!(read(&*engine, "a"), None);
    finish(&*engine, &used);
    assert_eq!(commit(&*engine, with(&used)), Err(CommitError::Fenced { lane }));
}

/// After a conflict the worker still has its lane, and may commit something else.
pub fn a_batch_that_fails_leaves_the_lease_as_it_was(harness: &mut dyn Harness) {
    let engine = harness.engine();
    commit_ok(&*engine, Batch { put: vec![put("a", "1")], ..Batch::default() });
    enqueue(&*engine, Queue::Pure, Lane::new(1, 1, 0), 1);
    let claim = claim(&*engine, 1);
    let expect = vec![(super::key("a"), Expect::Absent)];
    let batch = Batch { expect, token: Some(claim.token()), ..Batch::default() };
    assert!(matches!(commit(&*engine, batch), Err(CommitError::Conflict { .. })));
    assert!(claim_of(&*engine, Queue::Pure, 1).is_none());
    finish(&*engine, &claim);
}

/// A workspace with many lanes does not keep another waiting.
pub fn workspaces_take_turns(harness: &mut dyn Harness) {
    let engine = harness.engine();
    for resource in 0..4 {
        enqueue(&*engine, Queue::Io, Lane::new(1, resource, 0), 1);
    }
    enqueue(&*engine, Queue::Io, Lane::new(2, 0, 0), 1);
    let claims: Vec<Claim> = std::iter::from_fn(|| claim_of(&*engine, Queue::Io, 1)).collect();
    let order: Vec<u32> = claims.iter().map(|claim| claim.lane().workspace).collect();
    assert_eq!(order, [1, 2, 1, 1, 1]);
}

/// Priority is ahead of what waited longer.
pub fn lanes_with_priority_go_ahead(harness: &mut dyn Harness) {
    let engine = harness.engine();
    enqueue(&*engine, Queue::Pure, Lane::new(1, 1, 0), 1);
    enqueue(&*engine, Queue::Pure, Lane::new(1, 2, 0).ahead(), 1);
    assert_eq!(claim(&*engine, 1).lane(), Lane::new(1, 2, 0).ahead());
}

/// Pure workers get no I/O work.
pub fn queues_are_apart(harness: &mut dyn Harness) {
    let engine = harness.engine();
    enqueue(&*engine, Queue::Io, Lane::new(1, 1, 0), 1);
    assert!(claim_of(&*engine, Queue::Pure, 1).is_none());
    assert!(claim_of(&*engine, Queue::Io, 1).is_some());
}

/// Overwriting a ready row and deleting a missing one do not change how many there are.
pub fn ready_rows_are_counted_exactly(harness: &mut dyn Harness) {
    let engine = harness.engine();
    let row = |seq| ReadyKey { queue: Queue::Pure, lane: Lane::new(1, 1, 0), seq }.key();
    let check = |put: &[u64], delete: &[u64], expected: u64| {
        let put = put.iter().map(|seq| (row(*seq), vec![0; 23])).collect();
        let delete = delete.iter().map(|seq| row(*seq)).collect();
        commit_ok(&*engine, Batch { put, delete, ..Batch::default() });
        assert_eq!(engine.stats().ready, [expected, 0]);
    };
    check(&[1, 2, 3], &[], 3);
    check(&[2, 2, 4], &[], 4);
    check(&[4], &[4], 4);
    check(&[], &[9, 1, 1], 3);
    check(&[], &[2, 3, 4], 0);
    assert!(claim_of(&*engine, Queue::Pure, 1).is_none());
}
