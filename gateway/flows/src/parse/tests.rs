//! Files as people write them: what is read, and what a person is told about a mistake.

use super::*;
use crate::{FLOW_SCHEMA, Limits, TemplateSet, check};
use proptest::prelude::*;
use serde_json::Value;
use std::{fs, path::PathBuf};

const FLOW: &str = r#"
flow: order-confirmation            # a comment
description: Tells the customer that the order arrived.
on: [order.placed, order-vip]
if: "event.order.total.amount != '0'"
steps:
  - id: pause
    wait: 1h30m
  - id: big
    if: "double(event.order.total.amount) >= 100.0"
    then:
      - id: confirm-vip
        send: { template: order_confirmation_vip, parameters: { first_name: "{{ contact.first_name | default('there') }}" } }
    else:
      - id: confirm
        send:
          template: order_confirmation
          sender: shop
          parameters:
            first_name: "{{ contact.first_name | default('there') }}"
            number: "{{ event.order.number }}"
"#;

#[test]
fn a_flow_becomes_its_canonical_form() {
    let flow = parse_flow("flows/a.yaml", FLOW).unwrap();
    insta::assert_json_snapshot!("the_canonical_form", flow.definition());
}

#[test]
fn the_version_is_that_of_the_meaning_not_of_the_spelling() {
    let version = |text: &str| parse_flow("f", text).unwrap().version();
    let same = "steps: [{wait: 90m, id: a}]\n# comment\n'on': [b.c, order.placed, b.c]\nflow: \"x\"\n";
    assert_eq!(version(same), version("flow: x\non:\n  - order.placed\n  - b.c\nsteps:\n  - id: a\n    wait: 1h30m"));
    assert_ne!(version(same), version("flow: x\non: [order.placed, b.c]\nsteps: [{id: a, wait: 91m}]"));
}

