//! One test for each trap of WooCommerce's payloads. Whole payloads are in `fixtures/`.

use super::Woocommerce;
use serde_json::{Value, json};
use tidegate_plugin_sdk::{ContactInfo, ContactKey, Event, Item, Order, Outcome, Payload, Phone, Trigger, testing};

mod orders;
mod people;
mod steps;

fn outcome(item: Item) -> Outcome {
    testing::interpret::<Woocommerce>(&[item]).remove(0)
}

fn item(topic: &str, body: &Value) -> Item {
    testing::item(topic, &body.to_string())
}

/// What became of one webhook.
#[derive(Debug, Default)]
struct Told {
    events: Vec<Event>,
    triggers: Vec<Trigger>,
    state: Option<String>,
    skipped: Option<String>,
}

impl Told {
    fn kinds(&self) -> Vec<&str> {
        self.events.iter().map(|event| event.kind.as_str()).collect()
    }
}

fn tell(item: Item) -> Told {
    match outcome(item) {
        Outcome::Done(done) => Told { events: done.events, triggers: done.triggers, state: done.state, skipped: None },
        Outcome::Skip(reason) => Told { skipped: Some(reason), ..Told::default() },
        other => panic!("expected an interpretation, found {other:?}"),
    }
}

fn event(topic: &str, body: &Value) -> Event {
    let mut told = tell(item(topic, body));
    assert_eq!(told.events.len(), 1, "{told:?}");
    told.events.remove(0)
}

/// An order as it is placed, with some fields in place of others.
fn order_body(with: &Value) -> Value {
    let mut body = json!({
        "id": 727, "number": "727", "status": "pending", "currency": "USD", "total": "29.35",
        "date_created_gmt": "2026-03-01T10:00:00", "date_modified_gmt": "2026-03-01T10:00:00",
        "date_paid_gmt": null, "date_completed_gmt": null, "customer_id": 0, "refunds": [],
        "billing": {"first_name": "Ada", "last_name": "Neri", "country": "IT", "email": "ada@example.com", "phone": "340 1234567"},
    });
    for (key, value) in with.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

fn order(with: &Value) -> Order {
    match event("order.updated", &order_body(with)).payload {
        Payload::Order(order) => order,
        other => panic!("expected an order, found {other:?}"),
    }
}

fn contact(topic: &str, body: &Value) -> ContactInfo {
    event(topic, body).contact.expect("somebody")
}

fn phone(number: &str, region: Option<&str>) -> ContactKey {
    ContactKey::Phone(Phone { number: number.to_owned(), region: region.map(str::to_owned) })
}

fn skipped(topic: &str, body: &Value) -> String {
    tell(item(topic, body)).skipped.expect("a skip")
}

fn failed(topic: &str, body: &str) -> (Option<String>, String) {
    match outcome(testing::item(topic, body)) {
        Outcome::Failed(failure) => (failure.field, failure.reason),
        other => panic!("expected a failure, found {other:?}"),
    }
}

#[test]
fn other_topics_are_skipped_with_a_reason() {
    for topic in ["product.created", "product.updated", "coupon.deleted", "subscription.created", "order"] {
        assert!(!skipped(topic, &json!({"id": 1})).is_empty(), "{topic}");
    }
}

#[test]
fn a_store_s_error_in_place_of_the_resource_is_told() {
    let body = r#"{"code":"woocommerce_rest_cannot_view","message":"Sorry, you cannot view this resource.","data":{"status":401}}"#;
    let (field, reason) = failed("order.updated", body);
    assert_eq!(field.as_deref(), Some("/id"));
    assert!(reason.contains("woocommerce_rest_cannot_view") && reason.contains("let an administrator"), "{reason}");
    let (_, reason) = failed("customer.updated", r#"{"code":"Dear John, call me","message":"x"}"#);
    assert_eq!(reason, "expected the id, found none");
}

#[test]
fn the_form_of_the_legacy_api_is_recognised() {
    let (field, reason) = failed("order.created", r#"{"order": {"id": 1}}"#);
    assert_eq!(field.as_deref(), Some("/id"));
    assert!(reason.contains("WP REST API Integration v3"), "{reason}");
}

#[test]
fn what_can_not_be_read_names_the_field() {
    let check = |body: &Value, field: Option<&str>, reason: &str| {
        let found = failed("order.created", &body.to_string());
        assert_eq!((found.0.as_deref(), found.1.as_str()), (field, reason), "{body}");
    };
    check(&json!({"number": "1"}), Some("/id"), "expected the id, found none");
    check(&json!({"id": 1, "total": "12,50"}), Some("/total"), "expected a decimal such as -10.00, found \"12,50\"");
    check(
        &json!({"id": 1, "date_created_gmt": "yesterday"}),
        Some("/date_created_gmt"),
        "expected a time in GMT such as 2026-03-30T14:30:00, found another text",
    );
    check(
        &json!({"id": 1, "line_items": [{"quantity": 1}, {"quantity": "some"}]}),
        Some("/line_items/1/quantity"),
        "expected a decimal such as -10.00, found \"some\"",
    );
    let (_, reason) = failed("", "{}");
    assert_eq!(reason, "expected the topic in the header x-wc-webhook-topic, found none");
}

#[test]
fn an_action_is_an_event_of_its_own_with_whatever_argument() {
    let body = json!({"action": "woocommerce_add_to_cart", "arg": {"key": [1, "a"]}});
    let event = event("action.woocommerce_add_to_cart", &body);
    assert_eq!(event.kind, "action.called");
    let Payload::Custom(payload) = event.payload else { panic!("expected a payload of its own") };
    assert_eq!(serde_json::from_str::<Value>(&payload).unwrap(), body);
    assert_eq!(failed("action.x", "{}").0.as_deref(), Some("/action"));
}
