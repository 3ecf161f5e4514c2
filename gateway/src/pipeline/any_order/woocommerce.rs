//! WooCommerce: orders whose webhooks are built when they are sent, also two states of one second; deletions; customers.
//!
//! What an update is about is told from what was told before, so steps between may be missing when a later state comes first; that an order was placed, and that it
//! was paid, is told once in any order. Restoring is left out: neither it nor a deletion has a time, so the one received last wins.

use super::{Happening, NAMES, Provider, at, no_answer};
use crate::{
    play::Script,
    testing::{START, Webhook, phone},
};
use serde_json::{Value, json};

pub(super) const PROVIDER: Provider =
    Provider { name: "woocommerce", webhook, again, answer: no_answer, told, times: true, state: true };

fn webhook(happening: Happening, unique: &str) -> Webhook {
    let Happening { what, who, thing, minute } = happening;
    match what {
        0..3 => resource("order.created", order(thing, minute), unique),
        3..8 => resource("order.updated", order(thing, minute), unique),
        8 => resource("order.deleted", json!({"id": order_id(thing)}), unique),
        9 => resource("customer.created", customer(who, minute), unique),
        10 => resource("customer.updated", customer(who, minute), unique),
        _ => resource("customer.deleted", json!({"id": 25 + u32::from(who)}), unique),
    }
}

/// A second webhook of the store for the same topic.
fn again(webhook: &Webhook) -> Webhook {
    let mut second = webhook.clone();
    // What is deleted says no time: told twice, it is told twice.
    if second.script.body.get("date_modified_gmt").is_some() {
        for (name, value) in &mut second.script.headers {
            if name == "x-wc-webhook-id" {
                value.push('9');
            }
        }
    }
    second
}

/// `order.placed` and `order.paid`, of each order.
fn told(events: &[Value]) -> Vec<String> {
    let mut lines: Vec<String> = events
        .iter()
        .filter(|event| event["kind"] == "order.placed" || event["kind"] == "order.paid")
        .map(|event| format!("{} {}", event["kind"], event["entity"]["id"]))
        .collect();
    lines.sort();
    lines
}

fn resource(topic: &str, body: Value, unique: &str) -> Webhook {
    let mut script = Script::sample("woocommerce", "demo_order_created").unwrap();
    script.body = body;
    script.topic = Some(topic.to_owned());
    script.freshen("woocommerce", unique, START);
    Webhook { endpoint: "woocommerce", script, unique: unique.to_owned() }
}

fn order_id(thing: u8) -> u32 {
    1_043 + u32::from(thing)
}

/// UTC without a zone, as WooCommerce writes it. Two states share a second.
fn gmt(minutes: u8) -> String {
    at(minutes).trim_end_matches("Z").trim_end_matches(".000").to_owned()
}

/// An order at a minute of its life: placed, paid, completed, paid back in part, paid back.
fn order(thing: u8, minute: u8) -> Value {
    let mut body = Script::sample("woocommerce", "demo_order_created").unwrap().body;
    body["id"] = json!(order_id(thing));
    body["number"] = json!(order_id(thing).to_string());
    body["status"] = json!(
        ["pending", "processing", "processing", "completed", "completed", "completed", "completed", "refunded"]
            [usize::from(minute)]
    );
    body["date_created_gmt"] = json!(gmt(0));
    body["date_modified_gmt"] = json!(gmt(minute / 2));
    body["date_paid_gmt"] = if minute > 0 { json!(gmt(0)) } else { Value::Null };
    body["date_completed_gmt"] = if minute > 2 { json!(gmt(1)) } else { Value::Null };
    let refunds = [("-5.00", 4), ("-7.50", 5), ("-87.40", 7)].into_iter().filter(|(_, since)| minute >= *since);
    body["refunds"] = refunds.map(|(total, since)| json!({"id": since, "reason": "", "total": total})).collect();
    body["customer_id"] = if thing == 0 { json!(0) } else { json!(25 + u32::from(thing)) };
    body["billing"]["first_name"] = json!(NAMES[usize::from(thing)]);
    body["billing"]["phone"] = json!(phone(thing.into()));
    body["billing"]["email"] = json!(format!("customer-{}@example.com", thing / 2));
    body["shipping"] = body["billing"].clone();
    body
}

fn customer(who: u8, minute: u8) -> Value {
    let name = NAMES[usize::from(who + minute) % 3];
    json!({
        "id": 25 + u32::from(who), "date_created_gmt": gmt(0), "date_modified_gmt": gmt(minute / 2), "email": format!("customer-{who}@example.com"),
        "first_name": name, "last_name": "", "role": "customer", "is_paying_customer": minute > 2,
        "billing": {"first_name": name, "last_name": "", "country": "GB", "phone": phone(who.into()), "email": format!("customer-{who}@example.com")},
    })
}
