//! The REST API v3, as far as it is used: `/wp-json/wc/v3/webhooks` and `/orders`. Keys are checked first, then parameters, with WordPress's errors.

use super::{Heard, Hook, HookStatus, Inside, StoreFailure, lock, shelf};
use crate::server::Cut;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};

const ROOT: &str = "/wp-json/wc/v3";
/// Largest body of a request.
const BODY_BYTES: usize = 1 << 20;
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

pub(super) fn router(inside: Arc<Inside>) -> Router {
    Router::new().fallback(any).with_state(inside)
}

/// What is answered.
struct Reply {
    status: u16,
    body: Value,
    /// Rows in all and pages, of a list.
    total: Option<(usize, usize)>,
}

impl Reply {
    const fn ok(body: Value) -> Self {
        Self { status: 200, body, total: None }
    }
}

fn refusal(status: u16, code: &str, message: &str) -> Reply {
    Reply { status, body: json!({"code": code, "message": message, "data": {"status": status}}), total: None }
}

fn bad_parameter(name: &str) -> Reply {
    refusal(400, "rest_invalid_param", &format!("Invalid parameter(s): {name}"))
}

/// A request, read.
struct Call {
    method: Method,
    path: String,
    query: HashMap<String, String>,
    body: Value,
}

async fn any(State(inside): State<Arc<Inside>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path().trim_start_matches(ROOT).to_owned();
    let what = format!("{} {path}", head.method);
    let query = head.uri.query().unwrap_or_default().to_owned();
    let note = |status| lock(&inside.heard).push(Heard { what: what.clone(), query: query.clone(), status });
    let failure = lock(&inside.failures).pop_front();
    if let Some(StoreFailure::Status(status, retry_after)) = failure {
        note(status);
        return page(status, retry_after);
    }
    let body = to_bytes(body, BODY_BYTES).await.unwrap_or_default();
    let reply = if !head.uri.path().starts_with(ROOT) {
        refusal(404, "rest_no_route", "No route was found matching the URL and request method.")
    } else if !is_known(&inside, &head.headers) {
        refusal(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
    } else {
        match read(&head.method, path, &query, &body) {
            Ok(call) => {
                let reply = answer(&inside, &call);
                if call.method != Method::GET {
                    inside.hold_back().await;
                }
                reply
            }
            Err(reply) => reply,
        }
    };
    if failure == Some(StoreFailure::LostAnswer) {
        note(0);
        let mut cut = Response::new(Body::empty());
        cut.extensions_mut().insert(Cut);
        return cut;
    }
    note(reply.status);
    respond(&reply)
}

fn is_known(inside: &Inside, headers: &HeaderMap) -> bool {
    let expected = format!("Basic {}", STANDARD.encode(format!("{}:{}", inside.key, inside.secret)));
    headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) == Some(&expected)
}

fn read(method: &Method, path: String, query: &str, body: &[u8]) -> Result<Call, Reply> {
    let url = reqwest::Url::parse(&format!("http://store/?{query}")).map_err(|_| bad_parameter("query"))?;
    let query = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(body).map_err(|_| refusal(400, "rest_invalid_json", "Invalid JSON body passed."))?
    };
    Ok(Call { method: method.clone(), path, query, body })
}

fn answer(inside: &Arc<Inside>, call: &Call) -> Reply {
    let id = |prefix: &str| call.path.strip_prefix(prefix).and_then(|id| id.parse::<u64>().ok());
    match (call.method.as_str(), call.path.as_str()) {
        ("GET", "/webhooks") => hooks(inside, call),
        ("POST", "/webhooks") => make(inside, call),
        ("GET", "/orders") => orders(inside, call),
        (method, _) => match (method, id("/webhooks/"), id("/orders/")) {
            ("PUT" | "POST" | "PATCH", Some(id), _) => change(inside, call, id),
            ("DELETE", Some(id), _) => remove(inside, call, id),
            ("GET", _, Some(id)) => match inside.shelf().orders.get(&id) {
                Some(order) => Reply::ok(order.clone()),
                None => refusal(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID."),
            },
            _ => refusal(404, "rest_no_route", "No route was found matching the URL and request method."),
        },
    }
}

/// A page of rows by `page` and `per_page`.
fn paged(call: &Call, rows: Vec<Value>) -> Reply {
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
    Reply { status: 200, body: Value::Array(shown), total: Some((total, total.div_ceil(per_page))) }
}

fn hooks(inside: &Inside, call: &Call) -> Reply {
    if call.query.get("orderby").is_some_and(|by| !["date", "id", "title"].contains(&by.as_str())) {
        return bad_parameter("orderby");
    }
    paged(call, inside.shelf().hooks.values().map(Hook::shown).collect())
}

fn orders(inside: &Inside, call: &Call) -> Reply {
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

fn make(inside: &Arc<Inside>, call: &Call) -> Reply {
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
    Reply { status: 201, body: hook.shown(), total: None }
}

fn change(inside: &Inside, call: &Call, id: u64) -> Reply {
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
    Reply::ok(hook.shown())
}

fn remove(inside: &Inside, call: &Call, id: u64) -> Reply {
    if call.query.get("force").map(String::as_str) != Some("true") {
        return refusal(501, "woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.");
    }
    inside.shelf().hooks.remove(&id).map_or_else(unknown_hook, |hook| Reply::ok(hook.shown()))
}

fn unknown_hook() -> Reply {
    refusal(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
}

fn respond(reply: &Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body.to_string()));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        const { axum::http::HeaderValue::from_static("application/json; charset=UTF-8") },
    );
    if let Some((total, pages)) = reply.total {
        headers.insert("x-wp-total", total.into());
        headers.insert("x-wp-totalpages", pages.into());
    }
    response
}

/// What WordPress shows when something in front of it, or in it, has failed.
fn page(status: u16, retry_after: Option<u64>) -> Response {
    let mut response =
        Response::new(Body::from("<html><body>There has been a critical error on this website.</body></html>"));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, const { axum::http::HeaderValue::from_static("text/html; charset=UTF-8") });
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
