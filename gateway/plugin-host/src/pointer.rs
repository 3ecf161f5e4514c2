//! JSON pointers with `*` for every element of an array, and what they point at in JSON text. The text is never rewritten: numbers keep every digit.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

mod raw;

/// A JSON pointer (RFC 6901) in which `*` stands for every element of an array: `/entry/*/changes/*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pointer(Vec<Token>);

/// One step of a pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// Every element of an array.
    Each,
    /// A member of an object, or the element of an array with this number.
    Name(String),
}

/// The text is no pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a JSON pointer such as /entry/*/id (`*` for every element), found {found:?}")]
pub struct PointerError {
    found: String,
}

impl Pointer {
    /// Reads a pointer. The empty text points at the whole.
    ///
    /// # Errors
    /// When it is not empty and does not start with `/`.
    pub fn new(text: &str) -> Result<Self, PointerError> {
        let error = || PointerError { found: text.chars().take(80).collect() };
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let steps = text.strip_prefix('/').ok_or_else(error)?;
        Ok(Self(steps.split('/').map(token).collect()))
    }

    /// How many `*` it has.
    pub(crate) fn stars(&self) -> usize {
        self.0.iter().filter(|token| **token == Token::Each).count()
    }

    pub(crate) fn tokens(&self) -> &[Token] {
        &self.0
    }

    /// How many steps this pointer has in common with another, from the start.
    pub(crate) fn shared_with(&self, other: &Self) -> usize {
        self.0.iter().zip(&other.0).take_while(|(a, b)| a == b).count()
    }

    /// Whether the other pointer leads to the same place or below it, arrays left aside.
    pub(crate) fn contains_place(&self, other: &Self) -> bool {
        let names =
            |pointer: &Self| pointer.0.iter().filter(|token| **token != Token::Each).cloned().collect::<Vec<_>>();
        names(other).starts_with(&names(self))
    }

    /// Whether each `*` of this pointer stands for the element that `each` went through.
    pub(crate) fn bound_by(&self, each: &Self) -> bool {
        !self.0[self.shared_with(each)..].contains(&Token::Each)
    }
}

fn token(step: &str) -> Token {
    match step {
        "*" => Token::Each,
        name => Token::Name(name.replace("~1", "/").replace("~0", "~")),
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|token| match token {
            Token::Each => f.write_str("/*"),
            Token::Name(name) => write!(f, "/{}", name.replace('~', "~0").replace('/', "~1")),
        })
    }
}

impl TryFrom<String> for Pointer {
    type Error = PointerError;

    fn try_from(text: String) -> Result<Self, PointerError> {
        Self::new(&text)
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.to_string()
    }
}

/// JSON text as one value.
pub(crate) fn parse(text: &str) -> Result<&RawValue, serde_json::Error> {
    serde_json::from_str(text)
}

/// What one step leads to: the member or the element, or every element.
pub(crate) fn step<'a>(value: &'a RawValue, token: &Token) -> Vec<&'a RawValue> {
    match token {
        Token::Each => raw::elements(value).unwrap_or_default(),
        Token::Name(name) => raw::member(value, name).into_iter().collect(),
    }
}

/// Every element of an array; `None` when the value is none.
pub(crate) fn elements(value: &RawValue) -> Option<Vec<&RawValue>> {
    raw::elements(value)
}

/// The members of an object, in order; none when the value is no object.
pub(crate) fn members(value: &RawValue) -> Vec<(Cow<'_, str>, &RawValue)> {
    raw::members(value).unwrap_or_default()
}

/// All values that the steps lead to, in order.
pub(crate) fn select<'a>(value: &'a RawValue, tokens: &[Token]) -> Vec<&'a RawValue> {
    match tokens.split_first() {
        None => vec![value],
        Some((token, rest)) => step(value, token).into_iter().flat_map(|found| select(found, rest)).collect(),
    }
}

/// A value as plain text: a string's characters, any other value's JSON; `None` for `null`.
pub(crate) fn text_of(value: &RawValue) -> Option<Cow<'_, str>> {
    let text = value.get();
    if text == "null" {
        return None;
    }
    if !text.starts_with('"') {
        return Some(Cow::Borrowed(text));
    }
    // Without escapes the characters are the text between the quotes.
    match text.get(1..text.len() - 1) {
        Some(plain) if !plain.contains('\\') => Some(Cow::Borrowed(plain)),
        // A string whose escapes are no text (a lone surrogate) stays as it was written.
        Some(_) | None => Some(serde_json::from_str(text).map_or(Cow::Borrowed(text), Cow::Owned)),
    }
}

#[cfg(test)]
mod tests;
