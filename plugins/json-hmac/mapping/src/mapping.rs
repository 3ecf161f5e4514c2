//! A whole mapping: which events an item makes.

use crate::{
    Expression, Fault, Fillings, Source,
    fields::{CONTACT, FOREIGN_NOUNS, KINDS, Record, Shape},
    settings::{Reader, did_you_mean, is_code, join},
    zone,
};
use serde_json::Value;

/// Most event mappings of one connection: each is looked at for every item.
const MAX_EVENTS: usize = 64;
/// Most triggers of one event mapping.
const MAX_TRIGGERS: usize = 16;
/// Longest kind, as the model has it.
const KIND_BYTES: usize = 64;

/// What the settings of a connection say.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// Zone of dates and times that are written without one: an IANA name or an offset.
    pub time_zone: Option<String>,
    /// Country of phones that are written without a country code.
    pub country: Option<String>,
    /// In their order. Every one whose condition holds makes an event.
    pub events: Vec<EventMapping>,
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct EventMapping {
    /// When it is made; always, when absent.
    pub when: Option<Expression>,
    /// Its kind.
    pub kind: String,
    /// What tells it from other events of its kind of the same item.
    pub key: Option<Source>,
    /// When it happened; else when the webhook was received.
    pub at: Option<Source>,
    /// When the provider last changed the thing.
    pub version: Option<Source>,
    /// Who it is about.
    pub contact: Fillings,
    /// Its details.
    pub payload: PayloadMapping,
    /// More details.
    pub extra: Vec<(String, Source)>,
    /// What it means beside itself.
    pub triggers: Vec<TriggerMapping>,
}

/// Details of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum PayloadMapping {
    /// Of a canonical kind: the key of its table, and its fields.
    Record(&'static str, Fillings),
    /// Of a kind of one's own: values by name.
    Custom(Vec<(String, Source)>),
}

/// A trigger.
#[derive(Debug, Clone, PartialEq)]
pub struct TriggerMapping {
    /// Its name, in kebab-case.
    pub name: String,
    /// When it is given; always, when absent.
    pub when: Option<Expression>,
    /// Variables for flows.
    pub variables: Vec<(String, Source)>,
}

impl Mapping {
    /// Reads settings (a JSON object as text).
    ///
    /// # Errors
    /// Everything that is wrong, with its key.
    pub fn read(settings: &str) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::default();
        let mapping = match serde_json::from_str(settings) {
            Ok(value) => read(&mut reader, &value),
            Err(error) => reader.wrong("", format!("expected a JSON object: {error}")),
        };
        match mapping {
            Some(mapping) if reader.faults.is_empty() => Ok(mapping),
            _ => Err(reader.faults),
        }
    }

    /// Reads settings, and looks at what reading alone leaves for the day it is needed: the time zone.
    ///
    /// # Errors
    /// Everything that is wrong, with its key.
    pub fn check(settings: &str) -> Result<Self, Vec<Fault>> {
        let mapping = Self::read(settings)?;
        match &mapping.time_zone {
            Some(name) if zone(name).is_none() => {
                let problem =
                    format!("expected a zone such as Europe/Rome or an offset such as +02:00, found {name:?}");
                Err(vec![Fault { key: "time_zone".to_owned(), problem }])
            }
            _ => Ok(mapping),
        }
    }
}

fn read(reader: &mut Reader, value: &Value) -> Option<Mapping> {
    let table = reader.table("", value, &["events", "time_zone", "country"])?;
    let time_zone = table.get("time_zone").and_then(|zone| reader.text("time_zone", zone)).map(str::to_owned);
    let country = table.get("country").and_then(|country| match country.as_str() {
        Some(code) if is_code(code, 2) => Some(code.to_owned()),
        _ => reader.wrong("country", "expected a country of two letters, such as \"IT\""),
    });
    let Some(events) = table.get("events") else {
        return reader.wrong(
            "events",
            "this key is required: say which events a webhook makes, in [[connections.settings.events]]",
        );
    };
    let events = reader.list("events", events)?;
    if events.is_empty() || events.len() > MAX_EVENTS {
        return reader.wrong("events", format!("expected 1 to {MAX_EVENTS} event mappings, found {}", events.len()));
    }
    let places = events.iter().enumerate();
    let events = places.filter_map(|(place, value)| event(reader, &join("events", place), value)).collect();
    Some(Mapping { time_zone, country, events })
}

/// Keys of an event mapping beside the table of its payload.
const EVENT_KEYS: [&str; 8] = ["when", "kind", "key", "at", "version", "contact", "extra", "trigger"];

