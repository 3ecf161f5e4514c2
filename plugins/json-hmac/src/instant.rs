//! Instants in the forms that tools write: RFC 3339, Unix seconds or milliseconds, RFC 2822, and dates and times without a zone, which the settings name.

use jiff::{Timestamp, civil::DateTime, fmt::rfc2822};
use std::borrow::Cow;
use tidegate_json_mapping::{Json, zone};
use tidegate_plugin_sdk::time;

const EXPECTED: &str = "an instant such as 2026-03-30T14:30:00Z (RFC 3339), Unix seconds or milliseconds, or a date";
const NO_ZONE: &str =
    "an instant with an offset; for dates and times without one, set `time_zone` in the connection's settings";

/// Reads an instant; or says what was expected.
pub(crate) fn read(json: &Json<'_>, time_zone: Option<&str>) -> Result<String, &'static str> {
    match json {
        Json::Number(digits) => unix(digits).ok_or(EXPECTED),
        Json::Text(text) => from_text(text.trim(), time_zone),
        Json::Null | Json::Bool(_) | Json::List(_) | Json::Object(_) => Err(EXPECTED),
    }
}

fn from_text(text: &str, time_zone: Option<&str>) -> Result<String, &'static str> {
    if let Some(instant) = time::rfc3339(text) {
        // A day that ends with second 60 is one second too long for others.
        return Timestamp::from_millisecond(time::unix_ms(&instant).unwrap_or_default())
            .map(|_| instant.into_owned())
            .map_err(|_| EXPECTED);
    }
    let is_date = text.len() == 8;
    if !is_date && let Some(instant) = unix(text) {
        return Ok(instant);
    }
    if let Ok(zoned) = rfc2822::parse(text) {
        return Ok(zoned.timestamp().to_string());
    }
    let civil: DateTime = text.parse().map_err(|_| EXPECTED)?;
    let zone = time_zone.and_then(zone).ok_or(NO_ZONE)?;
    civil.to_zoned(zone).map(|zoned| zoned.timestamp().to_string()).map_err(|_| EXPECTED)
}

/// Unix time in digits; of a fraction of a second the milliseconds count.
fn unix(digits: &str) -> Option<String> {
    let Some((seconds, fraction)) = digits.split_once('.') else { return time::from_unix_digits(digits) };
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let ms: Cow<'_, str> = format!("{fraction:0<3}").into();
    let ms: i64 = ms.get(..3)?.parse().ok()?;
    let seconds: i64 = seconds.parse().ok()?;
    time::from_unix_ms(seconds.checked_mul(1000)?.checked_add(if seconds < 0 { -ms } else { ms })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_as_tools_write_them() {
        let rome = Some("Europe/Rome");
        let check = |json: &str, zone: Option<&str>, expected: &str| {
            assert_eq!(read(&Json::parse(json).unwrap(), zone).as_deref(), Ok(expected), "{json}");
        };
        check(r#""2026-03-30T14:30:00+02:00""#, None, "2026-03-30T14:30:00+02:00");
        check(r#""2026-03-30T14:30:00+0200""#, None, "2026-03-30T14:30:00+02:00");
        check("1774879800", None, "2026-03-30T14:10:00Z");
        check("1774879800.25", None, "2026-03-30T14:10:00.250Z");
        check(r#""1774879800123""#, None, "2026-03-30T14:10:00.123Z");
        check(r#""Mon, 30 Mar 2026 14:30:00 +0000""#, None, "2026-03-30T14:30:00Z");
        check(r#""2026-03-30""#, rome, "2026-03-29T22:00:00Z");
        check(r#""20260330""#, rome, "2026-03-29T22:00:00Z");
        check(r#""2026-01-30 14:30""#, rome, "2026-01-30T13:30:00Z");
        check(r#""2026-03-30T14:30:00""#, Some("+05:30"), "2026-03-30T09:00:00Z");
    }

    #[test]
    fn what_is_no_instant_is_told() {
        let check = |json: &str, expected: &str| {
            assert_eq!(read(&Json::parse(json).unwrap(), None), Err(expected), "{json}");
        };
        check(r#""tomorrow""#, EXPECTED);
        check("true", EXPECTED);
        check("1e300", EXPECTED);
        check(r#""2026-03-30""#, NO_ZONE);
        check(r#""2026-13-30""#, EXPECTED);
    }
}
