//! Small values of the contract, checked: texts, instants, decimals, JSON. A mistake names its field; the value is shown only where it is no personal data.

use super::bindings::tidegate::plugin::types as wit;
use rust_decimal::Decimal;
use serde_json::{Map, Value};
use tidegate_model::{Timestamp, event::Money};

/// A mistake in a plugin's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bad {
    /// Where: `events/0/order/total/amount`.
    pub(super) field: String,
    /// What was expected, and what was found.
    pub(super) reason: String,
}

impl Bad {
    pub(super) fn new(field: &str, reason: impl Into<String>) -> Self {
        Self { field: field.to_owned(), reason: reason.into() }
    }

    /// The same mistake, seen from one level up.
    pub(super) fn inside(self, parent: impl std::fmt::Display) -> Self {
        Self { field: format!("{parent}/{}", self.field), reason: self.reason }
    }
}

pub(super) type Read<T> = Result<T, Bad>;

/// Puts the parent's name before a mistake's field.
pub(super) trait Inside<T> {
    fn inside(self, parent: impl std::fmt::Display) -> Read<T>;
}

impl<T> Inside<T> for Read<T> {
    fn inside(self, parent: impl std::fmt::Display) -> Self {
        self.map_err(|bad| bad.inside(parent))
    }
}

/// The start of a text, for a message.
pub(super) fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A text that must be there.
pub(super) fn required(field: &str, text: String) -> Read<String> {
    if text.trim().is_empty() {
        return Err(Bad::new(field, "expected a text, found nothing"));
    }
    Ok(text)
}

/// A text that may be absent; one without characters is.
pub(super) fn optional(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

pub(super) fn instant(field: &str, text: &str) -> Read<Timestamp> {
    Timestamp::parse(text).map_err(|error| Bad::new(field, error.to_string()))
}

pub(super) fn maybe_instant(field: &str, text: Option<String>) -> Read<Option<Timestamp>> {
    text.map(|text| instant(field, &text)).transpose()
}

/// A decimal without exponent and without loss.
pub(super) fn decimal(field: &str, text: &str) -> Read<Decimal> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && !digits.ends_with('.');
    let error =
        || Bad::new(field, format!("expected a decimal such as 10.00, at most 28 digits, found {:?}", short(text)));
    if !plain {
        return Err(error());
    }
    Decimal::from_str_exact(text).map_err(|_| error())
}

/// An amount with a currency of three letters.
fn money(field: &str, money: &wit::Money) -> Read<Money> {
    let currency = money.currency.to_ascii_uppercase();
    if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
        let reason = format!("expected a currency of three letters such as EUR, found {:?}", short(&money.currency));
        return Err(Bad::new("currency", reason).inside(field));
    }
    Ok(Money { amount: decimal("amount", &money.amount).inside(field)?, currency })
}

pub(super) fn maybe_money(field: &str, value: Option<wit::Money>) -> Read<Option<Money>> {
    value.map(|value| money(field, &value)).transpose()
}

/// JSON text of any kind, at most so many bytes.
pub(super) fn json(field: &str, text: &str, most: usize) -> Read<Value> {
    if text.len() > most {
        return Err(Bad::new(field, format!("{} bytes of JSON, and {most} is the most", text.len())));
    }
    serde_json::from_str(text).map_err(|error| Bad::new(field, format!("expected JSON as text: {error}")))
}

/// A JSON object as text, at most so many bytes.
pub(super) fn object(field: &str, text: &str, most: usize) -> Read<Map<String, Value>> {
    if text == "{}" {
        return Ok(Map::new());
    }
    match json(field, text, most)? {
        Value::Object(map) => Ok(map),
        _ => Err(Bad::new(field, "expected a JSON object as text, found another value")),
    }
}

/// One of the words that the contract lists.
pub(super) fn word(field: &str, text: String, known: &[&str]) -> Read<String> {
    if known.contains(&text.as_str()) {
        return Ok(text);
    }
    Err(Bad::new(field, format!("expected one of {}, found {:?}", known.join(", "), short(&text))))
}

pub(super) fn maybe_word(field: &str, text: Option<String>, known: &[&str]) -> Read<Option<String>> {
    text.map(|text| word(field, text, known)).transpose()
}

/// Reads each element; a mistake names its place.
pub(super) fn each<A, B>(field: &str, all: Vec<A>, read: impl Fn(A) -> Read<B>) -> Read<Vec<B>> {
    all.into_iter().enumerate().map(|(index, one)| read(one).inside(index).inside(field)).collect()
}

/// At most so many elements.
pub(super) fn at_most<T>(field: &str, all: &[T], most: usize) -> Read<()> {
    if all.len() > most {
        return Err(Bad::new(field, format!("{} of them, and {most} is the most", all.len())));
    }
    Ok(())
}
