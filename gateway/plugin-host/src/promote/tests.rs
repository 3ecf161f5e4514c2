//! Each key: where it goes, and what it must be; and that the documentation has all of them.

use super::*;
use serde_json::json;
use tidegate_model::event::{Cart, Order, Shipment};

fn payload(case: &str) -> Payload {
    match case {
        "order" => Payload::Order(Box::default()),
        "shipment" => Payload::Shipment(Box::default()),
        other => panic!("no payload {other}"),
    }
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("no object: {other}"),
    }
}

/// A good value, one that is not, and what is said of it.
fn values(what: &str) -> (Value, Value, &'static str) {
    match what {
        "text" => (json!("a text"), json!(1), "expected a text, found a number"),
        "boolean" => (json!(true), json!("yes"), "expected true or false, found a text"),
        "instant" => (json!("2026-03-30T14:30:00.000Z"), json!([]), "expected an instant as text, found an array"),
        other => panic!("nothing is {other}"),
    }
}

#[test]
fn a_documented_key_becomes_a_field_and_leaves_extra() {
    for (case, key, what) in KEYS {
        let (good, bad, reason) = values(what);
        let mut extra = map(json!({"before": 1, *key: good, "after": 2}));
        let mut promoted = payload(case);
        promote(&mut promoted, &mut extra).unwrap();
        assert_eq!(Value::Object(extra), json!({"before": 1, "after": 2}), "{key}");
        let shown = serde_json::to_value(&promoted).unwrap();
        assert_eq!(shown[case][key], good, "{key}: {shown}");

        let mut extra = map(json!({*key: bad}));
        let unfit = promote(&mut payload(case), &mut extra).unwrap_err();
        assert_eq!((unfit.key, unfit.reason.as_str()), (*key, reason));

        let mut extra = map(json!({*key: null}));
        let mut same = payload(case);
        promote(&mut same, &mut extra).unwrap();
        assert_eq!((same, extra.len()), (payload(case), 0), "{key}: null is no value");
    }
}

#[test]
fn a_key_of_another_payload_stays_where_it_is() {
    let all: Map<String, Value> = KEYS.iter().map(|(_, key, _)| ((*key).to_owned(), json!({}))).collect();
    let mut extra = all.clone();
    promote(&mut Payload::Cart(Box::<Cart>::default()), &mut extra).unwrap();
    assert_eq!(extra, all);
    let mut extra = map(json!({"pickup_point": 1}));
    promote(&mut Payload::Order(Box::<Order>::default()), &mut extra).unwrap();
    assert_eq!(extra.len(), 1);
    let mut extra = map(json!({"pickup_point": " "}));
    let mut shipment = Payload::Shipment(Box::<Shipment>::default());
    promote(&mut shipment, &mut extra).unwrap();
    assert_eq!(shipment, payload("shipment"), "a text without characters is none");
}

#[test]
fn the_documentation_lists_the_keys() {
    let documentation = include_str!("../../../../docs/plugins.md");
    let listed: Vec<Vec<&str>> = documentation
        .lines()
        .skip_while(|line| !line.starts_with("| Payload | Key of `extra`"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').map(|cell| cell.trim().trim_matches('`')).collect())
        .collect();
    let listed: Vec<(&str, &str, &str)> = listed.iter().map(|cells| (cells[1], cells[2], cells[3])).collect();
    assert_eq!(listed, KEYS);
}
