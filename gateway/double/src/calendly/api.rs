//! The API v2, as far as it is used: `/users/me` and `/webhook_subscriptions`. The token is checked first, then parameters, with Calendly's errors.

use super::{Calendly, CalendlyHook};
use crate::{
    account::{Answer, Asked, Inside, lock},
    oauth::bearer,
};
use serde_json::{Value, json};

const HOOKS: &str = "/webhook_subscriptions";
/// Events of an organization or of a person.
const EVENTS: &[&str] = &["invitee.created", "invitee.canceled", "invitee_no_show.created", "invitee_no_show.deleted"];
/// Events of an organization only.
const OF_ORGANIZATIONS: &[&str] = &["routing_form_submission.created"];
/// Most rows of a page.
const MOST_PER_PAGE: usize = 100;

pub(super) fn refusal(status: u16, title: &str, message: &str) -> Answer {
    Answer::json(status, &json!({"title": title, "message": message}))
}

fn bad_parameter(name: &str, message: &str) -> Answer {
    let details = json!([{"parameter": name, "message": message}]);
    let message = "The supplied parameters are invalid.";
    Answer::json(400, &json!({"title": "Invalid Argument", "message": message, "details": details}))
}

pub(super) fn answer(inside: &Inside<Calendly>, asked: &Asked) -> Answer {
    let oauth = inside.own.oauth.as_ref();
    if let Some(answer) = oauth.and_then(|oauth| oauth.answer(asked, inside.now_s())) {
        return answer;
    }
    let token = bearer(asked);
    if token != inside.own.token && !oauth.is_some_and(|oauth| oauth.is_live(token, inside.now_s())) {
        return refusal(401, "Unauthenticated", "The access token is invalid");
    }
    let not_found = || refusal(404, "Resource Not Found", "The server could not find the requested resource.");
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/users/me") => {
            let (uri, organization) = (inside.user(), inside.organization());
            Answer::json(200, &json!({"resource": {"uri": uri, "name": "Ada", "current_organization": organization}}))
        }
        ("GET", HOOKS) => list(inside, asked),
        ("POST", HOOKS) => match serde_json::from_slice(&asked.body) {
            Ok(body) => make(inside, &body),
            Err(_) => refusal(400, "Invalid Argument", "The body is no JSON."),
        },
        ("DELETE", path) => {
            let mut hooks = lock(&inside.own.hooks);
            let before = hooks.len();
            hooks.retain(|hook| hook.uri != format!("{}{path}", inside.url()));
            if hooks.len() < before { Answer::json(204, &Value::Null) } else { not_found() }
        }
        _ => not_found(),
    }
}

/// What is wrong with whose subscriptions are meant.
fn misplaced(inside: &Inside<Calendly>, text: impl Fn(&str) -> Option<String>) -> Option<Answer> {
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

fn list(inside: &Inside<Calendly>, asked: &Asked) -> Answer {
    let query = asked.parameters();
    if let Some(reply) = misplaced(inside, |name| query.get(name).cloned()) {
        return reply;
    }
    let number = |name: &str, usual: usize| query.get(name).map_or(Some(usual), |text| text.parse().ok());
    let Some(count) = number("count", 20).filter(|count| (1..=MOST_PER_PAGE).contains(count)) else {
        return bad_parameter("count", "must be 1 to 100");
    };
    let Some(from) = number("page_token", 0) else { return bad_parameter("page_token", "is invalid") };
    let hooks = lock(&inside.own.hooks);
    let mut own: Vec<Value> =
        hooks.iter().filter(|hook| query["scope"] == hook.scope).map(|hook| shown(inside, hook)).collect();
    let next = (own.len() > from + count).then(|| (from + count).to_string());
    own = own.into_iter().skip(from).take(count).collect();
    let pagination = json!({"count": own.len(), "next_page_token": next});
    Answer::json(200, &json!({"collection": own, "pagination": pagination}))
}

fn make(inside: &Inside<Calendly>, body: &Value) -> Answer {
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
    let mut hooks = lock(&inside.own.hooks);
    if hooks.iter().any(|hook| hook.url == url && hook.scope == scope) {
        return refusal(409, "Already Exists", "Hook with this url already exists");
    }
    let uri = format!("{}{HOOKS}/{:016X}", inside.url(), inside.next());
    let signing_key = text("signing_key");
    let hook = CalendlyHook { uri, url, events, scope, signing_key, is_disabled: false, failing_since: None };
    let reply = json!({ "resource": shown(inside, &hook) });
    hooks.push(hook);
    Answer::json(201, &reply)
}

/// A subscription as it is shown: its key is never told.
fn shown(inside: &Inside<Calendly>, hook: &CalendlyHook) -> Value {
    json!({
        "uri": hook.uri, "callback_url": hook.url, "events": hook.events, "scope": hook.scope,
        "state": if hook.is_disabled { "disabled" } else { "active" },
        "organization": inside.organization(), "user": (hook.scope == "user").then(|| inside.user()), "creator": inside.user(),
    })
}
