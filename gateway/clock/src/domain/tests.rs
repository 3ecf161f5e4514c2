//! Reading, stepping and waiting, without a real sleep.

use std::thread;
use std::time::Duration;

use super::{ClockError, DomainClock};
use crate::machine::system_ms;
use crate::mode::{ClockMode, MAX_MS, ModeError};

/// Longer than any test takes: a wait that is not woken fails the test by hanging on it.
const LONG: Duration = Duration::from_secs(600);

fn stepped(start_ms: i64) -> DomainClock {
    DomainClock::new(ClockMode::Stepped { start_ms }).unwrap()
}

/// Whether the wait is over already.
async fn is_over(wait: impl Future<Output = ()>) -> bool {
    tokio::select! {
        biased;
        () = wait => true,
        () = std::future::ready(()) => false,
    }
}

#[test]
fn a_stepped_clock_moves_only_when_told_and_all_clones_with_it() {
    let clock = stepped(1000);
    let clone = clock.clone();
    assert_eq!(clone.now_ms(), 1000);
    assert_eq!(clock.advance(500), Ok(1500));
    assert_eq!(clock.set(4000), Ok(4000));
    assert_eq!(clock.advance(0), Ok(4000));
    assert_eq!(clone.now_ms(), 4000);
    assert_eq!(clone.mode(), ClockMode::Stepped { start_ms: 1000 });
}

#[test]
fn a_stepped_clock_never_goes_back_nor_past_its_end() {
    let clock = stepped(1000);
    let backwards = |asked_ms| {
        let now_ms = 1000;
        Err(ClockError::Backwards { now_ms, asked_ms })
    };
    assert_eq!(clock.set(999), backwards(999));
    assert_eq!(clock.advance(-1), backwards(999));
    assert_eq!(clock.advance(i64::MIN), backwards(i64::MIN + 1000));
    let past = Err(ClockError::OutOfRange { now_ms: 1000 });
    assert_eq!(clock.advance(i64::MAX), past);
    assert_eq!(clock.set(MAX_MS + 1), past);
    assert_eq!(clock.now_ms(), 1000);
    assert_eq!(clock.set(MAX_MS), Ok(MAX_MS));
}

#[test]
fn a_flowing_clock_cannot_be_stepped() {
    let scaled = ClockMode::Scaled { speed: 60.0, start_ms: Some(0) };
    for mode in [ClockMode::System, scaled] {
        let clock = DomainClock::new(mode).unwrap();
        assert_eq!(clock.advance(1), Err(ClockError::NotStepped { mode }));
        assert_eq!(clock.set(MAX_MS), Err(ClockError::NotStepped { mode }));
    }
}

#[test]
fn a_mode_out_of_range_makes_no_clock() {
    let found = "0".to_owned();
    let mode = ClockMode::Scaled { speed: 0.0, start_ms: None };
    let error = DomainClock::new(mode).unwrap_err();
    assert_eq!(error, ModeError::Speed { found });
}

#[test]
fn the_system_clock_shows_the_machines_time() {
    let before = system_ms();
    let shown = DomainClock::system().now_ms();
    assert!((before..=system_ms()).contains(&shown));
}

#[test]
fn a_scaled_clock_starts_where_it_is_told_or_at_the_machines_time() {
    let scaled = |start_ms| {
        let speed = 1e-3;
        DomainClock::new(ClockMode::Scaled { speed, start_ms }).unwrap()
    };
    let march = scaled(Some(1_772_359_200_000)).now_ms();
    assert!((1_772_359_200_000..1_772_359_260_000).contains(&march));
    let before = system_ms();
    assert!(scaled(None).now_ms() >= before);
}

#[tokio::test]
async fn a_sleeper_wakes_at_the_step_that_reaches_its_time() {
    let clock = stepped(0);
    assert!(is_over(clock.sleep_until(0)).await);
    assert!(is_over(clock.sleep_until(-5)).await);
    let sleep = clock.sleep_until(100);
    tokio::pin!(sleep);
    assert!(!is_over(sleep.as_mut()).await);
    clock.advance(99).unwrap();
    assert!(!is_over(sleep.as_mut()).await);
    clock.advance(1).unwrap();
    sleep.await;
}

#[tokio::test]
async fn a_step_between_the_look_and_the_wait_is_not_missed() {
    let clock = stepped(0);
    let seen_ms = clock.now_ms();
    assert!(!is_over(clock.changed(seen_ms)).await);
    clock.advance(1).unwrap();
    clock.changed(seen_ms).await;
    assert!(!is_over(clock.changed(1)).await);
}

#[tokio::test]
async fn a_fast_clock_sleeps_for_its_share_of_the_time() {
    let (speed, start_ms) = (1e6, Some(0));
    let clock = DomainClock::new(ClockMode::Scaled { speed, start_ms }).unwrap();
    // A minute of domain time is 60 microseconds.
    clock.sleep_until(60_000).await;
    assert!(clock.now_ms() >= 60_000);
    clock.wait_until(120_000, LONG);
    assert!(clock.now_ms() >= 120_000);
}

#[tokio::test]
async fn a_time_of_the_past_is_not_slept_for() {
    let clock = DomainClock::system();
    assert!(is_over(clock.sleep_until(clock.now_ms())).await);
    clock.wait_until(0, LONG);
    assert!(!is_over(clock.sleep_until(MAX_MS)).await);
}

#[test]
fn a_blocked_thread_wakes_at_the_step_that_reaches_its_time() {
    let clock = stepped(0);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            clock.wait_until(100, LONG);
            clock.now_ms()
        });
        for _ in 0..10 {
            clock.advance(10).unwrap();
        }
        assert_eq!(waiter.join().unwrap(), 100);
    });
}

#[test]
fn a_blocked_thread_gives_up_after_its_cap() {
    stepped(0).wait_until(100, Duration::ZERO);
    DomainClock::system().wait_until(MAX_MS, Duration::ZERO);
}
