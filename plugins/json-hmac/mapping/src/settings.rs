//! Reads settings piece by piece, and notes everything that is wrong with its key, so that all is told at once.

mod fill;

pub use fill::{Answers, Consent, Filling, Fillings};

use crate::{Expression, Json, Pointer, Source, fields::Shape};
use serde_json::{Map, Value};

/// How like two words must be, of 1, for one to be taken for the other misspelt.
const ALIKE: f64 = 0.75;

/// Something wrong in the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct Fault {
    /// Where, below the settings: `events.0.order.total`. Empty for the settings themselves.
    pub key: String,
    /// What was expected, and what to do.
    pub problem: String,
}

/// Reads pieces, and keeps what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub(crate) faults: Vec<Fault>,
}

impl Reader {
    /// Notes a fault. Gives nothing, so that a reader of a piece can end with it.
    pub(crate) fn wrong<T>(&mut self, key: &str, problem: impl Into<String>) -> Option<T> {
        self.faults.push(Fault { key: key.to_owned(), problem: problem.into() });
        None
    }

    /// A table with known keys.
    pub(crate) fn table<'s>(&mut self, key: &str, value: &'s Value, known: &[&str]) -> Option<&'s Map<String, Value>> {
        let Some(table) = value.as_object() else {
            return self
                .wrong(key, format!("expected a table with the keys {}, found {}", known.join(", "), kind(value)));
        };
        for name in table.keys().filter(|name| !known.contains(&name.as_str())) {
            let near = did_you_mean(name, known.iter().copied());
            let near = if near.is_empty() { format!("; there are {}", known.join(", ")) } else { near };
            self.wrong::<()>(&join(key, name), format!("this key is not known here{near}"));
        }
        Some(table)
    }

    /// The elements of an array.
    pub(crate) fn list<'s>(&mut self, key: &str, value: &'s Value) -> Option<&'s [Value]> {
        match value.as_array() {
            Some(items) => Some(items),
            None => self.wrong(key, format!("expected a list, found {}", kind(value))),
        }
    }

    /// A text as it is written.
    pub(crate) fn text<'s>(&mut self, key: &str, value: &'s Value) -> Option<&'s str> {
        match value.as_str() {
            Some(text) if !text.trim().is_empty() => Some(text),
            _ => self.wrong(key, format!("expected a text, found {}", kind(value))),
        }
    }

    /// A JSON pointer.
    pub(crate) fn pointer(&mut self, key: &str, value: &Value) -> Option<Pointer> {
        let text = match value.as_str() {
            Some(text) => text,
            None => return self.wrong(key, format!("expected a JSON pointer such as /lines, found {}", kind(value))),
        };
        Pointer::new(text).map_or_else(|problem| self.wrong(key, problem), Some)
    }

    /// An expression.
    pub(crate) fn expression(&mut self, key: &str, value: &Value) -> Option<Expression> {
        let text = self.text(key, value)?;
        Expression::new(text).map_or_else(|problem| self.wrong(key, problem), Some)
    }

    /// Where a value of this shape comes from.
    pub(crate) fn source(&mut self, key: &str, shape: Shape, value: &Value) -> Option<Source> {
        match value {
            Value::String(text) if text.is_empty() || text.starts_with('/') => self.pointer(key, value).map(Source::Pointer),
            Value::String(text) => match plain(shape, text) {
                true => Some(Source::Constant(Json::from(value))),
                false => self.wrong(key, format!("expected a JSON pointer such as /customer/phone, {{ value = {text:?} }} for a constant, or {{ cel = \"…\" }}; found {text:?}")),
            },
            Value::Bool(_) | Value::Number(_) => self.constant(key, shape, value),
            Value::Object(table) => self.source_table(key, shape, value, table),
            Value::Null | Value::Array(_) => self.wrong(key, format!("expected one value, found {}", kind(value))),
        }
    }

    fn source_table(&mut self, key: &str, shape: Shape, value: &Value, table: &Map<String, Value>) -> Option<Source> {
        self.table(key, value, &["value", "cel", "pointer"])?;
        let mut entries = table.iter();
        match (entries.next(), entries.next()) {
            (Some((name, inner)), None) => {
                let key = join(key, name);
                match name.as_str() {
                    "value" => self.constant(&key, shape, inner),
                    "cel" => self.expression(&key, inner).map(Source::Expression),
                    "pointer" => self.pointer(&key, inner).map(Source::Pointer),
                    // Noted as unknown.
                    _ => None,
                }
            }
            _ => self.wrong(key, "expected one of `value`, `cel` and `pointer`"),
        }
    }

    fn constant(&mut self, key: &str, shape: Shape, value: &Value) -> Option<Source> {
        let text = value.as_str();
        let expected = match shape {
            Shape::Word(words) if !text.is_some_and(|text| words.contains(&text)) => {
                let near = did_you_mean(text.unwrap_or_default(), words.iter().copied());
                Some(format!("one of {}{near}", words.join(", ")))
            }
            Shape::Country if !text.is_some_and(|text| is_code(text, 2)) => {
                Some("a country of two letters, such as \"IT\"".to_owned())
            }
            Shape::Currency if !text.is_some_and(|text| is_code(text, 3)) => {
                Some("a currency of three letters, such as \"EUR\"".to_owned())
            }
            Shape::Bool if !value.is_boolean() => Some("true or false".to_owned()),
            Shape::Text | Shape::Texts | Shape::Money | Shape::Decimal | Shape::Instant
                if value.is_object() || value.is_array() =>
            {
                Some(format!("one value, found {}", kind(value)))
            }
            _ => None,
        };
        match expected {
            None => Some(Source::Constant(Json::from(value))),
            Some(expected) => self.wrong(key, format!("expected {expected}")),
        }
    }
}

/// Whether a text may stand for itself without `{ value = … }`.
fn plain(shape: Shape, text: &str) -> bool {
    match shape {
        Shape::Country => is_code(text, 2),
        Shape::Currency => is_code(text, 3),
        _ => false,
    }
}

/// Whether a text is a code of so many letters.
pub(crate) fn is_code(text: &str, letters: usize) -> bool {
    text.len() == letters && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// What a value of the settings is called.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(text) if text.trim().is_empty() => "an empty text",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

/// A key below another.
pub(crate) fn join(prefix: &str, key: impl std::fmt::Display) -> String {
    if prefix.is_empty() { key.to_string() } else { format!("{prefix}.{key}") }
}

/// The end of a sentence that names the word that was meant, when one is near.
pub(crate) fn did_you_mean<'w>(found: &str, known: impl Iterator<Item = &'w str>) -> String {
    let alike = known.map(|word| (strsim::jaro_winkler(found, word), word)).filter(|(alike, _)| *alike >= ALIKE);
    let nearest = alike.max_by(|(a, _), (b, _)| a.total_cmp(b));
    nearest.map(|(_, word)| format!("; did you mean `{word}`?")).unwrap_or_default()
}
