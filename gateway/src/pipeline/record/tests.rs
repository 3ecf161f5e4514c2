//! Contacts, windows, opt-outs and statuses: whatever the order in which they come, the newest counts.

use crate::{
    records::{ContactRow, MessageRow, ProviderIdRow, WindowRow},
    testing::{START, Stage, THANKS, WORKSPACE, inbound, meta, order, phone, preference, status},
};
use proptest::prelude::*;
use serde_json::Value;
use tidegate_model::{
    ContactId, Timestamp,
    contact::ContactKey,
    message::{Message, State},
    phone::E164,
};
use tidegate_store::Space;

fn moment(seconds: u32) -> Timestamp {
    START.plus_ms(i64::from(seconds) * 1_000)
}

fn phone_key(n: u32) -> ContactKey {
    ContactKey::Phone(E164::parse(&phone(n), None).unwrap())
}

fn contact_of(stage: &Stage, key: &ContactKey) -> ContactId {
    stage.tx().contact_by_key(key).unwrap().unwrap()
}

/// Posts each change as a webhook of its own.
fn play(stage: &Stage, changes: &[Value]) {
    for change in changes {
        stage.post(&meta(std::slice::from_ref(change)));
    }
    stage.interpret();
}

/// What a message for the first customer would meet at the gate, after an order.
fn gate_after_order(stage: &mut Stage) -> (State, String) {
    stage.post(&order("last", 1));
    stage.settle();
    let message = stage.outbound().pop().unwrap();
    (message.state, message.gate.last().unwrap().check.clone())
}

#[test]
fn a_person_is_known_by_any_of_their_keys() {
    let stage = Stage::new(&[]);
    stage.post(&order("1", 1));
    play(&stage, &[inbound("a", 1, "hello", START), inbound("b", 2, "hello", START)]);
    let contacts = stage.rows(Space::Contacts);
    assert_eq!(contacts.len(), 2, "{contacts:#?}");
    assert_ne!(contact_of(&stage, &phone_key(1)), contact_of(&stage, &phone_key(2)));
}

/// Two people by two webhooks: one wrote, one ordered by mail only. A third webhook tells that they are one.
fn merged() -> (Stage, ContactId, ContactId) {
    let stage = Stage::new(&[THANKS]);
    let mut by_mail = order("1", 1);
    for pointer in [
        "/phone",
        "/customer/phone",
        "/customer/default_address/phone",
        "/billing_address/phone",
        "/shipping_address/phone",
    ] {
        by_mail.script.set(pointer, "null").unwrap();
    }
    stage.post(&by_mail);
    stage.interpret();
    let first = contact_of(&stage, &ContactKey::email("customer-1@example.com").unwrap());
    stage.advance(1_000);
    play(&stage, &[inbound("a", 1, "hello", moment(1))]);
    let second = contact_of(&stage, &phone_key(1));
    assert!(first < second);
    stage.advance(1_000);
    stage.post(&order("2", 1));
    stage.interpret();
    (stage, first, second)
}

#[test]
fn two_who_turn_out_to_be_one_become_the_older() {
    let (stage, first, second) = merged();
    let mut tx = stage.tx();
    let row = tx.get::<ContactRow>(&(WORKSPACE, second)).unwrap().unwrap();
    assert_eq!((row.contact, row.alias_of), (None, Some(first)));
    let contact = tx.contact(second).unwrap().unwrap();
    assert_eq!((contact.id, contact.merged.as_slice()), (first, &[second][..]));
    for key in [phone_key(1), ContactKey::email("customer-1@example.com").unwrap()] {
        assert_eq!(contact_of(&stage, &key), first);
        assert!(contact.keys.contains(&key));
    }
    let of_loser: Vec<Message> = stage.messages().into_iter().filter(|message| message.contact == second).collect();
    assert_eq!(of_loser.len(), 1, "what was said stays as it was, and its contact leads to who it is");
}

#[test]
fn a_merge_keeps_the_window_open() {
    let (stage, first, second) = merged();
    let mut tx = stage.tx();
    let window =
        |tx: &mut crate::tx::Tx<'_>, id| tx.get::<WindowRow>(&(WORKSPACE, id, 1)).unwrap().map(|row| row.window);
    let lost = window(&mut tx, second);
    assert!(lost.is_some());
    assert_eq!(window(&mut tx, first), lost);
}

