//! A plugin's answers: a good one as the model has it, and each mistake with its field.

use crate::support::{call, hostile, outcome};
use tidegate_model::outcome::{Outcome, Request};

fn check(answer: &str, field: &str, reason: &str) {
    let topic = format!("answer/{answer}");
    // A good neighbour in the same chunk is not touched.
    let outcomes = call(hostile(), &[&topic, "answer/good"]).unwrap();
    let Outcome::Failed(failure) = &outcomes[0] else { panic!("{answer}: {:?}", outcomes[0]) };
    assert_eq!(failure.field.as_deref(), Some(field), "{answer}");
    let expected = format!("the plugin's answer is wrong: {reason}");
    assert!(failure.reason.starts_with(&expected), "{answer}: {}", failure.reason);
    assert!(!failure.retryable);
    assert!(matches!(&outcomes[1], Outcome::Done(done) if done.events.len() == 2));
}

#[test]
fn a_good_answer_becomes_the_models() {
    insta::assert_json_snapshot!(outcome("answer/good"));
}

#[test]
fn a_declared_kind_may_have_any_payload() {
    let Outcome::Done(done) = outcome("answer/declared-kind") else { panic!() };
    let event = serde_json::to_value(&done.events[0]).unwrap();
    assert_eq!(
        (event["kind"].as_str(), event["custom"].to_string().as_str()),
        (Some("warranty.registered"), "{\"serial\":12345678901234567890}")
    );
}

#[test]
fn the_same_event_of_the_same_item_has_the_same_id() {
    let ids = |place: usize| -> Vec<String> {
        match &call(hostile(), &["answer/good", "answer/good"]).unwrap()[place] {
            Outcome::Done(done) => done.events.iter().map(|event| event.id.to_string()).collect(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ids(0), ids(0));
    assert!(ids(0).iter().all(|id| !ids(1).contains(id)));
    assert_ne!(ids(0)[0], ids(0)[1]);
}

#[test]
fn a_wrong_number_of_outcomes_fails_the_chunk() {
    for (topic, found) in [("few", 0), ("many", 3)] {
        let error = call(hostile(), &[topic, "x"]).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "the plugin hostile gave a wrong answer: {found} outcomes for 2 items; it must return one for each, in their order"
            )
        );
    }
    assert_eq!(call(hostile(), &[]), Ok(Vec::new()));
}

#[test]
fn a_mistake_in_an_event_fails_its_item_and_names_the_field() {
    check("duplicate-key", "done/events/1/event-key", "\"a\" is the key of event 0 already");
    check("empty-key", "done/events/0/event-key", "expected 1 to 128 bytes, found 0");
    check("long-key", "done/events/0/event-key", "expected 1 to 128 bytes, found 129");
    check("bad-kind", "done/events/0/kind", "expected an event kind of the form noun.verb");
    check(
        "undeclared-kind",
        "done/events/0/kind",
        "warranty.expired is no kind of the canonical model; declare it in plugin.toml",
    );
    check("wrong-payload", "done/events/0/payload", "order.placed has the payload `order`, found `cart`");
    check("bad-instant", "done/events/0/occurred-at", "expected an instant such as 2026-03-30T14:30:00Z");
    check(
        "bad-decimal",
        "done/events/0/cart/items/0/quantity",
        "expected a decimal such as 10.00, at most 28 digits, found \"1e3\"",
    );
    check(
        "bad-currency",
        "done/events/0/cart/total/currency",
        "expected a currency of three letters such as EUR, found \"euro\"",
    );
    check("no-id", "done/events/0/cart/id", "expected a text, found nothing");
    check("bad-extra", "done/events/0/extra", "expected a JSON object as text, found another value");
    check("broken-extra", "done/events/0/extra", "expected JSON as text: EOF while parsing");
    check("large-extra", "done/events/0/extra", "262152 bytes of JSON, and 262144 is the most");
    check("bad-custom", "done/events/0/custom", "expected JSON as text: expected value");
    check("huge-key", "done/events/0/event-key", "expected 1 to 128 bytes, found 1048576");
    check("deep-extra", "done/events/0/extra", "expected JSON as text: recursion limit exceeded");
    check("deep-custom", "done/events/0/custom", "expected JSON as text: recursion limit exceeded");
    check("people", "done/events/0/contact/keys", "257 of them, and 256 is the most");
    check("wide", "done/events/0/contact/tags", "400000 of them, and 256 is the most");
    check(
        "bad-state-word",
        "done/events/0/status/state",
        "expected one of accepted, sent, delivered, read, played, failed, found \"seen\"",
    );
    check(
        "bad-whatsapp-id",
        "done/events/0/contact/keys/9/whatsapp-id",
        "expected 1 to 20 digits, found another text of 7 bytes",
    );
    check(
        "bad-consent",
        "done/events/0/contact/consents/0/scope",
        "expected one of transactional, marketing, found \"all\"",
    );
    check("crowd", "done/events", "1001 of them, and 1000 is the most");
}

#[test]
fn a_mistake_in_a_trigger_or_state_fails_its_item_too() {
    check("trigger-name", "done/triggers/0/name", "expected lower-case words joined by `-`, found \"Big Cart\"");
    check("trigger-key", "done/triggers/0/event-key", "no event of this item has the key \"c\"");
    check("trigger-variables", "done/triggers/0/variables", "expected a JSON object as text");
    check("large-state", "done/state", "65537 bytes, and 65536 is the most");
    assert!(matches!(outcome("answer/state"), Outcome::Done(done) if done.state.as_deref() == Some("seen")));
}

#[test]
fn a_plugin_may_only_ask_for_hosts_of_its_manifest() {
    let request = Request {
        method: "GET".to_owned(),
        url: "https://api.example.com/orders/1".to_owned(),
        headers: Vec::new(),
        body: None,
    };
    assert_eq!(outcome("answer/need"), Outcome::Need(vec![request]));
    check("need-elsewhere", "need/0/url", "the plugin may not read from evil.example.org: its plugin.toml needs");
    check("need-nothing", "need", "expected at least one request, found none");
    check("many-requests", "need", "101 of them, and 100 is the most");
    check("huge-request", "need/0/url", "1048600 bytes of URL, headers and body, and 65536 is the most");
}

#[test]
fn a_payload_of_an_own_kind_is_held_to_its_schema() {
    check(
        "other-custom",
        "done/events/0/custom/serial",
        "it is not as the schema of warranty.registered in plugin.toml says: the value is not of type \"integer\"",
    );
    check("not-custom", "done/events/0/payload", "warranty.registered has the payload `custom`, found `cart`");
}

#[test]
fn a_documented_key_of_extra_becomes_a_field_of_the_model() {
    let Outcome::Done(done) = outcome("answer/gift") else { panic!() };
    let event = serde_json::to_value(&done.events[0]).unwrap();
    assert_eq!((&event["order"]["gift_message"], event.get("extra")), (&"For you".into(), None), "{event:#}");
    check("bad-promotion", "done/events/0/extra/test", "expected true or false, found a text");
}

#[test]
fn a_plugins_own_failure_is_passed_on_within_bounds() {
    let Outcome::Failed(failure) = outcome("answer/failed") else { panic!() };
    assert_eq!((failure.field.as_deref(), failure.reason.len(), failure.retryable), (Some("/customer"), 1024, true));
}
