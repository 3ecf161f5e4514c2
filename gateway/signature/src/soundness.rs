//! Whether a scheme, which may come from a plugin's manifest, can protect anything. A scheme that cannot is refused before it is used.

use tidegate_model::scheme::{SignatureScheme, SignedPart};

use crate::fields;

/// Why a scheme is refused. Each message names the field of `[signature]` to mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemeError {
    /// A header's name is empty or has characters that no header name has.
    #[error("signature: `{name}` is not a header name: write letters, digits and dashes, as in `X-Signature`")]
    HeaderName {
        /// The name as written.
        name: String,
    },
    /// The body is not signed, so anyone could change it.
    #[error("signature.parts: the body is not among the signed parts: add `body`")]
    BodyNotSigned,
    /// The timestamp is not signed, so anyone could change it.
    #[error(
        "signature.timestamp: the header `{header}` is not among the signed parts: add it to signature.parts, or remove the timestamp"
    )]
    TimestampNotSigned {
        /// The timestamp's header.
        header: String,
    },
    /// The signature would sign itself.
    #[error("signature.parts: the signature's own header `{header}` is among the signed parts: remove it")]
    SignsItself {
        /// The signature's header.
        header: String,
    },
    /// A signed field can't be told from what is around it.
    #[error(
        "signature.parts: `{name}` can't be a field of the signature's header: write a name without `=` and the separator that is not the signature's own, and set signature.separator"
    )]
    Field {
        /// The name as written.
        name: String,
    },
    /// The timestamp is one of several fields, and nothing says which.
    #[error("signature.parts: {count} fields of the timestamp's header are signed, and one must be: the timestamp")]
    TimestampField {
        /// How many there are.
        count: usize,
    },
    /// An empty separator would cut the header into characters.
    #[error("signature.separator is empty: write the text between two signatures, or leave it out")]
    EmptySeparator,
    /// A way that an earlier one always stands before.
    #[error(
        "signature.alternatives: the header `{header}` is already looked for by an earlier scheme: give `when` with a header that tells them apart"
    )]
    Unreachable {
        /// The header of both signatures.
        header: String,
    },
    /// An alternative of an alternative would never be looked at.
    #[error("signature.alternatives: an alternative has alternatives of its own: write all of them into one list")]
    Nested,
    /// One secret can't be read in two forms.
    #[error(
        "signature.alternatives: the alternatives read the secret in another form: give all of them the same `key`"
    )]
    KeyDiffers,
}

/// Checks that a scheme, and each of its alternatives, signs the body, signs the timestamp it relies on, and names real headers; and that the alternatives can be
/// told apart.
///
/// [`verify`](crate::verify) and [`sign`](crate::sign) do this too;
/// callers that read a manifest ask here, to tell the author early.
///
/// # Errors
/// The first thing found wrong.
pub fn check_scheme(scheme: &SignatureScheme) -> Result<(), SchemeError> {
    for (index, way) in scheme.ways().enumerate() {
        check_way(way)?;
        if scheme.ways().take(index).any(|earlier| is_hidden(way, earlier)) {
            return Err(SchemeError::Unreachable { header: way.header.clone() });
        }
    }
    if scheme.alternatives.iter().any(|way| !way.alternatives.is_empty()) {
        return Err(SchemeError::Nested);
    }
    if scheme.alternatives.iter().any(|way| way.key != scheme.key) {
        return Err(SchemeError::KeyDiffers);
    }
    Ok(())
}

/// Whether every request with the headers of `way` has those of an earlier one too.
fn is_hidden(way: &SignatureScheme, earlier: &SignatureScheme) -> bool {
    earlier.header.eq_ignore_ascii_case(&way.header) && (earlier.when.is_none() || earlier.when == way.when)
}

fn check_way(scheme: &SignatureScheme) -> Result<(), SchemeError> {
    let signed = || signed_headers(scheme);
    let timestamp = scheme.timestamp.as_ref().map(|rule| rule.header.as_str());
    let when = scheme.when.as_ref().map(|when| when.header.as_str());
    let named = [scheme.header.as_str()].into_iter();
    if let Some(name) = named.chain(signed()).chain(timestamp).chain(when).find(|name| !is_header_name(name)) {
        let name = name.to_owned();
        return Err(SchemeError::HeaderName { name });
    }
    // A body that is signed by its hash in the URL needs the URL.
    let form = scheme.parts.contains(&SignedPart::SortedForm) && scheme.parts.iter().any(is_url);
    if !scheme.parts.contains(&SignedPart::Body) && !form {
        return Err(SchemeError::BodyNotSigned);
    }
    let is_signed = |header: &str| match header.eq_ignore_ascii_case(&scheme.header) {
        true => fields::signed(scheme).next().is_some(),
        false => signed().any(|name| name.eq_ignore_ascii_case(header)),
    };
    if let Some(header) = timestamp
        && !is_signed(header)
    {
        let header = header.to_owned();
        return Err(SchemeError::TimestampNotSigned { header });
    }
    if signed().any(|name| name.eq_ignore_ascii_case(&scheme.header)) {
        let header = scheme.header.clone();
        return Err(SchemeError::SignsItself { header });
    }
    if scheme.separator.as_deref() == Some("") {
        return Err(SchemeError::EmptySeparator);
    }
    check_fields(scheme)
}

