//! Values as WooCommerce writes them: GMT without an offset, `""` and `[]` for what it has not.

use serde::{Deserialize, Deserializer, de::Error as _};
use tidegate_plugin_sdk::{Error, json::Raw, json::Text, time};

/// An instant of a `…_gmt` field, as RFC 3339 text: WooCommerce leaves the `Z` out. The fields without `_gmt` are in the store's time, and are not read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Gmt(String);

impl Gmt {
    /// The RFC 3339 text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Milliseconds since 1970 (UTC), for comparisons.
    pub(crate) fn unix_ms(&self) -> i64 {
        // It was checked when it was read.
        time::unix_ms(&self.0).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Gmt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        read_gmt(&text)
            .map(Self)
            .ok_or_else(|| D::Error::custom("expected a time in GMT such as 2026-03-30T14:30:00, found another text"))
    }
}

fn read_gmt(text: &str) -> Option<String> {
    let text = text.trim().replacen(' ', "T", 1);
    if let Some(instant) = time::rfc3339(&text) {
        return Some(instant.into_owned());
    }
    let utc = text + "Z";
    time::rfc3339(&utc).is_some().then_some(utc)
}

/// For what is `""`, or an empty list where an object is expected, when there is none: `#[serde(default, deserialize_with = "value::or_none")]`.
pub(crate) fn or_none<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let Some(raw) = Option::<Raw<'de>>::deserialize(deserializer)? else { return Ok(None) };
    if matches!(raw.as_str(), "\"\"" | "[]") {
        return Ok(None);
    }
    raw.parse().map(Some).map_err(|error| match error {
        Error::Failed { field, reason, .. } => {
            D::Error::custom(format_args!("{}{reason}", field.map(|field| format!("{field}: ")).unwrap_or_default()))
        }
        other => D::Error::custom(other),
    })
}
