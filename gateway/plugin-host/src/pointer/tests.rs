//! Pointers against JSON text.

use super::*;

const BODY: &str = r#"{"object":"page","a/b":{"~":1.10},"list":[{"id":12345678901234567890123},{"id":"x\u0041"},{}],"none":null,"twice":1,"twice":2}"#;

fn check(pointer: &str, expected: &[&str]) {
    let found = select(parse(BODY).unwrap(), Pointer::new(pointer).unwrap().tokens());
    assert_eq!(found.iter().map(|value| value.get()).collect::<Vec<_>>(), expected, "{pointer}");
}

#[test]
fn values_are_found_and_keep_their_text() {
    check("", &[BODY]);
    check("/object", &["\"page\""]);
    check("/a~1b/~0", &["1.10"]);
    check("/list/*/id", &["12345678901234567890123", "\"x\\u0041\""]);
    check("/list/1/id", &["\"x\\u0041\""]);
    check("/list/-/id", &[]);
    check("/list/9", &[]);
    check("/object/*", &[]);
    check("/twice", &["2"]);
    check("/nothing/at/all", &[]);
}

#[test]
fn a_value_is_text_without_quotes_and_null_is_nothing() {
    let text = |json: &str| text_of(parse(json).unwrap()).map(Cow::into_owned);
    assert_eq!(text("\"a\\u00e9\\\"b\""), Some("aé\"b".to_owned()));
    assert_eq!(text("\"plain\""), Some("plain".to_owned()));
    assert_eq!(text("1.50"), Some("1.50".to_owned()));
    assert_eq!(text("{\"a\": 1}"), Some("{\"a\": 1}".to_owned()));
    assert_eq!(text("null"), None);
    assert_eq!(text("\"\\ud800\""), Some("\"\\ud800\"".to_owned()));
}

#[test]
fn a_pointer_is_written_as_it_was_read() {
    for text in ["", "/", "/a", "/entry/*/changes/*", "/a~1b/~0c", "/~01"] {
        assert_eq!(Pointer::new(text).unwrap().to_string(), text);
    }
    assert!(Pointer::new("entry").unwrap_err().to_string().contains("\"entry\""));
}

#[test]
fn stars_must_stand_where_each_has_one() {
    let each = Pointer::new("/entry/*/changes/*").unwrap();
    let check = |pointer: &str, expected: bool| {
        assert_eq!(Pointer::new(pointer).unwrap().bound_by(&each), expected, "{pointer}")
    };
    check("/object", true);
    check("/entry/*/id", true);
    check("/entry/*/changes/*/field", true);
    check("/entry/0/id", true);
    check("/other/*/id", false);
    check("/entry/*/messaging/*/id", false);
}
