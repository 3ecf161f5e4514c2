//! Replay: stored deliveries are interpreted again, and the difference to what was made of them is shown. Nothing is written, unless that is asked for.

use crate::{
    app::App,
    catalog::Endpoint,
    difference::{Change, Shape, difference},
    http::{Code, Problem},
    pipeline::{Applied, Examined, Now, ReplayRequest, apply, examine, label},
    records::{Delivery, ItemResult},
    views,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{ops::ControlFlow, sync::Arc};
use tidegate_model::{DeliveryId, EventId, ItemId, Timestamp};
use tidegate_plugin_host::Plugin;
use tidegate_store::{
    KeyRange, Order,
    records::{self, Record},
};
use tokio::runtime::Handle;

/// Deliveries that one comparison looks at.
const COMPARED_AT_ONCE: usize = 25;
/// Deliveries that one comparison passes over, those of other endpoints included.
const SEEN_AT_ONCE: usize = 1_000;
/// Differences that one comparison tells.
const TOLD_AT_ONCE: usize = 10;

/// What to interpret again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replay {
    /// An event, item or delivery.
    pub id: String,
    /// Digest of a plugin that was loaded aside; the one that is loaded when absent.
    #[serde(default)]
    pub plugin: Option<String>,
    /// Whether to write down what is new.
    #[serde(default)]
    pub apply: bool,
    /// Whether to read anew what the plugin needs from its provider, instead of giving it what was stored.
    #[serde(default)]
    pub refetch: bool,
}

/// Which deliveries to compare.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Compare {
    /// The endpoint.
    pub endpoint: String,
    /// Received since then.
    pub since: Timestamp,
    /// As [`Replay::plugin`].
    #[serde(default)]
    pub plugin: Option<String>,
    /// Go on behind this one.
    #[serde(default)]
    pub after: Option<DeliveryId>,
}

/// Interprets an event's item, an item or a delivery again. Must be called where blocking is fine, inside a runtime.
///
/// # Errors
/// 400 for an id that is none, 404 for one that is not here, 409 when its endpoint or the plugin is gone.
pub(crate) fn replay(app: &App, asked: &Replay) -> Result<Value, Problem> {
    let (delivery, only) = find(app, &asked.id)?;
    let endpoint = endpoint(app, &delivery.endpoint)?;
    let plugin = plugin(app, &endpoint, asked.plugin.as_deref())?;
    let refetch = asked.refetch;
    let request = ReplayRequest { plugin: &plugin, endpoint: &endpoint, delivery: &delivery, only, refetch };
    let examined = examine(app, &Handle::current(), &request)?;
    let mut items = Vec::new();
    for item in &examined {
        let mut report = report(item);
        if let Some(fields) = report.as_object_mut().filter(|_| asked.apply) {
            fields.insert("applied".to_owned(), applied(&apply(app, &request, item)?));
        }
        items.push(report);
    }
    Ok(json!({
        "delivery": delivery.id,
        "endpoint": delivery.endpoint,
        "received_at": delivery.received_at,
        "plugin": label(&plugin),
        "digest": plugin.digest(),
        "applied": asked.apply,
        "same": examined.iter().all(|item| changes(item).is_empty()),
        "items": items,
    }))
}

/// Compares some deliveries of an endpoint, oldest first; writes nothing. Call again with `next` until there is none.
///
/// # Errors
/// As [`replay`].
pub(crate) fn compare(app: &App, asked: &Compare) -> Result<Value, Problem> {
    let endpoint = endpoint(app, &asked.endpoint)?;
    let plugin = plugin(app, &endpoint, asked.plugin.as_deref())?;
    let (deliveries, next) = deliveries(app, &endpoint, asked)?;
    let (mut unchanged, mut different, mut told) = (0, 0, Vec::new());
    for delivery in &deliveries {
        let request = ReplayRequest { plugin: &plugin, endpoint: &endpoint, delivery, only: None, refetch: false };
        for item in examine(app, &Handle::current(), &request)? {
            if changes(&item).is_empty() {
                unchanged += 1;
                continue;
            }
            different += 1;
            if told.len() < TOLD_AT_ONCE {
                let mut report = report(&item);
                report["delivery"] = json!(delivery.id);
                told.push(report);
            }
        }
    }
    Ok(json!({
        "plugin": label(&plugin),
        "deliveries": deliveries.len(),
        "unchanged": unchanged,
        "different": different,
        "differences": told,
        "at": next.map(|id| Timestamp::from_ms(id.root_ms())),
        "now": app.now(),
        "next": next,
    }))
}

/// The next deliveries of an endpoint, and where to go on.
fn deliveries(app: &App, endpoint: &Endpoint, asked: &Compare) -> Result<(Vec<Delivery>, Option<DeliveryId>), Problem> {
    let home = endpoint.home;
    let first = asked.after.unwrap_or_else(|| {
        let mut raw = [0; 16];
        raw[..6].copy_from_slice(&asked.since.ms().max(0).to_be_bytes()[2..]);
        DeliveryId::from_raw(raw)
    });
    let last = Delivery::row_key(&(home, DeliveryId::from_raw([0xff; 16])));
    let mut range = KeyRange::between(&Delivery::row_key(&(home, first)), &last);
    if asked.after.is_some() {
        range = range.after(&Delivery::row_key(&(home, first)));
    }
    let (mut found, mut seen) = (Vec::new(), 0);
    let next = records::walk(app.store(), &range, Order::Forward, |delivery: Delivery| {
        let id = delivery.id;
        seen += 1;
        if delivery.endpoint == endpoint.name {
            found.push(delivery);
        }
        if found.len() >= COMPARED_AT_ONCE || seen >= SEEN_AT_ONCE {
            ControlFlow::Break(id)
        } else {
            ControlFlow::Continue(())
        }
    })?;
    Ok((found, next))
}

