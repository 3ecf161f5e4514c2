//! Signs a message as a provider would: for `tidegate webhook send`, and for the provider double.

use std::convert::Infallible;

use tidegate_model::scheme::{HeaderValue, SignatureScheme, SignedPart, TimestampUnit};

use crate::soundness::signed_headers;
use crate::{SchemeError, Secret, Target, check_scheme, content, fields};

/// A message to sign.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// The message's id: written to the signed header or field that is not the timestamp's (`webhook-id`), where the scheme has one.
    pub id: &'a str,
    /// When it is signed, in Unix milliseconds: written where the scheme has a timestamp.
    pub at_ms: i64,
    /// The body as it will be sent.
    pub body: &'a [u8],
}

/// Why a message cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The scheme signs a header or a field that nothing here has a value for.
    #[error(
        "the scheme signs both `{first}` and `{second}` besides the timestamp, and a message has one id: it can be verified, but not signed"
    )]
    TwoHeaders {
        /// The header or field that gets the id.
        first: String,
        /// The one that nothing is known for.
        second: String,
    },
    /// The scheme signs the URL or the method, and they were not given.
    #[error("the scheme signs what the request is sent to: give the method and the URL")]
    Target,
    /// The id cannot stand in a header.
    #[error(
        "the message id is empty or has characters that no header may have: use visible ASCII, and not the text between two fields"
    )]
    Id,
    /// The time lies before 1970.
    #[error("the time {at_ms} ms lies before 1970: a signed timestamp counts from there")]
    Time {
        /// The time given.
        at_ms: i64,
    },
    /// The scheme itself protects nothing.
    #[error(transparent)]
    Scheme(#[from] SchemeError),
}

/// Signs a message: the headers to send with it, in the scheme's spelling, the signature last. What this makes, [`verify`](crate::verify) accepts. Of a scheme
/// with alternatives it is the first way.
///
/// # Errors
/// [`SignError`]; none of them goes away by trying again.
pub fn sign(
    scheme: &SignatureScheme,
    secret: &Secret,
    message: &Outgoing<'_>,
) -> Result<Vec<(String, String)>, SignError> {
    sign_request(scheme, secret, Target::default(), message)
}

/// As [`sign`], for schemes that may also sign what the request is sent to. What this makes, [`verify_request`](crate::verify_request) accepts.
///
/// # Errors
/// As [`sign`].
pub fn sign_request(
    scheme: &SignatureScheme,
    secret: &Secret,
    target: Target<'_>,
    message: &Outgoing<'_>,
) -> Result<Vec<(String, String)>, SignError> {
    check_scheme(scheme)?;
    if scheme.parts.iter().any(|part| is_unknown(part, target)) {
        return Err(SignError::Target);
    }
    let Signed { headers: mut sent, fields } = signed_values(scheme, message)?;
    let header = |name: &str| find(&sent, |known| known.eq_ignore_ascii_case(name));
    let field = |name: &str| find(&fields, |known| known == name);
    let Ok(pieces) = content::pieces(scheme, target, message.body, header, field);
    let tag = content::tag(scheme.algorithm, secret, &pieces);
    let signature = content::encode(scheme.encoding, &tag);
    let mut entries: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    entries.push(format!("{}{signature}", scheme.prefix));
    let value = entries.join(scheme.separator.as_deref().unwrap_or_default());
    sent.extend(scheme.when.as_ref().map(|when| (when.header.clone(), said(when))));
    sent.push((scheme.header.clone(), value));
    Ok(sent)
}

fn said(when: &HeaderValue) -> String {
    when.parameter.as_ref().map_or_else(|| when.value.clone(), |parameter| format!("{parameter}={}", when.value))
}

/// Whether a part of what the request is sent to is wanted and not known.
fn is_unknown(part: &SignedPart, target: Target<'_>) -> bool {
    match part {
        SignedPart::Method => target.method.is_empty(),
        SignedPart::Url | SignedPart::UrlDecoded(_) | SignedPart::UrlWithAnyPort => target.url.is_empty(),
        SignedPart::Body
        | SignedPart::SortedForm
        | SignedPart::Header(_)
        | SignedPart::Field(_)
        | SignedPart::Text(_) => false,
    }
}

fn find(pairs: &[(String, String)], is_it: impl Fn(&str) -> bool) -> Result<&[u8], Infallible> {
    let pair = pairs.iter().find(|(known, _)| is_it(known));
    Ok(pair.map_or(&[][..], |(_, value)| value.as_bytes()))
}

/// What is signed beside the body, each once: headers, and fields of the signature's own header.
struct Signed {
    headers: Vec<(String, String)>,
    fields: Vec<(String, String)>,
}

/// The timestamp goes where the scheme has it, the id to the other header or field.
fn signed_values<'s>(scheme: &'s SignatureScheme, message: &Outgoing<'_>) -> Result<Signed, SignError> {
    let mut signed = Signed { headers: Vec::new(), fields: Vec::new() };
    let mut id_place: Option<&str> = None;
    let mut value = |name: &'s str, is_timestamp: bool| match (&scheme.timestamp, id_place) {
        (Some(rule), _) if is_timestamp => timestamp(rule.unit, message.at_ms),
        (_, Some(first)) => Err(two_headers(first, name)),
        (_, None) => {
            id_place = Some(name);
            header_text(message.id)
        }
    };
    let timestamp_header = scheme.timestamp.as_ref().map_or("", |rule| rule.header.as_str());
    for name in signed_headers(scheme) {
        if signed.headers.iter().all(|(known, _)| !known.eq_ignore_ascii_case(name)) {
            let value = value(name, timestamp_header.eq_ignore_ascii_case(name))?;
            signed.headers.push((name.to_owned(), value));
        }
    }
    for name in fields::signed(scheme) {
        if signed.fields.iter().all(|(known, _)| known != name) {
            let value = value(name, fields::timestamp(scheme) == Some(name))?;
            if !fields::is_value(scheme, &value) {
                return Err(SignError::Id);
            }
            signed.fields.push((name.to_owned(), value));
        }
    }
    Ok(signed)
}

fn timestamp(unit: TimestampUnit, at_ms: i64) -> Result<String, SignError> {
    if at_ms < 0 {
        return Err(SignError::Time { at_ms });
    }
    Ok(match unit {
        TimestampUnit::Seconds => at_ms / 1000,
        TimestampUnit::Milliseconds => at_ms,
    }
    .to_string())
}

fn header_text(id: &str) -> Result<String, SignError> {
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SignError::Id);
    }
    Ok(id.to_owned())
}

fn two_headers(first: &str, second: &str) -> SignError {
    SignError::TwoHeaders { first: first.to_owned(), second: second.to_owned() }
}

#[cfg(test)]
mod tests;
