//! How Shopify signs: base64 of HMAC-SHA256 over the raw body, no timestamp.

use tidegate_model::scheme::{Algorithm, Encoding, KeyForm, SignatureScheme, SignedPart};

/// Shopify's scheme. The key is the app's client secret; a webhook made in the store's admin is signed with another secret, shown there. After a rotation
/// deliveries may carry either secret's signature for an hour, so two secrets are then live.
///
/// Source: <https://shopify.dev/docs/apps/build/webhooks/verify-deliveries>.
pub(crate) fn scheme() -> SignatureScheme {
    SignatureScheme {
        header: "X-Shopify-Hmac-SHA256".to_owned(),
        algorithm: Algorithm::HmacSha256,
        encoding: Encoding::Base64,
        prefix: String::new(),
        separator: None,
        parts: vec![SignedPart::Body],
        key: KeyForm::Text,
        timestamp: None,
        when: None,
        alternatives: Vec::new(),
    }
}
