//! One test for each trap of HubSpot's webhooks. Whole payloads are in `fixtures/`.

use super::Hubspot;
use serde_json::{Value, json};
use tidegate_plugin_sdk::{Answer, ContactInfo, ContactKey, Event, Item, Outcome, Request, Response, testing};

mod contacts;
mod deals;

/// A change as HubSpot sends it, with these parts set or replaced.
fn change(parts: &Value) -> Value {
    let mut change = json!({
        "eventId": 60_775_291, "subscriptionId": 6_527_595, "portalId": 48_975_575, "appId": 39_522_895, "occurredAt": 1_782_371_969_536_u64,
        "subscriptionType": "contact.creation", "attemptNumber": 0, "objectId": 508_369_434_347_u64, "changeFlag": "CREATED", "changeSource": "CRM_UI",
        "sourceId": "userId:1",
    });
    for (name, part) in parts.as_object().expect("an object") {
        change[name] = part.clone();
    }
    change
}

fn item(parts: &Value) -> Item {
    let change = change(parts);
    let topic = change["subscriptionType"].as_str().unwrap_or_default();
    testing::item(topic, &change.to_string())
}

fn answered(status: u16, body: &Value) -> Answer {
    Answer::Response(Response { status, headers: vec![], body: body.to_string() })
}

/// A contact as HubSpot shows it.
fn person(id: &str, properties: &Value) -> Value {
    json!({"id": id, "properties": properties, "createdAt": "2026-06-01T00:00:00Z", "updatedAt": "2026-06-25T07:19:30.101Z", "archived": false})
}

/// What becomes of a change, when HubSpot shows every object so.
fn outcome_with(settings: &str, parts: &Value, answer: impl FnMut(&Request) -> Answer) -> Outcome {
    testing::interpret_answering::<Hubspot>(&testing::connection(settings), item(parts), answer)
}

fn shown(parts: &Value, properties: &Value) -> Event {
    let id = parts["objectId"].as_str().unwrap_or("508369434347").to_owned();
    event_of(outcome_with("{}", parts, |_| answered(200, &person(&id, properties))))
}

fn event_of(outcome: Outcome) -> Event {
    let Outcome::Done(mut done) = outcome else { panic!("expected an event, found {outcome:?}") };
    assert_eq!(done.events.len(), 1, "one change is one event");
    done.events.remove(0)
}

/// What becomes of a change that needs nothing to be read.
fn unread(parts: &Value) -> Outcome {
    testing::interpret::<Hubspot>(&[item(parts)]).remove(0)
}

fn skipped(parts: &Value) -> String {
    match unread(parts) {
        Outcome::Skip(reason) => reason,
        other => panic!("expected a skip, found {other:?}"),
    }
}

fn failed(outcome: Outcome) -> (Option<String>, String, bool) {
    match outcome {
        Outcome::Failed(failure) => (failure.field, failure.reason, failure.retryable),
        other => panic!("expected a failure, found {other:?}"),
    }
}

fn external(id: &str) -> ContactKey {
    ContactKey::ExternalId(id.to_owned())
}

fn keys(contact: Option<ContactInfo>) -> Vec<ContactKey> {
    contact.expect("somebody").keys
}

fn requests(outcome: Outcome) -> Vec<Request> {
    match outcome {
        Outcome::Need(requests) => requests,
        other => panic!("expected requests, found {other:?}"),
    }
}

#[test]
fn what_means_nothing_is_skipped_with_a_reason() {
    for kind in [
        "company.creation",
        "company.propertyChange",
        "ticket.creation",
        "product.deletion",
        "line_item.merge",
        "conversation.newMessage",
        "conversation.privacyDeletion",
        "contact.associationChange",
        "deal.deletion",
        "deal.merge",
        "deal.restore",
        "deal.associationChange",
        "whatever",
    ] {
        assert!(skipped(&json!({"subscriptionType": kind})).ends_with("nothing for messages"), "{kind}");
    }
    let custom = json!({"subscriptionType": "object.creation", "objectTypeId": "2-143967026"});
    assert_eq!(skipped(&custom), "objects of the type 2-143967026 mean nothing for messages");
}

