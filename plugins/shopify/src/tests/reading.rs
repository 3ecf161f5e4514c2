//! An order that is read again: what no webhook told is told, once, whichever comes first.

use super::{Shopify, item};
use crate::order::reading::SINCE;
use serde_json::{Value, json};
use tidegate_plugin_sdk::{Item, Outcome, testing};

const SINCE_AT: &str = "2026-03-01T10:00:00Z";

/// What an order's items tell, one after the other, by their kinds; a skip tells nothing.
#[track_caller]
fn check(items: &[Item], expected: &[&[&str]]) {
    let mut state = None;
    for (item, expected) in items.iter().zip(expected) {
        let item = Item { state: state.clone(), ..item.clone() };
        let kinds: Vec<String> = match testing::interpret::<Shopify>(&[item]).remove(0) {
            Outcome::Done(done) => {
                state = done.state.or(state);
                let mut keys: Vec<&str> = done.events.iter().map(|event| event.event_key.as_str()).collect();
                keys.sort_unstable();
                keys.dedup();
                assert_eq!(keys.len(), done.events.len(), "each event has a key of its own");
                done.events.into_iter().map(|event| event.kind).collect()
            }
            Outcome::Skip(_) => Vec::new(),
            other => panic!("expected events, found {other:?}"),
        };
        assert_eq!(kinds, *expected, "{state:?}");
    }
}

fn order(created: &str, updated: &str, more: &Value) -> Value {
    let at = |time: &str| format!("2026-03-01T{time}:00Z");
    let mut order = json!({"id": 1, "name": "#1001", "created_at": at(created), "updated_at": at(updated)});
    for (key, value) in more.as_object().into_iter().flatten() {
        order[key] = value.clone();
    }
    order
}

fn read(body: &Value) -> Item {
    testing::with_header(item("orders/updated", body), SINCE, SINCE_AT)
}

fn paid() -> Value {
    json!({"financial_status": "paid"})
}

#[test]
fn a_reading_tells_what_no_webhook_told_and_the_webhooks_that_come_at_last_tell_nothing() {
    let placed = order("10:05", "10:06", &paid());
    check(
        &[
            read(&placed),
            read(&placed),
            item("orders/paid", &placed),
            item("orders/create", &placed),
            item("orders/updated", &placed),
        ],
        &[&["order.placed", "order.paid"], &[], &[], &[], &[]],
    );
    check(
        &[item("orders/create", &placed), item("orders/paid", &placed), read(&placed)],
        &[&["order.placed"], &["order.paid"], &[]],
    );
}

#[test]
fn a_change_after_the_reading_is_news() {
    let (first, second) = (order("10:05", "10:06", &json!({})), order("10:05", "10:07", &paid()));
    check(
        &[read(&first), item("orders/updated", &second), item("orders/paid", &second), read(&second)],
        &[&["order.placed"], &["order.updated"], &["order.paid"], &[]],
    );
}

#[test]
fn of_an_order_that_nobody_saw_only_what_has_its_time_is_news() {
    let old = order("08:00", "10:30", &paid());
    check(&[read(&old)], &[&["order.updated"]]);
    let unpaid = order("08:00", "08:00", &json!({"financial_status": "pending"}));
    check(&[item("orders/create", &unpaid), read(&old)], &[&["order.placed"], &["order.paid"]]);
    let cancelled = order("08:00", "10:30", &json!({"cancelled_at": "2026-03-01T10:30:00Z"}));
    check(&[read(&cancelled)], &[&["order.cancelled"]]);
    let long_ago = order("08:00", "10:30", &json!({"cancelled_at": "2026-03-01T09:30:00Z"}));
    check(&[read(&long_ago)], &[&["order.updated"]]);
}

#[test]
fn refunds_and_parcels_of_an_order_are_told_as_their_webhooks_would() {
    let parcel =
        |updated: &str| json!({"id": 7, "order_id": 1, "created_at": "2026-03-01T10:10:00Z", "updated_at": updated});
    let refund = |id: u32, at: &str| json!({"id": id, "order_id": 1, "created_at": at, "transactions": []});
    let (first, later) = (parcel("2026-03-01T10:10:00Z"), parcel("2026-03-01T10:20:00Z"));
    let (old, new) = (refund(8, "2026-03-01T09:00:00Z"), refund(9, "2026-03-01T10:15:00Z"));
    let sent = order(
        "08:00",
        "10:15",
        &json!({"fulfillment_status": "fulfilled", "fulfillments": [first], "refunds": [old, new]}),
    );
    let moved = order("08:00", "10:20", &json!({"fulfillment_status": "fulfilled", "fulfillments": [later]}));
    check(
        &[
            read(&sent),
            item("fulfillments/create", &first),
            item("refunds/create", &new),
            read(&moved),
            item("fulfillments/update", &later),
        ],
        &[&["order.fulfilled", "order.refunded", "shipment.created"], &[], &[], &["shipment.updated"], &[]],
    );
    check(
        &[
            item("fulfillments/create", &first),
            item("refunds/create", &new),
            item("orders/fulfilled", &sent),
            read(&sent),
        ],
        &[&["shipment.created"], &["order.refunded"], &["order.fulfilled"], &[]],
    );
}