#[test]
fn an_older_message_never_shortens_the_window() {
    let stage = Stage::new(&[]);
    play(&stage, &[inbound("b", 1, "b", moment(60)), inbound("a", 1, "a", moment(5))]);
    let windows = stage.rows(Space::Windows);
    assert_eq!(windows.len(), 1);
    assert_eq!(windows[0]["window"]["last_inbound_at"], serde_json::to_value(moment(60)).unwrap());
}

#[test]
fn a_stop_of_marketing_does_not_narrow_an_opt_out_in_any_order() {
    let stop = inbound("s", 1, "STOP", moment(10));
    for (name, other) in [
        ("earlier", preference(1, "stop", moment(5))),
        ("later", preference(1, "stop", moment(15))),
        ("resumed", preference(1, "resume", moment(15))),
    ] {
        for changes in [[stop.clone(), other.clone()], [other, stop.clone()]] {
            let mut stage = Stage::new(&[THANKS]);
            play(&stage, &changes);
            assert_eq!(gate_after_order(&mut stage), (State::Refused, "suppression".to_owned()), "{name} {changes:#?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_newest_of_stop_and_start_wins_in_any_order(
        words in prop::collection::vec(prop::bool::ANY, 1..6),
        order_of in prop::collection::vec(prop::num::usize::ANY, 1..12),
    ) {
        let word = |stop: bool| if stop { "Stop" } else { "START" };
        // Each at least once, in this order, and repeated.
        let mut places: Vec<usize> = order_of.iter().map(|place| place % words.len()).collect();
        places.extend(0..words.len());
        let changes: Vec<Value> = places.iter().map(|&place| {
            inbound(&place.to_string(), 1, word(words[place]), moment(u32::try_from(place).unwrap()))
        }).collect();
        let stage = Stage::new(&[]);
        play(&stage, &changes);
        let stopped = stage.rows(Space::Suppressions).iter().any(|row| row.to_string().contains("opt-out word"));
        prop_assert_eq!(stopped, words[words.len() - 1], "{:?} in the order {:?}", words, places);
    }
}

fn thanked() -> (Stage, Message) {
    let mut stage = Stage::new(&[THANKS]);
    stage.post(&order("1", 1));
    stage.settle();
    let message = stage.outbound().remove(0);
    (stage, message)
}

#[test]
fn statuses_climb_whatever_their_order() {
    let words = ["sent", "delivered", "read"];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let (stage, message) = thanked();
        let provider_id = message.provider_id.clone().unwrap();
        // By the provider's id, as when our own does not come back.
        for place in order {
            play(&stage, &[status(&provider_id, None, 1, words[place], moment(u32::try_from(place).unwrap()))]);
        }
        let message = stage.message(message.id);
        assert_eq!((message.state, message.history.len()), (State::Read, 6), "{order:?}: {:?}", message.history);
    }
}

#[test]
fn a_status_of_an_unknown_message_changes_nothing() {
    let (stage, message) = thanked();
    play(
        &stage,
        &[
            status("wamid.nobody-s", None, 1, "read", moment(1)),
            status("wamid.x", Some(tidegate_model::MessageId::from_raw([1; 16])), 1, "read", moment(1)),
        ],
    );
    assert_eq!(stage.outbound(), [message]);
    assert_eq!(stage.rows(Space::DeadLetters).len(), 0);
}

#[test]
fn a_status_may_come_before_the_answer_of_the_attempt() {
    let mut stage = Stage::new(&[THANKS]);
    stage.post(&order("1", 1));
    stage.interpret();
    // The mark, and the call; the answer is not recorded yet.
    stage.send_step();
    stage.send_step();
    let id = stage.outbound()[0].id;
    let provider_id = format!("wamid.{id}");
    play(&stage, &[status(&provider_id, Some(id), 1, "delivered", moment(1))]);
    assert_eq!(stage.message(id).state, State::Delivered);
    stage.settle();
    let message = stage.message(id);
    assert_eq!((message.state, message.provider_id.as_deref()), (State::Delivered, Some(provider_id.as_str())));
    play(&stage, &[status(&provider_id, None, 1, "read", moment(2))]);
    assert_eq!(stage.message(id).state, State::Read);
    let mut tx = stage.tx();
    assert_eq!(tx.get::<ProviderIdRow>(&(WORKSPACE, 1, provider_id)).unwrap().map(|row| row.message), Some(id));
    assert!(tx.get::<MessageRow>(&(WORKSPACE, id)).unwrap().is_some());
    assert_eq!(stage.channel().times(id), 1);
}