#[test]
fn both_keys_of_the_type_and_both_formats_are_read() {
    let kind = |parts: &Value| shown(parts, &json!({})).kind;
    assert_eq!(kind(&json!({"subscriptionType": "contact.creation"})), "contact.created");
    assert_eq!(kind(&json!({"subscriptionType": null, "eventType": "contact.creation"})), "contact.created");
    assert_eq!(kind(&json!({"subscriptionType": "object.creation", "objectTypeId": "0-1"})), "contact.created");
    assert_eq!(
        kind(&json!({"subscriptionType": "object.propertyChange", "objectTypeId": "0-1", "propertyName": "city"})),
        "contact.updated"
    );
    assert_eq!(kind(&json!({"subscriptionType": "object.creation", "objectTypeId": "0-3"})), "deal.created");
    assert_eq!(kind(&json!({"subscriptionType": "contact.restore"})), "contact.updated");
}

#[test]
fn what_can_not_be_read_names_the_field() {
    let field = |parts: &Value| failed(unread(parts)).0;
    assert_eq!(field(&json!({"subscriptionType": null})).as_deref(), Some("/subscriptionType"));
    assert_eq!(field(&json!({"subscriptionType": "object.creation"})).as_deref(), Some("/objectTypeId"));
    for id in [json!(null), json!("12/../13"), json!(-1), json!(""), json!("123456789012345678901")] {
        assert_eq!(field(&json!({"objectId": id})).as_deref(), Some("/objectId"), "{id}");
    }
    assert_eq!(field(&json!({"occurredAt": "soon"})).as_deref(), Some("/occurredAt"));
}

#[test]
fn ids_beyond_2_to_the_53_are_texts_to_the_last_digit() {
    let id = 9_223_372_036_854_775_807_u64;
    let event = shown(&json!({"objectId": id}), &json!({}));
    assert_eq!(keys(event.contact)[1], external("9223372036854775807"));
    let asked = requests(unread(&json!({"objectId": id})));
    assert!(asked[0].url.starts_with("https://api.hubapi.com/crm/v3/objects/contacts/9223372036854775807?properties="));
}

#[test]
fn a_host_that_stands_before_the_api_is_asked_in_its_place() {
    let asked = |settings: &str| {
        let item = item(&json!({"objectId": 1}));
        let outcome = testing::interpret_for::<Hubspot>(&testing::connection(settings), &[item]).remove(0);
        requests(outcome).remove(0).url
    };
    for (host, start) in [
        ("hubspot.proxy.example", "https://hubspot.proxy.example/crm/v3/"),
        ("hubspot.proxy.example:8443", "https://hubspot.proxy.example:8443/crm/v3/"),
        ("127.0.0.1:9000", "http://127.0.0.1:9000/crm/v3/"),
        ("127.0.0.1.example.com", "https://127.0.0.1.example.com/crm/v3/"),
    ] {
        let url = asked(&json!({"api_host": host}).to_string());
        assert!(url.starts_with(start), "{url}");
    }
    assert!(asked("{}").starts_with("https://api.hubapi.com/crm/v3/"));
}

#[test]
fn our_own_writes_are_hinted_at_and_not_dropped() {
    let extra = |source: &str, by: Value| shown(&json!({"changeSource": source, "sourceId": by}), &json!({})).extra;
    assert_eq!(extra("INTEGRATION", json!("39522895")), r#"{"change_source":"INTEGRATION","own_write":true}"#);
    assert_eq!(extra("INTEGRATION", json!("2931120")), r#"{"change_source":"INTEGRATION"}"#);
    assert_eq!(extra("CRM_UI", json!("39522895")), r#"{"change_source":"CRM_UI"}"#);
}
