//! Ready lanes: order, turns, leases.

use super::*;

fn lane(resource: u32) -> Lane {
    Lane::new(1, resource, 0)
}

fn add(ready: &Ready, resource: u32, rows: i64) {
    ready.publish(&[(Queue::Pure, lane(resource), rows)], &[]);
}

fn lease(ready: &Ready) -> Option<LaneToken> {
    ready.lease(Queue::Pure)
}

#[test]
fn a_leased_lane_is_nobody_elses_until_its_commit_is_published() {
    let ready = Ready::default();
    add(&ready, 1, 2);
    let token = lease(&ready).unwrap();
    assert_eq!(lease(&ready), None);
    assert!(ready.begin_commit(token));
    // The worker's claim is dropped while the batch is under way: only the commit ends the lease.
    ready.release(token);
    assert_eq!(lease(&ready), None);
    ready.publish(&[(Queue::Pure, lane(1), -1)], &[token]);
    assert_ne!(lease(&ready), None);
    assert_eq!(ready.figures(Queue::Pure), (1, 1));
}

#[test]
fn a_token_is_good_once() {
    let ready = Ready::default();
    add(&ready, 1, 1);
    let token = lease(&ready).unwrap();
    ready.release(token);
    ready.release(token);
    assert!(!ready.begin_commit(token));
    let next = lease(&ready).unwrap();
    assert_ne!(next.lease, token.lease);
    assert!(ready.begin_commit(next) && !ready.begin_commit(next));
    assert_eq!(lease(&ready), None);
}

#[test]
fn a_finished_lane_leaves_nothing_behind() {
    let ready = Ready::default();
    add(&ready, 1, 1);
    let token = lease(&ready).unwrap();
    ready.publish(&[(Queue::Pure, lane(1), -1)], &[token]);
    assert_eq!(lease(&ready), None);
    assert!(ready.lock(Queue::Pure).of.is_empty());
}

#[test]
fn a_lane_that_gave_no_row_waits_for_a_change_and_does_not_spin() {
    let ready = Ready::default();
    add(&ready, 1, 1);
    ready.found_empty(lease(&ready).unwrap());
    assert_eq!(lease(&ready), None);
    add(&ready, 1, 1);
    let token = lease(&ready).unwrap();
    // Rows that come between the look and its answer are not forgotten.
    add(&ready, 1, 1);
    ready.found_empty(token);
    assert_ne!(lease(&ready), None);
}

#[test]
fn sleepers_wake_when_a_lane_comes_or_all_stops() {
    let ready = std::sync::Arc::new(Ready::default());
    assert!(!ready.wait(Queue::Pure, Duration::from_millis(1)));
    let sleep = || {
        let ready = std::sync::Arc::clone(&ready);
        std::thread::spawn(move || ready.wait(Queue::Pure, Duration::from_secs(60)))
    };
    let sleeper = sleep();
    add(&ready, 1, 1);
    assert!(sleeper.join().unwrap());
    lease(&ready);
    let sleeper = sleep();
    ready.stop();
    assert!(!sleeper.join().unwrap());
}
