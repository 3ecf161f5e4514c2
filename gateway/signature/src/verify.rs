//! Decides whether a delivery was signed by a holder of a live secret, on its raw bytes.

use std::borrow::Cow;

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use tidegate_model::scheme::{HeaderValue, SignatureScheme, SignedPart, StalePolicy, TimestampRule, TimestampUnit};

use crate::refusal::Expected;
use crate::{Refusal, Secrets, Target, check_scheme, content, fields, form, headers};

/// The most signatures that are read from one header: a sender signs once for each of its live keys.
pub const MAX_SIGNATURES: usize = 16;

/// An authentic delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Which of the secrets matched, counted from 0 (the first, where several are the same): recorded, so that an operator sees when the old one is out of use.
    pub secret_index: u32,
    /// The timestamp lies outside the tolerance and the scheme accepts that once: take the delivery only if it was not seen before.
    pub stale: bool,
}

/// Checks the signature of a delivery.
///
/// `headers` are pairs of name (any case) and raw value; `body` the bytes as received; `received_at_ms` the time of receipt (Unix milliseconds) that a signed
/// timestamp is compared with. The comparison takes constant time, and every secret is tried with every signature whatever matched before, so that the time
/// taken tells nothing but how many there are. Of a scheme with alternatives the request's headers choose one, and no other is tried. A stale delivery is told from
/// a forged one: its signature is checked first.
///
/// # Errors
/// [`Refusal`]; anything that is not clearly right is refused.
pub fn verify<N, V>(
    scheme: &SignatureScheme,
    secrets: &Secrets,
    headers: &[(N, V)],
    body: &[u8],
    received_at_ms: i64,
) -> Result<Verified, Refusal>
where
    N: AsRef<str>,
    V: AsRef<[u8]>,
{
    verify_request(scheme, secrets, Target::default(), headers, body, received_at_ms)
}

/// As [`verify`], for schemes that may also sign what the request was sent to.
///
/// # Errors
/// As [`verify`].
pub fn verify_request<N, V>(
    scheme: &SignatureScheme,
    secrets: &Secrets,
    target: Target<'_>,
    headers: &[(N, V)],
    body: &[u8],
    received_at_ms: i64,
) -> Result<Verified, Refusal>
where
    N: AsRef<str>,
    V: AsRef<[u8]>,
{
    check_scheme(scheme)?;
    let scheme = claimed(scheme, headers)?;
    let signed = headers::only(headers, &scheme.header)?;
    let signatures = read_signatures(scheme, signed)?;
    let field = |name: &str| fields::only(scheme, signed, name);
    let pieces = candidates(scheme, target, body, headers, field)?;
    let timestamp = match &scheme.timestamp {
        Some(rule) => {
            let value = match fields::timestamp(scheme) {
                Some(name) => field(name)?,
                None => headers::only(headers, &rule.header)?,
            };
            Some((rule, read_timestamp(rule, value)?))
        }
        None => None,
    };
    let matching = pieces.iter().filter_map(|pieces| matching_secret(scheme, secrets, pieces, &signatures)).min();
    let vouched = !scheme.parts.contains(&SignedPart::SortedForm) || form::is_as_told(target.url, body);
    let secret_index = matching.filter(|_| vouched).ok_or_else(|| {
        let header = scheme.header.clone();
        Refusal::Mismatch { header }
    })?;
    let stale = match timestamp {
        Some((rule, signed_at_ms)) => is_stale(rule, signed_at_ms, received_at_ms)?,
        None => false,
    };
    Ok(Verified { secret_index, stale })
}

/// What may have been signed: one content, or one for each form of the URL.
fn candidates<'a, N, V>(
    scheme: &'a SignatureScheme,
    target: Target<'a>,
    body: &'a [u8],
    headers: &'a [(N, V)],
    field: impl Fn(&str) -> Result<&'a [u8], Refusal>,
) -> Result<Vec<Vec<Cow<'a, [u8]>>>, Refusal>
where
    N: AsRef<str>,
    V: AsRef<[u8]>,
{
    let mut pieces = content::pieces(scheme, target, body, |name| headers::only(headers, name), field)?;
    let Some(place) = scheme.parts.iter().position(|part| *part == SignedPart::UrlWithAnyPort) else {
        return Ok(vec![pieces]);
    };
    let [without, with] = form::with_and_without_port(target.url).map(|url| Cow::Owned(url.into_owned().into_bytes()));
    pieces[place] = without;
    let mut other = pieces.clone();
    other[place] = with;
    Ok(vec![pieces, other])
}

