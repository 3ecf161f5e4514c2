//! Durations as people write them: `30s`, `5m`, `1h30m`, `3d`. Knows nothing of flows.

/// Milliseconds of each unit, longest first.
const UNITS: [(char, i64); 4] = [('d', 86_400_000), ('h', 3_600_000), ('m', 60_000), ('s', 1_000)];
/// Longest duration, 400 days: longer is a slip of the pen.
const MAX_MS: i64 = 400 * 86_400_000;

/// The text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not of the form.
    #[error("expected a duration such as 30s, 5m, 2h, 3d or 1h30m, found {0:?}")]
    Form(String),
    /// Nothing, or too much.
    #[error("expected a duration from 1s to 400d, found {0:?}")]
    Range(String),
}

/// Reads a duration into milliseconds: whole numbers with `d`, `h`, `m` or `s`, longest unit first, each at most once.
///
/// # Errors
/// When the text has another form, or the duration is 0 or over 400 days.
pub fn parse_duration(text: &str) -> Result<i64, DurationError> {
    let shown = || text.chars().take(40).collect::<String>();
    let mut rest = text.trim();
    let mut units = UNITS.iter();
    let mut total = 0i64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let unit = tail.chars().next().ok_or_else(|| DurationError::Form(shown()))?;
        // Going on from the last unit refuses a unit that is repeated or out of order.
        let (_, ms) = units.find(|(letter, _)| *letter == unit).ok_or_else(|| DurationError::Form(shown()))?;
        if number.is_empty() {
            return Err(DurationError::Form(shown()));
        }
        let part = number.parse::<i64>().ok().and_then(|n| n.checked_mul(*ms));
        total = part.and_then(|ms| total.checked_add(ms)).ok_or_else(|| DurationError::Range(shown()))?;
        rest = &tail[unit.len_utf8()..];
    }
    match total {
        0 if text.trim().is_empty() => Err(DurationError::Form(shown())),
        1..=MAX_MS => Ok(total),
        _ => Err(DurationError::Range(shown())),
    }
}

/// Writes milliseconds as [`parse_duration`] reads them; parts of a second are left out.
pub fn format_duration(ms: i64) -> String {
    let mut text = String::new();
    let mut rest = ms.max(0);
    for (unit, size) in UNITS {
        if rest >= size {
            text.push_str(&(rest / size).to_string());
            text.push(unit);
            rest %= size;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let check = |text: &str, expected: i64| assert_eq!(parse_duration(text), Ok(expected), "{text}");
        check("30s", 30_000);
        check("5m", 300_000);
        check("2h", 7_200_000);
        check("3d", 259_200_000);
        check("1h30m", 5_400_000);
        check(" 400d ", MAX_MS);
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", " ", "5", "m", "5 m", "30m1h", "1h1h", "-5m", "5ms", "1.5h", "5µ", "PT5M"] {
            assert!(matches!(parse_duration(text), Err(DurationError::Form(_))), "{text}");
        }
        for text in ["0s", "401d", "99999999999999999999d", "9999999999999999d"] {
            assert!(matches!(parse_duration(text), Err(DurationError::Range(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[0-9dhms µ.-]{0,12}") {
            let _ = parse_duration(&text);
        }

        #[test]
        fn what_is_written_is_read_back(seconds in 1..MAX_MS / 1000) {
            prop_assert_eq!(parse_duration(&format_duration(seconds * 1000)), Ok(seconds * 1000));
        }
    }
}
