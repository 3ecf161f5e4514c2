//! The difference between two results of an item: event by event, field by field. Pure; it knows results as values, not how they came to be.

use crate::records::{ItemResult, Parked};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tidegate_model::outcome::{Done, Outcome};

/// Most changes that are told of one item; the rest is counted.
const MOST: usize = 200;

/// What changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    /// Interpreted, skipped, parked.
    Result,
    /// An event.
    Event,
    /// A trigger.
    Trigger,
    /// The plugin's state.
    State,
}

/// One change: a value is there that was not, or is gone, or is another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Change {
    /// Of what.
    pub what: What,
    /// Which: an event's kind and id, a trigger's name and event.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub of: String,
    /// JSON pointer of the field; absent when all of it came or went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<Value>,
    /// What it would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<Value>,
}

/// A result in a form that can be compared: what is listed is found by its name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Shape {
    result: Value,
    events: Map<String, Value>,
    triggers: Map<String, Value>,
    state: Option<String>,
}

impl Shape {
    /// Of an outcome.
    pub(crate) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done(done) => Self::of_done(done),
            Outcome::Skip(reason) => Self { result: json!({"skipped": reason}), ..Self::default() },
            Outcome::Need(requests) => Self { result: json!({"needs": requests}), ..Self::default() },
            Outcome::Failed(failure) => Self { result: json!({"failed": failure}), ..Self::default() },
        }
    }

    /// Of an item that is parked, or would be.
    pub(crate) fn parked(parked: &Parked) -> Self {
        Self { result: json!({"parked": parked}), ..Self::default() }
    }

    /// Of what is stored.
    pub(crate) fn stored(result: &ItemResult) -> Self {
        match result {
            ItemResult::Interpreted { outcome, .. } => Self::of(outcome),
            ItemResult::Parked { parked, .. } => Self::parked(parked),
            ItemResult::Waiting { hosts } => Self { result: json!({"waiting": hosts}), ..Self::default() },
            ItemResult::Duplicate { first } => Self { result: json!({"same_as": first}), ..Self::default() },
        }
    }

    fn of_done(done: &Done) -> Self {
        let mut shape = Self { result: json!("interpreted"), state: done.state.clone(), ..Self::default() };
        let name = |place: usize| {
            done.events.get(place).map_or_else(|| "no event".to_owned(), |event| format!("{} {}", event.kind, event.id))
        };
        for (place, event) in done.events.iter().enumerate() {
            add(&mut shape.events, &name(place), plain(event));
        }
        for trigger in &done.triggers {
            let key = format!("{} of {}", trigger.name, name(trigger.event));
            add(&mut shape.triggers, &key, Value::Object(trigger.variables.clone()));
        }
        shape
    }
}

/// A value as it is when it was written down and read again: a stored one was.
fn plain(value: &impl Serialize) -> Value {
    let text = serde_json::to_vec(value).ok();
    text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or(Value::Null)
}

/// Adds under a name; another of the same name gets a number.
fn add(map: &mut Map<String, Value>, name: &str, value: Value) {
    let mut free = name.to_owned();
    let mut count = 1;
    while map.contains_key(&free) {
        count += 1;
        free = format!("{name} ({count})");
    }
    map.insert(free, value);
}

/// Every change from one result to another; none when they are the same.
pub(crate) fn difference(was: &Shape, now: &Shape) -> Vec<Change> {
    let mut found = Vec::new();
    if was.result != now.result {
        let change = |was, now| Change { what: What::Result, of: String::new(), field: None, was, now };
        found.push(change(Some(was.result.clone()), Some(now.result.clone())));
    }
    named(What::Event, &was.events, &now.events, &mut found);
    named(What::Trigger, &was.triggers, &now.triggers, &mut found);
    if was.state != now.state {
        let value = |state: &Option<String>| state.clone().map(Value::String);
        let (was, now) = (value(&was.state), value(&now.state));
        found.push(Change { what: What::State, of: String::new(), field: None, was, now });
    }
    found.truncate(MOST);
    found
}

fn named(what: What, was: &Map<String, Value>, now: &Map<String, Value>, found: &mut Vec<Change>) {
    for (name, before) in was {
        match now.get(name) {
            Some(after) => fields(&Place { what, of: name, field: String::new() }, before, after, found),
            None => {
                let was = Some(before.clone());
                found.push(Change { what, of: name.clone(), field: None, was, now: None });
            }
        }
    }
    for (name, after) in now.iter().filter(|(name, _)| !was.contains_key(*name)) {
        found.push(Change { what, of: name.clone(), field: None, was: None, now: Some(after.clone()) });
    }
}

