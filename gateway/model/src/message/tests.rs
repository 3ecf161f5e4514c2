//! The ladder of states.

use super::*;
use proptest::prelude::*;

fn message(state: State) -> Message {
    let draft = Draft {
        id: MessageId::derive(0, &[b"m"]),
        channel: ChannelKind::Whatsapp,
        sender: "shop".to_owned(),
        contact: ContactId::derive(0, &[b"c"]),
        address: Some(WhatsappAddress::UserId("US.1".to_owned())),
        category: Category::Utility,
        content: Content::Text { text: "hello".to_owned() },
        event: None,
        step: None,
        at: Timestamp::from_ms(0),
    };
    Message { state, history: Vec::new(), ..Message::queued(draft, 1_000_000) }
}

fn check(reports: &[State], expected: State) {
    let mut message = message(State::Accepted);
    for (at, state) in reports.iter().enumerate() {
        message.report(Step { state: *state, at: Timestamp::from_ms(at as i64), note: None });
    }
    assert_eq!(message.state, expected, "{reports:?}");
    assert_eq!(message.history.len(), reports.len(), "every report is kept");
}

#[test]
fn states_climb_and_never_fall() {
    use State::{Accepted, Delivered, Failed, Read, Sent};
    check(&[Sent, Delivered, Read], Read);
    check(&[Read, Delivered, Sent], Read);
    check(&[Delivered, Sent], Delivered);
    check(&[Read], Read);
    check(&[Sent, Failed], Failed);
    check(&[Failed, Delivered], Delivered);
    check(&[Delivered, Failed], Delivered);
    check(&[Failed, Accepted], Failed);
}

#[test]
fn the_same_report_twice_is_written_once() {
    let mut message = message(State::Accepted);
    let step = Step { state: State::Sent, at: Timestamp::from_ms(5), note: None };
    assert!(message.report(step.clone()));
    assert!(!message.report(step));
    assert_eq!(message.history.len(), 1);
}

#[test]
fn an_unknown_message_is_resolved_by_any_later_report() {
    for state in [State::Accepted, State::Sent, State::Delivered, State::Read, State::Failed] {
        let mut message = message(State::Unknown);
        message.report(Step { state, at: Timestamp::from_ms(1), note: None });
        assert_eq!(message.state, state);
    }
}

#[test]
fn debug_shows_no_text() {
    let shown = format!("{:?}", message(State::Queued));
    assert!(!shown.contains("hello"), "{shown}");
}

/// An attempt that the provider took.
fn accepted() -> Message {
    Message { attempts: 1, provider_id: Some("a".to_owned()), ..message(State::Accepted) }
}

fn told(message: &mut Message, provider_id: &str, state: State, at: i64) -> Reported {
    message.report_of_provider(provider_id, Step { state, at: Timestamp::from_ms(at), note: None })
}

#[test]
fn of_an_earlier_attempt_only_good_news_counts() {
    use State::{Delivered, Failed, Queued, Read, Sent};
    for (word, reported, state) in [
        (Sent, Reported::Noted, Queued),
        (Failed, Reported::Noted, Queued),
        (Delivered, Reported::Moved, Delivered),
        (Read, Reported::Moved, Read),
    ] {
        let mut message = accepted();
        message.requeue(Timestamp::from_ms(1), "again".to_owned());
        assert_eq!((message.state, message.provider_id.as_deref()), (Queued, None));
        assert_eq!((told(&mut message, "a", word, 2), message.state), (reported, state), "{word}");
        assert_eq!(told(&mut message, "a", word, 2), Reported::Repeated, "{word}");
    }
}

#[test]
fn where_the_attempt_can_t_be_told_bad_news_is_held_to_be_old() {
    let mut message = Message { attempts: 2, resends: 1, ..message(State::Attempting) };
    assert_eq!(told(&mut message, "x", State::Failed, 1), Reported::Noted);
    assert_eq!(message.state, State::Attempting);
    assert_eq!(told(&mut message, "x", State::Sent, 2), Reported::Moved);
}

#[test]
fn what_was_given_up_without_a_word_of_the_provider_s_follows_its_first_word() {
    let given_up = || Message { attempts: 1, ..message(State::Failed) };
    for word in [State::Accepted, State::Sent, State::Delivered, State::Read, State::Failed] {
        let mut message = given_up();
        told(&mut message, "a", word, 1);
        assert_eq!(message.state, word);
    }
    let mut message = given_up();
    told(&mut message, "a", State::Failed, 1);
    told(&mut message, "a", State::Sent, 2);
    assert_eq!(message.state, State::Failed, "then as any other");
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_of_statuses_end_alike(
        first in prop::sample::select(vec![State::Accepted, State::Unknown, State::Failed, State::Attempting]),
        words in prop::collection::vec((prop::bool::ANY, 0..5usize), 1..8),
        places in prop::collection::vec(prop::num::usize::ANY, 0..24),
        again in prop::collection::vec(prop::num::usize::ANY, 0..24),
    ) {
        let states = [State::Accepted, State::Sent, State::Delivered, State::Read, State::Failed];
        // Two attempts: of the earlier one, and of the last.
        let start = || match first {
            State::Accepted => Message { attempts: 2, provider_id: Some("b".to_owned()), earlier: vec!["a".to_owned()], ..message(first) },
            _ => Message { attempts: 2, earlier: vec!["a".to_owned()], ..message(first) },
        };
        let end = |order: &[usize]| {
            let mut message = start();
            let mut seen = vec![false; words.len()];
            for place in order.iter().map(|place| place % words.len()).chain(0..words.len()) {
                let (earlier, word) = words[place];
                let reported = told(&mut message, if earlier { "a" } else { "b" }, states[word], place as i64);
                prop_assert_eq!(reported == Reported::Repeated, seen[place]);
                seen[place] = true;
            }
            let mut history = message.history.clone();
            history.sort_by_key(|step| step.at);
            Ok((message.state, history))
        };
        let (one, other) = (end(&places)?, end(&again)?);
        prop_assert_eq!(one, other);
    }
}
