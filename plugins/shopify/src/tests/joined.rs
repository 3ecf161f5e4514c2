//! What is told of an order after the order: whose it is, which of two tellings is newer, and what the newer topics say of customers.

use super::{event, event_of, item, outcome, phone};
use serde_json::{Value, json};
use tidegate_plugin_sdk::{ContactKey, Event, Item, Outcome, Payload, testing, time};

/// What the plugin keeps after an item, when it keeps something new.
fn kept(item: Item) -> Option<String> {
    match outcome(item) {
        Outcome::Done(done) => done.state,
        other => panic!("expected events, found {other:?}"),
    }
}

fn knowing(state: &str, topic: &str, body: &Value) -> Event {
    event_of(outcome(Item { state: Some(state.to_owned()), ..item(topic, body) }))
}

fn customers(event: &Event) -> Vec<ContactKey> {
    event.contact.as_ref().map(|contact| contact.keys.clone()).unwrap_or_default()
}

const ORDER: &str = r##"{"customer":"5","number":"#1001"}"##;

#[test]
fn what_carriers_refunds_edits_and_parcels_tell_is_joined_to_the_person_of_the_order() {
    let person = [ContactKey::ExternalId("5".to_owned())];
    let placed = json!({"id": 1, "name": "#1001", "customer": {"id": 5, "phone": "+12025550107"}});
    let state = kept(item("orders/create", &placed)).expect("the order is remembered");
    assert_eq!(state, r##"{"customer":"5","number":"#1001","told":{"placed":0}}"##);
    let told = [
        ("fulfillment_events/create", json!({"id": 1, "fulfillment_id": 2, "order_id": 1, "status": "delivered"})),
        ("refunds/create", json!({"id": 7, "order_id": 1, "transactions": []})),
        ("orders/edited", json!({"order_edit": {"id": 9, "order_id": 1}})),
        ("fulfillments/create", json!({"id": 2, "order_id": 1})),
    ];
    for (topic, body) in told {
        let joined = knowing(&state, topic, &body);
        assert_eq!(customers(&joined), person, "{topic}");
        let number = match joined.payload {
            Payload::Shipment(shipment) => shipment.order_number,
            Payload::Order(order) => order.number,
            other => panic!("{other:?}"),
        };
        let named = topic != "fulfillments/create";
        assert_eq!(number.as_deref(), named.then_some("#1001"), "{topic}");
        assert_eq!(event(topic, &body).contact, None, "{topic}: of an order that nobody saw");
    }
}

#[test]
fn a_parcel_to_somebody_else_is_still_the_customers() {
    let body = json!({"id": 2, "order_id": 1, "email": "buyer@example.com", "destination": {"phone": "+12025550108", "country_code": "US"}});
    assert_eq!(customers(&knowing(ORDER, "fulfillments/create", &body)), [ContactKey::ExternalId("5".to_owned())]);
    assert_eq!(
        customers(&event("fulfillments/create", &body)),
        [phone("+12025550108", Some("US")), ContactKey::Email("buyer@example.com".to_owned())]
    );
}

#[test]
fn an_order_is_remembered_once_and_without_personal_data() {
    let body = json!({"id": 1, "name": "#1001", "email": "a@example.com", "customer": {"id": 5, "first_name": "Ada", "email": "a@example.com", "phone": "+12025550107"}});
    let again =
        |state: &str, body: &Value| kept(Item { state: Some(state.to_owned()), ..item("orders/updated", body) });
    const TOLD: &str = r##"{"customer":"5","number":"#1001","told":{"updated":0}}"##;
    assert_eq!(again(ORDER, &body).as_deref(), Some(TOLD), "that it was told, for when it is read again");
    assert_eq!(again(TOLD, &body), None);
    assert_eq!(again(TOLD, &json!({"id": 1, "customer": null})), None, "what is not told stays");
    let moved = again(TOLD, &json!({"id": 1, "customer": {"id": 6}}));
    assert_eq!(moved.as_deref(), Some(r##"{"customer":"6","number":"#1001","told":{"updated":0}}"##));
    let guests = kept(item("orders/create", &json!({"id": 1, "name": "#1001", "email": "guest@example.com"})));
    assert_eq!(guests.as_deref(), Some(r##"{"customer":null,"number":"#1001","told":{"placed":0}}"##));
    assert_eq!(kept(item("customers/update", &json!({"id": 1}))), None);
}

#[test]
fn a_stale_retry_does_not_give_an_order_back_to_its_first_customer() {
    let told = |customer: u32, at: &str| {
        item("orders/updated", &json!({"id": 1, "name": "#1001", "updated_at": at, "customer": {"id": customer}}))
    };
    let (first, second) = (told(5, "2026-01-01T00:00:00Z"), told(4, "2026-01-02T00:00:00Z"));
    for order in [[&first, &second], [&second, &first]] {
        let after = |state: Option<String>, item: &Item| kept(Item { state: state.clone(), ..item.clone() }).or(state);
        let state = order.into_iter().fold(None, after).expect("the order is remembered");
        let delivered = json!({"id": 1, "fulfillment_id": 2, "order_id": 1, "status": "delivered"});
        let told = knowing(&state, "fulfillment_events/create", &delivered);
        assert_eq!(customers(&told), [ContactKey::ExternalId("4".to_owned())], "{state}");
    }
}

#[test]
fn a_stale_retry_tells_the_version_that_it_was_made_of() {
    // A retry has its first payload; an older version never overwrites a newer one, whichever comes last.
    let body = |at: &str| json!({"id": 1, "updated_at": at, "customer": {"id": 5, "phone": "+12025550107"}});
    let version = |topic: &str, body: &Value| {
        let retried = testing::with_header(item(topic, body), "x-shopify-triggered-at", "2026-01-09T00:00:00Z");
        let version = event_of(outcome(retried)).entity.and_then(|entity| entity.version).expect("a version");
        time::unix_ms(&version).expect("an instant")
    };
    for topic in ["orders/updated", "checkouts/update", "customers/update", "fulfillments/update"] {
        // Earlier by the clock, later by the text.
        let stale = version(topic, &body("2026-01-02T01:00:00+09:00"));
        let newer = version(topic, &body("2026-01-01T19:00:00-05:00"));
        assert!(stale < newer, "{topic}");
    }
}

#[test]
fn a_checkout_without_completed_at_may_be_abandoned() {
    let cart = |body: &Value| match event("checkouts/update", body).payload {
        Payload::Cart(cart) => cart,
        other => panic!("{other:?}"),
    };
    let open = json!({"id": 38, "token": "t", "completed_at": null, "abandoned_checkout_url": "https://shop.example/c/t/recover", "phone": "+12025550107"});
    let open = cart(&open);
    assert_eq!((open.completed_at, open.recovery_url.as_deref()), (None, Some("https://shop.example/c/t/recover")));
    let bought = cart(&json!({"id": 38, "completed_at": "2026-01-01T00:00:00Z"}));
    assert_eq!(bought.completed_at.as_deref(), Some("2026-01-01T00:00:00Z"));
    // The order that ends the waiting names the same cart.
    let Payload::Order(order) = event("orders/create", &json!({"id": 1, "checkout_id": 38})).payload else {
        panic!("expected an order")
    };
    assert_eq!(order.cart_id, Some(open.id));
}

#[test]
fn tags_since_2025_come_alone() {
    let body = |tags: Value| json!({"customerId": "gid://shopify/Customer/5", "tags": tags, "occurredAt": "2026-01-01T00:00:00Z"});
    for tags in [json!(["vip", "spring, \"sale\""]), json!("vip, big")] {
        let outcome = outcome(item("customer.tags_added", &body(tags.clone())));
        let Outcome::Done(done) = outcome else { panic!("{outcome:?}") };
        let event = &done.events[0];
        assert_eq!(
            (event.kind.as_str(), customers(event)),
            ("contact.updated", vec![ContactKey::ExternalId("5".to_owned())])
        );
        assert_eq!(event.contact.as_ref().expect("somebody").tags, None, "all tags are not told");
        assert_eq!(done.triggers.len(), 2);
        assert_eq!(
            (done.triggers[0].name.as_str(), done.triggers[0].variables.as_str()),
            ("customer-tagged", r#"{"tag":"vip"}"#)
        );
    }
    let removed = event("customer.tags_removed", &body(json!(["vip"])));
    assert_eq!(removed.extra, r#"{"tags_removed":"vip"}"#);
    assert_eq!(super::skipped("customer.tags_removed", &body(json!([]))), "no tags are told");
}

#[test]
fn counts_and_sums_since_2025_come_alone() {
    let body = json!({"customerId": "gid://shopify/Customer/5", "numberOfOrders": 3, "amountSpent": {"amount": "120.50", "currencyCode": "EUR"}, "occurredAt": "2026-01-01T00:00:00Z"});
    let contact = event("customers/purchasing_summary", &body).contact.expect("somebody");
    let fields: Vec<_> = contact.fields.iter().map(|field| (field.name.as_str(), field.value.as_deref())).collect();
    assert_eq!(fields, [("orders_count", Some("3")), ("total_spent", Some("120.50"))]);
    let (field, _) = super::failed("customers/purchasing_summary", r#"{"customerId": "5"}"#);
    assert_eq!(field.as_deref(), Some("/customerId"));
}

#[test]
fn merged_customers_are_one_person_by_both_ids() {
    let body = json!({"admin_graphql_api_customer_kept_id": "gid://shopify/Customer/1", "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/2", "status": "completed"});
    let ids = ["1", "2"].map(|id| ContactKey::ExternalId(id.to_owned()));
    assert_eq!(customers(&event("customers/merge", &body)), ids);
}
