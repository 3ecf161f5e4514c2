//! The app's webhook settings and subscriptions, as a public app of the older kind has them.

use super::{APP_ID, HubspotHook, Shelf, refusal};
use crate::account::{Answer, Asked};
use serde_json::{Value, json};

/// Kinds of changes that can be subscribed to here.
const EVENTS: &[&str] = &["creation", "propertyChange", "deletion", "merge", "restore", "associationChange"];

/// Answers what goes to the app; `None` when it goes elsewhere.
pub(super) fn answer(shelf: &mut Shelf, asked: &Asked) -> Option<Answer> {
    let path = asked.path.strip_prefix("/webhooks/2026-03/")?;
    let Some(path) = path.strip_prefix(&APP_ID.to_string()) else {
        return Some(refusal(403, "BANNED", "This oauth-token does not belong to this app"));
    };
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    Some(match (asked.method.as_str(), path) {
        ("GET", "/settings") => match &shelf.aim {
            Some(aim) => Answer::json(200, aim),
            None => refusal(404, "OBJECT_NOT_FOUND", "No webhooks settings found for the app"),
        },
        ("PUT", "/settings") => aim(shelf, &body),
        ("GET", "/subscriptions") => {
            let results: Vec<Value> = shelf.hooks.iter().map(HubspotHook::shown).collect();
            Answer::json(200, &json!({ "results": results }))
        }
        ("POST", "/subscriptions") => make(shelf, &body),
        ("PATCH", _) => change(shelf, path, &body),
        _ => return None,
    })
}

fn invalid(words: &str) -> Answer {
    refusal(400, "VALIDATION_ERROR", words)
}

/// Whether a body has these members and no others.
fn has_only(body: &Value, members: &[&str]) -> bool {
    body.as_object().is_some_and(|body| body.keys().all(|key| members.contains(&key.as_str())))
}

fn aim(shelf: &mut Shelf, body: &Value) -> Answer {
    let is_url = body["targetUrl"].as_str().is_some_and(|url| reqwest::Url::parse(url).is_ok());
    // HubSpot takes https only; here the gateway has none.
    if !has_only(body, &["targetUrl", "throttling"]) || !is_url {
        return invalid("targetUrl must be a valid URL");
    }
    if body["throttling"]["maxConcurrentRequests"].as_u64().is_none_or(|most| most <= 5) {
        return invalid("maxConcurrentRequests must be greater than 5");
    }
    shelf.aim = Some(body.clone());
    Answer::json(200, body)
}

fn make(shelf: &mut Shelf, body: &Value) -> Answer {
    let event = body["eventType"].as_str().unwrap_or_default();
    let is_known = match event.split_once('.') {
        Some(("contact", kind)) => EVENTS.contains(&kind) || kind == "privacyDeletion",
        Some(("deal" | "company", kind)) => EVENTS.contains(&kind),
        _ => false,
    };
    if !has_only(body, &["eventType", "propertyName", "active"]) || !is_known {
        return invalid("eventType is not one of the subscription types");
    }
    let property = body["propertyName"].as_str().map(str::to_owned);
    if event.ends_with(".propertyChange") != property.is_some() {
        return invalid("propertyName is required for propertyChange, and for nothing else");
    }
    let Some(active) = body["active"].as_bool() else { return invalid("active is required") };
    if shelf.hooks.iter().any(|hook| hook.event == event && hook.property == property) {
        return refusal(409, "CONFLICT", "Subscription already exists");
    }
    let hook = HubspotHook { id: shelf.next_id(), event: event.to_owned(), property, active };
    let shown = hook.shown();
    shelf.hooks.push(hook);
    Answer::json(201, &shown)
}

fn change(shelf: &mut Shelf, path: &str, body: &Value) -> Answer {
    let id = path.strip_prefix("/subscriptions/").and_then(|id| id.parse::<u64>().ok());
    let Some(active) = body["active"].as_bool().filter(|_| has_only(body, &["active"])) else {
        return invalid("active is required");
    };
    match shelf.hooks.iter_mut().find(|hook| Some(hook.id) == id) {
        Some(hook) => {
            hook.active = active;
            Answer::json(200, &hook.shown())
        }
        None => refusal(404, "OBJECT_NOT_FOUND", "Subscription not found"),
    }
}

impl HubspotHook {
    fn shown(&self) -> Value {
        let mut shown = json!({"id": self.id.to_string(), "eventType": self.event, "active": self.active, "createdAt": "2026-01-24T16:27:59.883Z"});
        if let Some(property) = &self.property {
            shown["propertyName"] = json!(property);
        }
        shown
    }
}
