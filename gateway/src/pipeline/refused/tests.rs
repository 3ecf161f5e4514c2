//! What follows from each code, as an answer and by webhook; pauses, bounds and expiry.

use super::*;
use crate::testing::{START, message, sending};
use tidegate_channels::{ERRORS, ErrorRow, TWILIO_ERRORS, refusal_on};
use tidegate_model::{event::ProviderError, message::ChannelKind};

fn refusal(code: i64) -> ProviderRefusal {
    refusal_by(ChannelKind::Whatsapp, code)
}

fn refusal_by(channel: ChannelKind, code: i64) -> ProviderRefusal {
    let error =
        ProviderError { code: code.to_string(), title: Some("title".to_owned()), details: Some("why".to_owned()) };
    refusal_on(channel, &error)
}

fn after(message: &Message, refusal: &ProviderRefusal, by: By, in_a_row: u32) -> Follow {
    follow(&Case { message, refusal, by, in_a_row, sending: &sending(), now: START })
}

/// In a line of a table.
fn shown(follow: &Follow) -> String {
    let seconds = |at: &Timestamp| (at.ms() - START.ms()) / 1_000;
    let fate = match &follow.fate {
        Fate::Again { at, .. } => format!("again in {} s", seconds(at)),
        Fate::Waits { until, .. } => format!("waits {} s", seconds(until)),
        Fate::Fails { .. } => "fails".to_owned(),
    };
    let trip = follow.trip.as_ref().map(|(scope, trip)| {
        let what = if trip.marketing_only { "marketing of " } else { "" };
        format!(", {:?} pauses {what}{scope:?} for {} s", trip.cause, trip.first_pause_ms().unwrap() / 1_000)
    });
    let effect = follow.effect.map(|effect| format!(", {effect:?}"));
    format!("{fate}{}{}", trip.unwrap_or_default(), effect.unwrap_or_default())
}

fn of(category: Category) -> Message {
    Message { category, expires_at: START.plus_ms(sending().life_ms(category)), ..message() }
}

#[test]
fn every_code_of_the_table_leads_somewhere() {
    insta::assert_snapshot!(page(ERRORS, ChannelKind::Whatsapp));
}

#[test]
fn every_code_of_the_table_for_sms_leads_somewhere() {
    insta::assert_snapshot!(page(TWILIO_ERRORS, ChannelKind::Sms));
}

fn page(rows: &[ErrorRow], channel: ChannelKind) -> String {
    let mut page = Vec::new();
    for row in rows {
        let refusal = refusal_by(channel, row.first);
        let line = |category, by| shown(&after(&of(category), &refusal, by, 1));
        let (utility, status) = (line(Category::Utility, By::Answer), line(Category::Utility, By::Status));
        page.push(format!("{}: {utility}", row.first));
        if status != utility {
            page.push(format!("    by webhook: {status}"));
        }
        for by in [By::Answer, By::Status] {
            let marketing = line(Category::Marketing, by);
            if marketing != line(Category::Utility, by) {
                page.push(format!("    marketing, {by:?}: {marketing}"));
            }
        }
    }
    page.join("\n")
}

#[test]
fn every_failure_says_the_code_and_something_to_go_by() {
    for row in ERRORS {
        for by in [By::Answer, By::Status] {
            let (Fate::Again { words, .. } | Fate::Waits { words, .. } | Fate::Fails { words }) =
                after(&message(), &refusal(row.first), by, 1).fate;
            assert!(words.starts_with(&format!("{}: title (why)", row.first)), "{words}");
        }
    }
}

/// Pauses in seconds until a message that is refused again and again is given up.
fn pauses(code: i64) -> Vec<i64> {
    let mut message = Message { expires_at: START.plus_ms(86_400_000_000), ..message() };
    let mut found = Vec::new();
    while let Fate::Again { at, .. } = after(&message, &refusal(code), By::Answer, 1).fate {
        found.push((at.ms() - START.ms() - spread_ms(&message, at.ms() - START.ms())) / 1_000);
        message.retries += 1;
        message.attempts += 1;
        assert!(found.len() < 100, "{code} is tried for ever");
    }
    found
}

#[test]
fn pauses_double_and_end_at_the_bound_of_the_code() {
    let count = |code| pauses(code).len() + 1;
    assert_eq!([131000, 131016, 2, 1, 135000].map(count), [6, 6, 6, 3, 2]);
    assert!(pauses(131000).is_sorted_by(|a, b| a < b), "{:?}", pauses(131000));
}

#[test]
fn the_limit_of_a_pair_waits_powers_of_four() {
    let mut message = Message { id: tidegate_model::MessageId::from_raw([0; 16]), ..message() };
    for seconds in [4, 16, 64, 256, 1_024] {
        let follow = after(&message, &refusal(131056), By::Answer, 1);
        assert_eq!(shown(&follow), format!("again in {seconds} s, Limit pauses Pair for {seconds} s"));
        message.retries += 1;
    }
    assert_eq!(shown(&after(&message, &refusal(131056), By::Answer, 1)).split(',').next(), Some("fails"));
}

#[test]
fn what_would_come_too_late_is_given_up_now() {
    let day_ms = 86_400_000;
    for (life_ms, expected) in [(day_ms, false), (day_ms + 60_000, true)] {
        let message = Message { expires_at: START.plus_ms(life_ms), ..of(Category::Marketing) };
        let fate = after(&message, &refusal(131049), By::Status, 0).fate;
        assert_eq!(matches!(fate, Fate::Again { .. }), expected, "{fate:?}");
        if let Fate::Fails { words } = fate {
            assert!(words.contains("it was to be sent before"), "{words}");
        }
    }
}

#[test]
fn a_provider_in_trouble_pauses_the_sender_and_counts_against_no_message() {
    let down = ProviderRefusal { http_status: Some(500), ..refusal(131016) };
    let gone = ProviderRefusal { code: "connect".to_owned(), http_status: None, ..refusal(131016) };
    let limit = sending().failures_to_pause;
    for refusal in [down, gone] {
        assert!(after(&message(), &refusal, By::Answer, limit - 1).trip.is_none());
        let follow = after(&message(), &refusal, By::Answer, limit);
        assert_eq!(shown(&follow), "waits 30 s, Trouble pauses Sender for 30 s");
    }
    assert!(after(&message(), &refusal(131016), By::Answer, limit).trip.is_none(), "HTTP 4xx is an answer");
}

#[test]
fn a_provider_s_wish_is_kept() {
    let asked = ProviderRefusal { action: Action::Retry { after: Some(Duration::from_secs(90)) }, ..refusal(130429) };
    let message = Message { id: tidegate_model::MessageId::from_raw([0; 16]), ..message() };
    assert_eq!(shown(&after(&message, &asked, By::Answer, 1)), "again in 90 s, Limit pauses Sender for 90 s");
}

#[test]
fn a_template_s_pause_does_not_touch_what_is_no_template() {
    let text = Message { content: Content::Text { text: "hello".to_owned() }, ..message() };
    assert_eq!(shown(&after(&text, &refusal(132015), By::Answer, 1)), "fails");
}
