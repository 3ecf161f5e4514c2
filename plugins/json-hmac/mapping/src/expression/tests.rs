//! Expressions against the engine that flows use: where both give a value it is the same.

use super::*;
use crate::Json;
use cel::objects::{Key, Map};
use proptest::prelude::*;
use std::{collections::HashMap, sync::Arc};

const BODY: &str = r#"{"i": 3, "d": 2.5, "t": "Ab c", "n": null, "yes": true, "l": [1, 2, 3], "o": {"x": "y", "z": 7},
    "lines": [{"sku": "a", "qty": 2}, {"sku": "b", "qty": 5}], "total": "120.50"}"#;

fn ours(source: &str) -> Result<serde_json::Value, String> {
    let (body, none, budget) = (Json::parse(BODY).unwrap(), Json::Null, Budget::default());
    let scope = Scope {
        topic: "order",
        body: &body,
        headers: &none,
        envelope: &none,
        received_at: "",
        it: None,
        budget: &budget,
    };
    let expression = Expression::new(source)?;
    let value = expression.value(&scope).map_err(|error| error.to_string())?;
    let json = value.into_json().ok_or("infinite")?.write();
    Ok(serde_json::from_str(&json).unwrap())
}

fn theirs(source: &str) -> Result<serde_json::Value, String> {
    let body: serde_json::Value = serde_json::from_str(BODY).unwrap();
    let mut context = cel::Context::default();
    context.add_variable_from_value("body", to_cel(&body));
    context.add_variable_from_value("topic", "order");
    let program = cel::Program::compile(source).map_err(|error| error.to_string())?;
    from_cel(&program.execute(&context).map_err(|error| error.to_string())?)
}

fn to_cel(value: &serde_json::Value) -> cel::Value {
    match value {
        serde_json::Value::Null => cel::Value::Null,
        serde_json::Value::Bool(value) => cel::Value::Bool(*value),
        serde_json::Value::Number(number) => {
            number.as_i64().map_or_else(|| cel::Value::Float(number.as_f64().unwrap()), cel::Value::Int)
        }
        serde_json::Value::String(text) => cel::Value::String(Arc::new(text.clone())),
        serde_json::Value::Array(items) => cel::Value::List(Arc::new(items.iter().map(to_cel).collect())),
        serde_json::Value::Object(members) => {
            let map: HashMap<Key, cel::Value> =
                members.iter().map(|(name, value)| (Key::from(name.as_str()), to_cel(value))).collect();
            cel::Value::Map(Map { map: Arc::new(map) })
        }
    }
}

fn from_cel(value: &cel::Value) -> Result<serde_json::Value, String> {
    Ok(match value {
        cel::Value::Null => serde_json::Value::Null,
        cel::Value::Bool(value) => (*value).into(),
        cel::Value::Int(value) => (*value).into(),
        cel::Value::Float(value) => serde_json::Number::from_f64(*value).map(Into::into).ok_or("infinite")?,
        cel::Value::String(text) => text.as_str().into(),
        cel::Value::List(items) => items.iter().map(from_cel).collect::<Result<Vec<_>, _>>()?.into(),
        other => return Err(format!("{other:?}")),
    })
}

