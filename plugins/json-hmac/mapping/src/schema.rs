//! The JSON Schema of the settings, made from the tables of fields: what an editor shows, and what a plugin's manifest carries.

use crate::fields::{ADDRESS, CONTACT, Field, KINDS, LINE, Record, Shape};
use serde_json::{Map, Value, json};

/// The schema. Shapes are told by it; what a value may be beyond that (pointers, expressions, kinds) is said by the check.
pub fn schema() -> Value {
    let mut event = Map::new();
    for (name, shape) in [
        ("when", json!({"type": "string", "description": "CEL; without it the event is always made"})),
        ("kind", json!({"type": "string", "pattern": "^[a-z][a-z0-9_]*\\.[a-z][a-z0-9_]*$"})),
        ("key", reference("source")),
        ("at", reference("source")),
        ("version", reference("source")),
        ("contact", reference("contact")),
        ("extra", reference("named")),
        ("trigger", json!({"anyOf": [reference("trigger"), {"type": "array", "items": reference("trigger")}]})),
        ("custom", reference("named")),
    ] {
        event.insert(name.to_owned(), shape);
    }
    for (_, record) in KINDS {
        event.insert(record.key.to_owned(), reference(record.key));
    }
    json!({
        "type": "object",
        "required": ["events"],
        "additionalProperties": false,
        "properties": {
            "time_zone": {"type": "string", "description": "Zone of dates and times that are written without one"},
            "country": {"type": "string", "pattern": "^[A-Za-z]{2}$", "description": "Country of phones without a country code"},
            "events": {"type": "array", "minItems": 1, "maxItems": 64, "items": {
                "type": "object", "required": ["kind"], "additionalProperties": false, "properties": event,
            }},
        },
        "$defs": definitions(),
    })
}

fn definitions() -> Value {
    let mut found = Map::new();
    found.insert("source".to_owned(), json!({
        "description": "A JSON pointer (\"/a/b\"), { value = … } for a constant, or { cel = \"…\" }",
        "anyOf": [
            {"type": ["string", "number", "boolean"]},
            {"type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1, "properties": {
                "pointer": {"type": "string"}, "value": {}, "cel": {"type": "string", "minLength": 1, "maxLength": 1024},
            }},
        ],
    }));
    found.insert("named".to_owned(), json!({"type": "object", "additionalProperties": reference("source")}));
    found.insert(
        "trigger".to_owned(),
        json!({
            "type": "object", "required": ["name"], "additionalProperties": false,
            "properties": {"name": {"type": "string"}, "when": {"type": "string"}, "variables": reference("named")},
        }),
    );
    found.insert(
        "consent".to_owned(),
        json!({
            "type": "object", "required": ["channel", "scope", "state"], "additionalProperties": false,
            "properties": {
                "channel": {"enum": ["whatsapp", "sms", "email"]}, "scope": {"enum": ["transactional", "marketing"]},
                "state": reference("source"), "at": reference("source"), "method": reference("source"),
            },
        }),
    );
    for record in [&CONTACT, &ADDRESS].into_iter().chain(KINDS.iter().map(|(_, record)| *record)) {
        found.insert(record.key.to_owned(), table(record, Map::new()));
    }
    let each = Map::from_iter([("each".to_owned(), json!({"type": "string"}))]);
    found.insert("lines".to_owned(), table(&LINE, each));
    Value::Object(found)
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

fn table(record: &Record, mut properties: Map<String, Value>) -> Value {
    let mut required: Vec<&str> = record.fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    required.extend(properties.contains_key("each").then_some("each"));
    properties.extend(record.fields.iter().map(|field| (field.name.to_owned(), shape(field))));
    json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties})
}

fn shape(field: &Field) -> Value {
    match field.shape {
        Shape::Text
        | Shape::Country
        | Shape::Currency
        | Shape::Instant
        | Shape::Decimal
        | Shape::Bool
        | Shape::Word(_) => reference("source"),
        Shape::Money => json!({"anyOf": [reference("source"), {
            "type": "object", "required": ["amount"], "additionalProperties": false,
            "properties": {"amount": reference("source"), "currency": reference("source")},
        }]}),
        Shape::Texts => json!({"anyOf": [reference("source"), {"type": "array", "items": reference("source")}]}),
        Shape::Address => reference("address"),
        Shape::Lines => reference("lines"),
        Shape::Answers => json!({"anyOf": [
            reference("source"),
            {"type": "object", "required": ["fields"], "additionalProperties": false, "properties": {"fields": reference("named")}},
            {"type": "object", "required": ["each", "name", "value"], "additionalProperties": false,
             "properties": {"each": {"type": "string"}, "name": reference("source"), "value": reference("source")}},
        ]}),
        Shape::Named => reference("named"),
        Shape::Consents => json!({"type": "array", "items": reference("consent")}),
    }
}
