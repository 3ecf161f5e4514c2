//! Choosing a phone among the places where a provider may write one. Reading it is the host's: it knows the number plans.

use crate::Phone;

impl Phone {
    /// The first candidate (number, country to assume) that looks like a number; else the first that is not blank, so that an operator sees it. Candidates are in order of preference.
    pub fn first_of<'a>(candidates: &[(Option<&'a str>, Option<&'a str>)]) -> Option<Self> {
        let filled = || candidates.iter().filter_map(|(number, region)| Some((crate::json::filled(*number)?, *region)));
        let (number, region) = filled().find(|(number, _)| Self::is_likely(number)).or_else(|| filled().next())?;
        Some(Self { number: number.to_owned(), region: region.map(str::to_owned) })
    }

    /// Whether a text looks like a number: at least 7 digits, and nothing that is not written in phone numbers.
    pub fn is_likely(text: &str) -> bool {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let written = |b: u8| b.is_ascii_digit() || matches!(b, b' ' | b'+' | b'-' | b'.' | b'/' | b'(' | b')');
        (7..=17).contains(&digits) && text.bytes().all(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(candidates: &[(Option<&str>, Option<&str>)], expected: Option<(&str, Option<&str>)>) {
        let found = Phone::first_of(candidates);
        assert_eq!(found.as_ref().map(|phone| (phone.number.as_str(), phone.region.as_deref())), expected);
    }

    #[test]
    fn the_first_that_looks_like_a_number_is_taken() {
        let us = Some("US");
        check(&[(None, None), (Some(" "), us), (Some("+1 202 555 0143"), us)], Some(("+1 202 555 0143", us)));
        check(&[(Some("555-555-SHIP"), us), (Some("123-123-1234"), Some("CA"))], Some(("123-123-1234", Some("CA"))));
    }

    #[test]
    fn what_is_no_number_is_still_shown_when_there_is_nothing_better() {
        check(&[(None, None), (Some("call me"), None), (Some("12"), None)], Some(("call me", None)));
        check(&[(None, Some("US"))], None);
    }
}
