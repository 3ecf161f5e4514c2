//! What a provider sends without a signature, to see whether an endpoint answers. Pure: whether a request is one is decided by its content type and its whole body.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest value of a field, in bytes.
const VALUE_BYTES: usize = 64;

/// A form that the provider sends unsigned.
///
/// It must hold these fields and no others, so that nothing that means more is answered unread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsigned {
    /// The fields of the form (`application/x-www-form-urlencoded`), and what their values are.
    pub form: BTreeMap<String, FieldForm>,
}

/// What the value of a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldForm {
    /// Digits, at least one.
    Digits,
}

impl Unsigned {
    /// Whether a request without a signature is this one. `content_type` is the header's value, with or without parameters.
    pub fn is_met_by(&self, content_type: &str, body: &[u8]) -> bool {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        let Ok(text) = str::from_utf8(body) else { return false };
        let pairs: Option<Vec<(&str, &str)>> = text.split('&').map(|pair| pair.split_once('=')).collect();
        let Some(pairs) = pairs else { return false };
        let fits = |(name, value): &(&str, &str)| self.form.get(*name).is_some_and(|form| form.fits(value));
        kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
            && pairs.len() == self.form.len()
            && self.form.keys().all(|name| pairs.iter().any(|(held, _)| held == name))
            && pairs.iter().all(fits)
    }
}

impl FieldForm {
    fn fits(self, value: &str) -> bool {
        let is_of_form = match self {
            Self::Digits => value.bytes().all(|byte| byte.is_ascii_digit()),
        };
        is_of_form && (1..=VALUE_BYTES).contains(&value.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    #[test]
    fn a_form_with_these_fields_and_no_others_is_met() {
        let form = |names: &[&str]| Unsigned {
            form: names.iter().map(|&name| (name.to_owned(), FieldForm::Digits)).collect(),
        };
        let ping = form(&["webhook_id"]);
        let two = form(&["a", "b"]);
        assert!(ping.is_met_by(FORM, b"webhook_id=42"));
        assert!(ping.is_met_by("Application/X-WWW-Form-Urlencoded; charset=UTF-8", b"webhook_id=42"));
        assert!(two.is_met_by(FORM, b"b=1&a=2"));
        let long = format!("webhook_id={}", "1".repeat(65));
        for body in [
            &b""[..],
            b"webhook_id",
            b"webhook_id=",
            b"webhook_id=-1",
            b"webhook_id=4x",
            b"webhook_id=%34",
            b"webhook_id=1&webhook_id=2",
            b"webhook_id=1&",
            b"webhook_id=1&a=2",
            b" webhook_id=1",
            b"webhook_id=1\n",
            b"webhook_id=\xff",
            b"{\"id\":1}",
            long.as_bytes(),
        ] {
            assert!(!ping.is_met_by(FORM, body), "{}", String::from_utf8_lossy(body));
        }
        assert!(!two.is_met_by(FORM, b"a=1&a=2"));
        for kind in ["application/json", "", "text/plain"] {
            assert!(!ping.is_met_by(kind, b"webhook_id=42"), "{kind}");
        }
    }
}
