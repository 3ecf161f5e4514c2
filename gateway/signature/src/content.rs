//! The signed content and its keyed hash: the one place that knows the algorithms and encodings.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::block_api::EagerHash;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use tidegate_model::scheme::{Algorithm, Encoding, SignatureScheme, SignedPart};

use crate::Secret;

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
) -> Result<Vec<&'a [u8]>, E> {
    scheme
        .parts
        .iter()
        .map(|part| match part {
            SignedPart::Body => Ok(body),
            SignedPart::Method => Ok(target.method.as_bytes()),
            SignedPart::Url => Ok(target.url.as_bytes()),
            SignedPart::Header(name) => header(name),
            SignedPart::Field(name) => field(name),
            SignedPart::Text(text) => Ok(text.as_bytes()),
        })
        .collect()
}

/// The keyed hash of the pieces.
pub(crate) fn tag(algorithm: Algorithm, secret: &Secret, pieces: &[&[u8]]) -> Vec<u8> {
    match algorithm {
        Algorithm::HmacSha256 => hmac::<Sha256>(secret, pieces),
        Algorithm::HmacSha1 => hmac::<Sha1>(secret, pieces),
    }
}

fn hmac<D: EagerHash>(secret: &Secret, pieces: &[&[u8]]) -> Vec<u8>
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
