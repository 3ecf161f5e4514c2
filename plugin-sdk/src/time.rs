//! Instants as RFC 3339 text: checked, made from unix time, compared. No clock, no time zones: an instant carries its offset.

use std::borrow::Cow;

const MS_PER_DAY: i64 = 86_400_000;

/// An instant as RFC 3339 text. Reads RFC 3339 and the offset without a colon (`+0000`), and keeps the offset. `None` when the text is no instant.
///
/// ```
/// use tidegate_plugin_sdk::time::rfc3339;
/// assert_eq!(rfc3339("2026-03-30T14:30:00+0200").as_deref(), Some("2026-03-30T14:30:00+02:00"));
/// assert_eq!(rfc3339("2026-03-30"), None);
/// ```
pub fn rfc3339(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim_ascii();
    let read = Read::instant(text.as_bytes())?;
    if read.offset_has_colon {
        return Some(Cow::Borrowed(text));
    }
    let (head, minutes) = text.split_at(text.len() - 2);
    Some(Cow::Owned([head, ":", minutes].concat()))
}

/// Milliseconds since 1970 (UTC) of an RFC 3339 instant. Compare these, not the texts: offsets differ.
pub fn unix_ms(text: &str) -> Option<i64> {
    Some(Read::instant(text.trim_ascii().as_bytes())?.ms)
}

/// RFC 3339 text (UTC) of unix seconds. `None` outside of the years 1 to 9999.
pub fn from_unix_s(seconds: i64) -> Option<String> {
    from_unix_ms(seconds.checked_mul(1000)?)
}

/// RFC 3339 text (UTC) of unix milliseconds. `None` outside of the years 1 to 9999.
pub fn from_unix_ms(ms: i64) -> Option<String> {
    let (year, month, day) = civil(ms.div_euclid(MS_PER_DAY));
    if !(1..=9999).contains(&year) {
        return None;
    }
    let in_day = ms.rem_euclid(MS_PER_DAY);
    let mut text = String::with_capacity(24);
    for (value, digits, after) in
        [(year, 4, '-'), (month, 2, '-'), (day, 2, 'T'), (in_day / 3_600_000, 2, ':'), (in_day / 60_000 % 60, 2, ':')]
    {
        push_padded(&mut text, value, digits);
        text.push(after);
    }
    push_padded(&mut text, in_day / 1000 % 60, 2);
    if in_day % 1000 != 0 {
        text.push('.');
        push_padded(&mut text, in_day % 1000, 3);
    }
    text.push('Z');
    Some(text)
}

/// RFC 3339 text of unix time written in digits: seconds, or milliseconds when there are 12 digits or more.
pub fn from_unix_digits(text: &str) -> Option<String> {
    let value: i64 = text.parse().ok()?;
    if value.unsigned_abs() < 100_000_000_000 { from_unix_s(value) } else { from_unix_ms(value) }
}

fn push_padded(text: &mut String, value: i64, digits: u32) {
    for place in (0..digits).rev() {
        let digit = (value / 10_i64.pow(place) % 10) as u8;
        text.push(char::from(b'0' + digit));
    }
}

/// Year, month and day of a day counted from 1970-01-01 (Gregorian; a year is counted from March, so that the leap day is its last).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// Days from 1970-01-01 to a date.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

struct Read {
    ms: i64,
    offset_has_colon: bool,
}

