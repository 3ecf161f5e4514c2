//! What goes and what stays: pure functions of a row, the moments that the settings mean now, and what else is known.

use crate::{config::Retention, records::Delivery, tx::DEDUPE_DAYS};
use std::{collections::BTreeMap, time::Duration};
use tidegate_flows::Run;
use tidegate_model::{
    Timestamp,
    message::{Message, State},
};
use tidegate_store::records::{DeadLetter, Standing, day_of};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Rows that are removed in a second while the gateway has other work, at least.
const LEAST_BUSY_RATE: u32 = 500;
/// The same at most: sled's cost of removals grows with their rate, and this is what it takes well.
const MOST_BUSY_RATE: u32 = 8_000;
/// The same while the gateway has no other work.
const IDLE_RATE: u32 = 2_500;
/// Rests, as long as the slice took, behind one that removed nothing, while the gateway has other work. Behind one that removed something there is one: what comes must
/// go as fast, or the store would only grow.
const BUSY_RESTS: u32 = 3;
/// Pause after a slice that was only read.
const READ_PAUSE: Duration = Duration::from_millis(2);
/// The same while the gateway has other work.
const BUSY_READ_PAUSE: Duration = Duration::from_millis(5);

/// The moments that the settings mean: what was last touched before them may go. `None` keeps for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub deliveries: Option<Timestamp>,
    pub messages: Option<Timestamp>,
    pub runs: Option<Timestamp>,
    pub letters: Option<Timestamp>,
    /// The first day whose marks are kept.
    pub marks_from_day: u16,
    /// Parts whose whole is missing may still get it when they are younger.
    pub orphans: Timestamp,
}

/// The moments before which there are too many, by kind; the newest count's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Crowded {
    pub deliveries: Option<Timestamp>,
    pub messages: Option<Timestamp>,
    pub runs: Option<Timestamp>,
}

impl Limits {
    pub(super) fn at(now: Timestamp, settings: &Retention, crowded: Crowded) -> Self {
        let by_age = |days: u16| (days > 0).then(|| now.plus_ms(-i64::from(days) * DAY_MS));
        let later = |one: Option<Timestamp>, other: Option<Timestamp>| one.max(other);
        Self {
            deliveries: later(by_age(settings.days), crowded.deliveries),
            messages: later(by_age(settings.days), crowded.messages),
            runs: later(by_age(settings.days), crowded.runs),
            letters: by_age(settings.dead_letter_days),
            marks_from_day: day_of(now.ms()).saturating_sub(DEDUPE_DAYS),
            orphans: now.plus_ms(-DAY_MS),
        }
    }
}

/// Rows by the hour that their id begins with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Hours(BTreeMap<i64, u64>);

impl Hours {
    pub(super) fn add(&mut self, at: Timestamp) {
        *self.0.entry(at.ms().div_euclid(HOUR_MS)).or_default() += 1;
    }

    /// The moment before which everything is too much: behind it are `most` rows or less, in whole hours. Never less than a day ago, so
    /// that a flood does not wash away what it brought.
    pub(super) fn crowded(&self, most: u64, now: Timestamp) -> Option<Timestamp> {
        if most == 0 {
            return None;
        }
        let mut held = 0;
        for (hour, rows) in self.0.iter().rev() {
            held += rows;
            if held > most {
                return Some(Timestamp::from_ms((hour + 1) * HOUR_MS).min(now.plus_ms(-DAY_MS)));
            }
        }
        None
    }
}

/// A delivery goes, with its body and interpretations, when it is old enough and no work or parked item is about it.
pub(super) fn delivery_goes(delivery: &Delivery, is_needed: bool, before: Timestamp) -> bool {
    !is_needed && delivery.received_at < before
}

/// A message goes when nothing is to happen with it, and nothing has happened for long enough.
pub(super) fn message_goes(message: &Message, before: Timestamp) -> bool {
    let in_hand = matches!(message.state, State::Queued | State::Attempting | State::Unknown);
    let touched = message.history.iter().map(|step| step.at).fold(message.created_at, Timestamp::max);
    !in_hand && touched < before
}

