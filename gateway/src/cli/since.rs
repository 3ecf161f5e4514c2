//! How far back a command looks: `--since 24h`.

use super::Failure;

/// A time back, such as `30m`, `24h`, `7d`, in milliseconds.
///
/// # Errors
/// What was expected.
pub(super) fn since_ms(text: &str) -> Result<i64, Failure> {
    let wrong = || Failure::Usage(format!("--since: expected a time such as 30m, 24h or 7d, found {text:?}"));
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(unit_at);
    let number: i64 = number.parse().map_err(|_| wrong())?;
    let unit_ms = match unit {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit_ms).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_back_have_a_number_and_a_unit() {
        let check = |text: &str, expected: Option<i64>| assert_eq!(since_ms(text).ok(), expected, "{text}");
        check("90s", Some(90_000));
        check("30m", Some(1_800_000));
        check("24h", Some(86_400_000));
        check("7d", Some(604_800_000));
        for wrong in ["", "24", "h", "-1h", "1w", "1.5h", "é", "99999999999999999999d", "9223372036854775807d"] {
            check(wrong, None);
        }
    }
}
