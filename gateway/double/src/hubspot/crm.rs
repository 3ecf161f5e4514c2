//! Contacts and deals: read by themselves, and contacts together. Made and changed by who plays a person.

use super::{Hubspot, Object, Shelf, refusal};
use crate::account::{Answer, Asked, Inside};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Most ids of one batch.
const MOST: usize = 100;
/// What an object shows when nothing is asked for.
const USUAL: &[&str] = &["firstname", "lastname", "email", "hs_object_id", "createdate", "lastmodifieddate"];

/// Answers what goes to the CRM; `None` when it goes elsewhere.
pub(super) fn answer(shelf: &Shelf, asked: &Asked) -> Option<Answer> {
    let path = asked.path.strip_prefix("/crm/v3/objects/")?;
    match (asked.method.as_str(), path) {
        ("POST", "contacts/batch/read") => Some(batch(shelf, asked)),
        ("GET", path) => {
            let (kind, id) = path.split_once('/')?;
            let kind = ["contacts", "deals"].into_iter().find(|known| *known == kind)?;
            let not_found = || refusal(404, "OBJECT_NOT_FOUND", "Object not found.  objectId are usually numeric.");
            let Ok(id) = id.parse() else { return Some(not_found()) };
            let query = asked.parameters();
            if let Some(unknown) = query.keys().find(|key| {
                !["properties", "propertiesWithHistory", "associations", "archived"].contains(&key.as_str())
            }) {
                return Some(refusal(400, "VALIDATION_ERROR", &format!("Unknown parameter {unknown}")));
            }
            let Some(object) = shelf.objects.get(&(kind, id)) else { return Some(not_found()) };
            Some(Answer::json(200, &shown(id, object, &query)))
        }
        _ => None,
    }
}

/// Those that are there; what is not is counted, with the status 207.
fn batch(shelf: &Shelf, asked: &Asked) -> Answer {
    let invalid = |words: &str| refusal(400, "VALIDATION_ERROR", words);
    let Ok(body) = serde_json::from_slice::<Value>(&asked.body) else { return invalid("Invalid input JSON") };
    let known = ["inputs", "properties", "propertiesWithHistory", "idProperty"];
    if let Some(unknown) = body.as_object().and_then(|body| body.keys().find(|key| !known.contains(&key.as_str()))) {
        return invalid(&format!("Unknown field {unknown}"));
    }
    let Some(inputs) = body["inputs"].as_array().filter(|inputs| !inputs.is_empty() && inputs.len() <= MOST) else {
        return invalid("inputs must have 1 to 100 objects");
    };
    let names = |name: &str| {
        let listed: Vec<&str> = body[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        (name.to_owned(), listed.join(","))
    };
    let query: BTreeMap<String, String> = [names("properties"), names("propertiesWithHistory")].into();
    let id = |input: &Value| input["id"].as_str().and_then(|id| id.parse::<u64>().ok());
    let found = inputs.iter().filter_map(|input| {
        let id = id(input)?;
        Some(shown(id, shelf.objects.get(&("contacts", id))?, &query))
    });
    let results: Vec<Value> = found.collect();
    let missing = inputs.len() - results.len();
    let mut body = json!({"status": "COMPLETE", "results": results, "startedAt": "2026-03-01T10:00:00.000Z", "completedAt": "2026-03-01T10:00:00.010Z"});
    if missing > 0 {
        body["numErrors"] = json!(1);
        body["errors"] = json!([{"status": "error", "category": "OBJECT_NOT_FOUND", "message": "Could not get some CONTACT objects, they may be deleted or not exist."}]);
    }
    Answer::json(if missing > 0 { 207 } else { 200 }, &body)
}

fn shown(id: u64, object: &Object, query: &BTreeMap<String, String>) -> Value {
    let listed = |name: &str| -> Vec<String> {
        let text = query.get(name).map(String::as_str).unwrap_or_default();
        text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    let asked = listed("properties");
    let asked = if asked.is_empty() { USUAL.iter().map(|name| (*name).to_owned()).collect() } else { asked };
    let mut properties = Map::new();
    for name in asked {
        // What nobody has set is shown as null.
        let value = object.properties.get(&name).and_then(|values| values.first()).map(|(value, _)| value.clone());
        properties.insert(name, json!(value));
    }
    let mut shown = json!({"id": id.to_string(), "properties": properties, "createdAt": utc(object.created_ms), "updatedAt": utc(object.updated_ms), "archived": false});
    for name in listed("propertiesWithHistory") {
        let values = object.properties.get(&name).into_iter().flatten();
        let values: Vec<Value> = values
            .map(|(value, at_ms)| json!({"value": value, "timestamp": utc(*at_ms), "sourceType": "CRM_UI"}))
            .collect();
        shown["propertiesWithHistory"][name] = json!(values);
    }
    if listed("associations").iter().any(|kind| kind == "contacts") && !object.contacts.is_empty() {
        let results: Vec<Value> =
            object.contacts.iter().map(|id| json!({"id": id.to_string(), "type": "deal_to_contact"})).collect();
        shown["associations"] = json!({"contacts": {"results": results}});
    }
    shown
}

fn utc(ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{at:.3}")
}

/// The values of an object, as texts.
fn texts(properties: &Value) -> impl Iterator<Item = (&String, String)> {
    let given = properties.as_object().into_iter().flatten();
    given.map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
}

impl Inside<Hubspot> {
    /// Makes an object, and tells what is subscribed to: its creation, and each of its properties.
    pub(super) fn make(&self, kind: &'static str, properties: &Value, contacts: Vec<u64>) -> u64 {
        let now_ms = self.clock.now_ms();
        let mut shelf = self.shelf();
        let id = 508_369_434_000 + shelf.next_id();
        let object = Object { properties: BTreeMap::new(), contacts, created_ms: now_ms, updated_ms: now_ms };
        shelf.objects.insert((kind, id), object);
        shelf.set(kind, id, properties, now_ms);
        let noun = kind.trim_end_matches('s');
        let mut changes = shelf.property_changes(noun, id, properties, now_ms);
        // As in live captures: the creation is not the first of them.
        let place = changes.len().min(1);
        changes.splice(place..place, shelf.change(noun, "creation", id, now_ms, &json!({"changeFlag": "CREATED"})));
        shelf.wait(changes);
        id
    }

    /// Changes an object, and tells what is subscribed to.
    pub(super) fn change(&self, kind: &'static str, id: u64, properties: &Value) {
        let now_ms = self.clock.now_ms();
        let mut shelf = self.shelf();
        shelf.set(kind, id, properties, now_ms);
        let changes = shelf.property_changes(kind.trim_end_matches('s'), id, properties, now_ms);
        shelf.wait(changes);
    }
}

impl Shelf {
    fn set(&mut self, kind: &'static str, id: u64, properties: &Value, now_ms: i64) {
        let Some(object) = self.objects.get_mut(&(kind, id)) else { return };
        object.updated_ms = now_ms;
        for (name, value) in texts(properties) {
            object.properties.entry(name.clone()).or_default().insert(0, (value, now_ms));
        }
    }

    fn property_changes(&mut self, noun: &str, id: u64, properties: &Value, now_ms: i64) -> Vec<Value> {
        let mut changes = Vec::new();
        for (name, value) in texts(properties) {
            let more = json!({"propertyName": name, "propertyValue": value});
            changes.extend(self.change(noun, "propertyChange", id, now_ms, &more));
        }
        changes
    }
}
