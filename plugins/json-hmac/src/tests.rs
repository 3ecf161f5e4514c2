//! The plugin natively: what a mapping makes of an item, that nothing makes it panic, and that the manifest's schema is that of the tables.

use crate::JsonHmac;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::Path;
use tidegate_json_mapping::Mapping;
use tidegate_plugin_sdk::{Outcome, testing};

fn interpret(settings: &Value, body: &str) -> Outcome {
    let connection = testing::connection(&settings.to_string());
    testing::interpret_for::<JsonHmac>(&connection, &[testing::item("made", body)]).pop().unwrap()
}

fn check_failure(events: &Value, body: &str, field: Option<&str>, words: &str) {
    match interpret(&json!({"events": [events]}), body) {
        Outcome::Failed(failure) => {
            assert_eq!((failure.field.as_deref(), failure.retryable), (field, false), "{}", failure.reason);
            assert!(failure.reason.contains(words), "{words:?} is not in {:?}", failure.reason);
        }
        other => panic!("{body}: {other:?}"),
    }
}

#[test]
fn a_value_that_is_not_as_expected_fails_the_item_with_its_place_and_never_shows_it() {
    let order = |order: Value| json!({"kind": "order.placed", "order": order});
    let id = order(json!({"id": "/id"}));
    check_failure(&id, "{}", Some("/id"), "events.0.order.id: expected a text or a number, found nothing");
    check_failure(&id, r#"{"id": " "}"#, Some("/id"), "found nothing");
    check_failure(&id, r#"{"id": ["x"]}"#, Some("/id"), "found an array");
    check_failure(&id, "nope", None, "expected JSON: a value at line 1 column 1");
    let total = order(json!({"id": 1, "total": "/t", "currency": "EUR"}));
    check_failure(
        &total,
        r#"{"t": "12,50"}"#,
        Some("/t"),
        "events.0.order.total: expected a decimal such as 10.00, found a text",
    );
    let status = order(json!({"id": 1, "status": "/s"}));
    check_failure(
        &status,
        r#"{"s": "secret word"}"#,
        Some("/s"),
        "expected one of open, cancelled, closed, found a text",
    );
    let at = json!({"kind": "form.submitted", "at": "/at"});
    check_failure(&at, r#"{"at": "2026-03-01"}"#, Some("/at"), "set `time_zone`");
    check_failure(&at, r#"{"at": "soon"}"#, Some("/at"), "RFC 3339");
    let cel = order(json!({"id": {"cel": "body.a + 1"}}));
    check_failure(
        &cel,
        r#"{"a": "x"}"#,
        None,
        "events.0.order.id: the expression \"body.a + 1\": `+` between a text and a number",
    );
    let key = json!({"kind": "form.submitted", "key": "/k"});
    check_failure(&key, &json!({"k": "x".repeat(200)}).to_string(), Some("/k"), "at most 60 bytes");
    let lines = order(json!({"id": 1, "items": {"each": "/l", "title": "/t"}}));
    check_failure(&lines, r#"{"l": {"a": 1}}"#, Some("/l"), "expected an array, found an object");
}

#[test]
fn settings_that_are_no_mapping_fail_the_item() {
    let Outcome::Failed(failure) = interpret(&json!({"events": [{"kind": "order.placd"}]}), "{}") else { panic!() };
    assert!(failure.reason.contains("did you mean `order.placed`"), "{}", failure.reason);
}

fn any_settings() -> impl Strategy<Value = Value> {
    let source = || {
        prop::sample::select(vec![
            json!("/a"),
            json!("/a/b"),
            json!("/l/0"),
            json!(""),
            json!({"value": "x"}),
            json!({"cel": "body.a + body.b"}),
            json!({"cel": "body.l.map(e, e.a)"}),
            json!({"cel": "it.a"}),
            json!({"cel": "string(body.a)"}),
            json!(5),
        ])
    };
    let kinds = prop::sample::select(vec![
        ("order.placed", "order", "items"),
        ("cart.updated", "cart", "items"),
        ("form.submitted", "form", "answers"),
        ("appointment.booked", "appointment", "answers"),
        ("x.y", "custom", "answers"),
    ]);
    (kinds, prop::collection::vec(source(), 12)).prop_map(|((kind, key, list), s)| {
        let list_value = match (kind, list) {
            (_, "items") => {
                json!({"each": "/l", "title": s[0], "price": {"amount": s[1], "currency": "EUR"}, "quantity": s[2]})
            }
            ("x.y", _) => s[0].clone(),
            _ => json!({"each": "/l", "name": s[0], "value": s[1]}),
        };
        let mut payload = json!({"id": s[3]});
        payload[list] = list_value;
        let mut event = json!({"kind": kind, "key": s[4], "at": s[5], "extra": {"e": s[6]},
            "contact": {"phone": s[7], "email": s[8], "tags": [s[9]], "fields": {"f": s[10]}},
            "trigger": {"name": "t", "when": "body.a == body.b", "variables": {"v": s[11]}}});
        event[key] = payload;
        json!({"time_zone": "Europe/Rome", "events": [event, {"kind": "contact.updated", "when": "has(body.a)"}]})
    })
}

fn any_body() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        "[0-9]{1,13}",
        Just("-1.5e3".to_owned()),
        "\"[ -!#-\\[\\]-~é]{0,12}\"",
        Just("true".to_owned())
    ];
    let json = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((prop::sample::select(vec!["a", "b", "l", "t"]), inner), 0..4).prop_map(|members| {
                let members: Vec<String> =
                    members.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    });
    prop_oneof![9 => json, 1 => ".{0,40}"]
}

proptest! {
    #[test]
    fn no_body_makes_it_panic_whatever_the_mapping(settings in any_settings(), body in any_body()) {
        prop_assert!(Mapping::check(&settings.to_string()).is_ok(), "{settings}");
        let first = interpret(&settings, &body);
        prop_assert_eq!(interpret(&settings, &body), first, "the same item gives the same outcome");
    }
}

/// The schema as it stands in the manifest: a line for each definition.
fn written() -> String {
    let schema = tidegate_json_mapping::schema();
    let Some(Value::Object(definitions)) = schema.get("$defs") else { panic!("no definitions") };
    let lines: Vec<String> =
        definitions.iter().map(|(name, value)| format!("  {}: {value}", Value::from(name.as_str()))).collect();
    let mut rest = schema.clone();
    rest.as_object_mut().unwrap().shift_remove("$defs");
    let rest = rest.to_string();
    format!("{},\n\"$defs\": {{\n{}\n}}}}", rest.strip_suffix('}').unwrap(), lines.join(",\n"))
}

#[test]
fn the_manifest_has_the_schema_of_the_tables() {
    const START: &str = "config_schema = '''\n";
    const END: &str = "\n'''\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugin.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once(START).unwrap();
    let (held, after) = rest.split_once(END).unwrap();
    let schema = written();
    let read: Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(read, tidegate_json_mapping::schema());
    if std::env::var("UPDATE").is_ok_and(|value| value == "1") {
        std::fs::write(&file, format!("{before}{START}{schema}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(held, schema, "UPDATE=1 writes it");
}
