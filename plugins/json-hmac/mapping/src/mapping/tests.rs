//! What settings may say, and what is told about those that are wrong.

use super::*;
use serde_json::json;

fn faults(settings: &Value) -> Vec<String> {
    Mapping::check(&settings.to_string()).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

fn check(event: &Value, words: &[&str]) {
    let found = faults(&json!({"events": [event]}));
    assert_eq!(found.len(), words.len(), "{event}: {found:#?}");
    for (fault, word) in found.iter().zip(words) {
        assert!(fault.contains(word), "{word:?} is not in {fault:?}");
    }
}

#[test]
fn a_mapping_is_read_with_all_its_forms() {
    let mapping = Mapping::check(
        &json!({
            "time_zone": "Europe/Rome",
            "country": "IT",
            "events": [{
                "when": "topic == 'order.created'",
                "kind": "order.placed",
                "key": "/id",
                "at": "/created_at",
                "contact": {"phone": "/phone", "country": "IT", "fields": {"vip": {"value": true}},
                    "consents": [{"channel": "whatsapp", "scope": "marketing", "state": "/opt_in"}]},
                "order": {"id": "/id", "total": {"amount": "/total", "currency": "EUR"}, "tags": ["/a", {"value": "b"}],
                    "items": {"each": "/lines", "title": "/name", "price": "/price"}, "shipping_address": {"city": "/city"}},
                "extra": {"n": 1, "campaign": {"cel": "body.utm.campaign"}},
                "trigger": [{"name": "big-order", "when": "true", "variables": {"total": "/total"}}],
            }, {"kind": "warranty.registered", "custom": {"serial": "/serial"}}, {"kind": "form.submitted"}],
        })
        .to_string(),
    )
    .unwrap();
    assert_eq!(mapping.events.len(), 3);
    assert!(matches!(mapping.events[1].payload, PayloadMapping::Custom(ref named) if named.len() == 1));
    assert!(matches!(mapping.events[2].payload, PayloadMapping::Record("form", _)));
}

#[test]
fn what_is_wrong_is_told_with_its_key_what_was_expected_and_the_nearest_word() {
    check(
        &json!({"kind": "order.placd", "order": {"id": "/id"}}),
        &["events.0.kind: there is no kind \"order.placd\"; did you mean `order.placed`?"],
    );
    check(&json!({"kind": "orderplaced"}), &["noun.verb"]);
    check(&json!({"kind": "message.received"}), &["the plugin of a channel"]);
    check(&json!({}), &["events.0.kind: this key is required"]);
    check(&json!({"kind": "order.placed"}), &["events.0.order: this table is required"]);
    check(&json!({"kind": "order.placed", "order": {}}), &["events.0.order.id: this key is required"]);
    check(
        &json!({"kind": "order.placed", "order": {"id": "/id", "totl": "/t"}}),
        &["events.0.order.totl: this key is not known here; did you mean `total`?"],
    );
    check(&json!({"kind": "order.placed", "cart": {"id": "/id"}, "order": {"id": "/id"}}), &["events.0.cart"]);
    check(
        &json!({"kind": "order.placed", "order": {"id": "id"}}),
        &["expected a JSON pointer such as /customer/phone, { value = \"id\" }"],
    );
    check(&json!({"kind": "order.placed", "order": {"id": "/a~b"}}), &["~0"]);
    check(&json!({"kind": "order.placed", "order": {"id": {"cell": "1"}}}), &["did you mean `cel`"]);
    check(
        &json!({"kind": "order.placed", "order": {"id": {"cel": "1 +"}}}),
        &["events.0.order.id.cel: something is missing"],
    );
    check(
        &json!({"kind": "order.placed", "order": {"id": "/id", "status": {"value": "opened"}}}),
        &["one of open, cancelled, closed; did you mean `open`?"],
    );
    check(&json!({"kind": "order.placed", "order": {"id": "/id", "currency": "euro"}}), &["events.0.order.currency"]);
    check(&json!({"kind": "order.placed", "order": {"id": "/id", "items": "/lines"}}), &["{ each = \"/lines\""]);
    check(
        &json!({"kind": "order.placed", "order": {"id": "/id", "items": {"each": "/lines/*", "nam": "/n"}}}),
        &["`*`", "events.0.order.items.nam"],
    );
    check(
        &json!({"kind": "form.submitted", "when": "topik == 'a'", "trigger": {"name": "Big Order"}}),
        &["events.0.when: there is no variable \"topik\"; did you mean `topic`?", "big-order"],
    );
    check(&json!({"kind": "form.submitted", "form": {"answers": {"each": "/a"}}}), &["answers.name", "answers.value"]);
    check(
        &json!({"kind": "form.submitted", "contact": {"consents": [{"channel": "fax", "scope": "marketing", "state": "/s"}]}}),
        &["one of whatsapp, sms, email"],
    );
    assert_eq!(
        faults(&json!({})),
        ["events: this key is required: say which events a webhook makes, in [[connections.settings.events]]"]
    );
    assert_eq!(faults(&json!({"events": []})), ["events: expected 1 to 64 event mappings, found 0"]);
    assert!(faults(&json!({"event": [], "events": [{"kind": "form.submitted"}]}))[0].contains("did you mean `events`"));
    assert!(faults(&json!({"time_zone": "Rome", "events": [{"kind": "form.submitted"}]}))[0].contains("Europe/Rome"));
    assert!(faults(&json!({"country": "Italy", "events": [{"kind": "form.submitted"}]}))[0].contains("two letters"));
    assert!(faults(&json!("x"))[0].contains("expected a table"));
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let found = faults(
        &json!({"zone": "x", "events": [{"kind": "a"}, {"kind": "order.placed", "order": {"id": 1.5, "x": 1}, "wen": "true"}]}),
    );
    assert_eq!(found.len(), 4, "{found:#?}");
}

proptest::proptest! {
    #[test]
    fn any_settings_are_read_or_refused(text in "[\\[\\]{}\":,a-z/. 0-9]{0,80}", kind in "[a-z.]{0,12}", source in "[/a-z~*{}\"':]{0,12}") {
        let _ = Mapping::check(&text);
        let _ = Mapping::check(&json!({"events": [{"kind": kind, "order": {"id": source, "items": {"each": source}}, "contact": source}]}).to_string());
    }
}
