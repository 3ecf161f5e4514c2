//! How Calendly signs: `t=…,v1=…` in one header, hex of HMAC-SHA256 over `t.body`. The form is Stripe's.

use tidegate_model::scheme::{
    Algorithm, Encoding, KeyForm, SignatureScheme, SignedPart, StalePolicy, TimestampRule, TimestampUnit,
};

/// How old a timestamp may be, in seconds: three minutes, as in Calendly's own example. The number is the receiver's choice.
const TOLERANCE_S: u32 = 3 * 60;

/// Calendly's scheme. The key is the `signing_key` that was given when the subscription was made, or the one of the OAuth app; a subscription without a key is not
/// signed. Whether a retry, up to 24 hours later, is signed anew is not documented, so an authentic delivery with an old timestamp is accepted once.
///
/// Source: <https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures>.
pub(crate) fn scheme() -> SignatureScheme {
    let header = "Calendly-Webhook-Signature".to_owned();
    SignatureScheme {
        header: header.clone(),
        algorithm: Algorithm::HmacSha256,
        encoding: Encoding::Hex,
        prefix: "v1=".to_owned(),
        separator: Some(",".to_owned()),
        parts: vec![SignedPart::Field("t".to_owned()), SignedPart::Text(".".to_owned()), SignedPart::Body],
        key: KeyForm::Text,
        timestamp: Some(TimestampRule {
            header,
            unit: TimestampUnit::Seconds,
            tolerance_s: TOLERANCE_S,
            stale: StalePolicy::AcceptOnce,
        }),
        when: None,
        alternatives: Vec::new(),
    }
}