/// The same value; numbers by what they are worth.
fn same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    match (a, b) {
        (serde_json::Value::Array(a), serde_json::Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        _ if a.is_number() && b.is_number() => a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

#[test]
fn expressions_give_what_cel_gives() {
    for source in [
        "1 + 2 * 3 - 4 / 2 % 3",
        "-(2 + 3) - -1",
        "2.5 * 2.0 / 4.0",
        "body.i > 2 && body.d < 3",
        "body.i == 3.0 && 3.0 == body.i && body.d != body.i",
        "topic == 'order' || body.missing.x > 1",
        "false && 1 / 0 > 0",
        "1 / 0 > 0 && false",
        "body.yes ? 'a' + body.t : 'b'",
        "body['t'] == \"Ab c\"",
        "body.l[0] + body.l[2]",
        "2 in body.l && !(4 in [1, 2]) && 'x' in body.o",
        "size(body.l) + body.l.size() + size('aé')",
        "body.t.contains('b') && body.t.startsWith('A') && body.t.endsWith(' c')",
        "string(body.i) + string(2.5) + string(true)",
        "int('12') + int(3.9) + int(-3.9)",
        "double(body.total) > 100.0",
        "double(body.i) + 0.5",
        "has(body.o.x) && !has(body.o.q)",
        "body.lines.exists(line, line.sku == 'b' && line.qty > 4)",
        "body.lines.all(line, line.qty > 1)",
        "body.lines.exists_one(line, line.qty > 4)",
        "body.lines.map(line, line.qty)",
        "body.lines.filter(line, line.qty > 4).map(line, line.sku)",
        "[1, 2] + [3] == body.l",
        "body.n == null && body.i != null",
        "'\\'' + \"\\\"\" + '\\\\' + r'\\d' + '\\n'",
        "body.l == [1, 2, 3] && body.l != [1, 2]",
        "true ? 1 : false ? 2 : 3",
        "'b' > 'a' && 'a' <= 'a' && 1e3 >= 1000",
    ] {
        let (ours, theirs) = (ours(source), theirs(source));
        assert!(matches!((&ours, &theirs), (Ok(a), Ok(b)) if same(a, b)), "{source}: {ours:?}, CEL gives {theirs:?}");
    }
}

#[test]
fn what_is_not_there_is_null() {
    let check = |source: &str, expected: &str| {
        assert_eq!(ours(source).map(|value| value.to_string()).as_deref(), Ok(expected), "{source}")
    };
    check("body.missing == null", "true");
    check("body.missing.deeper.still", "null");
    check("has(body.n)", "false");
    check("body.l[9]", "null");
    check("body.missing.exists(x, x == 1)", "false");
    check("has(body.missing) ? body.missing : 'else'", "\"else\"");
    check("' A,b '.trim().lowerAscii().split(',').join('-')", "\"a-b\"");
    check("body.t.replace('b', 'x').upperAscii()", "\"AX C\"");
    check("body.o.map(name, name)", "[\"x\",\"z\"]");
    check("it", "null");
}

#[test]
fn an_expression_that_means_nothing_is_refused_with_what_to_do() {
    let check = |source: &str, word: &str| {
        let error = Expression::new(source).unwrap_err();
        assert!(error.contains(word), "{source}: {error}");
    };
    check("", "something is missing at the end");
    check("1 +", "something is missing at the end");
    check("boby.x", "did you mean `body`");
    check("body.t.startWith('a')", "did you mean `startsWith`");
    check("startsWith(body.t, 'a')", "written value.startsWith(text)");
    check("body.size('a')", "size(value)");
    check("body.x = 1", "expected an operator, found `=`");
    check("{'a': 1}", "makes no objects");
    check("body.t.matches('a+')", "no function matches()");
    check("'abc", "not closed");
    check("'\\x41'", "after a \\ in quotes");
    check("body.lines.map(1, 2)", "the loop's name");
    check("has(1)", "has() takes a member");
    check("body.l.all(a, body.l.all(b, body.l.all(c, true)))", "nested at most 2");
    check(&"(".repeat(400), "nested at most 32");
    check(&"!".repeat(400), "nested at most 32");
    check(&format!("1{}", "+1".repeat(300)), "nested at most 32");
    check(&" ".repeat(2_000), "at most 1024 bytes");
    check("99999999999999999999", "too large");
    check("body.é", "means nothing");
}

#[test]
fn values_that_do_not_go_together_are_told_without_showing_them() {
    let check = |source: &str, word: &str| {
        let error = ours(source).unwrap_err();
        assert!(error.contains(word) && !error.contains("Ab c"), "{source}: {error}");
    };
    check("body.t + 1", "convert with double(), int() or string()");
    check("body.missing > 1", "ask by has() first");
    check("body.i + 0.5", "convert with double() or int()");
    check("int(body.t)", "int() can't read this text");
    check("9223372036854775807 + 1", "too large");
    check("-9223372036854775808 - 1", "too large");
    check("1 / 0", "divides by zero");
    check("body.l.x", "of a list");
    check("!body.i", "true or false");
}

#[test]
fn work_is_bounded_whatever_the_webhook_holds() {
    let list = format!("[{}0]", "0,".repeat(90_000));
    let (body, none, budget) = (Json::parse(&list).unwrap(), Json::Null, Budget::default());
    let scope =
        Scope { topic: "", body: &body, headers: &none, envelope: &none, received_at: "", it: None, budget: &budget };
    let nested = Expression::new("body.all(a, body.all(b, a == b))").unwrap();
    assert_eq!(nested.holds(&scope), Err(ExpressionError::Steps));
    let after = Expression::new("true").unwrap();
    assert_eq!(after.holds(&scope), Err(ExpressionError::Steps), "the budget is the item's");
}

fn any_expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "0",
        "1",
        "3",
        "2.5",
        "-1",
        "'a'",
        "'Ab c'",
        "true",
        "false",
        "null",
        "topic",
        "body.i",
        "body.d",
        "body.t",
        "body.l",
        "body.yes",
        "body.o.z",
        "body.lines",
        "[]",
        "[1, 2.0]",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(3, 12, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        let operators = vec!["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in"];
        prop_oneof![
            (two.clone(), prop::sample::select(operators)).prop_map(|((a, b), sign)| format!("({a} {sign} {b})")),
            (two, inner.clone()).prop_map(|((a, b), c)| format!("({a} ? {b} : {c})")),
            (inner.clone(), prop::sample::select(vec!["!", "-"])).prop_map(|(a, sign)| format!("{sign}({a})")),
            (inner.clone(), prop::sample::select(vec!["size", "string", "int", "double"]))
                .prop_map(|(a, f)| format!("{f}({a})")),
            (inner.clone(), inner.clone(), prop::sample::select(vec!["contains", "startsWith", "endsWith"]))
                .prop_map(|(a, b, f)| format!("({a}).{f}({b})")),
            (inner, prop::sample::select(vec!["exists", "all", "filter", "map"]))
                .prop_map(|(a, f)| format!("body.l.{f}(e, ({a}) == e || e > 1)")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn where_both_give_a_value_it_is_the_same(source in any_expression()) {
        if let (Ok(ours), Ok(theirs)) = (ours(&source), theirs(&source)) {
            prop_assert!(same(&ours, &theirs), "{}: {} and {}", source, ours, theirs);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(source in "[-a-z0-9.'\"()\\[\\]!&|?:+*/%<>=, \\\\]{0,60}") {
        if let Ok(value) = ours(&source) {
            prop_assert!(value.to_string().len() < 1_000_000);
        }
    }
}
