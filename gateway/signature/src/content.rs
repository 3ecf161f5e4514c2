//! The signed content and its keyed hash: the one place that knows the algorithms and encodings.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::block_api::EagerHash;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use tidegate_model::scheme::{Algorithm, Encoding, SignatureScheme, SignedPart};

use crate::{Secret, form};

/// What a request was sent to. Empty where it is not known: then a scheme that signs it finds no match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Target<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The whole URL as the provider wrote it, with its query.
    pub url: &'a str,
}

/// The pieces of what is signed, in order; borrowed, so that a body is never copied. `header` gives the value of a header, `field` that of a field of the signature's.
pub(crate) fn pieces<'a, E>(
    scheme: &'a SignatureScheme,
    target: Target<'a>,
    body: &'a [u8],
    header: impl Fn(&str) -> Result<&'a [u8], E>,
    field: impl Fn(&str) -> Result<&'a [u8], E>,
) -> Result<Vec<Cow<'a, [u8]>>, E> {
    scheme
        .parts
        .iter()
        .map(|part| {
            Ok(match part {
                SignedPart::Body => Cow::Borrowed(body),
                SignedPart::Method => Cow::Borrowed(target.method.as_bytes()),
                SignedPart::Url => Cow::Borrowed(target.url.as_bytes()),
                // Which of its forms is meant, was chosen before.
                SignedPart::UrlWithAnyPort => Cow::Borrowed(target.url.as_bytes()),
                SignedPart::SortedForm => Cow::Owned(form::signed(target.url, body)),
                SignedPart::UrlDecoded(characters) => decoded(target.url, characters),
                SignedPart::Header(name) => Cow::Borrowed(header(name)?),
                SignedPart::Field(name) => Cow::Borrowed(field(name)?),
                SignedPart::Text(text) => Cow::Borrowed(text.as_bytes()),
            })
        })
        .collect()
}

/// The URL with the escapes of these characters read, once; every other escape stays as it is.
fn decoded<'u>(url: &'u str, characters: &str) -> Cow<'u, [u8]> {
    if !url.contains('%') {
        return Cow::Borrowed(url.as_bytes());
    }
    let mut text = Vec::with_capacity(url.len());
    let mut rest = url.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match rest {
            [b'%', high, low, ..] => escaped(*high, *low).filter(|byte| characters.as_bytes().contains(byte)),
            _ => None,
        };
        text.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { &rest[3..] } else { after };
    }
    Cow::Owned(text)
}

/// The ASCII character that two hexadecimal digits stand for.
fn escaped(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some(digit(high)? * 16 + digit(low)?).filter(u8::is_ascii)
}

/// The keyed hash of the pieces.
pub(crate) fn tag(algorithm: Algorithm, secret: &Secret, pieces: &[Cow<'_, [u8]>]) -> Vec<u8> {
    match algorithm {
        Algorithm::HmacSha256 => hmac::<Sha256>(secret, pieces),
        Algorithm::HmacSha1 => hmac::<Sha1>(secret, pieces),
        Algorithm::SecretSha256 => {
            let keyed = Sha256::new_with_prefix(secret.key());
            pieces.iter().fold(keyed, |hash, piece| hash.chain_update(piece)).finalize().to_vec()
        }
    }
}

fn hmac<D: EagerHash>(secret: &Secret, pieces: &[Cow<'_, [u8]>]) -> Vec<u8>
where
    Hmac<D>: Mac + KeyInit,
{
    let mut mac = <Hmac<D> as KeyInit>::new_from_slice(secret.key()).expect("HMAC takes a key of any length");
    for piece in pieces {
        mac.update(piece);
    }
    mac.finalize().into_bytes().to_vec()
}

/// Writes a hash as the scheme's text.
pub(crate) fn encode(encoding: Encoding, bytes: &[u8]) -> String {
    match encoding {
        Encoding::Base64 => STANDARD.encode(bytes),
        Encoding::Hex => hex::encode(bytes),
    }
}

/// Reads a hash from the scheme's text; `None` when it is not in that form. Base64 is read strictly (padding, no loose bits), so that one hash has one text.
pub(crate) fn decode(encoding: Encoding, text: &[u8]) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Base64 => STANDARD.decode(text).ok(),
        Encoding::Hex => hex::decode(text).ok(),
    }
}
