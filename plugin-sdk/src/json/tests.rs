//! Values of webhooks, and errors that name their place.

use super::*;
use serde::Deserialize;

#[derive(Deserialize, Debug)]
#[expect(dead_code, reason = "only whether they are read is of interest")]
struct Order<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    total: Option<Decimal<'a>>,
    #[serde(borrow)]
    at: Option<Instant<'a>>,
    #[serde(borrow, default)]
    lines: Vec<Line<'a>>,
    count: Option<u32>,
}

#[derive(Deserialize, Debug)]
#[expect(dead_code, reason = "only whether they are read is of interest")]
struct Line<'a> {
    #[serde(borrow)]
    sku: Text<'a>,
    #[serde(borrow, rename = "a/b~c")]
    odd: Option<Decimal<'a>>,
}

fn fails(body: &str, field: Option<&str>, reason: &str) {
    let error = parse::<Order<'_>>(body).unwrap_err();
    let expected = Error::Failed { field: field.map(str::to_owned), reason: reason.to_owned(), retryable: false };
    assert_eq!(error, expected, "{body}");
}

#[test]
fn errors_name_the_field_and_what_was_expected() {
    fails(r#"{"id": {}}"#, Some("/id"), "expected a string or a number, found an object");
    fails(r#"{"id": 1, "total": "1,50", "x": 1}"#, Some("/total"), "expected a decimal such as -10.00, found \"1,50\"");
    fails(r#"{"id": 1, "total": true}"#, Some("/total"), "expected a decimal such as -10.00, found a boolean");
    fails(
        r#"{"id": 1, "lines": [{"sku": "a"}, {"sku": []}]}"#,
        Some("/lines/1/sku"),
        "expected a string or a number, found an array",
    );
    fails(
        r#"{"id": 1, "lines": [{"sku": "a", "a/b~c": "x"}]}"#,
        Some("/lines/0/a~1b~0c"),
        "expected a decimal such as -10.00, found \"x\"",
    );
    fails("{\n \"id\": 1,\n \"lines\": [{\"sku\": \"a\"},\n {}]\n}", Some("/lines/1"), "missing field `sku`");
    fails(r#"{"total": 1}"#, None, "missing field `id`");
    fails(r#"{"id": 1, "lines": {"sku": 1}}"#, Some("/lines"), "invalid type: map, expected a sequence");
    fails(
        r#"{"skip": [[1, {"a": [null, "\"]"]}], 2], "id": null}"#,
        Some("/id"),
        "expected a string or a number, found null",
    );
    fails(r#"[{"id": 1}]"#, Some("/0"), "expected a string or a number, found an object");
}

#[test]
fn texts_of_the_sender_stay_out_of_errors() {
    fails(r#"{"id": 1, "count": "john@example.com"}"#, Some("/count"), "expected u32, found another text");
    let long = format!(r#"{{"id": 1, "at": "{}"}}"#, "x".repeat(80));
    fails(
        &long,
        Some("/at"),
        "expected an instant such as 2026-03-30T14:30:00Z (RFC 3339 with an offset, or unix time), found a text of 82 bytes",
    );
}

#[test]
fn broken_json_is_told_with_its_place() {
    fails(r#"{"id": 1"#, None, "expected JSON: EOF while parsing an object at line 1 column 8");
    fails("hello", None, "expected JSON: expected value at line 1 column 1");
}

#[test]
fn values_are_read_from_strings_and_numbers_exactly() {
    let read = |body| parse::<Order<'_>>(body).unwrap();
    assert_eq!(read(r#"{"id": 820982911946154508}"#).id.as_str(), "820982911946154508");
    assert_eq!(read(r#"{"id": "gid://shop\/1"}"#).id.as_str(), "gid://shop/1");
    let total = |body| read(body).total.map(|total| total.as_str().to_owned());
    assert_eq!(total(r#"{"id": 1, "total": 199}"#).as_deref(), Some("199"));
    assert_eq!(total(r#"{"id": 1, "total": 0.1}"#).as_deref(), Some("0.1"));
    assert_eq!(total(r#"{"id": 1, "total": "\u0031.50"}"#).as_deref(), Some("1.50"));
    assert_eq!(total(r#"{"id": 1, "total": null}"#), None);
    let at = |body| read(body).at.map(|at| at.as_str().to_owned());
    assert_eq!(at(r#"{"id": 1, "at": 1749416383}"#).as_deref(), Some("2025-06-08T20:59:43Z"));
    assert_eq!(at(r#"{"id": 1, "at": "1749416383"}"#).as_deref(), Some("2025-06-08T20:59:43Z"));
    assert_eq!(at(r#"{"id": 1, "at": "2026-03-30T14:30:00+0200"}"#).as_deref(), Some("2026-03-30T14:30:00+02:00"));
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(body in ".{0,60}") {
        let _ = parse::<Order<'_>>(&body);
    }

    #[test]
    fn a_wrong_value_anywhere_is_pointed_at(before in 0_usize..4, after in 0_usize..4) {
        let good = r#"{"sku":"x"}"#;
        let lines: Vec<_> = std::iter::repeat_n(good, before).chain([r#"{"sku":{}}"#]).chain(std::iter::repeat_n(good, after)).collect();
        let body = format!(r#"{{"id":1,"lines":[{}]}}"#, lines.join(","));
        let expected = Error::field(format!("/lines/{before}/sku"), "expected a string or a number, found an object");
        proptest::prop_assert_eq!(parse::<Order<'_>>(&body).unwrap_err(), expected);
    }
}