impl Read {
    /// `2026-03-30T14:30:00[.123…](Z|±hh:mm|±hhmm)`
    fn instant(text: &[u8]) -> Option<Self> {
        let (date, rest) = text.split_at_checked(19)?;
        let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
        if separators.iter().any(|(at, byte)| date[*at] != *byte) || !matches!(date[10], b'T' | b't' | b' ') {
            return None;
        }
        let year = number(&date[..4])?;
        let (month, day) = (within(&date[5..7], 1, 12)?, number(&date[8..10])?);
        let (hour, minute, second) =
            (within(&date[11..13], 0, 23)?, within(&date[14..16], 0, 59)?, within(&date[17..], 0, 60)?);
        if !(1..=days_in(year, month)).contains(&day) {
            return None;
        }
        let (fraction_ms, rest) = fraction(rest)?;
        let (offset_min, offset_has_colon) = offset(rest)?;
        let minutes = (days(year, month, day) * 24 + hour) * 60 + minute - offset_min;
        Some(Self { ms: (minutes * 60 + second.min(59)) * 1000 + fraction_ms, offset_has_colon })
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

fn within(digits: &[u8], least: i64, most: i64) -> Option<i64> {
    number(digits).filter(|value| (least..=most).contains(value))
}

fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.', digits)) = text.split_first() else { return Some((0, text)) };
    let length = digits.iter().take_while(|b| b.is_ascii_digit()).count();
    let ms = (0..3).fold(0, |ms, place| ms * 10 + if place < length { i64::from(digits[place] - b'0') } else { 0 });
    (1..=9).contains(&length).then(|| (ms, &digits[length..]))
}

/// Minutes east of UTC, and whether it is written as RFC 3339 wants it.
fn offset(text: &[u8]) -> Option<(i64, bool)> {
    let (sign, hours, minutes, colon) = match text {
        b"Z" | b"z" => return Some((0, true)),
        [sign, h1, h2, b':', m1, m2] => (sign, [*h1, *h2], [*m1, *m2], true),
        [sign, h1, h2, m1, m2] => (sign, [*h1, *h2], [*m1, *m2], false),
        _ => return None,
    };
    let east = within(&hours, 0, 23)? * 60 + within(&minutes, 0, 59)?;
    match sign {
        b'+' => Some((east, colon)),
        b'-' => Some((-east, colon)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_as_providers_write_them() {
        let check = |text: &str, expected: &str, utc: &str| {
            assert_eq!(rfc3339(text).as_deref(), Some(expected));
            assert_eq!(unix_ms(text).and_then(from_unix_ms).as_deref(), Some(utc));
        };
        check("2021-12-31T19:00:00-05:00", "2021-12-31T19:00:00-05:00", "2022-01-01T00:00:00Z");
        check("2026-03-30T14:30:00.000000000Z", "2026-03-30T14:30:00.000000000Z", "2026-03-30T14:30:00Z");
        check("2015-02-28T08:49:14+0000", "2015-02-28T08:49:14+00:00", "2015-02-28T08:49:14Z");
        check("2024-02-29 23:59:60.1Z", "2024-02-29 23:59:60.1Z", "2024-02-29T23:59:59.100Z");
    }

    #[test]
    fn other_text_is_refused() {
        for bad in [
            "",
            "yesterday",
            "2026-03-30",
            "2026-03-30T14:30:00",
            "2026-03-30T14:30Z",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-03-30T24:00:00Z",
            "2026-03-30T14:30:00.Z",
            "2026-03-30T14:30:00+5:00",
            "2026-03-30T14:30:00 05:00",
            "2026-03-30T14:30:00+05:99",
            "é026-03-30T14:30:00Z",
            "April 17, 2025",
        ] {
            assert_eq!(rfc3339(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn unix_time_is_seconds_or_milliseconds_by_its_size() {
        assert_eq!(from_unix_digits("1749416383").as_deref(), Some("2025-06-08T20:59:43Z"));
        assert_eq!(from_unix_digits("1749416383042").as_deref(), Some("2025-06-08T20:59:43.042Z"));
        assert_eq!(from_unix_digits("0").as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(from_unix_digits("-1").as_deref(), Some("1969-12-31T23:59:59Z"));
        for bad in ["", "<TIMESTAMP>", "1.5", "9223372036854775807", "99999999999999999999"] {
            assert_eq!(from_unix_digits(bad), None, "{bad:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_back(ms in -62_135_596_800_000_i64..253_402_300_800_000) {
            let text = from_unix_ms(ms).unwrap();
            proptest::prop_assert_eq!(unix_ms(&text), Some(ms));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            if let Some(instant) = rfc3339(&text) {
                proptest::prop_assert!(unix_ms(&instant).is_some());
            }
        }
    }
}
