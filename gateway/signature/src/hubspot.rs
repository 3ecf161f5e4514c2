//! How HubSpot signs: version 3 with HMAC, method, URL and time; versions 1 and 2 with a plain hash.

use tidegate_model::scheme::{
    Algorithm, Encoding, HeaderValue, KeyForm, SignatureScheme, SignedPart, StalePolicy, TimestampRule, TimestampUnit,
};

/// How far the timestamp may lie from the time of receipt, in seconds: HubSpot's five minutes. Each retry is signed anew.
const TOLERANCE_S: u32 = 5 * 60;
const TIMESTAMP: &str = "X-HubSpot-Request-Timestamp";
const SIGNATURE: &str = "X-HubSpot-Signature";

/// HubSpot's scheme. The key is the app's client secret in every version.
///
/// Version 3 counts wherever its header is. Without it the version header tells 2 (workflow actions) from 1 (subscriptions): neither has a time, so a request of
/// theirs could be sent again later. Who cut the header of version 3 from a request that he saw could do that too; he can't change it.
///
/// Source: <https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation>.
pub(crate) fn scheme() -> SignatureScheme {
    SignatureScheme { alternatives: vec![hash("v2"), hash("v1")], ..version_3() }
}

/// Base64 of HMAC-SHA256 over method, URL, body and timestamp. HubSpot writes the URL with these characters plain, and leaves every other escape.
fn version_3() -> SignatureScheme {
    SignatureScheme {
        header: "X-HubSpot-Signature-v3".to_owned(),
        algorithm: Algorithm::HmacSha256,
        encoding: Encoding::Base64,
        prefix: String::new(),
        separator: None,
        parts: vec![
            SignedPart::Method,
            SignedPart::UrlDecoded(":/?@!$'()*,;".to_owned()),
            SignedPart::Body,
            SignedPart::Header(TIMESTAMP.to_owned()),
        ],
        key: KeyForm::Text,
        timestamp: Some(TimestampRule {
            header: TIMESTAMP.to_owned(),
            unit: TimestampUnit::Milliseconds,
            tolerance_s: TOLERANCE_S,
            stale: StalePolicy::Reject,
        }),
        when: None,
        alternatives: Vec::new(),
    }
}

/// Hex of SHA-256 over the secret and the body; version 2 has method and URL, as they were sent, between them.
fn hash(version: &str) -> SignatureScheme {
    let parts = match version {
        "v2" => vec![SignedPart::Method, SignedPart::Url, SignedPart::Body],
        _ => vec![SignedPart::Body],
    };
    SignatureScheme {
        header: SIGNATURE.to_owned(),
        algorithm: Algorithm::SecretSha256,
        encoding: Encoding::Hex,
        prefix: String::new(),
        separator: None,
        parts,
        key: KeyForm::Text,
        timestamp: None,
        when: Some(HeaderValue {
            header: "X-HubSpot-Signature-Version".to_owned(),
            parameter: None,
            value: version.to_owned(),
        }),
        alternatives: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
