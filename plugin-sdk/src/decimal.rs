//! Amounts as decimal text: checked, made canonical, added and compared exactly. No floats.

use std::{borrow::Cow, cmp::Ordering};

/// Most digits of a decimal; what the gateway's model holds exactly.
pub const MAX_DIGITS: usize = 28;

/// The canonical form of a decimal: digits with an optional sign and point.
///
/// Keeps the digits after the point (`10.00`), expands exponents. `None` when the text is no decimal, or too long to be kept exactly.
///
/// ```
/// use tidegate_plugin_sdk::decimal::canonical;
/// assert_eq!(canonical("10.00").as_deref(), Some("10.00"));
/// assert_eq!(canonical("+007.5e1").as_deref(), Some("75"));
/// assert_eq!(canonical("1,50"), None);
/// ```
pub fn canonical(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim_ascii();
    if is_canonical(text) {
        return Some(Cow::Borrowed(text));
    }
    Some(Cow::Owned(Parsed::read(text)?.write()))
}

/// The exact sum. `None` when one of them is no decimal, or the sum is too long.
pub fn sum<'a>(amounts: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut total = Parsed { units: 0, scale: 0 };
    for amount in amounts {
        total = total.plus(Parsed::read(amount.trim_ascii())?)?;
    }
    Some(total.write())
}

/// How two decimals compare. `None` when one of them is none.
pub fn compare(left: &str, right: &str) -> Option<Ordering> {
    let (left, right) = (Parsed::read(left.trim_ascii())?, Parsed::read(right.trim_ascii())?);
    let scale = left.scale.max(right.scale);
    Some(left.units_at(scale)?.cmp(&right.units_at(scale)?))
}

fn is_canonical(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let whole = unsigned.iter().take_while(|b| b.is_ascii_digit()).count();
    let fraction_is_good = match unsigned.get(whole) {
        None => true,
        Some(b'.') => unsigned.len() > whole + 1 && unsigned[whole + 1..].iter().all(u8::is_ascii_digit),
        Some(_) => false,
    };
    let zero = || unsigned.iter().all(|b| matches!(b, b'0' | b'.'));
    whole > 0
        && fraction_is_good
        && unsigned.len() <= MAX_DIGITS
        && (whole == 1 || unsigned[0] != b'0')
        && (unsigned.len() == text.len() || !zero())
}

/// `units / 10^scale`.
#[derive(Clone, Copy)]
struct Parsed {
    units: i128,
    scale: usize,
}

impl Parsed {
    fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, unsigned) = match mantissa.as_bytes().first()? {
            b'-' => (true, &mantissa[1..]),
            b'+' => (false, &mantissa[1..]),
            _ => (false, mantissa),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut units = 0_i128;
        for digit in whole.bytes().chain(fraction.bytes()) {
            units = units.checked_mul(10)?.checked_add(i128::from(digit.is_ascii_digit().then(|| digit - b'0')?))?;
        }
        let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        let units = if negative { -units } else { units };
        Self { units, scale: 0 }.shifted(scale)?.checked()
    }

    /// Moves the point to the left, or to the right when `by` is negative.
    fn shifted(self, by: i32) -> Option<Self> {
        match usize::try_from(by) {
            Ok(scale) => Some(Self { scale, ..self }),
            Err(_) => Some(Self { units: times_ten(self.units, by.unsigned_abs() as usize)?, scale: 0 }),
        }
    }

    fn checked(self) -> Option<Self> {
        (self.scale <= MAX_DIGITS && self.units.unsigned_abs() < 10_u128.pow(MAX_DIGITS as u32)).then_some(self)
    }

    fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let units = self.units_at(scale)?.checked_add(other.units_at(scale)?)?;
        Self { units, scale }.checked()
    }

    fn units_at(self, scale: usize) -> Option<i128> {
        times_ten(self.units, scale - self.scale)
    }

    fn write(self) -> String {
        let digits = self.units.unsigned_abs().to_string();
        let mut text = String::with_capacity(digits.len().max(self.scale) + 3);
        if self.units < 0 {
            text.push('-');
        }
        let padded = "0".repeat((self.scale + 1).saturating_sub(digits.len())) + &digits;
        let (whole, fraction) = padded.split_at(padded.len() - self.scale);
        text.push_str(whole);
        if !fraction.is_empty() {
            text.push('.');
            text.push_str(fraction);
        }
        text
    }
}

fn times_ten(units: i128, times: usize) -> Option<i128> {
    units.checked_mul(10_i128.checked_pow(u32::try_from(times).ok()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_as_providers_write_them() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(canonical(text).as_deref(), expected, "{text:?}");
        for same in ["0", "10", "10.00", "-10.00", "0.0", "403.0", "20", "9999999999999999999999999.99"] {
            check(same, Some(same));
        }
        for (text, expected) in [
            ("+5", "5"),
            ("007", "7"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-0.00", "0.00"),
            ("1e2", "100"),
            ("1.5E-3", "0.0015"),
            (" 1.5 ", "1.5"),
        ] {
            check(text, Some(expected));
        }
        for bad in [
            "",
            ".",
            "-",
            "1,50",
            "1 000",
            "0x10",
            "NaN",
            "12.3.4",
            "--1",
            "1e",
            "1e999999999999",
            "99999999999999999999999999999",
            "1e40",
            "1e-40",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn sums_and_comparisons_are_exact() {
        assert_eq!(sum(["0.1", "0.2"]).as_deref(), Some("0.3"));
        assert_eq!(sum(["199", "0", "-5.00"]).as_deref(), Some("194.00"));
        assert_eq!(sum([]).as_deref(), Some("0"));
        assert_eq!(sum(["1", "x"]), None);
        assert_eq!(compare("9.99", "10"), Some(Ordering::Less));
        assert_eq!(compare("10.00", "10"), Some(Ordering::Equal));
        assert_eq!(compare("ten", "10"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_refused_or_its_canonical_form_is_its_own(text in "[-+0-9.eE ]{0,40}") {
            if let Some(first) = canonical(&text) {
                proptest::prop_assert_eq!(canonical(&first).map(Cow::into_owned), Some(first.clone().into_owned()));
            }
        }

        #[test]
        fn a_sum_is_the_sum_of_the_units(left in -1_000_000_000_i64..1_000_000_000, right in -1_000_000_000_i64..1_000_000_000) {
            let cents = |units: i64| Parsed { units: units.into(), scale: 2 }.write();
            proptest::prop_assert_eq!(sum([cents(left).as_str(), cents(right).as_str()]), Some(cents(left + right)));
        }
    }
}