#[test]
fn an_sms_is_a_step_of_its_own_kind_and_no_word_of_it_changes_other_flows() {
    let flow = |send: &str| format!("flow: x\non: order.placed\nsteps: [{{id: a, send: {send}}}]");
    let plain = parse_flow("f", &flow("{sms: \" Hi \"}")).unwrap();
    assert_eq!(
        plain.definition().to_json(),
        r#"{"format":1,"flow":"x","on":["order.placed"],"steps":[{"id":"a","action":{"sms":{"text":" Hi "}}}]}"#
    );
    let full = parse_flow("f", &flow("{sms: Hi, sender: texts, category: marketing}")).unwrap();
    let json = full.definition().to_json();
    assert!(json.contains(r#""sms":{"text":"Hi","sender":"texts","category":"marketing"}"#), "{json}");
    assert_eq!(Flow::load(&json).unwrap().version(), full.version());
    for (send, expected) in [
        ("{sms: Hi, template: t}", "send.template: an SMS has a text of its own"),
        ("{sms: Hi, parameters: {}}", "send.parameters: an SMS has a text of its own"),
        ("{template: t, category: utility}", "send.category: a template has its category"),
        ("{sms: Hi, category: service}", "send.category: expected one of utility, marketing, authentication"),
        ("{sms: 5}", "send.sms: expected a text"),
        ("{sms: \" \"}", "send.sms: expected the text of the message"),
        ("{sms: \"{{ nobody.name }}\"}", "send.sms: there is no variable"),
    ] {
        let told = told(&flow(send));
        assert!(told.contains(expected), "{send}: {told}");
    }
}

fn told(text: &str) -> String {
    parse_flow("flows/a.yaml", text).unwrap_err().to_string()
}

#[test]
fn a_person_is_told_every_mistake_and_its_place() {
    insta::assert_snapshot!(
        "mistakes_in_the_shape",
        told(
            "flow: Order Confirmation\nfrom: order.placed\non: [order.placed, 5, Order]\nif: [a]\nsteps:\n  - id: pause\n    wiat: 5m\n  - wait: 5\n    id: x\n  - id: y\n    wait: soon\n    send: {}\n  - id: z\n    wait: 0s\n    then: []\n  - just text\n  - id: s\n    send:\n      tempalte: t\n      parameters: { count: 3, name: ~ }\n"
        )
    );
    insta::assert_snapshot!(
        "mistakes_in_the_meaning",
        told(
            "flow: x\non: [order.placed, Order]\nif: order.number == '1'\nsteps:\n  - id: a\n    if: event.order.total >\n    then:\n      - id: a\n        send:\n          template: t\n          parameters:\n            name: \"{{ contact.name | upcase }}\"\n            number: \"{{ contcat.number }}\"\n            open: \"{{ contact.name\"\n  - id: B\n    if: event.x.startWith('a')\n"
        )
    );
    insta::assert_snapshot!("no_yaml", told("flow: x\non: [order.placed\nsteps: []\n"));
    insta::assert_snapshot!("a_key_twice", told("flow: x\nflow: y\n"));
    insta::assert_snapshot!("no_map", told("- a\n- b\n"));
    insta::assert_snapshot!("empty", told(""));
    insta::assert_snapshot!("two_documents", told("flow: x\n---\nflow: y\n"));
}

#[test]
fn a_file_that_is_too_large_or_too_deep_is_refused() {
    assert!(told(&" ".repeat(300 * 1024)).contains("at most 256 KiB"));
    let error = told(&format!("flow: {}{}", "[".repeat(10_000), "]".repeat(10_000)));
    assert!(error.contains("not YAML"), "{error}");
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*d,*d,*d,*d,*d,*d,*d,*d]";
    assert!(told(bomb).contains("not YAML"));
    let mut nested = "flow: x\non: order.placed\nsteps:\n".to_owned();
    for depth in 0..10 {
        let indent = "  ".repeat(depth * 2);
        nested.push_str(&format!("{indent}- id: s{depth}\n{indent}  if: event.x\n{indent}  then:\n"));
    }
    nested.push_str(&format!("{}- {{id: last, wait: 5m}}\n", "  ".repeat(20)));
    let error = told(&nested);
    assert!(error.contains("nested at most 8 deep"), "{error}");
}

#[test]
fn a_person_is_told_every_mistake_in_a_template() {
    let told = |text: &str| parse_template("templates/a.yaml", text).unwrap_err().to_string();
    insta::assert_snapshot!(
        "template_shape",
        told(
            "template: a\ncategory: utilty\nparameters: name\nlanguages:\n  en: { code: en_US }\n  no: [a]\nlanguage: en\n"
        )
    );
    insta::assert_snapshot!(
        "template_rules",
        told(
            "template: Order\ncategory: utility\nparameters: [name, name, total]\nformat: positional\ndefault_language: fr\nlanguages:\n  en: { code: en-US, body: \"{{name}}, thank you\" }\n  it: { code: it, body: \"Ciao {{nome}}!\" }\n"
        )
    );
}

fn examples(folder: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/flows").join(folder);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn the_examples_are_read_and_nothing_is_found_wrong_with_them() {
    let templates = examples("templates")
        .into_iter()
        .map(|(file, text)| parse_template(&file, &text).unwrap_or_else(|e| panic!("{e}")));
    let templates = TemplateSet::new(templates).unwrap();
    let flows = examples("flows");
    assert!(flows.len() >= 3 && templates.iter().count() >= 4);
    for (file, text) in flows {
        let flow = parse_flow(&file, &text).unwrap_or_else(|error| panic!("{error}"));
        let found = check(&flow, &templates, &Limits { retention_ms: Some(30 * 86_400_000) });
        assert_eq!(found, [], "{file}");
    }
}

#[test]
fn the_schema_takes_the_examples_and_refuses_unknown_keys() {
    let schema: Value = serde_json::from_str(FLOW_SCHEMA).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let json = |text: &str| serde_saphyr::from_str::<Value>(text).unwrap();
    for (file, text) in examples("flows").into_iter().chain([("FLOW".to_owned(), FLOW.to_owned())]) {
        schema.validate(&json(&text)).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
    for bad in [
        "{flow: a, on: b.c, steps: [{id: a, wait: 5m, tag: x}]}",
        "{flow: a, on: b.c, steps: [{id: a}]}",
        "{flow: a, on: b.c, steps: [{id: a, wait: 5m, send: {template: t}}]}",
        "{flow: a, on: b.c, steps: [{id: a, wait: 5m, then: []}]}",
        "{flow: a, on: b.c, steps: [{id: a, wait_for_reply: 5m, else: []}]}",
        "{flow: a, on: b.c, steps: [{id: a, wait_for_reply: {channel: sms}}]}",
        "{flow: a, on: b.c, steps: [{id: a, wait_for_reply: {for: 5m, channel: post}}]}",
        "{flow: a, on: b.c, steps: [{id: a, if: \"true\", then: [{id: b, wait: 5m}], no_response: []}]}",
        "{flow: a, on: 5, steps: []}",
        "{flow: a, steps: []}",
    ] {
        assert!(!schema.is_valid(&json(bad)), "{bad}");
        assert!(parse_flow("f", bad).is_err(), "{bad}");
    }
}

#[test]
fn the_schema_knows_the_keys_that_the_parser_knows() {
    let schema: Value = serde_json::from_str(FLOW_SCHEMA).unwrap();
    let check = |pointer: &str, keys: &[&str]| {
        let mut known: Vec<_> =
            schema.pointer(pointer).unwrap().as_object().unwrap().keys().map(String::as_str).collect();
        let mut keys = keys.to_vec();
        known.sort_unstable();
        keys.sort_unstable();
        assert_eq!(known, keys, "{pointer}");
    };
    check("/properties", flow::FLOW_KEYS);
    check("/$defs/step/properties", flow::STEP_KEYS);
    check("/$defs/reply/properties", flow::REPLY_KEYS);
    check("/$defs/send/properties", flow::SEND_KEYS);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
        let _ = parse_flow("f", &text);
        let _ = parse_template("f", &text);
    }

    #[test]
    fn any_soup_of_yaml_is_read_or_refused(words in prop::collection::vec(prop::sample::select(vec![
        "flow:", "on:", "if:", "steps:", "id:", "wait:", "then:", "else:", "wait_for_reply:", "no_response:", "for:", "send:", "template:", "parameters:", "languages:", "body:", "category:",
        " ", "  ", "\n", "\n  ", "\n  - ", "\n    ", "- ", "[", "]", "{", "}", ",", "a", "order.placed", "5m", "5", "true", "~", "'", "\"", "|", ">-", "&a", "*a",
        "<<: ", "!!str ", "!x ", "---", "...", "#", "{{ contact.x }}", "event.x", "\t", "é", "? ", ": ",
    ]), 0..40)) {
        let text = words.concat();
        let _ = parse_flow("f", &text);
        let _ = parse_template("f", &text);
    }

    #[test]
    fn a_flow_with_anything_cut_out_or_put_in_is_read_or_refused(at in 0..FLOW.len(), len in 0..40usize, put in "[ \\n:{}\\[\\]'\"a-z-]{0,6}") {
        prop_assume!(FLOW.is_ascii());
        let end = (at + len).min(FLOW.len());
        let text = format!("{}{put}{}", &FLOW[..at], &FLOW[end..]);
        if let Ok(flow) = parse_flow("f", &text) {
            let again = Flow::load(&flow.definition().to_json()).unwrap();
            prop_assert_eq!(again.version(), flow.version());
            prop_assert_eq!(again.definition(), flow.definition());
        }
    }
}
