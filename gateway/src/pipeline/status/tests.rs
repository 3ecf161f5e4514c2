//! Failures that come by webhook: what they lead to, once, and what they do not.

use crate::{
    commands,
    testing::{OFFER, START, Stage, THANKS, failure, inbound, meta, status},
};
use tidegate_model::message::{Message, State};
use tidegate_store::Space;

/// A message that the provider took.
fn taken(stage: &mut Stage) -> (Message, String) {
    let message = stage.order_of(1);
    let provider_id = message.provider_id.clone().unwrap();
    (message, provider_id)
}

#[test]
fn a_failure_by_webhook_leads_to_what_the_code_says_and_only_once() {
    for (code, space) in [(131050, Space::Suppressions), (131026, Space::Unreachable), (131042, Space::Circuits)] {
        let mut stage = Stage::new(&[THANKS]);
        let (message, provider_id) = taken(&mut stage);
        let failed = failure(&provider_id, Some(message.id), 1, code, START.plus_ms(5_000));
        stage.post(&meta(std::slice::from_ref(&failed)));
        stage.settle();
        let rows = [stage.rows_of(space, 0), stage.rows(space)].concat();
        assert!(!rows.is_empty(), "{code}");
        let failed_once = stage.message(message.id);
        assert_eq!(failed_once.state, State::Failed);
        assert!(failed_once.history.last().unwrap().note.as_deref().unwrap().starts_with(&code.to_string()));
        stage.post(&meta(&[failed]));
        stage.settle();
        assert_eq!(stage.message(message.id), failed_once, "{code}");
        assert_eq!([stage.rows_of(space, 0), stage.rows(space)].concat(), rows, "{code}");
    }
}

#[test]
fn a_failure_after_the_message_arrived_leads_to_nothing() {
    let mut stage = Stage::new(&[THANKS]);
    let (message, provider_id) = taken(&mut stage);
    stage.post(&meta(&[
        status(&provider_id, Some(message.id), 1, "delivered", START.plus_ms(1_000)),
        failure(&provider_id, Some(message.id), 1, 131026, START.plus_ms(2_000)),
    ]));
    stage.settle();
    assert_eq!(stage.message(message.id).state, State::Delivered);
    assert!(stage.rows(Space::Unreachable).is_empty());
}

#[test]
fn an_arrival_after_a_failure_takes_the_mark_back() {
    let mut stage = Stage::new(&[THANKS]);
    let (message, provider_id) = taken(&mut stage);
    stage.post(&meta(&[failure(&provider_id, Some(message.id), 1, 131026, START.plus_ms(1_000))]));
    stage.settle();
    assert_eq!(stage.rows(Space::Unreachable).len(), 1);
    stage.post(&meta(&[status(&provider_id, Some(message.id), 1, "delivered", START.plus_ms(2_000))]));
    stage.settle();
    assert_eq!((stage.message(message.id).state, stage.rows(Space::Unreachable).len()), (State::Delivered, 0));
}

/// An advertisement that the provider took and did not deliver, for now.
fn put_off() -> (Stage, Message, String) {
    let mut stage = Stage::new(&[OFFER]);
    stage.post(&meta(&[crate::testing::preference(1, "resume", START)]));
    stage.interpret();
    let (message, provider_id) = taken(&mut stage);
    stage.post(&meta(&[failure(&provider_id, Some(message.id), 1, 131049, START.plus_ms(1_000))]));
    stage.settle();
    (stage, message, provider_id)
}

#[test]
fn a_message_that_was_put_off_by_webhook_is_sent_again_after_a_day_and_not_before() {
    let (mut stage, message, provider_id) = put_off();
    let waiting = stage.message(message.id);
    assert_eq!((waiting.state, waiting.earlier.as_slice()), (State::Queued, [provider_id.clone()].as_slice()));
    for word in ["sent", "failed"] {
        let mut late = failure(&provider_id, Some(message.id), 1, 131049, START.plus_ms(3_000));
        if word == "sent" {
            late = status(&provider_id, Some(message.id), 1, "sent", START.plus_ms(500));
        }
        stage.post(&meta(&[late]));
        stage.settle();
        assert_eq!(stage.message(message.id).state, State::Queued, "{word} of the earlier attempt starts nothing");
    }
    stage.pass(24 * 60 * 60_000 - 1_000);
    assert_eq!(stage.channel().times(message.id), 1);
    stage.pass(60_000);
    assert_eq!((stage.channel().times(message.id), stage.message(message.id).state), (2, State::Accepted));
    stage.pass(3 * 24 * 60 * 60_000);
    assert_eq!(stage.channel().times(message.id), 2);
}

#[test]
fn a_message_that_was_put_off_and_arrived_after_all_is_not_sent_again() {
    let (mut stage, message, provider_id) = put_off();
    stage.post(&meta(&[status(&provider_id, Some(message.id), 1, "delivered", START.plus_ms(9_000))]));
    stage.settle();
    stage.pass(2 * 24 * 60 * 60_000);
    assert_eq!((stage.channel().times(message.id), stage.message(message.id).state), (1, State::Delivered));
}

#[test]
fn the_window_that_the_provider_closed_is_closed_for_us() {
    let mut stage = Stage::new(&[]);
    stage.post(&meta(&[inbound("hello", 1, "hello", START)]));
    stage.settle();
    let reply = |stage: &mut Stage| {
        let body = serde_json::json!({"to": crate::testing::phone(1), "text": "How are you?"});
        let id = commands::reply(stage.app(), &serde_json::from_value(body).unwrap());
        let id = id.unwrap_or_else(|_| panic!("the reply is taken"));
        stage.settle();
        stage.message(id)
    };
    stage.advance(1_000);
    stage.channel().refuse_as("131047");
    let refused = reply(&mut stage);
    assert_eq!(refused.state, State::Failed);
    assert!(refused.history.last().unwrap().note.as_deref().unwrap().contains("send a template"));
    let next = reply(&mut stage);
    assert_eq!((next.state, next.gate.last().unwrap().check.as_str()), (State::Refused, "window"));
    stage.advance(1_000);
    stage.post(&meta(&[inbound("again", 1, "hello again", stage.now())]));
    stage.settle();
    assert_eq!(reply(&mut stage).state, State::Accepted);
}

#[test]
fn statuses_of_another_sender_move_nothing() {
    let mut stage = Stage::new(&[THANKS]);
    let (message, provider_id) = taken(&mut stage);
    let mut foreign = failure(&provider_id, Some(message.id), 1, 131026, START.plus_ms(1_000));
    foreign["value"]["metadata"]["phone_number_id"] = serde_json::json!("999999999999999");
    stage.post(&meta(&[foreign]));
    stage.settle();
    assert_eq!(stage.message(message.id), message);
    assert!(stage.rows(Space::Unreachable).is_empty());
}
