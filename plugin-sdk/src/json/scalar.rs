//! Values that providers write now as a string and now as a number. They are read from the JSON text itself, so digits stay exact: no floats, no 2^53.

use crate::{decimal, time};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt, ops::Deref};

/// A JSON string, or the digits of a number, as text. Borrowed from the input unless the string has escapes. For names, notes, and ids of every kind.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Text<'a>(Cow<'a, str>);

/// A decimal, from a string or number, in its canonical form (see [`decimal::canonical`]).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decimal<'a>(Cow<'a, str>);

/// An instant as RFC 3339 text, from RFC 3339 text or from unix time as a string or number (seconds, or milliseconds when there are 12 digits or more).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instant<'a>(Cow<'a, str>);

/// Any JSON value, kept as its text: to pass it on, or to read it later and only if it is needed.
#[derive(Clone, Copy)]
pub struct Raw<'a>(&'a str);

impl<'a> Text<'a> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An owned copy.
    pub fn into_string(self) -> String {
        self.0.into_owned()
    }
}

impl Decimal<'_> {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Instant<'_> {
    /// The RFC 3339 text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Milliseconds since 1970 (UTC), for comparisons.
    pub fn unix_ms(&self) -> i64 {
        // It was checked when it was read.
        time::unix_ms(&self.0).unwrap_or_default()
    }
}

impl<'a> Raw<'a> {
    /// The JSON text.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// Reads it.
    ///
    /// # Errors
    /// As for [`parse`](super::parse), with a pointer relative to this value.
    pub fn parse<T: Deserialize<'a>>(self) -> Result<T, crate::Error> {
        super::parse(self.0)
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Deref for Decimal<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Deref for Instant<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

macro_rules! into_string {
    ($($scalar:ident),*) => {
        $(impl From<$scalar<'_>> for String {
            fn from(scalar: $scalar<'_>) -> Self {
                scalar.0.into_owned()
            }
        })*
    };
}

into_string!(Text, Decimal, Instant);

/// Personal data may be anywhere: shows the length only.
impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

/// Personal data may be anywhere: shows the length only.
impl fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({} bytes)", self.0.len())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        content(raw).map(Self).map_err(|found| D::Error::custom(Expected { what: "a string or a number", found }))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Decimal<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        read_decimal(raw).map_err(|found| D::Error::custom(Expected { what: "a decimal such as -10.00", found }))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Instant<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        let what = "an instant such as 2026-03-30T14:30:00Z (RFC 3339 with an offset, or unix time)";
        read_instant(raw).map_err(|found| D::Error::custom(Expected { what, found }))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'de RawValue>::deserialize(deserializer).map(|raw| Self(raw.get()))
    }
}

fn read_decimal(raw: &str) -> Result<Decimal<'_>, Found<'_>> {
    let canonical = match content(raw)? {
        Cow::Borrowed(text) => decimal::canonical(text),
        Cow::Owned(text) => decimal::canonical(&text).map(|text| Cow::Owned(text.into_owned())),
    };
    canonical.map(Decimal).ok_or(Found::Text(raw))
}

fn read_instant(raw: &str) -> Result<Instant<'_>, Found<'_>> {
    let text = content(raw)?;
    let is_digits = text.as_bytes().iter().skip(1).all(u8::is_ascii_digit);
    let instant = match text {
        digits if is_digits => time::from_unix_digits(&digits).map(Cow::Owned),
        Cow::Borrowed(text) => time::rfc3339(text),
        Cow::Owned(text) => time::rfc3339(&text).map(|text| Cow::Owned(text.into_owned())),
    };
    instant.map(Instant).ok_or(Found::Text(raw))
}

/// What a string or number says.
fn content(raw: &str) -> Result<Cow<'_, str>, Found<'_>> {
    match raw.as_bytes() {
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => Ok(Cow::Borrowed(&raw[1..raw.len() - 1])),
        [b'"', ..] => {
            serde_json::from_str(raw).map(Cow::Owned).map_err(|_| Found::Text("a string with a broken escape"))
        }
        [b'-' | b'0'..=b'9', ..] => Ok(Cow::Borrowed(raw)),
        [b'{', ..] => Err(Found::Kind("an object")),
        [b'[', ..] => Err(Found::Kind("an array")),
        [b'n', ..] => Err(Found::Kind("null")),
        _ => Err(Found::Kind("a boolean")),
    }
}

enum Found<'a> {
    /// Another kind of value.
    Kind(&'static str),
    /// A text that says something else.
    Text(&'a str),
}

struct Expected<'a> {
    what: &'static str,
    found: Found<'a>,
}

impl fmt::Display for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found ", self.what)?;
        match self.found {
            Found::Kind(kind) => f.write_str(kind),
            Found::Text(text) if text.len() <= 40 => f.write_str(text),
            Found::Text(text) => write!(f, "a text of {} bytes", text.len()),
        }
    }
}
