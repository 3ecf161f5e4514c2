//! Personal data in words that go to a log: what is left says that something was there, and not what. Names and texts can't be told from other words: who holds one
//! does not log it.

use std::fmt;

/// Digits from which on a row of digits may be a number that calls somebody.
const PHONE_DIGITS: usize = 7;
/// Digits from which on a row of digits inside a word may be one.
const DIGITS_IN_WORD: usize = 10;
/// Digits of a number that are shown.
const SHOWN_DIGITS: usize = 2;

/// Text of somebody else's, for a log: numbers and email addresses in it are masked.
///
/// `Recipient +39 347 555 0123 is not allowed` is shown as `Recipient ***23 is not allowed`.
#[derive(Debug, Clone, Copy)]
pub struct Scrubbed<'a>(pub &'a str);

impl fmt::Display for Scrubbed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while !rest.is_empty() {
            if let Some(length) = email(rest) {
                f.write_str("***@***")?;
                rest = &rest[length..];
            } else if let Some((length, last)) = phone(rest) {
                write!(f, "***{last}")?;
                rest = &rest[length..];
            } else {
                let plain = word(rest);
                f.write_str(&rest[..plain])?;
                rest = &rest[plain..];
            }
        }
        Ok(())
    }
}

/// Any text with its numbers and email addresses masked.
pub fn scrub(text: &str) -> String {
    Scrubbed(text).to_string()
}

const fn in_address(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-')
}

/// The length of an email address at the start.
fn email(text: &str) -> Option<usize> {
    let local = text.find(|c: char| !in_address(c)).filter(|end| *end > 0)?;
    let domain = text[local..].strip_prefix('@')?;
    let end = domain.find(|c: char| !(c.is_alphanumeric() || c == '.' || c == '-')).unwrap_or(domain.len());
    domain[..end].contains('.').then_some(local + 1 + end)
}

/// The length of a number at the start, with what people write between digits, and its last digits.
fn phone(text: &str) -> Option<(usize, &str)> {
    let (mut digits, mut end) = (0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '0'..='9' => {
                digits += 1;
                end = at + 1;
            }
            '+' | '(' if at == 0 => {}
            ' ' | '-' | '(' | ')' | '.' | '/' | '\u{a0}' if digits > 0 && at < end + 3 => {}
            _ => break,
        }
    }
    (digits >= PHONE_DIGITS).then(|| (end, &text[end - SHOWN_DIGITS..end]))
}

/// The length of what is shown as it is: a run of letters and digits, or what follows up to the next one.
fn word(text: &str) -> usize {
    let in_word = text.starts_with(char::is_alphanumeric);
    let ends = |(at, c): (usize, char)| {
        let breaks = if in_word {
            !in_address(c) || number_begins(&text[at..])
        } else {
            c.is_alphanumeric() || c == '+' || c == '('
        };
        (at > 0 && breaks).then_some(at)
    };
    text.char_indices().find_map(ends).unwrap_or(text.len())
}

/// Whether a number begins here, inside a word. Ids have digits as well, but not so many in a row.
fn number_begins(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    match text.strip_prefix('+') {
        Some(rest) => digits(rest) >= PHONE_DIGITS,
        None => digits(text) >= DIGITS_IN_WORD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, shown: &str) {
        assert_eq!(scrub(text), shown);
    }

    #[test]
    fn numbers_and_addresses_are_masked_and_the_rest_is_not() {
        check("Recipient +39 347 555 0123 is not allowed", "Recipient ***23 is not allowed");
        check("to=447700900123,", "to=***23,");
        check("(202) 555-0123", "***23");
        check("wrote robin.hood+x@example.co.uk twice", "wrote ***@*** twice");
        check("mail 7000000001@example.com", "mail ***@***");
        check("(#131030) code 190, status 400", "(#131030) code 190, status 400");
        check("evt_01jnqs8g00abcdef retries 3", "evt_01jnqs8g00abcdef retries 3");
        check("", "");
        check("così è, 日本 @ 12:30", "così è, 日本 @ 12:30");
        check("+447700900001", "***01");
        check("x+447700900001", "x***01");
        check("recipient_447700900001", "recipient_***01");
    }

    proptest! {
        #[test]
        fn no_number_gets_through(before in "[ -~]{0,12}", digits in "[0-9]{10,15}", after in "[ a-z]{0,6}") {
            let shown = scrub(&format!("{before} {digits} {after}"));
            prop_assert!(!shown.contains(&digits), "{}", shown);
        }

        #[test]
        fn any_text_is_scrubbed_without_panic(text in "\\PC{0,60}") {
            scrub(&text);
        }
    }
}
