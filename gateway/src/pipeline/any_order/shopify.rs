//! Shopify: orders with versions, customers, merges, consents, refunds and what carriers say.
//!
//! Every webhook is told once, with the version that it was made of, whatever came before. Who an event is about is not compared: refunds, edits and carriers name the
//! order only, and one that overtakes its order is told about nobody. A parcel with an addressee is left out for the same reason: when it overtakes its order, the
//! addressee is who it is told about, and so is known.

use super::{Happening, NAMES, Provider, at, kinds, no_answer};
use crate::testing::{START, Webhook, order, phone};
use serde_json::{Value, json};

pub(super) const PROVIDER: Provider =
    Provider { name: "shopify", webhook, again, answer: no_answer, told: kinds, times: true, state: true };

const ORDER_TOPICS: [&str; 5] =
    ["orders/create", "orders/updated", "orders/paid", "orders/cancelled", "orders/fulfilled"];

fn webhook(happening: Happening, unique: &str) -> Webhook {
    let Happening { what, who, thing, minute } = happening;
    match what {
        0..5 => of_order(ORDER_TOPICS[usize::from(what)], thing, minute, unique),
        5 => resource("customers/create", customer(who, minute), unique),
        6 => resource("customers/update", customer(who, minute), unique),
        7 => resource("customers/merge", merge(who, thing), unique),
        8 => resource("customers_marketing_consent/update", consent(who, minute), unique),
        9 => resource("refunds/create", refund(thing, minute), unique),
        10 => resource("fulfillment_events/create", delivered(thing, minute), unique),
        _ => resource(
            "orders/edited",
            json!({"order_edit": {"id": minute, "order_id": order_id(thing), "committed_at": at(minute)}}),
            unique,
        ),
    }
}

/// The same event, told to a second subscription.
fn again(webhook: &Webhook) -> Webhook {
    let mut second = webhook.clone();
    // A merge has no time, by which doubles would be known from two merges: a retry has the same webhook id.
    let is_told_apart = ["admin_graphql_api_customer_kept_id", "sms_marketing_consent"]
        .iter()
        .any(|key| second.script.body.get(*key).is_some());
    if !is_told_apart {
        set_header(&mut second, "x-shopify-webhook-id", &format!("{}-second", webhook.unique));
    }
    second
}

fn set_header(webhook: &mut Webhook, name: &str, value: &str) {
    let held = webhook.script.headers.iter_mut().find(|(held, _)| held == name);
    value.clone_into(&mut held.expect("the header is there").1);
}

fn order_id(thing: u8) -> u64 {
    6_120_458_213_377 + u64::from(thing)
}

/// An order as it is at a minute. One is given to another customer in its life.
fn of_order(topic: &str, thing: u8, minute: u8, unique: &str) -> Webhook {
    let owner = if thing == 2 && minute > 3 { 0 } else { thing };
    let mut webhook = order(unique, u32::from(owner));
    let body = &mut webhook.script.body;
    body["id"] = json!(order_id(thing));
    body["admin_graphql_api_id"] = json!(format!("gid://shopify/Order/{}", order_id(thing)));
    body["name"] = json!(format!("#{thing}"));
    body["updated_at"] = json!(at(minute));
    body["financial_status"] = json!(if minute < 2 { "pending" } else { "paid" });
    body["customer"]["first_name"] = json!(NAMES[usize::from(minute) % 3]);
    if minute.is_multiple_of(2) {
        body["phone"] = Value::Null;
    }
    webhook.script.topic = Some(topic.to_owned());
    webhook.script.freshen("shopify", unique, START);
    webhook
}

fn resource(topic: &str, body: Value, unique: &str) -> Webhook {
    let mut webhook = order(unique, 0);
    webhook.script.body = body;
    webhook.script.topic = Some(topic.to_owned());
    webhook.script.freshen("shopify", unique, START);
    webhook
}

fn customer_id(who: u8) -> u64 {
    7_000_000_000 + u64::from(who)
}

fn customer(who: u8, minute: u8) -> Value {
    json!({
        "id": customer_id(who), "email": format!("customer-{who}@example.com"), "phone": minute.is_multiple_of(2).then(|| phone(who.into())),
        "first_name": NAMES[usize::from(who + minute) % 3], "last_name": null, "tags": if minute.is_multiple_of(3) { "" } else { "vip, spring" },
        "orders_count": minute / 2, "state": "enabled", "created_at": at(0), "updated_at": at(minute),
        "email_marketing_consent": {"state": if minute.is_multiple_of(2) { "subscribed" } else { "unsubscribed" }, "consent_updated_at": at(minute / 2)},
    })
}

fn merge(who: u8, other: u8) -> Value {
    let gid = |who: u8| format!("gid://shopify/Customer/{}", customer_id(who));
    json!({"admin_graphql_api_customer_kept_id": gid(who), "admin_graphql_api_customer_deleted_id": gid(other), "status": "completed"})
}

fn consent(who: u8, minute: u8) -> Value {
    let state = if minute.is_multiple_of(2) { "unsubscribed" } else { "subscribed" };
    json!({
        "id": customer_id(who), "phone": phone(who.into()),
        "sms_marketing_consent": {"state": state, "opt_in_level": "single_opt_in", "consent_updated_at": at(minute)},
    })
}

fn refund(thing: u8, minute: u8) -> Value {
    let paid_back = json!({"kind": "refund", "status": "success", "amount": "5.00", "currency": "GBP"});
    json!({"id": 900 + u32::from(minute), "order_id": order_id(thing), "created_at": at(minute), "transactions": [paid_back]})
}

fn delivered(thing: u8, minute: u8) -> Value {
    json!({"id": 800 + u32::from(minute), "fulfillment_id": 70 + u32::from(thing), "order_id": order_id(thing), "status": "delivered", "happened_at": at(minute), "updated_at": at(minute)})
}