struct Place<'a> {
    what: What,
    of: &'a str,
    field: String,
}

impl Place<'_> {
    fn below(&self, name: &str) -> Self {
        let name = name.replace('~', "~0").replace('/', "~1");
        Self { field: format!("{}/{name}", self.field), ..*self }
    }

    fn change(&self, was: Option<&Value>, now: Option<&Value>) -> Change {
        let field = Some(self.field.clone());
        Change { what: self.what, of: self.of.to_owned(), field, was: was.cloned(), now: now.cloned() }
    }
}

fn fields(place: &Place<'_>, was: &Value, now: &Value, found: &mut Vec<Change>) {
    match (was, now) {
        (Value::Object(was), Value::Object(now)) => {
            for (name, before) in was {
                match now.get(name) {
                    Some(after) => fields(&place.below(name), before, after, found),
                    None => found.push(place.below(name).change(Some(before), None)),
                }
            }
            let added = now.iter().filter(|(name, _)| !was.contains_key(*name));
            found.extend(added.map(|(name, after)| place.below(name).change(None, Some(after))));
        }
        (Value::Array(was), Value::Array(now)) => {
            for index in 0..was.len().max(now.len()) {
                let place = place.below(&index.to_string());
                match (was.get(index), now.get(index)) {
                    (Some(before), Some(after)) => fields(&place, before, after, found),
                    (before, after) => found.push(place.change(before, after)),
                }
            }
        }
        _ if was == now => {}
        _ => found.push(place.change(Some(was), Some(now))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tidegate_model::outcome::Failure;

    fn shape(events: Value, triggers: Value, state: Option<&str>) -> Shape {
        let map = |value: Value| value.as_object().cloned().unwrap_or_default();
        Shape {
            result: json!("interpreted"),
            events: map(events),
            triggers: map(triggers),
            state: state.map(str::to_owned),
        }
    }

    fn check(was: &Shape, now: &Shape, expected: &[&str]) {
        let line = |change: &Change| {
            let text = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
            let field = change.field.as_deref().unwrap_or_default();
            format!("{:?} {}{field}: {} → {}", change.what, change.of, text(&change.was), text(&change.now))
        };
        let found: Vec<String> = difference(was, now).iter().map(line).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn fields_events_triggers_and_state_are_told_one_by_one() {
        let was = shape(json!({"a": {"n": 1, "same": [1], "list": [1, 2], "gone": null}}), json!({"t": {}}), Some("s"));
        let now = shape(json!({"a": {"n": 2, "same": [1], "list": [1], "n/w": true}, "b": {}}), json!({}), None);
        check(
            &was,
            &now,
            &[
                "Event a/n: 1 → 2",
                "Event a/list/1: 2 → -",
                "Event a/gone: null → -",
                "Event a/n~1w: - → true",
                "Event b: - → {}",
                "Trigger t: {} → -",
                "State : \"s\" → -",
            ],
        );
        check(&was, &was, &[]);
    }

    #[test]
    fn what_was_parked_and_is_read_now_is_a_change_of_its_result() {
        let parked = Shape::parked(&Parked::new(Some("/id".to_owned()), "no id"));
        let done = Shape::of(&Outcome::Done(Done::default()));
        check(&parked, &done, &["Result : {\"parked\":{\"field\":\"/id\",\"reason\":\"no id\"}} → \"interpreted\""]);
        check(&parked, &parked.clone(), &[]);
        let skip = Shape::of(&Outcome::Skip("of no interest".to_owned()));
        check(&done, &skip, &["Result : \"interpreted\" → {\"skipped\":\"of no interest\"}"]);
        let failure = Failure { field: None, reason: "x".to_owned(), retryable: false };
        assert_ne!(Shape::of(&Outcome::Failed(failure)), done);
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-c/~]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-c/~]{0,2}", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn there_is_a_difference_just_where_values_differ(was in json_value(), now in json_value()) {
            let of = |value: &Value| shape(json!({"e": value}), json!({}), None);
            prop_assert_eq!(difference(&of(&was), &of(&now)).is_empty(), was == now);
            for change in difference(&of(&was), &of(&now)) {
                let field = change.field.unwrap();
                prop_assert_eq!(was.pointer(&field).cloned(), change.was);
                prop_assert_eq!(now.pointer(&field).cloned(), change.now);
            }
        }
    }
}
