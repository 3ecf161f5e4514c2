//! A plugin's answer for one item, checked. A mistake makes this item fail, with the field and the reason; the others are not touched.

use super::{
    bindings::tidegate::plugin::types as wit,
    event,
    read::{Bad, Inside, Read, at_most, each, object, short},
};
use crate::{fetch, limits::cut, manifest::is_kebab_case, own_kinds::SchemaBudget, plugin::Identity};
use std::collections::HashMap;
use tidegate_model::outcome::{ConnectionInfo, Done, Failure, Item, Outcome, Request, Trigger};

/// Most events of one item.
const EVENTS: usize = 1_000;
/// Most triggers of one item.
const TRIGGERS: usize = 1_000;
/// Most requests of one item in one round.
const REQUESTS: usize = 100;
/// Largest request, in bytes: its URL, headers and body together. A search or a batch read has a few thousand.
const REQUEST_BYTES: usize = 64 << 10;
/// Largest state, in bytes: it is read and written with every item of its key.
const STATE_BYTES: usize = 64 << 10;
/// Largest variables of a trigger, in bytes.
const VARIABLES_BYTES: usize = 64 << 10;
/// Longest name of a trigger and longest event key, in bytes.
const NAME_BYTES: usize = 128;
/// Longest reason that is kept, in bytes.
const REASON_BYTES: usize = 1 << 10;

/// The outcome as the host understands it.
pub(super) fn read(identity: &Identity, connection: &ConnectionInfo, item: &Item, outcome: wit::Outcome) -> Outcome {
    let read = match outcome {
        wit::Outcome::Done(value) => done(identity, connection, item, value).inside("done").map(Outcome::Done),
        wit::Outcome::Need(requests) => need(identity, connection, requests).map(Outcome::Need),
        wit::Outcome::Skip(reason) => Ok(Outcome::Skip(cut(&reason, REASON_BYTES).to_owned())),
        wit::Outcome::Failed(value) => Ok(Outcome::Failed(failure(&value))),
    };
    read.unwrap_or_else(|Bad { field, reason }| {
        Outcome::Failed(Failure {
            field: Some(field),
            reason: format!("the plugin's answer is wrong: {reason}"),
            retryable: false,
        })
    })
}

fn failure(value: &wit::Failure) -> Failure {
    Failure {
        field: value.field.as_deref().map(|field| cut(field, NAME_BYTES * 2).to_owned()),
        reason: cut(&value.reason, REASON_BYTES).to_owned(),
        retryable: value.retryable,
    }
}

fn need(identity: &Identity, connection: &ConnectionInfo, requests: Vec<wit::Request>) -> Read<Vec<Request>> {
    at_most("need", &requests, REQUESTS)?;
    if requests.is_empty() {
        return Err(Bad::new("need", "expected at least one request, found none"));
    }
    each("need", requests, |request| {
        let headers: usize = request.headers.iter().map(|header| header.name.len() + header.value.len()).sum();
        let bytes = request.url.len() + headers + request.body.as_deref().map_or(0, str::len);
        if bytes > REQUEST_BYTES {
            let reason = format!("{bytes} bytes of URL, headers and body, and {REQUEST_BYTES} is the most");
            return Err(Bad::new("url", reason));
        }
        let headers =
            request.headers.into_iter().map(|header| (header.name.to_ascii_lowercase(), header.value)).collect();
        let request = Request { method: request.method, url: request.url, headers, body: request.body };
        fetch::check(&request, &identity.manifest.capabilities, connection)
            .map_err(|(field, reason)| Bad::new(field, reason))?;
        Ok(request)
    })
}

fn done(identity: &Identity, connection: &ConnectionInfo, item: &Item, done: wit::Done) -> Read<Done> {
    at_most("events", &done.events, EVENTS)?;
    at_most("triggers", &done.triggers, TRIGGERS)?;
    let keys = event_keys(&done.events)?;
    let triggers = each("triggers", done.triggers, |one| trigger(&keys, one))?;
    let source = event::Source {
        manifest: &identity.manifest,
        own_kinds: &identity.own_kinds,
        schema_budget: SchemaBudget::default(),
        connection: &connection.name,
        item,
    };
    let events = each("events", done.events, |one| event::read(&source, one))?;
    Ok(Done { events, triggers, state: state(identity, done.state)? })
}

/// The places of the events by their keys, which must be there once each.
fn event_keys(events: &[wit::Event]) -> Read<HashMap<String, usize>> {
    let mut keys = HashMap::with_capacity(events.len());
    for (index, event) in events.iter().enumerate() {
        let key = &event.event_key;
        let bad = |reason: String| Err(Bad::new("event-key", reason).inside(index).inside("events"));
        if key.is_empty() || key.len() > NAME_BYTES {
            return bad(format!("expected 1 to {NAME_BYTES} bytes, found {}", key.len()));
        }
        if let Some(earlier) = keys.insert(key.clone(), index) {
            return bad(format!(
                "{:?} is the key of event {earlier} already; keys tell the events of an item apart",
                short(key)
            ));
        }
    }
    Ok(keys)
}

fn trigger(keys: &HashMap<String, usize>, trigger: wit::Trigger) -> Read<Trigger> {
    if !is_kebab_case(&trigger.name) || trigger.name.len() > NAME_BYTES {
        return Err(Bad::new(
            "name",
            format!("expected lower-case words joined by `-`, found {:?}", short(&trigger.name)),
        ));
    }
    let Some(&event) = keys.get(&trigger.event_key) else {
        return Err(Bad::new(
            "event-key",
            format!("no event of this item has the key {:?}", short(&trigger.event_key)),
        ));
    };
    Ok(Trigger { name: trigger.name, event, variables: object("variables", &trigger.variables, VARIABLES_BYTES)? })
}

fn state(identity: &Identity, state: Option<String>) -> Read<Option<String>> {
    match &state {
        Some(_) if identity.manifest.items.state.is_empty() => Err(Bad::new(
            "state",
            "the plugin returned a state, but its plugin.toml names no key for it: add `state` under [items]",
        )),
        Some(text) if text.len() > STATE_BYTES => {
            Err(Bad::new("state", format!("{} bytes, and {STATE_BYTES} is the most", text.len())))
        }
        Some(_) | None => Ok(state),
    }
}
