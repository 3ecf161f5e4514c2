//! Conditions: what they read, what they give, and what is refused.

use super::*;
use crate::Vars;
use proptest::prelude::*;
use serde_json::json;

fn order() -> serde_json::Value {
    json!({
        "kind": "order.placed",
        "occurred_at": "2026-03-30T14:30:00.000Z",
        "order": {
            "number": "#1001",
            "total": { "amount": "120.50", "currency": "EUR" },
            "note": null,
            "count": 3,
            "items": [{ "title": "Hat", "quantity": "2" }, { "title": "Scarf", "quantity": "1" }],
        },
    })
}

fn eval(source: &str) -> Result<bool, String> {
    let contact = json!({ "first_name": "Ada", "tags": ["vip"] });
    let vars = Vars {
        event: order(),
        trigger: Some(json!({ "score": 7 })),
        reply: Some(json!({ "text": "yes", "channel": "sms" })),
    };
    let now = tidegate_model::Timestamp::parse("2026-03-30T15:00:00Z").unwrap();
    Condition::compile(source)?.holds(&Scope::new(&vars, &contact, now))
}

#[test]
fn a_condition_reads_the_event_the_trigger_the_contact_and_the_time() {
    let check = |source: &str, expected: bool| assert_eq!(eval(source), Ok(expected), "{source}");
    check("event.order.total.amount != '0'", true);
    check("double(event.order.total.amount) >= 100.0", true);
    check("double(event.order.total.amount) >= 100", true);
    check("event.order.count == 3 && event.order.count < 3.5", true);
    check("has(event.order.cancel_reason)", false);
    check("!has(event.order.cancel_reason) || event.order.cancel_reason == 'x'", true);
    check("event.order.note == null", true);
    check("event.order.items.exists(i, i.title == 'Scarf')", true);
    check("event.order.items.all(i, int(i.quantity) > 1)", false);
    check("size(event.order.items) == 2 && event.order.items[1].title.startsWith('Sc')", true);
    check("event.order['number'].matches('^#[0-9]+$')", true);
    check(r#"event.order.number.matches(r'\d+') && "it's (" != 'say \'((((((((\' '"#, true);
    check("'vip' in contact.tags ? trigger.score > 5 : false", true);
    check("timestamp(now) - timestamp(event.occurred_at) < duration('1h')", true);
    check("1 + 1 == 2", true);
}

#[test]
fn a_condition_that_has_no_value_says_why_without_naming_values() {
    let check = |source: &str, expected: &str| {
        let error = eval(source).unwrap_err();
        assert!(error.contains(expected), "{source}: {error}");
        assert!(!error.contains("120.50") && !error.contains("Ada"), "{error}");
    };
    check(
        "event.order.cancel_reason == 'x'",
        "event.order.cancel_reason has no value here; guard it, as in has(event.order.cancel_reason)",
    );
    check("event.order.subtotal.amount == 'x'", "event.order.subtotal has no value");
    check("event.order.total.amount > 100", "> does not go with string and int");
    check("double(contact.first_name) > 1.0", "double() can't read its argument");
    check("contact.first_name", "gives a string, not true or false");
    check("event.order.items[7].title == 'x'", "a list is shorter than the index");
    check("event.order.count / 0 == 1", "divides by zero");
}

#[test]
fn a_condition_without_a_trigger_sees_no_variables_of_one() {
    let condition = Condition::compile("has(trigger.score)").unwrap();
    let (vars, contact) = (Vars { event: order(), ..Vars::default() }, json!({}));
    assert_eq!(condition.holds(&Scope::new(&vars, &contact, tidegate_model::Timestamp::from_ms(0))), Ok(false));
}

#[test]
fn mistakes_are_found_when_a_condition_is_compiled() {
    let check = |source: &str, expected: &str| {
        let error = Condition::compile(source).unwrap_err();
        assert!(error.contains(expected), "{source}: {error}");
    };
    check("", "not a CEL expression");
    check("event.order.total >", "something is missing at the end");
    check("event.order.total ) 1", "mismatched input ')'");
    check(
        "order.total.amount == '1'",
        "there is no variable \"order\"; the variables are event, trigger, contact, reply, now",
    );
    check("evnt.order == null", "did you mean event?");
    check("event.order.number.startWith('#')", "there is no function startWith() (did you mean startsWith?");
    check("event.order.number.matches(event.order.note)", "a pattern in quotes");
    check("event.order.number.matches('(')", "not a regular expression");
    check("[1].all(a, [1].all(b, [1].all(c, true)))", "nested at most 2 deep");
    check("'text'", "gives a string");
    check("1 / 0 == 1", "divides by zero");
    check(&"!".repeat(2_000), "at most 1024 bytes");
    check(&format!("{}event.x{}", "(".repeat(300), ")".repeat(300)), "brackets are nested at most 6 deep");
    check(&format!("{}event.x{}", "[".repeat(6), "]".repeat(5)), "not a CEL expression");
    check(&vec!["event.x"; 90].join(" + "), "nested at most");
    check("event.x == 'a", "not closed on its line");
    check("event.x == 'a\nb'", "not closed on its line");
    check("event.x == \"\"\"a\"\"\"", "three quotes");
    check("event.x == b'a'", "b stands before a quote");
    check("event.x.matches('\\d')", "for a pattern write r'");
    check("event.`x` == null", "backticks");
    check("event.x == 1 // why", "comments belong beside");
    check("Message{a: 1} == null", "can't make objects");
}

#[test]
fn only_what_is_read_is_needed() {
    let check = |source: &str, expected: &[&str]| {
        assert_eq!(Condition::compile(source).unwrap().needs().paths(), expected, "{source}");
    };
    check("event.order.number == 'x' && has(contact.email)", &["contact.email", "event.order.number"]);
    check("event.order.items.exists(i, i.title == contact.wish)", &["contact.wish", "event.order.items"]);
    check("event.order['number'] == 'x'", &["event.order"]);
    check("true", &[]);
}

#[test]
fn a_condition_that_reads_nothing_is_constant() {
    let check =
        |source: &str, expected: Option<bool>| assert_eq!(Condition::compile(source).unwrap().constant(), expected);
    check("true", Some(true));
    check("1 > 2", Some(false));
    check("event.x", None);
}

proptest! {
    #[test]
    fn any_text_is_compiled_or_refused(source in ".{0,60}") {
        let _ = eval(&source);
    }

    #[test]
    fn any_soup_of_words_is_compiled_or_refused(words in prop::collection::vec(prop::sample::select(vec![
        "event", ".", "order", "contact", "(", ")", "[", "]", "'a'", "1", "1.5", "&&", "||", "!", "-", "+", "==", "<", "?", ":", ",", "has", "all",
        "size", "x", "{", "}", "in", "null", "true", "r'\\'", "//", "`", "'''", "\n", "matches", "double", "exists", "map", "\"", "'", "9999999999999999999999", "u", "0x", "b'x'",
    ]), 0..24), spaced: bool) {
        let _ = eval(&words.join(if spaced { " " } else { "" }));
    }
}
