//! Instants: milliseconds since 1970 in UTC, written as RFC 3339 text.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// An instant, in milliseconds since the Unix epoch (UTC). As JSON it is RFC 3339 text with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// This instant, moved by so many milliseconds; stays at the ends of the range.
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Reads RFC 3339 text with an offset. Meta's `+0000` without a colon is read too.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let instant: jiff::Timestamp = text
            .parse()
            .or_else(|_| jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text))
            .map_err(|_| TimestampError { found: text.chars().take(40).collect() })?;
        Ok(Self(instant.as_millisecond()))
    }
}

/// The text is no instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an instant such as 2026-03-30T14:30:00Z (RFC 3339 with an offset), found {found:?}")]
pub struct TimestampError {
    /// The start of what was found.
    found: String,
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) => write!(f, "{instant:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_in_the_forms_that_providers_write() {
        let check = |text: &str, expected: &str| assert_eq!(Timestamp::parse(text).unwrap().to_string(), expected);
        check("2021-12-31T19:00:00-05:00", "2022-01-01T00:00:00.000Z");
        check("2026-03-30T14:30:00.000000000Z", "2026-03-30T14:30:00.000Z");
        check("2015-02-28T08:49:14+0000", "2015-02-28T08:49:14.000Z");
        check("2026-03-30T14:30:00.125Z", "2026-03-30T14:30:00.125Z");
    }

    #[test]
    fn other_text_is_refused_with_what_was_expected() {
        let error = Timestamp::parse("yesterday").unwrap_err().to_string();
        assert!(error.contains("RFC 3339") && error.contains("yesterday"), "{error}");
        assert!(Timestamp::parse("2026-03-30 14:30").is_err());
    }

    #[test]
    fn json_keeps_the_millisecond() {
        let at = Timestamp::from_ms(1_780_000_000_123);
        let json = serde_json::to_string(&at).unwrap();
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), at);
    }
}
