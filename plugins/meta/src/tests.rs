//! What fixtures do not show: shapes that are rare, broken or mixed. Whole payloads are in `fixtures/`.

use super::Meta;
use serde_json::{Value, json};
use tidegate_plugin_sdk::{
    ConnectionChange, ContactInfo, ContactKey, Direction, Event, Item, Message, Outcome, Payload, Sender, Status,
    Template, testing,
};

mod account;
mod conversation;
mod leads;

/// An item as the gateway cuts it: one change, with its envelope.
fn item(field: &str, value: &Value) -> Item {
    let mut item = testing::item(field, &json!({"field": field, "value": value}).to_string());
    item.envelope = Some(
        json!({"object": "whatsapp_business_account", "entry": {"id": "102290129340398", "time": 1_743_451_903}})
            .to_string(),
    );
    item
}

fn outcome(field: &str, value: &Value) -> Outcome {
    testing::interpret::<Meta>(&[item(field, value)]).remove(0)
}

fn events(field: &str, value: &Value) -> Vec<Event> {
    match outcome(field, value) {
        Outcome::Done(done) => done.events,
        other => panic!("expected events, found {other:?}"),
    }
}

fn event(field: &str, value: &Value) -> Event {
    let mut events = events(field, value);
    assert_eq!(events.len(), 1);
    events.remove(0)
}

fn skipped(field: &str, value: &Value) -> String {
    match outcome(field, value) {
        Outcome::Skip(reason) => reason,
        other => panic!("expected a skip, found {other:?}"),
    }
}

fn failed(field: &str, value: &Value) -> (Option<String>, String) {
    match outcome(field, value) {
        Outcome::Failed(failure) => (failure.field, failure.reason),
        other => panic!("expected a failure, found {other:?}"),
    }
}

/// The value of `messages`, with our number and the given parts.
fn value(parts: &Value) -> Value {
    let mut value = json!({"messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"}});
    for (name, part) in parts.as_object().expect("an object") {
        value[name] = part.clone();
    }
    value
}

/// One message of a type.
fn message(parts: &Value) -> (Event, Message) {
    let mut whole = json!({"from": "16505551234", "id": "wamid.A", "timestamp": "1749416383"});
    for (name, part) in parts.as_object().expect("an object") {
        whole[name] = part.clone();
    }
    let event = event("messages", &value(&json!({"messages": [whole]})));
    match event.payload.clone() {
        Payload::Message(message) => (event, message),
        other => panic!("expected a message, found {other:?}"),
    }
}

fn status(parts: &Value) -> (Event, Status) {
    let mut whole =
        json!({"id": "wamid.A", "status": "sent", "timestamp": "1750030073", "recipient_id": "16505551234"});
    for (name, part) in parts.as_object().expect("an object") {
        whole[name] = part.clone();
    }
    let event = event("messages", &value(&json!({"statuses": [whole]})));
    match event.payload.clone() {
        Payload::Status(status) => (event, status),
        other => panic!("expected a status, found {other:?}"),
    }
}

fn keys(contact: Option<ContactInfo>) -> Vec<ContactKey> {
    contact.expect("somebody").keys
}

fn wa(id: &str) -> ContactKey {
    ContactKey::WhatsappId(id.to_owned())
}

fn user(id: &str) -> ContactKey {
    ContactKey::WhatsappUserId(id.to_owned())
}

#[test]
fn unknown_fields_are_skipped_by_name() {
    assert_eq!(skipped("history", &json!({})), "the field history means nothing for messages");
    let (field, _) = failed("", &json!({}));
    assert_eq!(field.as_deref(), Some("/field"));
}

#[test]
fn what_can_not_be_read_names_the_field() {
    let bad_time = value(
        &json!({"messages": [{"id": "wamid.A", "from": "1", "timestamp": "1749416383"}, {"id": "wamid.B", "timestamp": "<TIMESTAMP>"}]}),
    );
    assert_eq!(failed("messages", &bad_time).0.as_deref(), Some("/value/messages/1/timestamp"));
    let no_id = value(&json!({"statuses": [{"status": "sent", "timestamp": 1}]}));
    assert_eq!(failed("messages", &no_id), (Some("/value/statuses/0".to_owned()), "missing field `id`".to_owned()));
    let no_number = json!({"messages": [{"id": "wamid.B", "timestamp": "1"}]});
    assert_eq!(failed("messages", &no_number).0.as_deref(), Some("/value/metadata/phone_number_id"));
}
