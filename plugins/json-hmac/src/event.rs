//! From an item to its events and triggers: every mapping whose condition holds makes one, in their order.

use crate::{contact, payload, reading::Reading};
use std::borrow::Cow;
use tidegate_json_mapping::{Budget, EventMapping, Expression, Fillings, Json, Mapping, PayloadMapping, Scope};
use tidegate_plugin_sdk::{Error, Event, Interpretation, Item};

/// Longest event key, in bytes: the contract's limit.
const KEY_BYTES: usize = 128;

/// The events of an item.
pub(crate) fn events(mapping: &Mapping, item: &Item) -> Result<Interpretation, Error> {
    let body = Json::parse(&item.body).map_err(|error| Error::new(error.to_string()))?;
    let envelope =
        Json::parse(item.envelope.as_deref().unwrap_or("null")).map_err(|error| Error::new(error.to_string()))?;
    let pair = |name: &'_ str, value: &'_ str| (Cow::Owned(name.to_owned()), Json::Text(Cow::Owned(value.to_owned())));
    let headers = Json::Object(item.headers.iter().map(|header| pair(&header.name, &header.value)).collect());
    let budget = Budget::default();
    let scope = Scope {
        topic: &item.topic,
        body: &body,
        headers: &headers,
        envelope: &envelope,
        received_at: &item.received_at,
        it: None,
        budget: &budget,
    };
    let mut found = Interpretation::default();
    for (place, event) in mapping.events.iter().enumerate() {
        let path = format!("events.{place}");
        if holds(event.when.as_ref(), &scope, &path)? {
            add(&mut found, &One { mapping, event, scope, item, path: &path })?;
        }
    }
    if found.events.is_empty() {
        return Err(Error::skip(format!("no event mapping's `when` holds for the topic {:?}", item.topic)));
    }
    Ok(found)
}

fn holds<'a>(when: Option<&'a Expression>, scope: &Scope<'a>, path: &str) -> Result<bool, Error> {
    let Some(when) = when else { return Ok(true) };
    when.holds(scope).map_err(|error| Error::new(format!("{path}.when: the expression {:?}: {error}", when.source())))
}

/// One mapping and one item.
struct One<'o, 'a> {
    mapping: &'a Mapping,
    event: &'a EventMapping,
    scope: Scope<'a>,
    item: &'a Item,
    path: &'o str,
}

impl<'a> One<'_, 'a> {
    fn reading<'r>(&self, path: &'r str, fillings: &'a Fillings) -> Reading<'r, 'a> {
        Reading { mapping: self.mapping, scope: self.scope, fillings, path, base: "" }
    }
}

fn add<'a>(found: &mut Interpretation, one: &One<'_, 'a>) -> Result<(), Error> {
    let One { event, item, path, .. } = one;
    let (key, fields) = match &event.payload {
        PayloadMapping::Record(key, fields) => (*key, fields),
        // Its values have no fields of a record.
        PayloadMapping::Custom(_) => ("custom", &event.contact),
    };
    let (details_path, contact_path) = (format!("{path}.{key}"), format!("{path}.contact"));
    let around = one.reading(path, &event.contact);
    let (payload, id) = payload::read(&one.reading(&details_path, fields), &event.payload, &item.id)?;
    let contact = contact::read(&one.reading(&contact_path, &event.contact))?;
    let own_key = event.key.as_ref().map_or(Ok(None), |source| around.text_of("key", source))?;
    let at = event.at.as_ref().map_or(Ok(None), |source| around.instant_of("at", source))?;
    let version = event.version.as_ref().map_or(Ok(None), |source| around.instant_of("version", source))?;
    let event_key = event_key(found, &event.kind, own_key.as_deref());
    if event_key.len() > KEY_BYTES {
        return Err(around.wrong("key", event.key.as_ref(), "a text of at most 60 bytes", None));
    }
    let external = (key == "change").then(|| around.text("external_id")).transpose()?.flatten();
    let made = Event::new(&event.kind, &event_key, at.as_deref().unwrap_or(&item.received_at));
    let mut made = made.with_contact(contact).with_payload(payload).with_extra(around.named(&event.extra)?);
    if let Some(id) = id.or(external).or(own_key) {
        let noun = event.kind.split('.').next().unwrap_or_default();
        made = made.with_entity(noun, &id, version.as_deref());
    }
    found.events.push(made);
    for (place, trigger) in event.triggers.iter().enumerate() {
        let path = format!("{path}.trigger.{place}");
        if holds(trigger.when.as_ref(), &one.scope, &path)? {
            let variables = one.reading(&path, &event.contact).named(&trigger.variables)?;
            *found = std::mem::take(found).with_trigger(&trigger.name, &event_key, variables.finish());
        }
    }
    Ok(())
}

/// The kind and the mapping's own key; numbered when another event of the item has it.
fn event_key(found: &Interpretation, kind: &str, own: Option<&str>) -> String {
    let key = own.map_or_else(|| kind.to_owned(), |own| format!("{kind}:{own}"));
    let taken = |key: &str| found.events.iter().any(|event| event.event_key == key);
    if !taken(&key) {
        return key;
    }
    (2..).map(|number| format!("{key}#{number}")).find(|key| !taken(key)).unwrap_or(key)
}