/// The delivery that an id is of, and the item, when it is of one.
fn find(app: &App, id: &str) -> Result<(Delivery, Option<ItemId>), Problem> {
    let wrong = |error: &dyn std::fmt::Display| Problem::new(Code::ParameterInvalid, error.to_string());
    let missing = || Problem::new(Code::NotFound, format!("there is no {id} here (any more)"));
    let (delivery, item) = match id.split_once('_').map(|(prefix, _)| prefix) {
        Some(DeliveryId::PREFIX) => (id.parse::<DeliveryId>().map_err(|error| wrong(&error))?, None),
        Some(ItemId::PREFIX) => {
            let item = id.parse::<ItemId>().map_err(|error| wrong(&error))?;
            let (delivery, item) = views::holder(app, item.raw(), |held| held.id == item)?.ok_or_else(missing)?;
            (delivery, Some(item))
        }
        Some(EventId::PREFIX) => {
            let event = id.parse::<EventId>().map_err(|error| wrong(&error))?;
            let holds = |held: &_| views::events_of(held).iter().any(|held| held.id == event);
            let (delivery, item) = views::holder(app, event.raw(), holds)?.ok_or_else(missing)?;
            (delivery, Some(item))
        }
        _ => return Err(wrong(&format!("expected an id that begins with evt_, itm_ or dlv_, found {id:?}"))),
    };
    let delivery = views::find_delivery(app, delivery)?.ok_or_else(missing)?;
    Ok((delivery, item))
}

fn endpoint(app: &App, name: &str) -> Result<Arc<Endpoint>, Problem> {
    let gone = || Problem::new(Code::Conflict, format!("the endpoint {name:?} is not configured (any more)"));
    app.catalog().endpoint(name).ok_or_else(gone)
}

fn plugin(app: &App, endpoint: &Endpoint, digest: Option<&str>) -> Result<Plugin, Problem> {
    let Some(digest) = digest else { return Ok(endpoint.plugin.clone()) };
    let gone = || Problem::new(Code::Conflict, "the plugin is not loaded aside (any more): load it again");
    app.aside().filter(|plugin| plugin.digest() == digest).ok_or_else(gone)
}

/// Loads a plugin aside, in place of the last one, so that it can be tried. It is not installed. Gives what it is.
///
/// # Errors
/// 400 with a sentence for the plugin's author.
pub(crate) fn load_aside(app: &App, component: &[u8]) -> Result<Value, Problem> {
    let loaded = app.catalog().plugin_host().load_aside(component);
    let plugin = loaded.map_err(|error| Problem::new(Code::ParameterInvalid, format!("the plugin: {error}")))?;
    let shown = json!({"plugin": label(&plugin), "digest": plugin.digest()});
    app.set_aside(plugin);
    Ok(shown)
}

fn changes(item: &Examined) -> Vec<Change> {
    let was = item.was.as_ref().map(|(was, _)| &was.result);
    let was = match (was, &item.now) {
        (_, Now::Duplicate) => return Vec::new(),
        (Some(result), _) => Shape::stored(result),
        (None, _) => Shape::default(),
    };
    difference(&was, &shape(&item.now))
}

fn shape(now: &Now) -> Shape {
    match now {
        Now::Duplicate | Now::Absent => Shape::default(),
        Now::Outcome(outcome) => Shape::of(outcome),
        Now::Fails(failing) => Shape::parked(failing.parked()),
    }
}

fn report(item: &Examined) -> Value {
    let was = item.was.as_ref().map(|(was, by)| {
        let word = match was.result {
            ItemResult::Interpreted { .. } => "interpreted",
            ItemResult::Duplicate { .. } => "duplicate",
            ItemResult::Waiting { .. } => "waiting",
            ItemResult::Parked { .. } => "parked",
        };
        json!({"result": word, "plugin": by.plugin, "digest": by.digest, "at": by.at})
    });
    let now = match &item.now {
        Now::Duplicate => "duplicate",
        Now::Absent => "absent",
        Now::Outcome(_) => "interpreted",
        Now::Fails(_) => "parked",
    };
    let changes = changes(item);
    json!({"item": item.id, "topic": item.topic, "was": was, "now": now, "same": changes.is_empty(), "changes": changes})
}

fn applied(applied: &Applied) -> Value {
    match applied {
        Applied::Nothing(why) => json!({"result": "nothing", "why": why}),
        Applied::Written { events, runs } => json!({"result": "written", "new_events": events, "runs": runs}),
        Applied::Parked => json!({"result": "parked"}),
        Applied::Asked => json!({"result": "asked"}),
    }
}

#[cfg(test)]
mod tests;