fn event(reader: &mut Reader, key: &str, value: &Value) -> Option<EventMapping> {
    let Some(kind) = value.get("kind") else {
        return reader.wrong(&join(key, "kind"), "this key is required: what happened, such as order.placed");
    };
    let kind = reader.text(&join(key, "kind"), kind)?;
    let record = record_of(reader, &join(key, "kind"), kind)?;
    let payload_key = record.map_or("custom", |record| record.key);
    let known: Vec<&str> = EVENT_KEYS.iter().copied().chain([payload_key]).collect();
    let table = reader.table(key, value, &known)?;
    let mut source =
        |name: &str, shape| table.get(name).and_then(|value| reader.source(&join(key, name), shape, value));
    let (event_key, at, version) =
        (source("key", Shape::Text), source("at", Shape::Instant), source("version", Shape::Instant));
    let when = table.get("when").and_then(|value| reader.expression(&join(key, "when"), value));
    let contact = table.get("contact").and_then(|value| reader.record(&join(key, "contact"), &CONTACT, value));
    let extra = table.get("extra").and_then(|value| reader.named(&join(key, "extra"), value));
    let triggers = table.get("trigger").map(|value| triggers(reader, &join(key, "trigger"), value)).unwrap_or_default();
    let payload = payload(reader, &join(key, payload_key), record, table.get(payload_key));
    Some(EventMapping {
        when,
        kind: kind.to_owned(),
        key: event_key,
        at,
        version,
        contact: contact.unwrap_or_default(),
        payload: payload?,
        extra: extra.unwrap_or_default(),
        triggers,
    })
}

/// The table of a kind; none for one's own kind.
fn record_of(reader: &mut Reader, key: &str, kind: &str) -> Option<Option<&'static Record>> {
    if let Some((_, record)) = KINDS.iter().find(|(known, _)| *known == kind) {
        return Some(Some(*record));
    }
    let word = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let near = did_you_mean(kind, KINDS.iter().map(|(known, _)| *known));
    match kind.split_once('.') {
        Some((noun, verb)) if word(noun) && word(verb) && kind.len() <= KIND_BYTES => {
            if FOREIGN_NOUNS.contains(&noun) {
                return reader.wrong(
                    key,
                    format!(
                        "{noun}.* comes from the plugin of a channel; name a kind of your own, such as desk.{verb}"
                    ),
                );
            }
            // A noun of the model with a verb that it does not have is a slip, not a kind of one's own.
            if KINDS.iter().any(|(known, _)| known.split('.').next() == Some(noun)) {
                return reader.wrong(key, format!("there is no kind {kind:?}{near}"));
            }
            Some(None)
        }
        _ => reader.wrong(
            key,
            format!("expected a kind of the form noun.verb in lower case, such as order.placed, found {kind:?}{near}"),
        ),
    }
}

fn payload(
    reader: &mut Reader,
    key: &str,
    record: Option<&'static Record>,
    value: Option<&Value>,
) -> Option<PayloadMapping> {
    let Some(record) = record else {
        let named = value.map_or(Some(Vec::new()), |value| reader.named(key, value));
        return named.map(PayloadMapping::Custom);
    };
    let fillings = match value {
        Some(value) => reader.record(key, record, value)?,
        None if record.fields.iter().any(|field| field.required) => {
            return reader
                .wrong(key, format!("this table is required for the kind, as in {} = {{ id = \"/id\" }}", record.key));
        }
        None => Fillings::default(),
    };
    Some(PayloadMapping::Record(record.key, fillings))
}

/// One trigger, or a list of them.
fn triggers(reader: &mut Reader, key: &str, value: &Value) -> Vec<TriggerMapping> {
    let Value::Array(items) = value else { return trigger(reader, key, value).into_iter().collect() };
    if items.len() > MAX_TRIGGERS {
        reader.wrong::<()>(key, format!("expected at most {MAX_TRIGGERS} triggers, found {}", items.len()));
    }
    let places = items.iter().enumerate();
    places.filter_map(|(place, item)| trigger(reader, &join(key, place), item)).collect()
}

fn trigger(reader: &mut Reader, key: &str, value: &Value) -> Option<TriggerMapping> {
    let table = reader.table(key, value, &["name", "when", "variables"])?;
    let name = match table.get("name").and_then(Value::as_str) {
        Some(name) if is_kebab_case(name) => Some(name.to_owned()),
        _ => reader.wrong(&join(key, "name"), "expected lower-case words joined by `-`, such as big-order"),
    };
    let when = table.get("when").and_then(|value| reader.expression(&join(key, "when"), value));
    let variables = table.get("variables").and_then(|value| reader.named(&join(key, "variables"), value));
    Some(TriggerMapping { name: name?, when, variables: variables.unwrap_or_default() })
}

fn is_kebab_case(text: &str) -> bool {
    let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= 128 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.split('-').all(word)
}

#[cfg(test)]
mod tests;
