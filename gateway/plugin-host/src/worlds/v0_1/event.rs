//! One event of a plugin's answer: its kind, its payload, and that they fit each other.

use super::{
    bindings::tidegate::plugin::types as wit,
    contact, payload,
    read::{Bad, Inside, Read, instant, maybe_instant, object, required},
};
use crate::{
    manifest::Manifest,
    own_kinds::{Mismatch, OwnKinds, SchemaBudget},
    promote::{Unfit, promote},
};
use tidegate_model::{
    EventId,
    event::{Entity, Event, Kind, Payload},
    outcome::Item,
};

/// Largest `extra`, in bytes.
const EXTRA_BYTES: usize = 256 << 10;

/// Where an event comes from.
pub(super) struct Source<'s> {
    pub(super) manifest: &'s Manifest,
    pub(super) own_kinds: &'s OwnKinds,
    pub(super) schema_budget: SchemaBudget,
    pub(super) connection: &'s str,
    pub(super) item: &'s Item,
}

pub(super) fn read(source: &Source<'_>, event: wit::Event) -> Read<Event> {
    let kind = kind(source.manifest, event.kind)?;
    fits(&kind, &event.payload, source.own_kinds)?;
    let item = source.item;
    let mut payload = payload::read(event.payload)?;
    if let Payload::Custom(value) = &payload {
        let checked = source.own_kinds.check(kind.as_str(), value, &source.schema_budget);
        checked.map_err(|Mismatch { pointer, reason }| Bad::new(&format!("custom{pointer}"), reason))?;
    }
    let mut extra = object("extra", &event.extra, EXTRA_BYTES)?;
    promote(&mut payload, &mut extra).map_err(|Unfit { key, reason }| Bad::new(key, reason).inside("extra"))?;
    Ok(Event {
        id: EventId::derive(item.id.root_ms(), &[item.id.raw(), b"event", event.event_key.as_bytes()]),
        connection: source.connection.to_owned(),
        occurred_at: instant("occurred-at", &event.occurred_at)?,
        entity: event.entity.map(entity).transpose().inside("entity")?,
        contact: event.contact.map(|info| contact::read(source.connection, info)).transpose().inside("contact")?,
        payload,
        extra,
        kind,
    })
}

fn kind(manifest: &Manifest, text: String) -> Read<Kind> {
    let kind = Kind::new(text).map_err(|error| Bad::new("kind", error.to_string()))?;
    if !kind.is_canonical() && !manifest.declares(kind.as_str()) {
        let reason = format!(
            "{kind} is no kind of the canonical model; declare it in plugin.toml: [[events]] kind = \"{kind}\""
        );
        return Err(Bad::new("kind", reason));
    }
    Ok(kind)
}

fn entity(entity: wit::Entity) -> Read<Entity> {
    Ok(Entity {
        entity_type: required("entity-type", entity.entity_type)?,
        id: required("id", entity.id)?,
        version: maybe_instant("version", entity.version)?,
    })
}

/// A canonical kind has the payload of its noun; a plugin's own kind may have any, but for `custom` when it has a schema.
fn fits(kind: &Kind, payload: &wit::Payload, own_kinds: &OwnKinds) -> Read<()> {
    let expected = match kind.as_str() {
        "message.status_changed" => "status",
        canonical if kind.is_canonical() => canonical.split('.').next().unwrap_or_default(),
        own if own_kinds.has(own) => "custom",
        _ => return Ok(()),
    };
    let found = payload::name(payload);
    if expected == found {
        return Ok(());
    }
    Err(Bad::new("payload", format!("{kind} has the payload `{expected}`, found `{found}`")))
}