/// The fields of the signature's own header can be told apart, and one of them is the timestamp where that is among them.
fn check_fields(scheme: &SignatureScheme) -> Result<(), SchemeError> {
    let is_signature = |name: &str| scheme.prefix.strip_suffix('=') == Some(name);
    let is_good = |name: &str| scheme.separator.is_some() && fields::is_name(scheme, name) && !is_signature(name);
    if let Some(name) = fields::signed(scheme).find(|name| !is_good(name)) {
        return Err(SchemeError::Field { name: name.to_owned() });
    }
    let count = fields::signed(scheme).count();
    if fields::timestamp(scheme).is_some() && count > 1 {
        return Err(SchemeError::TimestampField { count });
    }
    Ok(())
}

fn is_url(part: &SignedPart) -> bool {
    matches!(part, SignedPart::Url | SignedPart::UrlDecoded(_) | SignedPart::UrlWithAnyPort)
}

/// The headers whose values are signed, in order.
pub(crate) fn signed_headers(scheme: &SignatureScheme) -> impl Iterator<Item = &str> {
    scheme.parts.iter().filter_map(|part| match part {
        SignedPart::Header(name) => Some(name.as_str()),
        SignedPart::Body
        | SignedPart::Method
        | SignedPart::Url
        | SignedPart::UrlDecoded(_)
        | SignedPart::UrlWithAnyPort
        | SignedPart::SortedForm
        | SignedPart::Field(_)
        | SignedPart::Text(_) => None,
    })
}

/// A token of RFC 9110, section 5.6.2.
fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use tidegate_model::scheme::{KeyForm, SignatureScheme, SignedPart};

    use super::{SchemeError, check_scheme};

    fn check(mend: impl FnOnce(&mut SignatureScheme), expected: &SchemeError) {
        let mut scheme = crate::scheme("standard-webhooks").unwrap();
        mend(&mut scheme);
        assert_eq!(check_scheme(&scheme).as_ref(), Err(expected));
    }

    #[test]
    fn a_scheme_that_protects_nothing_is_refused() {
        let name = |name: &str| SchemeError::HeaderName { name: name.to_owned() };
        check(|scheme| scheme.header.clear(), &name(""));
        check(|scheme| scheme.header.push(' '), &name("webhook-signature "));
        check(|scheme| scheme.parts.push(SignedPart::Header("ü".to_owned())), &name("ü"));
        check(|scheme| scheme.parts.retain(|part| *part != SignedPart::Body), &SchemeError::BodyNotSigned);
        check(|scheme| scheme.parts.clear(), &SchemeError::BodyNotSigned);
        check(|scheme| scheme.parts = vec![SignedPart::SortedForm], &SchemeError::BodyNotSigned);
        check(
            |scheme| scheme.parts = vec![SignedPart::Body],
            &SchemeError::TimestampNotSigned { header: "webhook-timestamp".to_owned() },
        );
        check(
            |scheme| {
                let header = "Webhook-Signature".to_owned();
                scheme.parts.push(SignedPart::Header(header));
            },
            &SchemeError::SignsItself { header: "webhook-signature".to_owned() },
        );
        check(|scheme| scheme.separator = Some(String::new()), &SchemeError::EmptySeparator);
    }

    #[test]
    fn fields_that_can_not_be_told_apart_are_refused() {
        let check = |mend: &dyn Fn(&mut SignatureScheme), expected: &SchemeError| {
            let mut scheme = crate::scheme("calendly").unwrap();
            mend(&mut scheme);
            assert_eq!(check_scheme(&scheme).as_ref(), Err(expected));
        };
        let field = |name: &str| SignedPart::Field(name.to_owned());
        for name in ["", "v1", "a=b", "a,b", "a b", "ü"] {
            check(&|scheme| scheme.parts[0] = field(name), &SchemeError::Field { name: name.to_owned() });
        }
        check(&|scheme| scheme.separator = None, &SchemeError::Field { name: "t".to_owned() });
        check(&|scheme| scheme.parts.push(field("n")), &SchemeError::TimestampField { count: 2 });
        let unsigned = SchemeError::TimestampNotSigned { header: "Calendly-Webhook-Signature".to_owned() };
        check(&|scheme| scheme.parts = vec![SignedPart::Body], &unsigned);
    }

    #[test]
    fn alternatives_that_can_not_be_told_apart_or_protect_nothing_are_refused() {
        let hubspot = crate::scheme("hubspot").unwrap();
        let check = |mend: fn(&mut SignatureScheme), expected: SchemeError| {
            let mut scheme = hubspot.clone();
            mend(&mut scheme);
            assert_eq!(check_scheme(&scheme), Err(expected));
        };
        let header = || "X-HubSpot-Signature".to_owned();
        check(|scheme| scheme.alternatives[0].when = None, SchemeError::Unreachable { header: header() });
        check(
            |scheme| scheme.alternatives[1].when = scheme.alternatives[0].when.clone(),
            SchemeError::Unreachable { header: header() },
        );
        check(|scheme| scheme.alternatives[1].parts.clear(), SchemeError::BodyNotSigned);
        check(
            |scheme| scheme.alternatives[1].when.as_mut().unwrap().header.clear(),
            SchemeError::HeaderName { name: String::new() },
        );
        check(|scheme| scheme.alternatives[0].alternatives = vec![crate::scheme("meta").unwrap()], SchemeError::Nested);
        check(|scheme| scheme.alternatives[0].key = KeyForm::Base64 { prefix: String::new() }, SchemeError::KeyDiffers);
    }
}
