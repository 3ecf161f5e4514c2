//! The ladder of states.

use super::*;

fn message(state: State) -> Message {
    Message {
        id: MessageId::derive(0, &[b"m"]),
        direction: Direction::Outbound,
        channel: ChannelKind::Whatsapp,
        sender: "shop".to_owned(),
        contact: ContactId::derive(0, &[b"c"]),
        address: Some(WhatsappAddress::UserId("US.1".to_owned())),
        category: Category::Utility,
        content: Content::Text { text: "hello".to_owned() },
        state,
        history: Vec::new(),
        gate: Vec::new(),
        attempts: 0,
        provider_id: None,
        errors: Vec::new(),
        pricing: None,
        event: None,
        run: None,
        step: None,
        created_at: Timestamp::from_ms(0),
        expires_at: Timestamp::from_ms(1_000_000),
    }
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