/// A run goes when it ended long enough ago, and none of its messages is left.
pub(super) fn run_goes(run: &Run, has_messages: bool, before: Timestamp) -> bool {
    run.state.is_final() && !has_messages && run.updated_at < before
}

/// A dead letter goes when nobody has cared for it for long enough. One that is being tried stays: its work is in a queue.
pub(super) fn letter_goes(letter: &DeadLetter, before: Timestamp) -> bool {
    letter.at_ms < before.ms() && letter.standing != Standing::Asked
}

/// What else the gateway does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    /// Whether it has work.
    pub is_busy: bool,
    /// Rows that it writes in a second.
    pub rows_per_s: u32,
    /// How long the slice took.
    pub took: Duration,
}

/// How long to rest after a slice. The removals of a second stay within the rate: half as many again as rows are written, or the store would only grow. And reading
/// old rows takes processor, disk and cache from other work: no more than half of the time is spent on removals while there is some, and a quarter on looking.
pub(crate) fn pause(removed: usize, load: Load) -> Duration {
    let busy_rate = (load.rows_per_s / 2).saturating_mul(3).clamp(LEAST_BUSY_RATE, MOST_BUSY_RATE);
    let (rate, read) = if load.is_busy { (busy_rate, BUSY_READ_PAUSE) } else { (IDLE_RATE, READ_PAUSE) };
    let rows = u32::try_from(removed).unwrap_or(u32::MAX);
    let rests = if load.is_busy && removed == 0 { BUSY_RESTS } else { 1 };
    let spared = load.took.saturating_mul(rests);
    (Duration::from_secs(1) / rate).saturating_mul(rows).max(read).max(spared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tidegate_flows::RunState;
    use tidegate_model::{DeliveryId, message::Step};

    const NOW: Timestamp = Timestamp::from_ms(100 * DAY_MS);

    fn ago(days: i64) -> Timestamp {
        NOW.plus_ms(-days * DAY_MS)
    }

    fn settings(days: u16, dead_letter_days: u16) -> Retention {
        Retention { days, dead_letter_days, max_rows: 0 }
    }

    #[test]
    fn limits_are_the_later_of_age_and_number_and_zero_keeps_for_ever() {
        let check = |days, letter_days, crowded, expected: (Option<i64>, Option<i64>)| {
            let crowded = Crowded { deliveries: crowded, ..Crowded::default() };
            let limits = Limits::at(NOW, &settings(days, letter_days), crowded);
            assert_eq!((limits.deliveries, limits.letters), (expected.0.map(ago), expected.1.map(ago)));
        };
        check(30, 90, None, (Some(30), Some(90)));
        check(30, 0, Some(ago(5)), (Some(5), None));
        check(30, 90, Some(ago(50)), (Some(30), Some(90)));
        check(0, 0, None, (None, None));
        check(0, 0, Some(ago(2)), (Some(2), None));
        assert_eq!(Limits::at(NOW, &settings(30, 90), Crowded::default()).marks_from_day, 91);
    }

    #[test]
    fn what_is_too_much_is_the_oldest_and_never_from_the_last_day() {
        let check = |hours_ago: &[i64], most, expected: Option<i64>| {
            let mut hours = Hours::default();
            hours_ago.iter().for_each(|ago| hours.add(NOW.plus_ms(-ago * HOUR_MS)));
            assert_eq!(
                hours.crowded(most, NOW),
                expected.map(|ago| NOW.plus_ms(-ago * HOUR_MS)),
                "{hours_ago:?} {most}"
            );
        };
        check(&[50, 40, 30], 3, None);
        check(&[50, 40, 30], 2, Some(49));
        check(&[50, 40, 40, 30], 2, Some(39));
        check(&[50, 40, 30], 0, None);
        check(&[3, 2, 1], 1, Some(24));
        check(&[], 1, None);
    }

    fn delivery(received: i64) -> Delivery {
        Delivery {
            workspace: 1,
            id: DeliveryId::derive(ago(received).ms(), &[]),
            endpoint: "shopify".to_owned(),
            received_at: ago(received),
            headers: Vec::new(),
            secret_index: 0,
            stale: false,
            read_back: false,
            body_bytes: 0,
            head: Vec::new(),
        }
    }

    #[test]
    fn a_delivery_goes_when_it_is_old_and_nothing_is_about_it() {
        let check = |received, needed, goes| {
            assert_eq!(delivery_goes(&delivery(received), needed, ago(30)), goes, "{received} {needed}");
        };
        check(31, false, true);
        check(30, false, false);
        check(31, true, false);
    }

    fn message(state: State, created: i64, moved: i64) -> Message {
        let mut message: Message = serde_json::from_value(json!({
            "id": "msg_00000000000000000000000000", "direction": "outbound", "channel": "whatsapp", "sender": "shop",
            "contact": "con_00000000000000000000000000", "category": "utility", "content": {"type": "text", "text": ""},
            "state": "queued", "history": [], "created_at": ago(created), "expires_at": NOW,
        }))
        .unwrap();
        message.state = state;
        message.history.push(Step { state, at: ago(moved), note: None });
        message
    }

    #[test]
    fn a_message_goes_when_it_is_done_with_and_still_for_long() {
        let check = |state, created, moved, goes| {
            assert_eq!(message_goes(&message(state, created, moved), ago(30)), goes, "{state} {created} {moved}");
        };
        for state in [
            State::Received,
            State::Refused,
            State::Accepted,
            State::Sent,
            State::Delivered,
            State::Read,
            State::Failed,
        ] {
            check(state, 40, 31, true);
            check(state, 40, 30, false);
            check(state, 29, 40, false);
        }
        for state in [State::Queued, State::Attempting, State::Unknown] {
            check(state, 90, 90, false);
        }
    }

    #[test]
    fn a_run_goes_when_it_ended_long_ago_and_none_of_its_messages_is_left() {
        let run = |state: RunState, updated: i64| -> Run {
            let zeros = "0".repeat(32);
            let mut run: Run = serde_json::from_value(json!({
                "id": "run_00000000000000000000000000", "flow": "f", "version": zeros, "contact": "con_00000000000000000000000000",
                "event": "evt_00000000000000000000000000", "vars": {"event": {}}, "at": "end", "state": "completed",
                "started_at": ago(99), "updated_at": ago(updated),
            }))
            .unwrap();
            run.state = state;
            run
        };
        let check = |state, updated, has_messages, goes| {
            assert_eq!(run_goes(&run(state, updated), has_messages, ago(30)), goes);
        };
        let waiting = || RunState::Waiting { step: "w".to_owned(), due_at: NOW, timer: 1 };
        let failed = || RunState::Failed { step: None, reason: String::new() };
        check(RunState::Completed, 31, false, true);
        check(failed(), 31, false, true);
        check(RunState::Stopped, 31, false, true);
        check(RunState::Completed, 31, true, false);
        check(RunState::Completed, 30, false, false);
        check(waiting(), 99, false, false);
        check(RunState::Active, 99, false, false);
    }

    #[test]
    fn removals_keep_to_their_rate() {
        let check = |removed, is_busy, rows_per_s, ms| {
            let found = pause(removed, Load { is_busy, rows_per_s, took: Duration::from_millis(8) });
            assert_eq!(found.as_millis(), ms, "{removed} {is_busy} {rows_per_s}");
        };
        check(0, false, 0, 8);
        check(0, true, 0, 24);
        check(250, false, 0, 100);
        check(250, true, 0, 500);
        check(250, true, 1_000, 166);
        check(250, true, 100_000, 31);
        check(40, true, 100_000, 8);
    }
}
