//! What follows from what a round found: for the row, and for the next turn.

use super::*;
use crate::records::Wanted;
use proptest::prelude::*;

const MINUTE_MS: i64 = 60_000;
const PERIOD_MS: i64 = 15 * MINUTE_MS;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_ms(1_780_315_200_000 + minute * MINUTE_MS)
}

fn row() -> ConnectionRow {
    let wanted = Wanted { url: "https://g.example/in/woo".to_owned(), topics: topics(&["a", "b"]), since: at(0) };
    ConnectionRow { wanted: Some(wanted), read_to: Some(at(30)), ..ConnectionRow::new(1, 2, "store") }
}

fn topics(of: &[&str]) -> Vec<String> {
    of.iter().map(|&topic| topic.to_owned()).collect()
}

fn subscription(topic: &str, state: SubscriptionState) -> Subscription {
    Subscription { id: topic.to_owned(), topic: topic.to_owned(), state, reason: None }
}

fn page(cursor: Option<&str>, began: Timestamp) -> Outcome {
    let page = Page { since: at(20), began, cursor: cursor.map(str::to_owned), new: 2 };
    Outcome { page: Some(page), ..Outcome::default() }
}

#[test]
fn what_is_missing_or_switched_off_is_mended_and_what_is_paused_is_not() {
    use SubscriptionState::{Active, Disabled, Paused};
    let check = |found: &[(&str, SubscriptionState)], expected: &[&str]| {
        let found: Vec<Subscription> = found.iter().map(|(topic, state)| subscription(topic, *state)).collect();
        assert_eq!(to_mend(&topics(&["a", "b"]), &found), topics(expected), "{found:?}");
    };
    check(&[("a", Active), ("b", Active), ("c", Disabled)], &[]);
    check(&[("a", Active), ("b", Disabled)], &["b"]);
    check(&[("a", Active)], &["b"]);
    check(&[("a", Paused), ("b", Disabled)], &["b"]);
    check(&[("a", Disabled), ("a", Active), ("b", Active)], &[]);
    check(&[], &["a", "b"]);
    assert_eq!(not_paused(&topics(&["a", "b"]), &[subscription("a", Paused)]), topics(&["b"]));
}

#[test]
fn reading_begins_a_little_before_where_it_ended_and_never_before_the_wish() {
    assert_eq!(since(&row(), at(45)), at(20));
    let early = ConnectionRow { read_to: Some(at(5)), ..row() };
    assert_eq!(since(&early, at(45)), at(0), "older orders are nobody's news");
    let unasked = ConnectionRow { wanted: None, read_to: Some(at(30)), ..row() };
    assert_eq!(since(&unasked, at(45)), at(30));
}

#[test]
fn what_was_read_to_moves_on_with_the_last_page_only() {
    let first = after(row(), &page(Some("next"), at(40)), "u", at(41));
    assert_eq!((first.read_to, first.found), (Some(at(30)), 2));
    assert_eq!(first.reading.as_ref().map(|reading| (reading.began, reading.cursor.as_str())), Some((at(40), "next")));
    assert_eq!(pause_ms(&first, &Outcome::default(), PERIOD_MS), 0, "the next page is read at once");
    let last = after(first, &page(None, at(40)), "u", at(42));
    assert_eq!((last.read_to, last.reading, last.found), (Some(at(40)), None, 4));
}

#[test]
fn failures_are_waited_out_longer_each_time_and_a_good_round_ends_them() {
    let failed = || Outcome { trouble: Some("503".to_owned()), ..Outcome::default() };
    let mut row = row();
    let mut pauses = Vec::new();
    for minute in 0..7 {
        row = after(row, &failed(), "u", at(minute));
        pauses.push(pause_ms(&row, &failed(), PERIOD_MS) / MINUTE_MS);
    }
    assert_eq!(pauses, [1, 2, 4, 8, 15, 15, 15]);
    assert_eq!(row.trouble.as_ref().map(|trouble| (trouble.since, trouble.times)), Some((at(0), 7)));
    let asked = Outcome { pause: Some(Duration::from_secs(3_600)), ..failed() };
    assert_eq!(pause_ms(&row, &asked, PERIOD_MS), 60 * MINUTE_MS);
    assert_eq!(after(row, &Outcome::default(), "u", at(9)).trouble, None);
}

#[test]
fn a_page_that_failed_is_asked_for_again() {
    let reading = Reading { since: at(20), began: at(40), cursor: "next".to_owned() };
    let held = ConnectionRow { reading: Some(reading.clone()), ..row() };
    let failed = Outcome { trouble: Some("503".to_owned()), ..Outcome::default() };
    let held = after(held, &failed, "u", at(41));
    assert_eq!((held.reading.clone(), held.read_to), (Some(reading), Some(at(30))));
    assert!(pause_ms(&held, &failed, PERIOD_MS) > 0, "not at once");
}

proptest! {
    #[test]
    fn nothing_between_two_readings_is_left_out(ends in proptest::collection::vec((1_i64..60, any::<bool>()), 1..20)) {
        // Each reading begins at `now`, and what changed before is here when its last page is.
        let (mut row, mut now) = (ConnectionRow { read_to: Some(at(0)), ..row() }, 0);
        let mut covered = at(0);
        for (later, ends_well) in ends {
            now += later;
            let from = since(&row, at(now));
            prop_assert!(from <= covered, "a gap between {covered} and {from}");
            let outcome = if ends_well { page(None, at(now)) } else {
                Outcome { trouble: Some("down".to_owned()), ..Outcome::default() }
            };
            row = after(row, &outcome, "u", at(now));
            if ends_well {
                covered = at(now);
            }
        }
    }
}
