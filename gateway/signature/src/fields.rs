//! Named fields in the signature's own header: `t=1772359200,v1=5257a8…`.

use tidegate_model::scheme::{SignatureScheme, SignedPart};

use crate::Refusal;
use crate::refusal::Expected;

/// The value of a field, from the header's value.
///
/// A field that comes twice is refused: which one was signed could be read in two ways.
pub(crate) fn only<'a>(scheme: &SignatureScheme, value: &'a [u8], name: &str) -> Result<&'a [u8], Refusal> {
    let malformed = || Refusal::Malformed { header: scheme.header.clone(), expected: Expected::Fields };
    let text = str::from_utf8(value).map_err(|_| malformed())?;
    let entries = text.split(scheme.separator.as_deref().unwrap_or(","));
    let mut values = entries.filter_map(|entry| entry.split_once('=')).filter(|(known, _)| *known == name);
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Ok(value.as_bytes()),
        (None, _) | (Some(_), Some(_)) => Err(malformed()),
    }
}

/// The names of the fields that are signed, in order.
pub(crate) fn signed(scheme: &SignatureScheme) -> impl Iterator<Item = &str> {
    scheme.parts.iter().filter_map(|part| match part {
        SignedPart::Field(name) => Some(name.as_str()),
        SignedPart::Body
        | SignedPart::Method
        | SignedPart::Url
        | SignedPart::UrlDecoded(_)
        | SignedPart::UrlWithAnyPort
        | SignedPart::SortedForm
        | SignedPart::Header(_)
        | SignedPart::Text(_) => None,
    })
}

/// The field that carries the timestamp, where that is in the signature's own header.
pub(crate) fn timestamp(scheme: &SignatureScheme) -> Option<&str> {
    let rule = scheme.timestamp.as_ref()?;
    if rule.header.eq_ignore_ascii_case(&scheme.header) { signed(scheme).next() } else { None }
}

/// Whether a value can stand in a field: visible ASCII without the separator.
pub(crate) fn is_value(scheme: &SignatureScheme, value: &str) -> bool {
    let separator = scheme.separator.as_deref().unwrap_or_default();
    let graphic = value.bytes().all(|byte| byte.is_ascii_graphic());
    !value.is_empty() && graphic && (separator.is_empty() || !value.contains(separator))
}

/// Whether a name can be told from the text around it.
pub(crate) fn is_name(scheme: &SignatureScheme, name: &str) -> bool {
    is_value(scheme, name) && !name.contains('=')
}
