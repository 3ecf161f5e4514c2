//! Forms as Twilio signs them, and the URL that such a request was sent to.

use sha2::{Digest, Sha256};
use std::borrow::Cow;
use subtle::ConstantTimeEq;

/// The query parameter that carries the hash of a body that is no form.
const BODY_HASH: &str = "bodySHA256";

/// Each distinct name with each of its distinct values, in order, without anything between; nothing when the URL answers for the body.
pub(crate) fn signed(url: &str, body: &[u8]) -> Vec<u8> {
    if hash_in(url).is_some() {
        return Vec::new();
    }
    let mut parameters = parameters(body);
    parameters.sort();
    parameters.dedup();
    parameters.iter().flat_map(|(name, value)| [name.as_slice(), value.as_slice()]).collect::<Vec<_>>().concat()
}

/// Whether the body has the hash that the URL tells, if it tells one.
pub(crate) fn is_as_told(url: &str, body: &[u8]) -> bool {
    let found = hex::encode(Sha256::digest(body));
    hash_in(url).is_none_or(|told| told.to_ascii_lowercase().as_slice().ct_eq(found.as_bytes()).into())
}

fn hash_in(url: &str) -> Option<Vec<u8>> {
    let (_, query) = url.split_once('?')?;
    let (query, _) = query.split_once('#').unwrap_or((query, ""));
    parameters(query.as_bytes()).into_iter().find(|(name, _)| name == BODY_HASH.as_bytes()).map(|(_, value)| value)
}

/// The URL without its port, and with one (that of the scheme, where it has none). Providers are not of one mind which they sign.
pub(crate) fn with_and_without_port(url: &str) -> [Cow<'_, str>; 2] {
    let Some((scheme, rest)) = url.split_once("://") else { return [Cow::Borrowed(url), Cow::Borrowed(url)] };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let port =
        authority.rsplit_once(':').filter(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    match port {
        Some((host, _)) => [Cow::Owned([scheme, "://", host, path].concat()), Cow::Borrowed(url)],
        None => {
            let usual = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
            [Cow::Borrowed(url), Cow::Owned([scheme, "://", authority, usual, path].concat())]
        }
    }
}

type Parameter = (Vec<u8>, Vec<u8>);

fn parameters(text: &[u8]) -> Vec<Parameter> {
    let pairs = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    let split = |pair: &[u8]| match pair.iter().position(|byte| *byte == b'=') {
        Some(at) => (plain(&pair[..at]), plain(&pair[at + 1..])),
        None => (plain(pair), Vec::new()),
    };
    pairs.map(split).collect()
}

/// `application/x-www-form-urlencoded`, read.
fn plain(text: &[u8]) -> Vec<u8> {
    let mut read = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match rest {
            [b'%', digits @ ..] if digits.len() >= 2 => hex::decode(&digits[..2]).ok(),
            _ => None,
        };
        rest = if escaped.is_some() { &rest[3..] } else { after };
        match escaped {
            Some(bytes) => read.extend(bytes),
            None => read.push(if byte == b'+' { b' ' } else { byte }),
        }
    }
    read
}
