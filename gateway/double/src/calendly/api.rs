//! The API v2, as far as it is used: `/users/me` and `/webhook_subscriptions`. The token is checked first, then parameters, with Calendly's errors.

use super::{CalendlyFailure, CalendlyHook, Inside, lock};
use crate::server::{Cut, MAX_BODY_BYTES};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::Response,
};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};

const HOOKS: &str = "/webhook_subscriptions";
/// Events of an organization or of a person.
const EVENTS: &[&str] = &["invitee.created", "invitee.canceled", "invitee_no_show.created", "invitee_no_show.deleted"];
/// Events of an organization only.
const OF_ORGANIZATIONS: &[&str] = &["routing_form_submission.created"];
/// Most rows of a page.
const MOST_PER_PAGE: usize = 100;

pub(super) fn router(inside: Arc<Inside>) -> Router {
    Router::new().fallback(any).with_state(inside)
}

type Reply = (u16, Value);

fn refusal(status: u16, title: &str, message: &str) -> Reply {
    (status, json!({"title": title, "message": message}))
}

fn bad_parameter(name: &str, message: &str) -> Reply {
    let details = json!([{"parameter": name, "message": message}]);
    (400, json!({"title": "Invalid Argument", "message": "The supplied parameters are invalid.", "details": details}))
}

async fn any(State(inside): State<Arc<Inside>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let what = format!("{} {}", head.method, head.uri.path());
    let failure = lock(&inside.failures).pop_front();
    let body = to_bytes(body, MAX_BODY_BYTES).await.unwrap_or_default();
    let token = format!("Bearer {}", inside.token);
    let is_known = head.headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes() == token.as_bytes());
    let (status, reply) = match failure {
        Some(CalendlyFailure::Status(status)) => refusal(status, "Unavailable", "Something went wrong."),
        _ if !is_known => refusal(401, "Unauthenticated", "The access token is invalid"),
        _ => answer(&inside, &head.method, head.uri.path(), head.uri.query().unwrap_or_default(), &body),
    };
    if failure == Some(CalendlyFailure::LostAnswer) {
        lock(&inside.heard).push(format!("lost {what}"));
        let mut cut = Response::new(Body::empty());
        cut.extensions_mut().insert(Cut);
        return cut;
    }
    lock(&inside.heard).push(format!("{status} {what}"));
    let body = if status == 204 { Body::empty() } else { Body::from(reply.to_string()) };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, const { HeaderValue::from_static("application/json") });
    response
}

fn answer(inside: &Inside, method: &Method, path: &str, query: &str, body: &[u8]) -> Reply {
    match (method.as_str(), path) {
        ("GET", "/users/me") => {
            let (uri, organization) = (inside.user(), inside.organization());
            (200, json!({"resource": {"uri": uri, "name": "Ada", "current_organization": organization}}))
        }
        ("GET", HOOKS) => list(inside, query),
        ("POST", HOOKS) => match serde_json::from_slice(body) {
            Ok(body) => make(inside, &body),
            Err(_) => refusal(400, "Invalid Argument", "The body is no JSON."),
        },
        ("DELETE", _) => {
            let mut hooks = lock(&inside.hooks);
            let before = hooks.len();
            hooks.retain(|hook| hook.uri != format!("{}{path}", inside.url));
            if hooks.len() < before {
                (204, Value::Null)
            } else {
                refusal(404, "Resource Not Found", "The server could not find the requested resource.")
            }
        }
        _ => refusal(404, "Resource Not Found", "The server could not find the requested resource."),
    }
}

/// What is wrong with whose subscriptions are meant.
fn misplaced(inside: &Inside, text: impl Fn(&str) -> Option<String>) -> Option<Reply> {
    if text("organization") != Some(inside.organization()) {
        return Some(bad_parameter("organization", "is required"));
    }
    match text("scope").as_deref() {
        Some("organization") => None,
        Some("user") if text("user") == Some(inside.user()) => None,
        Some("user") => Some(bad_parameter("user", "is required")),
        _ => Some(bad_parameter("scope", "is required")),
    }
}

fn list(inside: &Inside, query: &str) -> Reply {
    let Ok(url) = reqwest::Url::parse(&format!("{}/?{query}", inside.url)) else {
        return bad_parameter("query", "is invalid");
    };
    let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
    if let Some(reply) = misplaced(inside, |name| query.get(name).cloned()) {
        return reply;
    }
    let number = |name: &str, usual: usize| query.get(name).map_or(Some(usual), |text| text.parse().ok());
    let Some(count) = number("count", 20).filter(|count| (1..=MOST_PER_PAGE).contains(count)) else {
        return bad_parameter("count", "must be 1 to 100");
    };
    let Some(from) = number("page_token", 0) else { return bad_parameter("page_token", "is invalid") };
    let hooks = lock(&inside.hooks);
    let mut own: Vec<Value> =
        hooks.iter().filter(|hook| query["scope"] == hook.scope).map(|hook| shown(inside, hook)).collect();
    let next = (own.len() > from + count).then(|| (from + count).to_string());
    own = own.into_iter().skip(from).take(count).collect();
    (200, json!({"collection": own, "pagination": {"count": own.len(), "next_page_token": next}}))
}

fn make(inside: &Inside, body: &Value) -> Reply {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let known = ["url", "events", "organization", "user", "group", "scope", "signing_key"];
    if let Some(unknown) = body.as_object().and_then(|body| body.keys().find(|key| !known.contains(&key.as_str()))) {
        return bad_parameter(unknown, "is unknown");
    }
    if let Some(reply) = misplaced(inside, text) {
        return reply;
    }
    let (Some(url), Some(scope)) = (text("url"), text("scope")) else { return bad_parameter("url", "is required") };
    if reqwest::Url::parse(&url).is_err() {
        return bad_parameter("url", "must be a valid URL");
    }
    let mut events: Vec<String> =
        body["events"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let is_event = |event: &String| {
        EVENTS.contains(&event.as_str()) || (scope == "organization" && OF_ORGANIZATIONS.contains(&event.as_str()))
    };
    if events.is_empty() || !events.iter().all(is_event) {
        return bad_parameter("events", "must be events of the scope");
    }
    events.sort();
    let mut hooks = lock(&inside.hooks);
    if hooks.iter().any(|hook| hook.url == url && hook.scope == scope) {
        return refusal(409, "Already Exists", "Hook with this url already exists");
    }
    let uri = format!("{}{HOOKS}/{:016X}", inside.url, inside.next());
    let signing_key = text("signing_key");
    let hook = CalendlyHook { uri, url, events, scope, signing_key, is_disabled: false, failing_since: None };
    let reply = json!({ "resource": shown(inside, &hook) });
    hooks.push(hook);
    (201, reply)
}

/// A subscription as it is shown: its key is never told.
fn shown(inside: &Inside, hook: &CalendlyHook) -> Value {
    json!({
        "uri": hook.uri, "callback_url": hook.url, "events": hook.events, "scope": hook.scope,
        "state": if hook.is_disabled { "disabled" } else { "active" },
        "organization": inside.organization(), "user": (hook.scope == "user").then(|| inside.user()), "creator": inside.user(),
    })
}
