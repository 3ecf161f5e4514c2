//! Phone numbers: free text to E.164. Numbers of possible length are accepted, so that reserved ranges and old WhatsApp ids pass; a bad phone is an answer, never an error of the event.

use rlibphonenumber::{PhoneNumber, PhoneNumberFormat, Region};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A phone number in E.164, with its `+`. Personal data: `Debug` shows its ends only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct E164(String);

impl E164 {
    /// Reads a number as people and providers write it. `region` (ISO 3166-1 alpha-2) is assumed when the country code is missing; a number with neither is `None`.
    pub fn parse(text: &str, region: Option<&str>) -> Option<Self> {
        let text = without_extension(text.trim());
        // Letters on a dial pad (555-SHIP) are no number that a message reaches.
        if text.chars().any(char::is_alphabetic) {
            return None;
        }
        let number = match international(text) {
            Some(number) => PhoneNumber::parse(number, None).ok()?,
            None => PhoneNumber::parse(text, Some(region?.to_ascii_uppercase().parse::<Region>().ok()?)).ok()?,
        };
        // Possible, not valid: reserved ranges exist on WhatsApp, and number plans change faster than metadata.
        number.is_possible_with_reason().ok()?;
        Some(Self(number.format_as(PhoneNumberFormat::E164).into_owned()))
    }

    /// From a WhatsApp id: digits with the country code and no `+`. Not checked against number plans: the provider knows it.
    pub fn from_whatsapp_id(digits: &str) -> Option<Self> {
        let good = (6..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        good.then(|| Self(format!("+{digits}")))
    }

    /// The number with its `+`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number without its `+`, as WhatsApp writes it.
    pub fn digits(&self) -> &str {
        &self.0[1..]
    }

    /// For logs and lists: the first three characters and the last two.
    pub fn masked(&self) -> String {
        mask(&self.0)
    }
}

/// Masks personal text for logs: at most its first three and last two characters stay.
pub fn mask(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() < 8 {
        return "***".to_owned();
    }
    let (head, tail) = (&chars[..3], &chars[chars.len() - 2..]);
    format!("{}***{}", head.iter().collect::<String>(), tail.iter().collect::<String>())
}

impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// The text before an extension (`x12`, `ext. 12`, `#12`): no message reaches an extension.
fn without_extension(text: &str) -> &str {
    text.split(['x', 'X', '#', ';', 'e', 'E']).next().unwrap_or(text)
}

/// The text with a leading `+`, when it has a country code (`+…` or `00…`).
fn international(text: &str) -> Option<String> {
    if text.starts_with('+') {
        return Some(text.to_owned());
    }
    text.strip_prefix("00").map(|rest| format!("+{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, region: Option<&str>, expected: Option<&str>) {
        let found = E164::parse(text, region);
        assert_eq!(found.as_ref().map(E164::as_str), expected, "{text:?} in {region:?}");
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        check("+39 333 123 4567", None, Some("+393331234567"));
        check("333 1234567", Some("IT"), Some("+393331234567"));
        check("0039 333 1234567", Some("US"), Some("+393331234567"));
        check("(555) 555-5555", Some("us"), Some("+15555555555"));
        check("+1 404-555-1234", None, Some("+14045551234"));
        check("+1 202 555 0123 ext. 9", None, Some("+12025550123"));
        check("202-555-0123 x9", Some("US"), Some("+12025550123"));
        check("06 698 12345", Some("IT"), Some("+390669812345"));
        // reserved test range: possible, though not valid.
        check("+44 7700 900123", None, Some("+447700900123"));
    }

    #[test]
    fn what_is_no_number_or_has_no_country_is_none() {
        for (text, region) in [
            ("", Some("US")),
            ("call me", Some("US")),
            ("333 1234567", None),
            ("12", Some("US")),
            ("5551234567", Some("ZZ")),
        ] {
            check(text, region, None);
        }
    }

    #[test]
    fn logs_see_the_ends_only() {
        let phone = E164::parse("+393331234567", None).unwrap();
        assert_eq!(format!("{phone:?}"), "+39***67");
        assert_eq!(mask("short"), "***");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_the_result_reads_as_itself(text in ".{0,40}") {
            if let Some(phone) = E164::parse(&text, Some("IT")) {
                proptest::prop_assert_eq!(E164::parse(phone.as_str(), None), Some(phone));
            }
        }
    }
}
