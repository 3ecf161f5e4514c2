//! What every engine must do, as one list of checks over [`Engine`]; each engine's tests run all of it.
//!
//! A check panics where an engine breaks the contract. Knows no engine.

mod commits;
mod ops;
mod ranges;
mod reopening;
mod threads;
mod timers;
mod work;

use crate::{
    engine::{Batch, CommitError, Committed, Engine},
    keys::{Key, Lane, Queue, ReadyKey, Space},
    records::WorkRow,
};
use std::sync::Arc;

/// A store that can be closed and opened again.
pub trait Harness {
    /// The open engine.
    fn engine(&self) -> Arc<dyn Engine>;

    /// Closes it and opens it anew. The caller has dropped every engine and claim it had.
    fn reopen(&mut self);
}

/// Runs a callback macro with the name of every check, so that none is forgotten.
#[macro_export]
macro_rules! foreach_conformance_check {
    ($callback:ident) => {
        $callback! {
            commits: a_batch_is_written_whole_and_read_back,
            commits: an_expectation_that_fails_stops_the_whole_batch,
            commits: versions_tell_every_write_apart,
            commits: deletes_are_done_before_puts,
            commits: a_batch_over_a_limit_is_refused_by_name,
            commits: batches_of_one_group_succeed_or_fail_alone,
            commits: a_batch_of_nothing_but_an_expectation_is_answered,
            commits: a_follower_is_told_of_every_write_after_it_began,
            ranges: ranges_are_ordered_both_ways_and_cut_at_both_ends,
            ranges: a_range_gives_no_more_than_its_limit,
            work: rows_of_a_lane_come_in_order,
            work: a_claimed_lane_is_nobody_elses,
            work: a_dropped_claim_gives_its_lane_back,
            work: a_finished_lane_comes_back_while_it_has_rows,
            work: a_used_or_released_token_is_fenced,
            work: a_batch_that_fails_leaves_the_lease_as_it_was,
            work: workspaces_take_turns,
            work: lanes_with_priority_go_ahead,
            work: queues_are_apart,
            work: ready_rows_are_counted_exactly,
            timers: the_earliest_timer_is_next,
            timers: due_timers_move_to_their_lanes_and_others_stay,
            timers: a_timer_that_was_taken_back_is_not_promoted,
            timers: wanted_timers_can_be_counted_and_hastened,
            timers: the_timer_signal_comes_for_earlier_timers,
            ops: a_rate_is_kept_across_batches,
            ops: a_figure_keeps_its_floor,
            ops: a_set_keeps_its_limit_and_lets_members_out,
            ops: a_member_that_stays_longer_keeps_its_place,
            ops: a_refused_operation_stops_the_whole_batch,
            ops: recovered_rates_are_swept,
            reopening: rows_work_and_timers_are_there_after_a_restart,
            reopening: numbers_grow_across_restarts,
            reopening: a_lease_ends_with_the_process,
            reopening: a_closed_engine_says_so,
            threads: concurrent_commits_lose_nothing,
            threads: of_two_who_expect_the_same_version_one_wins,
            threads: workers_take_every_row_once_and_in_order,
        }
    };
}

macro_rules! list {
    ($($module:ident: $name:ident,)*) => {
        pub use {$($module::$name),*};
    };
}
foreach_conformance_check!(list);

/// A key of no space that the engine counts.
fn key(name: &str) -> Key {
    Key::new(Space::Messages, 1).text(name)
}

fn put(name: &str, value: &str) -> (Key, Vec<u8>) {
    (key(name), value.as_bytes().to_vec())
}

fn commit(engine: &dyn Engine, batch: Batch) -> Result<Committed, CommitError> {
    engine.commit(batch).wait()
}

fn commit_ok(engine: &dyn Engine, batch: Batch) -> u64 {
    commit(engine, batch).expect("the batch is committed").version
}

fn read(engine: &dyn Engine, name: &str) -> Option<String> {
    let row = engine.get(&key(name)).expect("the row is read");
    row.map(|row| String::from_utf8_lossy(&row.value).into_owned())
}

/// Puts so many pieces of work in a lane; `arg` counts them.
fn enqueue(engine: &dyn Engine, queue: Queue, lane: Lane, count: u32) {
    let row = |arg| {
        let key = ReadyKey { queue, lane, seq: engine.next_seq() }.key();
        (key, WorkRow { arg, ..WorkRow::new(1, [0; 16]) }.encode().to_vec())
    };
    commit_ok(engine, Batch { put: (0..count).map(row).collect(), ..Batch::default() });
}

fn args(claim: &crate::engine::Claim) -> Vec<u32> {
    let work = |value: &[u8]| WorkRow::decode(value).expect("a work row").arg;
    claim.rows().iter().map(|(_, row)| work(&row.value)).collect()
}

/// Finishes a claim: its rows are done, its lane goes back.
fn finish(engine: &dyn Engine, claim: &crate::engine::Claim) {
    let delete = claim.rows().iter().map(|(key, _)| key.clone()).collect();
    commit_ok(engine, Batch { delete, token: Some(claim.token()), ..Batch::default() });
}

#[cfg(test)]
mod tests;
