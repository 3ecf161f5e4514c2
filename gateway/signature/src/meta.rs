//! How Meta signs (WhatsApp, Lead Ads, Messenger): `sha256=` and hex of HMAC-SHA256 over the raw body, no timestamp.

use tidegate_model::scheme::{Algorithm, Encoding, KeyForm, SignatureScheme, SignedPart};

/// Meta's scheme. The key is the app secret. Meta signs the body with its unicode escaped (`ä` as `\u00e4`) and sends it so: the bytes as received are the right
/// ones, JSON written anew is not. The older `X-Hub-Signature` (SHA-1) is sent too, and not read.
///
/// Source: <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint> and
/// <https://developers.facebook.com/docs/graph-api/webhooks/getting-started>.
pub(crate) fn scheme() -> SignatureScheme {
    SignatureScheme {
        header: "X-Hub-Signature-256".to_owned(),
        algorithm: Algorithm::HmacSha256,
        encoding: Encoding::Hex,
        prefix: "sha256=".to_owned(),
        separator: None,
        parts: vec![SignedPart::Body],
        key: KeyForm::Text,
        timestamp: None,
        when: None,
        alternatives: Vec::new(),
    }
}
