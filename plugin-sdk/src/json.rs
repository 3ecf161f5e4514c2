//! Reading JSON with errors that name the field, and writing small objects. Values that providers write in more than one way have types of their own.

use crate::Error;
use serde::{Deserialize, Deserializer};

mod object;
mod pointer;
mod scalar;

pub use object::Object;
pub use scalar::{Decimal, Instant, Raw, Text};

/// Reads JSON. Unknown fields are passed over.
///
/// Texts borrow from the input where they can: prefer [`Text`] to `String`.
///
/// # Errors
/// When it does not fit `T`. The error names the JSON pointer, what was expected, and what was found (texts themselves are left out: they may be personal).
///
/// ```
/// use tidegate_plugin_sdk::{Error, json};
/// #[derive(serde::Deserialize, Debug)]
/// struct Body<'a> { #[serde(borrow)] tags: Vec<json::Text<'a>> }
/// let error = json::parse::<Body<'_>>(r#"{"tags": ["new", {}]}"#).unwrap_err();
/// assert_eq!(error, Error::field("/tags/1", "expected a string or a number, found an object"));
/// ```
pub fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| explain(text, &error))
}

/// The text without blanks around it; `None` when nothing is left.
pub fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// An owned copy of a text that is there and not blank.
pub fn string(text: Option<&Text<'_>>) -> Option<String> {
    filled(text.map(Text::as_str)).map(str::to_owned)
}

/// For lists that are `null` when they are empty: `#[serde(default, deserialize_with = "json::or_default")]`.
///
/// # Errors
/// Those of the reading itself.
pub fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cold]
fn explain(text: &str, error: &serde_json::Error) -> Error {
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    if error.is_syntax() || error.is_eof() {
        return Error::new(format!("expected JSON: {message} at line {} column {}", error.line(), error.column()));
    }
    let about = if message.starts_with("missing field") || message.starts_with("invalid length") {
        pointer::About::Whole
    } else {
        pointer::About::LastPart
    };
    let pointer = pointer::at(text, error.line(), error.column(), about);
    Error::Failed { field: (!pointer.is_empty()).then_some(pointer), reason: without_text(message), retryable: false }
}

/// The message without the text that it quotes as found: `invalid type: string "…", expected u64`.
fn without_text(message: &str) -> String {
    match (message.strip_prefix("invalid type: string \""), message.strip_prefix("invalid value: string \"")) {
        (Some(rest), _) | (_, Some(rest)) => match rest.rsplit_once("\", ") {
            Some((_, expected)) => format!("{expected}, found another text"),
            None => "another text was expected".to_owned(),
        },
        (None, None) => message.to_owned(),
    }
}

#[cfg(test)]
mod tests;
