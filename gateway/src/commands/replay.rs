//! Replay: stored deliveries are interpreted again, and the difference to what was made of them is shown. Nothing is written, unless that is asked for.

use crate::{
    app::App,
    catalog::Endpoint,
    depot::{Build, Depot, Reference, Shelf},
    difference::{Change, Shape, difference},
    http::{Code, Problem},
    pipeline::{Applied, Examined, Now, ReplayRequest, apply, examine, interpretations_of, label},
    records::{Delivery, Interpretation, ItemResult},
    views,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{ops::ControlFlow, sync::Arc, time::Duration};
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
    /// Another plugin than the one that is active: the digest of one that was loaded aside or is here, or `id@version`.
    #[serde(default)]
    pub plugin: Option<String>,
    /// The build that interpreted it then, in place of the one that is active.
    #[serde(default)]
    pub as_then: bool,
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
    /// Held against what this one makes of it, in place of what was made of it then: named as `plugin` is.
    #[serde(default)]
    pub against: Option<String>,
    /// Only items of this connection.
    #[serde(default)]
    pub connection: Option<String>,
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
    let then = if asked.as_then { Some(build_of_then(app, &delivery, only)?) } else { None };
    let plugin = plugin(app, then.as_deref().or(asked.plugin.as_deref()))?;
    let refetch = asked.refetch;
    let request = ReplayRequest { plugin: plugin.as_ref(), endpoint: &endpoint, delivery: &delivery, only, refetch };
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
        "plugin": label(request.cuts()),
        "digest": request.cuts().digest(),
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
    let by = plugin(app, asked.plugin.as_deref())?;
    let against = plugin(app, asked.against.as_deref())?;
    let (deliveries, next) = deliveries(app, &endpoint, asked)?;
    let mut sum = Comparison::default();
    for delivery in &deliveries {
        let request = ReplayRequest { plugin: by.as_ref(), endpoint: &endpoint, delivery, only: None, refetch: false };
        let examined = examine(app, &Handle::current(), &request)?;
        let before = match &against {
            Some(plugin) => Some(examine(app, &Handle::current(), &ReplayRequest { plugin: Some(plugin), ..request })?),
            None => None,
        };
        for item in examined.iter().filter(|item| concerns(&endpoint, item, asked)) {
            let was = before.as_ref().map(|before| before.iter().find(|held| held.id == item.id));
            sum.add(delivery.id, item, was);
        }
    }
    let measured = against.is_some();
    Ok(json!({
        "plugin": label(by.as_ref().unwrap_or(&endpoint.plugin)),
        "against": against.as_ref().map(label),
        "deliveries": deliveries.len(),
        "unchanged": sum.unchanged,
        "different": sum.different,
        "failing": sum.failing,
        "newly_failing": sum.newly_failing,
        "mended": sum.mended,
        "now_us": sum.now_us,
        "before_us": measured.then_some(sum.before_us),
        "differences": sum.told,
        "at": next.map(|id| Timestamp::from_ms(id.root_ms())),
        "now": app.now(),
        "next": next,
    }))
}

/// What came of comparing items.
#[derive(Default)]
struct Comparison {
    unchanged: usize,
    different: usize,
    /// Items that would be parked.
    failing: usize,
    /// Of these, the ones that are not.
    newly_failing: usize,
    /// Items that are parked, and would not be.
    mended: usize,
    now_us: u64,
    before_us: u64,
    told: Vec<Value>,
}

impl Comparison {
    /// `was` is what another build makes of it now; without one, it is held against what was made of it then.
    fn add(&mut self, delivery: DeliveryId, item: &Examined, was: Option<Option<&Examined>>) {
        let failed = match was {
            Some(was) => was.is_some_and(|was| matches!(was.now, Now::Fails(_))),
            None => item.was.as_ref().is_some_and(|(was, _)| matches!(was.result, ItemResult::Parked { .. })),
        };
        let fails = matches!(item.now, Now::Fails(_));
        self.now_us += micros(item.took);
        self.before_us += was.flatten().map_or(0, |was| micros(was.took));
        self.failing += usize::from(fails);
        self.newly_failing += usize::from(fails && !failed);
        self.mended += usize::from(failed && !fails && !matches!(item.now, Now::Absent));
        let changes = match was {
            Some(was) => difference(&was.map_or_else(Shape::default, |was| shape(&was.now)), &shape(&item.now)),
            None => changes(item),
        };
        if changes.is_empty() {
            self.unchanged += 1;
            return;
        }
        self.different += 1;
        if self.told.len() < TOLD_AT_ONCE {
            let mut report = report(item);
            report["delivery"] = json!(delivery);
            report["same"] = json!(false);
            report["changes"] = json!(changes);
            self.told.push(report);
        }
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

/// Whether a comparison is about this item. One of builds leaves out connections that run a build of their own, unless it is about that connection.
fn concerns(endpoint: &Endpoint, item: &Examined, asked: &Compare) -> bool {
    match (&asked.connection, &item.connection) {
        (Some(wanted), Some(of)) => of.name == *wanted,
        (Some(_), None) => false,
        (None, Some(of)) => asked.against.is_none() || of.interpreter.digest == endpoint.plugin_digest,
        (None, None) => true,
    }
}

/// The build that interpreted a delivery, or one item of it.
fn build_of_then(app: &App, delivery: &Delivery, only: Option<ItemId>) -> Result<String, Problem> {
    let rows = interpretations_of(app, delivery.workspace, delivery.id)?;
    let of_row = |row: &Interpretation| {
        let item = row.items.iter().find(|item| only.is_none_or(|only| only == item.id))?;
        Some(row.by(item).digest)
    };
    let digest = rows.iter().find_map(of_row);
    digest.ok_or_else(|| Problem::new(Code::Conflict, "it is not interpreted yet: there is no build of then"))
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

/// The plugin of this digest, or `id@version`: in use, loaded aside, or here.
fn plugin(app: &App, name: Option<&str>) -> Result<Option<Plugin>, Problem> {
    let Some(name) = name else { return Ok(None) };
    let shelf = Shelf::load(app.store())?;
    let build = match Reference::parse(name) {
        Ok(Reference::Version { id, version, .. }) => {
            Some(shelf.version(&id, &version).map_err(|problem| Problem::new(Code::NotFound, problem))?)
        }
        _ => shelf.by_digest(name),
    };
    let digest = build.as_ref().map_or_else(|| name.to_owned(), Build::digest);
    let held = app.catalog().plugin_of(&digest).or_else(|| app.aside().filter(|plugin| plugin.digest() == digest));
    if held.is_some() {
        return Ok(held);
    }
    let gone = || {
        let short = digest.get(..12).unwrap_or(&digest);
        Problem::new(
            Code::Conflict,
            format!(
                "the build {short} of the plugin is neither installed nor loaded aside (any more): install it, or load it again"
            ),
        )
    };
    let depot = Depot::new(&app.data().join(super::PLUGINS));
    let component =
        build.ok_or_else(gone)?.component(Some(&depot)).map_err(|problem| Problem::new(Code::Conflict, problem))?;
    let loaded = app.catalog().plugin_host().load(&component);
    let plugin = loaded.map_err(|error| Problem::new(Code::Conflict, format!("the plugin: {error}")))?;
    app.set_aside(plugin.clone());
    Ok(Some(plugin))
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