/// The way in which the request says it was signed: the first whose headers are there. Nothing is tried after it, so that a wrong signature is never made up for
/// by a weaker one.
fn claimed<'s, N, V>(scheme: &'s SignatureScheme, headers: &[(N, V)]) -> Result<&'s SignatureScheme, Refusal>
where
    N: AsRef<str>,
    V: AsRef<[u8]>,
{
    let is_there = |name: &str| headers.iter().any(|(known, _)| known.as_ref().eq_ignore_ascii_case(name));
    let mut other = None;
    for way in scheme.ways().filter(|way| is_there(&way.header)) {
        match &way.when {
            Some(when) if !is_said(headers, when)? => other = Some(when),
            Some(_) | None => return Ok(way),
        }
    }
    Err(match other {
        Some(when) => Refusal::Malformed { header: when.header.clone(), expected: Expected::Version },
        None => Refusal::Missing { header: scheme.header.clone() },
    })
}

/// Whether the request says what tells a way from the others.
fn is_said<N, V>(headers: &[(N, V)], when: &HeaderValue) -> Result<bool, Refusal>
where
    N: AsRef<str>,
    V: AsRef<[u8]>,
{
    let Some(parameter) = &when.parameter else {
        return Ok(headers::only(headers, &when.header)? == when.value.as_bytes());
    };
    let value = match headers::only(headers, &when.header) {
        Err(Refusal::Missing { .. }) => return Ok(false),
        value => String::from_utf8_lossy(value?),
    };
    let mut pairs = value.split(',').filter_map(|pair| pair.split_once('='));
    Ok(pairs.any(|(name, value)| name.trim() == parameter && value.trim() == when.value))
}

/// The signatures of the header, decoded. With a separator, entries in another form (another version of the scheme) are passed over as long as one is readable.
fn read_signatures(scheme: &SignatureScheme, value: &[u8]) -> Result<Vec<Vec<u8>>, Refusal> {
    let malformed = |expected| Refusal::Malformed { header: scheme.header.clone(), expected };
    // A signature is ASCII; other bytes are nobody's signature.
    let text = str::from_utf8(value).map_err(|_| malformed(Expected::Signature))?;
    let entries: Vec<&str> = match &scheme.separator {
        Some(separator) => text.split(separator.as_str()).take(MAX_SIGNATURES + 1).collect(),
        None => vec![text],
    };
    if entries.len() > MAX_SIGNATURES {
        return Err(malformed(Expected::FewSignatures));
    }
    let signatures: Vec<Vec<u8>> = entries
        .into_iter()
        .filter_map(|entry| entry.strip_prefix(scheme.prefix.as_str()))
        .filter_map(|entry| content::decode(scheme.encoding, entry.as_bytes()))
        .filter(|signature| !signature.is_empty())
        .collect();
    if signatures.is_empty() {
        return Err(malformed(Expected::Signature));
    }
    Ok(signatures)
}

/// The first secret that makes one of the signatures. Always does the whole work.
fn matching_secret(
    scheme: &SignatureScheme,
    secrets: &Secrets,
    pieces: &[Cow<'_, [u8]>],
    signatures: &[Vec<u8>],
) -> Option<u32> {
    let mut found = Choice::from(0);
    let mut index = 0_u32;
    for (candidate, secret) in (0_u32..).zip(secrets.iter()) {
        let expected = content::tag(scheme.algorithm, secret, pieces);
        let matches =
            signatures.iter().fold(Choice::from(0), |seen, signature| seen | expected.as_slice().ct_eq(signature));
        index.conditional_assign(&candidate, matches & !found);
        found |= matches;
    }
    bool::from(found).then_some(index)
}

/// The timestamp in Unix milliseconds: digits only.
fn read_timestamp(rule: &TimestampRule, value: &[u8]) -> Result<i64, Refusal> {
    let unit_ms = match rule.unit {
        TimestampUnit::Seconds => 1000,
        TimestampUnit::Milliseconds => 1,
    };
    str::from_utf8(value)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse::<i64>().ok())
        .and_then(|units| units.checked_mul(unit_ms))
        .ok_or_else(|| Refusal::Malformed { header: rule.header.clone(), expected: Expected::UnixTime })
}

fn is_stale(rule: &TimestampRule, signed_at_ms: i64, received_at_ms: i64) -> Result<bool, Refusal> {
    let age_ms = received_at_ms.saturating_sub(signed_at_ms);
    if age_ms.unsigned_abs() <= u64::from(rule.tolerance_s) * 1000 {
        return Ok(false);
    }
    match rule.stale {
        StalePolicy::AcceptOnce => Ok(true),
        StalePolicy::Reject => {
            Err(Refusal::Stale { header: rule.header.clone(), age_ms, tolerance_s: rule.tolerance_s })
        }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
