//! What `check` finds.

use super::*;
use crate::{parse_flow, parse_template};

fn found(text: &str) -> String {
    let template = "template: hello\ncategory: utility\nparameters: [name, number]\ndefault_language: en\nlanguages:\n  en: { code: en, body: 'Hi {{name}}, {{number}}.' }";
    let templates = TemplateSet::new([parse_template("t", template).unwrap()]).unwrap();
    let flow = parse_flow("f", text).unwrap();
    let findings = check(&flow, &templates, &Limits { retention_ms: Some(30 * 86_400_000) });
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn mistakes_are_found_before_a_contact_meets_them() {
    insta::assert_snapshot!(
        "findings",
        found(
            r#"
flow: x
on: [order.placed, order.place]
if: "1 > 2"
steps:
  - id: long
    wait: 31d
  - id: always
    if: true
    then: [{ id: a, send: { template: helo } }]
    else: [{ id: never, send: { template: hello, parameters: { name: "{{ trigger.name }}", numbr: "1" } } }]
  - id: nothing
    if: false
    else: [{ id: b, wait: 5m }]
  - id: wrong
    if: "event.shipment.id == '1' && event.ordr.id == '2' && event.occurred_at != ''"
    then: [{ id: c, wait: 5m }]
"#
        )
    );
}

#[test]
fn a_field_that_only_some_of_the_kinds_have_is_a_warning() {
    let check = |on: &str, expected: &str| {
        let text =
            format!("flow: x\non: {on}\nsteps: [{{id: a, if: \"has(event.order.id)\", then: [{{id: b, wait: 5m}}]}}]");
        assert!(found(&text).starts_with(expected), "{on}: {}", found(&text));
    };
    check(
        "[order.placed, shipment.created]",
        "warning: step a: it reads event.order, which shipment.created does not have",
    );
    check("shipment.created", "error: step a: it reads event.order, which shipment.created does not have");
    assert_eq!(
        found(
            "flow: x\non: a-trigger\nsteps: [{id: a, if: \"trigger.x == event.order.id\", then: [{id: b, wait: 5m}]}]"
        ),
        ""
    );
}

#[test]
fn every_canonical_kind_has_a_known_payload() {
    for kind in KINDS {
        assert!(payload(kind).is_some(), "{kind}");
    }
    assert_eq!(payload("warranty.registered"), None);
}
