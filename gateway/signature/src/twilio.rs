//! How Twilio signs: base64 of HMAC over the URL and the sorted parameters of the form, with SHA-1 and the account's token, or with SHA-256 and a shared key.

use tidegate_model::scheme::{Algorithm, Encoding, HeaderValue, KeyForm, SignatureScheme, SignedPart};

/// Twilio's scheme. The secrets are the account's auth token, the shared keys, or both while one takes the place of the other. A body that is no form is signed by
/// its hash in the URL. There is no timestamp: a request could be sent again.
///
/// Source: <https://www.twilio.com/docs/usage/security>, and `request_validator.py` of twilio-python 9.13.0 for the second algorithm.
pub(crate) fn scheme() -> SignatureScheme {
    let settings = HeaderValue {
        header: "X-Twilio-Webhooks-Signature-Settings".to_owned(),
        parameter: Some("algorithm".to_owned()),
        value: "HMAC_SHA256".to_owned(),
    };
    let shared_key = with(Algorithm::HmacSha256);
    SignatureScheme { when: Some(settings), alternatives: vec![with(Algorithm::HmacSha1)], ..shared_key }
}

fn with(algorithm: Algorithm) -> SignatureScheme {
    SignatureScheme {
        header: "X-Twilio-Signature".to_owned(),
        algorithm,
        encoding: Encoding::Base64,
        prefix: String::new(),
        separator: None,
        parts: vec![SignedPart::UrlWithAnyPort, SignedPart::SortedForm],
        key: KeyForm::Text,
        timestamp: None,
        when: None,
        alternatives: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
