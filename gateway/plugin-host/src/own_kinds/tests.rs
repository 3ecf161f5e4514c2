//! Schemas that are used and schemas that are refused; payloads that fit and payloads that do not.

use super::*;
use serde_json::json;

fn kinds(schema: Value) -> Result<OwnKinds, (usize, String)> {
    let event = |kind: &str, schema| OwnEvent { kind: kind.to_owned(), description: String::new(), schema };
    OwnKinds::new(&[event("free.said", None), event("warranty.registered", Some(schema))])
}

/// What is said of a payload: `pointer: reason`.
fn check(kinds: &OwnKinds, payload: &Value) -> Option<String> {
    let found = kinds.check("warranty.registered", payload, &SchemaBudget::default()).err()?;
    Some(format!("{}: {}", found.pointer, found.reason))
}

#[test]
fn a_payload_that_is_not_as_its_schema_says_is_told_where_without_its_value() {
    let schema = json!({
        "type": "object",
        "required": ["serial"],
        "properties": {
            "serial": {"$ref": "#/$defs/serial"},
            "owner": {"type": "object", "properties": {"email": {"type": "string", "pattern": "^[^@]+@[^@]+$"}}},
        },
        "additionalProperties": false,
        "$defs": {"serial": {"type": "integer", "minimum": 1}},
    });
    let kinds = kinds(schema).unwrap();
    assert!(kinds.has("warranty.registered") && !kinds.has("free.said"));
    assert_eq!(check(&kinds, &json!({"serial": 1, "owner": {"email": "a@b"}})), None);
    let said = |payload: Value| check(&kinds, &payload).unwrap();
    let prefix = "it is not as the schema of warranty.registered in plugin.toml says";
    assert_eq!(said(json!({"serial": "secret-7"})), format!("/serial: {prefix}: the value is not of type \"integer\""));
    assert_eq!(said(json!({})), format!(": {prefix}: \"serial\" is a required property"));
    let wrong = said(json!({"serial": 1, "owner": {"email": "secret-7"}}));
    assert!(wrong.starts_with(&format!("/owner/email: {prefix}: the value does not match ")), "{wrong}");
    assert!(!wrong.contains("secret-7"));
    assert!(kinds.check("free.said", &json!(7), &SchemaBudget::default()).is_ok(), "a kind without a schema takes any");
}

#[test]
fn a_schema_that_can_not_be_bounded_or_used_is_refused() {
    let refuse = |schema: Value, expected: &str| {
        let (place, reason) = kinds(schema).unwrap_err();
        assert_eq!(place, 1);
        assert!(reason.contains(expected), "{reason}");
    };
    refuse(json!({"type": "no-such-type"}), "this is no JSON Schema that can be used");
    refuse(json!({"$ref": "https://example.com/schema.json"}), "`$ref` must name a part of the same schema");
    refuse(json!({"$ref": "#/$defs/none"}), "`$ref` must name a part of the same schema");
    refuse(json!({"$ref": "#"}), "it may not refer to itself");
    refuse(json!({"$dynamicRef": "#x"}), "`$dynamicRef` can't be used here");
    refuse(json!({"properties": {"a": {"$id": "x"}}}), "`$id` can be used at the top");
    refuse(json!({"$schema": "http://json-schema.org/draft-04/schema#"}), "must be of draft 7");
    refuse(json!({"pattern": "(a"}), "this is no JSON Schema that can be used");
    refuse(json!({"pattern": "((a{100}){100}){100}"}), "this is no JSON Schema that can be used");
    refuse(json!({"pattern": "(a+)+\\1"}), "this is no JSON Schema that can be used");
    refuse(json!({"enum": vec![1; MOST_PARTS]}), "more than 1000 parts");
}

#[test]
fn a_schema_that_doubles_at_every_step_is_refused_before_it_is_compiled() {
    let mut defs = serde_json::Map::new();
    for step in 0..20 {
        let next = json!({"$ref": format!("#/$defs/s{}", step + 1)});
        defs.insert(format!("s{step}"), json!({"anyOf": [next.clone(), next]}));
    }
    defs.insert("s20".to_owned(), json!({"type": "null"}));
    let (_, reason) = kinds(json!({"$ref": "#/$defs/s0", "$defs": defs})).unwrap_err();
    assert!(reason.contains("parts"), "{reason}");
}

#[test]
fn the_payloads_of_an_item_share_a_budget() {
    let parts: Vec<Value> = (0..90).map(|_| json!({"items": {"type": "integer"}})).collect();
    let kinds = kinds(json!({"allOf": parts})).unwrap();
    let budget = SchemaBudget::default();
    let payload = json!(vec![1; 3_000]);
    let ended = (0..1_000).find_map(|turn| Some((turn, kinds.check("warranty.registered", &payload, &budget).err()?)));
    let (turn, mismatch) = ended.unwrap();
    assert!(turn > 0 && mismatch.reason.contains("too large for their schemas"), "{turn} {}", mismatch.reason);
}
