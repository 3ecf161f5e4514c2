//! Reading forms (`application/x-www-form-urlencoded`): bodies of providers that post them, and the header `:query` that a manifest's `items.query` asks for.

use crate::{Error, json};
use std::borrow::Cow;

/// The fields of a form, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// Reads a form. Every text is one; texts borrow from the input where they can.
///
/// ```
/// use tidegate_plugin_sdk::form;
/// let fields = form::parse("Body=a+b%26c&From=%2B12025550123&Empty=");
/// assert_eq!(fields.get("Body"), Some("a b&c"));
/// assert_eq!(fields.get("Empty"), None);
/// assert!(fields.required("To").is_err());
/// ```
pub fn parse(text: &str) -> Fields<'_> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    Fields(
        pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (plain(name), plain(value)))
            .collect(),
    )
}

impl Fields<'_> {
    /// A field that is there and not blank, without blanks around it; of several the first.
    pub fn get(&self, name: &str) -> Option<&str> {
        json::filled(self.raw(name))
    }

    /// A field as it was sent, blanks and all.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_ref())
    }

    /// A field that must be there.
    ///
    /// # Errors
    /// Names the field.
    pub fn required(&self, name: &str) -> Result<&str, Error> {
        self.get(name).ok_or_else(|| Error::field(format!("/{name}"), "expected a text, found none"))
    }
}

/// `+` is a space, `%` and two hexadecimal digits are a byte. What is no UTF-8 then is replaced.
fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(['+', '%']) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match rest {
            [b'%', high, low, ..] => digit(*high).zip(digit(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        rest = if escaped.is_some() { &rest[3..] } else { after };
        bytes.push(escaped.unwrap_or(if byte == b'+' { b' ' } else { byte }));
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_as_browsers_write_them() {
        let check = |text: &str, name: &str, expected: Option<&str>| {
            assert_eq!(parse(text).raw(name), expected, "{text} {name}");
        };
        check("a=1&a=2", "a", Some("1"));
        check("a+b=%C3%A9%20+", "a b", Some("é  "));
        check("a", "a", Some(""));
        check("a=%", "a", Some("%"));
        check("a=%4", "a", Some("%4"));
        check("a=%zz", "a", Some("%zz"));
        check("a=%FF", "a", Some("\u{fffd}"));
        check("a=b=c", "a", Some("b=c"));
        check("&&=x", "", Some("x"));
        check("", "a", None);
        assert_eq!(parse("a=+x+").get("a"), Some("x"));
        assert_eq!(parse("a=++").get("a"), None);
        let error = parse("a=1").required("b").unwrap_err();
        assert_eq!(error, Error::field("/b", "expected a text, found none"));
    }
}
