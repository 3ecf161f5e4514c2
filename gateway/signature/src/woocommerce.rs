//! How WooCommerce signs: base64 of HMAC-SHA256 over the raw body, no timestamp. The key is the secret as WordPress reads it.

use tidegate_model::scheme::{Algorithm, Encoding, KeyForm, SignatureScheme, SignedPart};

/// WooCommerce's scheme. The key is the webhook's own secret, one for each webhook of a store. A store's plugins may change the algorithm
/// (`woocommerce_webhook_hash_algorithm`): such a store needs the default.
///
/// Source: `WC_Webhook::generate_signature` in
/// <https://github.com/woocommerce/woocommerce/blob/trunk/plugins/woocommerce/includes/class-wc-webhook.php>.
pub(crate) fn scheme() -> SignatureScheme {
    SignatureScheme {
        header: "X-WC-Webhook-Signature".to_owned(),
        algorithm: Algorithm::HmacSha256,
        encoding: Encoding::Base64,
        prefix: String::new(),
        separator: None,
        parts: vec![SignedPart::Body],
        key: KeyForm::HtmlDecoded,
        timestamp: None,
        when: None,
        alternatives: Vec::new(),
    }
}
