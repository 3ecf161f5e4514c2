//! Guarded operations as pure functions.

use super::*;
use proptest::prelude::*;

const NOW: i64 = 1_780_000_000_000;

fn rate(limit: u32, period_ms: u64, burst: u32) -> Rate {
    Rate { limit, period_ms, burst }
}

/// Takes as many as are allowed at once, and says when the next would be.
fn burst(mut tat: Option<i64>, rate: Rate, now_ms: i64) -> (usize, i64) {
    for taken in 0..10_000 {
        match gcra(tat, rate, now_ms) {
            Ok(next) => tat = Some(next),
            Err(Refusal::Rate { retry_at_ms }) => return (taken, retry_at_ms - now_ms),
            Err(other) => panic!("{other}"),
        }
    }
    (10_000, 0)
}

#[test]
fn a_rate_allows_its_burst_and_then_says_when_it_goes_on() {
    let check = |rate: Rate, expected: (usize, i64)| assert_eq!(burst(None, rate, NOW), expected, "{rate:?}");
    check(rate(1, 6_000, 1), (1, 6_000));
    check(rate(80, 1_000, 80), (80, 13));
    check(rate(10, 1_000, 3), (3, 100));
    check(rate(3, 1_000, 3), (3, 334));
    check(rate(5, 1_000, 0), (1, 200));
    check(rate(0, 1_000, 9), (0, i64::MAX - NOW));
}

#[test]
fn a_clock_that_was_set_back_costs_no_more_than_the_burst() {
    let ahead = gcra(None, rate(1, 1_000, 2), NOW + 3_600_000).unwrap();
    let Err(Refusal::Rate { retry_at_ms }) = gcra(Some(ahead), rate(1, 1_000, 2), NOW) else { panic!("allowed") };
    assert_eq!(retry_at_ms, NOW + 1_000);
}

#[test]
fn a_figure_keeps_its_floor_and_does_not_overflow() {
    let check = |value, delta, floor, expected| assert_eq!(add(value, delta, floor), expected);
    check(None, -1, 0, Err(Refusal::Floor { value: 0 }));
    check(None, -5, -5, Ok(-5));
    check(Some(10), -10, 0, Ok(0));
    check(Some(10), -11, 0, Err(Refusal::Floor { value: 10 }));
    check(Some(-10), 3, 0, Ok(-7));
    check(Some(i64::MAX), 1, 0, Err(Refusal::Floor { value: i64::MAX }));
}

#[test]
fn a_set_lets_members_stay_and_new_ones_in_while_there_is_room() {
    let check = |counted, known, expected| assert_eq!(member(counted, known, NOW + 50, 2, NOW), expected);
    check(0, None, Membership::Enters);
    check(1, None, Membership::Enters);
    check(2, None, Membership::Full);
    check(2, Some(NOW + 50), Membership::Stays);
    check(2, Some(NOW + 10), Membership::Extended);
    // Expired but still counted: its place is still its own.
    check(2, Some(NOW), Membership::Extended);
    // The limit was lowered: who is in may stay, who has expired may not come back.
    check(3, Some(NOW + 10), Membership::Extended);
    check(3, Some(NOW), Membership::Full);
}

#[test]
fn a_recovered_rate_is_idle_and_other_rows_are_not() {
    assert!(GuardRow::Rate((NOW - 1) * 1_000).is_idle(NOW));
    assert!(!GuardRow::Rate(NOW * 1_000 + 1).is_idle(NOW));
    assert!(!GuardRow::Figure(0).is_idle(NOW));
}

proptest! {
    /// In any window, a rate allows at most its burst plus what the window earns.
    #[test]
    fn a_rate_is_never_exceeded(limit in 1u32..50, period_ms in 1u64..5_000, size in 1u32..20, gaps in prop::collection::vec(0i64..400, 1..80)) {
        let rate = rate(limit, period_ms, size);
        let (mut now, mut tat, mut allowed) = (NOW, None, 0u64);
        for gap in gaps {
            now += gap;
            if let Ok(next) = gcra(tat, rate, now) {
                tat = Some(next);
                allowed += 1;
            }
        }
        let earned = (now - NOW) as u64 * u64::from(limit) / period_ms;
        prop_assert!(allowed <= u64::from(size) + earned, "{allowed}");
    }

    #[test]
    fn a_refused_take_is_allowed_at_the_moment_it_named(limit in 1u32..1_000, period_ms in 1u64..100_000, size in 1u32..50, taken in 0usize..100) {
        let rate = rate(limit, period_ms, size);
        let mut tat = None;
        for _ in 0..taken {
            tat = gcra(tat, rate, NOW).ok().or(tat);
        }
        if let Err(Refusal::Rate { retry_at_ms }) = gcra(tat, rate, NOW) {
            prop_assert!(retry_at_ms > NOW);
            prop_assert!(gcra(tat, rate, retry_at_ms).is_ok());
        }
    }

    #[test]
    fn guard_rows_read_back(number: i64) {
        for row in [GuardRow::Rate(number), GuardRow::Figure(number), GuardRow::Count(number as u64), GuardRow::Until(number), GuardRow::Expiry] {
            prop_assert_eq!(GuardRow::decode(&row.encode()), Some(row));
        }
    }

    #[test]
    fn any_bytes_are_a_guard_row_or_none(bytes: Vec<u8>) {
        let _ = GuardRow::decode(&bytes);
    }
}
