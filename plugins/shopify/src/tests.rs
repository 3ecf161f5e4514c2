//! One test for each trap of Shopify's payloads. Whole payloads are in `fixtures/`.

use super::Shopify;
use serde_json::{Value, json};
use tidegate_plugin_sdk::{
    Cart, ContactInfo, ContactKey, Event, Item, Order, Outcome, Payload, Phone, Shipment, testing,
};

mod commerce;
mod joined;
mod people;
mod reading;

fn outcome(item: Item) -> Outcome {
    testing::interpret::<Shopify>(&[item]).remove(0)
}

fn item(topic: &str, body: &Value) -> Item {
    testing::item(topic, &body.to_string())
}

fn event_of(outcome: Outcome) -> Event {
    let Outcome::Done(mut done) = outcome else { panic!("expected an event, found {outcome:?}") };
    assert_eq!(done.events.len(), 1, "one webhook is one event");
    done.events.remove(0)
}

fn event(topic: &str, body: &Value) -> Event {
    event_of(outcome(item(topic, body)))
}

fn order(body: &Value) -> Order {
    match event("orders/updated", body).payload {
        Payload::Order(order) => order,
        other => panic!("expected an order, found {other:?}"),
    }
}

fn shipment(topic: &str, body: &Value) -> (String, Shipment) {
    let event = event(topic, body);
    match event.payload {
        Payload::Shipment(shipment) => (event.kind, shipment),
        other => panic!("expected a shipment, found {other:?}"),
    }
}

fn cart(body: &Value) -> Cart {
    match event("checkouts/update", body).payload {
        Payload::Cart(cart) => cart,
        other => panic!("expected a cart, found {other:?}"),
    }
}

fn contact(topic: &str, body: &Value) -> ContactInfo {
    event(topic, body).contact.expect("somebody")
}

fn phone(number: &str, region: Option<&str>) -> ContactKey {
    ContactKey::Phone(Phone { number: number.to_owned(), region: region.map(str::to_owned) })
}

fn skipped(topic: &str, body: &Value) -> String {
    match outcome(item(topic, body)) {
        Outcome::Skip(reason) => reason,
        other => panic!("expected a skip, found {other:?}"),
    }
}

fn failed(topic: &str, body: &str) -> (Option<String>, String) {
    match outcome(testing::item(topic, body)) {
        Outcome::Failed(failure) => (failure.field, failure.reason),
        other => panic!("expected a failure, found {other:?}"),
    }
}

#[test]
fn every_topic_of_orders_and_parcels_has_its_kind() {
    let body = json!({"id": 1, "admin_graphql_api_id": "gid://shopify/Thing/1"});
    for (topic, kind) in [
        ("orders/create", "order.placed"),
        ("orders/paid", "order.paid"),
        ("orders/updated", "order.updated"),
        ("orders/partially_fulfilled", "order.updated"),
        ("orders/fulfilled", "order.fulfilled"),
        ("orders/cancelled", "order.cancelled"),
        ("fulfillments/create", "shipment.created"),
        ("fulfillments/update", "shipment.updated"),
        ("checkouts/create", "cart.updated"),
        ("checkouts/update", "cart.updated"),
        ("checkouts/delete", "cart.updated"),
        ("customers/create", "contact.created"),
        ("customers/update", "contact.updated"),
        ("customers/enable", "contact.updated"),
        ("customers/disable", "contact.updated"),
        ("customers/delete", "contact.deleted"),
        ("app/uninstalled", "connection.uninstalled"),
        ("shop/redact", "connection.uninstalled"),
    ] {
        assert_eq!(event(topic, &body).kind, kind, "{topic}");
    }
}

#[test]
fn other_topics_are_skipped_with_a_reason() {
    for topic in [
        "carts/create",
        "carts/update",
        "draft_orders/create",
        "products/update",
        "order_transactions/create",
        "shop/update",
        "customer.joined_segment",
        "orders/delete",
    ] {
        assert!(!skipped(topic, &json!({"id": 1})).is_empty(), "{topic}");
    }
}

#[test]
fn what_can_not_be_read_names_the_field() {
    let check = |body: &str, field: Option<&str>, reason: &str| {
        let found = failed("orders/create", body);
        assert_eq!((found.0.as_deref(), found.1.as_str()), (field, reason), "{body}");
    };
    check(r#"{"name": "1"}"#, Some("/id"), "expected the id, found none");
    check(
        r#"{"id": 1, "total_price": "12,50"}"#,
        Some("/total_price"),
        "expected a decimal such as -10.00, found \"12,50\"",
    );
    check(
        r#"{"id": 1, "line_items": [{"quantity": 1}, {"quantity": "some"}]}"#,
        Some("/line_items/1/quantity"),
        "expected a decimal such as -10.00, found \"some\"",
    );
    check(r#"{"id": 1, "customer": "john"}"#, Some("/customer"), "expected struct Customer, found another text");
    check("<html>", None, "expected JSON: expected value at line 1 column 1");
    let (_, reason) = failed("", "{}");
    assert_eq!(reason, "expected the topic in the header x-shopify-topic, found none");
}
