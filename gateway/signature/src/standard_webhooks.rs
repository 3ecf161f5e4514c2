//! How Standard Webhooks signs: `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`; several signatures in one header while a key is rotated.

use tidegate_model::scheme::{
    Algorithm, Encoding, KeyForm, SignatureScheme, SignedPart, StalePolicy, TimestampRule, TimestampUnit,
};

/// How far the timestamp may lie from the time of receipt, in seconds: five minutes, as in the reference libraries.
const TOLERANCE_S: u32 = 5 * 60;

/// The scheme of Standard Webhooks with symmetric keys (`v1`). Signatures of other versions in the same header (`v1a`, public key) are passed over.
///
/// Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.
pub(crate) fn scheme() -> SignatureScheme {
    let dot = || SignedPart::Text(".".to_owned());
    SignatureScheme {
        header: "webhook-signature".to_owned(),
        algorithm: Algorithm::HmacSha256,
        encoding: Encoding::Base64,
        prefix: "v1,".to_owned(),
        separator: Some(" ".to_owned()),
        parts: vec![
            SignedPart::Header("webhook-id".to_owned()),
            dot(),
            SignedPart::Header("webhook-timestamp".to_owned()),
            dot(),
            SignedPart::Body,
        ],
        key: KeyForm::Base64 { prefix: "whsec_".to_owned() },
        timestamp: Some(TimestampRule {
            header: "webhook-timestamp".to_owned(),
            unit: TimestampUnit::Seconds,
            tolerance_s: TOLERANCE_S,
            stale: StalePolicy::Reject,
        }),
        when: None,
        alternatives: Vec::new(),
    }
}
