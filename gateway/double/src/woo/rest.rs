//! The REST API v3, as far as it is used: `/wp-json/wc/v3/webhooks` and `/orders`. Keys are checked first, then parameters, with WordPress's errors.

use super::{Hook, HookStatus, Store, shelf};
use crate::account::{Answer, Asked, Inside};
use axum::http::Method;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ROOT: &str = "/wp-json/wc/v3";
/// Most rows of a page.
const MOST_PER_PAGE: usize = 100;
/// Topics that a webhook can have here.
const TOPICS: &[&str] = &[
    "order.created",
    "order.updated",
    "order.deleted",
    "order.restored",
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "product.created",
    "product.updated",
    "coupon.created",
];

fn ok(body: &Value) -> Answer {
    Answer::json(200, body)
}

fn refusal(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!({"code": code, "message": message, "data": {"status": status}}))
}

fn bad_parameter(name: &str) -> Answer {
    refusal(400, "rest_invalid_param", &format!("Invalid parameter(s): {name}"))
}

/// A request of the API, read.
struct Call {
    method: Method,
    path: String,
    query: BTreeMap<String, String>,
    body: Value,
}

pub(super) async fn answer(inside: &Inside<Store>, asked: &Asked) -> Answer {
    let Some(path) = asked.path.strip_prefix(ROOT) else {
        return refusal(404, "rest_no_route", "No route was found matching the URL and request method.");
    };
    let Store { key, secret, .. } = &inside.own;
    if asked.header("authorization") != format!("Basic {}", STANDARD.encode(format!("{key}:{secret}"))) {
        return refusal(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.");
    }
    let body = match asked.body.as_ref() {
        [] => Ok(Value::Null),
        body => serde_json::from_slice(body),
    };
    let Ok(body) = body else { return refusal(400, "rest_invalid_json", "Invalid JSON body passed.") };
    let call = Call { method: asked.method.clone(), path: path.to_owned(), query: asked.parameters(), body };
    let answer = route(inside, &call);
    if call.method != Method::GET {
        inside.hold_back().await;
    }
    answer
}

fn route(inside: &Inside<Store>, call: &Call) -> Answer {
    let id = |prefix: &str| call.path.strip_prefix(prefix).and_then(|id| id.parse::<u64>().ok());
    match (call.method.as_str(), call.path.as_str()) {
        ("GET", "/webhooks") => hooks(inside, call),
        ("POST", "/webhooks") => make(inside, call),
        ("GET", "/orders") => orders(inside, call),
        (method, _) => match (method, id("/webhooks/"), id("/orders/")) {
            ("PUT" | "POST" | "PATCH", Some(id), _) => change(inside, call, id),
            ("DELETE", Some(id), _) => remove(inside, call, id),
            ("GET", _, Some(id)) => match inside.shelf().orders.get(&id) {
                Some(order) => ok(order),
                None => refusal(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID."),
            },
            _ => refusal(404, "rest_no_route", "No route was found matching the URL and request method."),
        },
    }
}

/// A page of rows by `page` and `per_page`.
fn paged(call: &Call, rows: Vec<Value>) -> Answer {
    let number = |name: &str, usual: usize| match call.query.get(name) {
        None => Some(usual),
        Some(text) => text.parse().ok().filter(|n| *n >= 1),
    };
    let Some(page) = number("page", 1) else { return bad_parameter("page") };
    let Some(per_page) = number("per_page", 10).filter(|n| *n <= MOST_PER_PAGE) else {
        return bad_parameter("per_page");
    };
    let total = rows.len();
    let shown = rows.into_iter().skip((page - 1) * per_page).take(per_page).collect();
    ok(&Value::Array(shown))
        .with("x-wp-total", total.to_string())
        .with("x-wp-totalpages", total.div_ceil(per_page).to_string())
}

fn hooks(inside: &Inside<Store>, call: &Call) -> Answer {
    if call.query.get("orderby").is_some_and(|by| !["date", "id", "title"].contains(&by.as_str())) {
        return bad_parameter("orderby");
    }
    paged(call, inside.shelf().hooks.values().map(Hook::shown).collect())
}

fn orders(inside: &Inside<Store>, call: &Call) -> Answer {
    let text = |name: &str| call.query.get(name).map(String::as_str);
    if text("orderby").is_some_and(|by| by != "modified") || text("order").is_some_and(|order| order != "asc") {
        return bad_parameter("orderby");
    }
    // Without it the moment would be in the time of the store, which nobody here knows.
    if text("modified_after").is_some() && text("dates_are_gmt") != Some("true") {
        return bad_parameter("dates_are_gmt");
    }
    let Some(after_s) = text("modified_after").map_or(Some(0), shelf::parse_gmt) else {
        return bad_parameter("modified_after");
    };
    let rows = inside.shelf().changed_after(after_s).into_iter().cloned().collect();
    paged(call, rows)
}

fn make(inside: &Inside<Store>, call: &Call) -> Answer {
    let text = |name: &str| call.body[name].as_str().unwrap_or_default().to_owned();
    let (topic, delivery_url) = (text("topic"), text("delivery_url"));
    if !TOPICS.contains(&topic.as_str()) {
        let message = "Webhook topic is required and must be valid.";
        return refusal(400, "woocommerce_rest_invalid_webhook_topic", message);
    }
    if !delivery_url.starts_with("http://") && !delivery_url.starts_with("https://") {
        let message = "Webhook delivery URL must be a valid URL starting with http:// or https://.";
        return refusal(400, "woocommerce_rest_invalid_webhook_delivery_url", message);
    }
    let Some(status) = call.body["status"].as_str().map_or(Some(HookStatus::Active), HookStatus::parse) else {
        return bad_parameter("status");
    };
    let mut shelf = inside.shelf();
    let id = shelf.next_id();
    let hook = Hook { id, name: text("name"), status, topic, delivery_url, secret: text("secret"), failures: 0 };
    shelf.hooks.insert(id, hook.clone());
    drop(shelf);
    inside.ping(&hook);
    Answer::json(201, &hook.shown())
}

fn change(inside: &Inside<Store>, call: &Call, id: u64) -> Answer {
    let status = match call.body.get("status").map(|word| word.as_str().and_then(HookStatus::parse)) {
        Some(None) => return bad_parameter("status"),
        Some(status) => status,
        None => None,
    };
    if call.body.get("topic").is_some_and(|topic| !topic.as_str().is_some_and(|topic| TOPICS.contains(&topic))) {
        return bad_parameter("topic");
    }
    let mut shelf = inside.shelf();
    let Some(hook) = shelf.hooks.get_mut(&id) else { return unknown_hook() };
    let text = |name: &str| call.body[name].as_str().map(str::to_owned);
    hook.name = text("name").unwrap_or_else(|| hook.name.clone());
    hook.topic = text("topic").unwrap_or_else(|| hook.topic.clone());
    hook.delivery_url = text("delivery_url").unwrap_or_else(|| hook.delivery_url.clone());
    hook.secret = text("secret").unwrap_or_else(|| hook.secret.clone());
    if let Some(status) = status {
        hook.status = status;
        hook.failures = 0;
    }
    ok(&hook.shown())
}

fn remove(inside: &Inside<Store>, call: &Call, id: u64) -> Answer {
    if call.query.get("force").map(String::as_str) != Some("true") {
        return refusal(501, "woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.");
    }
    inside.shelf().hooks.remove(&id).map_or_else(unknown_hook, |hook| ok(&hook.shown()))
}

fn unknown_hook() -> Answer {
    refusal(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
}

/// What WordPress shows when something in front of it, or in it, has failed.
pub(super) fn page(status: u16) -> Answer {
    let body = "<html><body>There has been a critical error on this website.</body></html>";
    Answer::new(status, "text/html; charset=UTF-8", body.to_owned())
}
