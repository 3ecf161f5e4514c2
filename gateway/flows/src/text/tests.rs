//! Texts: what they give, what is refused, and what the sandbox keeps out.

use super::*;
use crate::Vars;
use proptest::prelude::*;
use serde_json::json;

fn render(source: &str) -> Result<String, String> {
    let event = json!({
        "occurred_at": "2026-03-30T22:30:00.000Z",
        "order": {
            "number": "#1001",
            "total": { "amount": "59.90", "currency": "EUR" },
            "note": null,
            "items": [{ "title": "Hat" }, { "title": "Scarf" }],
        },
    });
    let contact = json!({ "first_name": "Ada", "last_name": null, "tags": [] });
    let mut texts = Texts::new();
    let text = texts.compile("t".to_owned(), source)?;
    let now = tidegate_model::Timestamp::parse("2026-03-30T23:00:00Z").unwrap();
    let vars = Vars { event, ..Vars::default() };
    text.render(&texts, &Scope::new(&vars, &contact, now))
}

#[test]
fn variables_are_filled_in() {
    let check = |source: &str, expected: &str| assert_eq!(render(source).as_deref(), Ok(expected), "{source}");
    check("plain", "plain");
    check("Hi {{ contact.first_name }}!", "Hi Ada!");
    check("{{ contact.last_name | default('there') }}", "there");
    check("{{ contact.nothing | default('there') }}", "there");
    check("{{ event.shipment.carrier.name | default('a carrier') }}", "a carrier");
    check("{{ event.order.note | default(event.order.number) }}", "#1001");
    check("{{ event.order.total | money }}", "59.90 EUR");
    check("{{ event.order.total.amount | money('USD') }}", "59.90 USD");
    check("{{ event.order.refunded | money | default('nothing') }}", "nothing");
    check("{{ '12.5 GBP' | money }}", "12.5 GBP");
    check("{{ event.occurred_at | date('%d.%m.%Y %H:%M', 'Europe/Rome') }}", "31.03.2026 00:30");
    check("{{ now | date('%d %B %Y') }}", "30 March 2026");
    check("{{ event.order.items | map(attribute='title') | join(', ') }}", "Hat, Scarf");
    check("{% for i in event.order.items %}{{ i.title | upper }} {% endfor %}", "HAT SCARF ");
    check("{% if event.order.note %}note{% else %}none{% endif %}", "none");
    check("{{ 'yes' if contact.last_name is defined else 'no' }}", "no");
    check("{{ event.order.items | length }}", "2");
    check("{{ event.order.items[1].title }}", "Scarf");
}

#[test]
fn a_missing_variable_without_a_default_is_named() {
    let check = |source: &str, name: &str| {
        let error = render(source).unwrap_err();
        assert!(error.starts_with(&format!("{name} has no value, and no default")), "{source}: {error}");
    };
    check("Hi {{ contact.last_name }}", "contact.last_name");
    check("{{ contact.x | default('y') }} {{ event.order.note }}", "event.order.note");
    check("{{ event.shipment.carrier }}", "event.shipment.carrier");
    check("{{ trigger.score }}", "trigger.score");
    check("{{ event.order.refunded | money }}", "event.order.refunded");
}

#[test]
fn mistakes_are_found_when_a_text_is_compiled() {
    let check = |source: &str, expected: &str| {
        let mut texts = Texts::new();
        let error = texts.compile("t".to_owned(), source).unwrap_err();
        assert!(error.contains(expected), "{source}: {error}");
    };
    check("{{ contact.first_name", "syntax error");
    check("{{ }}", "syntax error");
    check("{{ order.number }}", "there is no variable \"order\"");
    check("{{ contcat.first_name }}", "did you mean contact?");
    check("{{ contact.first_name | uper }}", "there is no filter \"uper\"");
    check("{{ contact.first_name | uper }}", "did you mean upper?");
    check("{% if event.x is definde %}{% endif %}", "did you mean defined?");
    check("{% set x = event %}", "there is no statement \"set\"");
    check("{% include 'x' %}", "there is no statement \"include\"");
    check("{{ range(10) }}", "there is no variable \"range\"");
    check(&"x".repeat(5_000), "at most 4096 bytes");
}

#[test]
fn a_text_can_not_run_away() {
    let check = |source: &str, expected: &str| {
        let error = render(source).unwrap_err();
        assert!(error.contains(expected), "{source}: {error}");
    };
    check("{{ '0123456789' * 500 }}", "longer than 4096 characters");
    check(
        "{% for a in 'x' * 99 %}{% for b in 'x' * 99 %}{% for c in 'x' * 99 %}{% endfor %}{% endfor %}{% endfor %}",
        "more than 10000 instructions",
    );
}

#[test]
fn filters_say_what_they_need_without_the_value() {
    let check = |source: &str, expected: &str| {
        let error = render(source).unwrap_err();
        assert!(error.contains(expected) && !error.contains("Ada"), "{source}: {error}");
    };
    check("{{ contact.first_name | money }}", "money needs an amount with its currency");
    check("{{ contact.first_name | date('%d') }}", "date needs an instant");
    check("{{ now | date('%d', 'Europe/Nowhere') }}", "does not know the time zone \"Europe/Nowhere\"");
    check("{{ now | date('%') }}", "can't use the format");
    check("{{ contact.first_name | round }}", "can't be made");
}

#[test]
fn words_in_quotes_and_fields_are_no_filters() {
    let check = |source: &str, expected: &str| assert_eq!(render(source).as_deref(), Ok(expected), "{source}");
    check("{{ '| nothing is wrong' }}", "| nothing is wrong");
    check("{{ contact.is | default('}}') }}", "}}");
    check("{{- contact.first_name -}}", "Ada");
    check("{%- if contact.first_name -%}a{%- endif %}", "a");
}

proptest! {
    #[test]
    fn any_text_is_rendered_or_refused(source in ".{0,60}") {
        let _ = render(&source);
    }

    #[test]
    fn any_soup_of_words_is_rendered_or_refused(words in prop::collection::vec(prop::sample::select(vec![
        "{{", "}}", "{%", "%}", "{#", "#}", "event", ".order", "contact", "|", "default", "('a')", "money", "date", "if", "endif", "for", "in", "is",
        "defined", "not", "[", "]", "0", "-", "*", "9999999", "'", "\"", "é", "x", "loop", "~", "raw", "self", "namespace", "()",
    ]), 0..24)) {
        let _ = render(&words.join(" "));
    }
}

#[test]
fn deep_nesting_is_read_or_refused_without_exhausting_the_stack() {
    for (open, close) in [("(", ")"), ("[", "]"), ("{'a':", "}"), ("not ", ""), ("-", ""), ("a if b else ", "")] {
        let _ = render(&format!("{{{{ {}contact.first_name{} }}}}", open.repeat(250), close.repeat(250)));
    }
    let _ = render(&format!("{{{{ contact{} }}}}", ".x".repeat(1_500)));
    let _ = render(&format!("{{{{ contact.x{} }}}}", " | trim".repeat(500)));
    let _ = render(&format!("{{{{ 1{} }}}}", " + 1".repeat(900)));
    let _ = render(&"{% if contact.x %}".repeat(200));
}
