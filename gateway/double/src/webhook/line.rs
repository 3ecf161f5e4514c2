//! One business number at work: its settings, its signing key, and where its webhooks go now.

use std::sync::{PoisonError, RwLock};

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Url;
use sha2::Sha256;

use crate::config::Number;

/// A number with its key made ready.
pub(crate) struct Line {
    pub(crate) phone_number_id: String,
    pub(crate) waba_id: String,
    pub(crate) display_phone_number: String,
    access_token: String,
    key: Hmac<Sha256>,
    webhook_url: RwLock<Option<Url>>,
}

impl Line {
    /// A number as it was checked at start. A webhook address that cannot be read is none.
    pub(crate) fn new(number: Number) -> Self {
        let url = number.webhook_url.and_then(|text| Url::parse(&text).ok());
        Self {
            phone_number_id: number.phone_number_id,
            waba_id: number.waba_id,
            display_phone_number: number.display_phone_number,
            access_token: number.access_token,
            key: key(number.app_secret.as_bytes()),
            webhook_url: RwLock::new(url),
        }
    }

    pub(crate) fn accepts(&self, token: &str) -> bool {
        self.access_token == token
    }

    pub(crate) fn webhook_url(&self) -> Option<Url> {
        let held = self.webhook_url.read();
        held.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_webhook_url(&self, url: Option<Url>) {
        let held = self.webhook_url.write();
        *held.unwrap_or_else(PoisonError::into_inner) = url;
    }

    /// The value of `X-Hub-Signature-256` for these bytes.
    pub(crate) fn signature(&self, body: &[u8]) -> String {
        let mut mac = self.key.clone();
        mac.update(body);
        format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
    }
}

fn key(secret: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret).expect("HMAC takes a key of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_hmac_sha256_in_hex() {
        let line = Line::new(Number {
            phone_number_id: "1".to_owned(),
            waba_id: "2".to_owned(),
            display_phone_number: "3".to_owned(),
            access_token: "t".to_owned(),
            app_secret: "Jefe".to_owned(),
            webhook_url: None,
        });
        // RFC 4231, test case 2.
        let expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(line.signature(b"what do ya want for nothing?"), expected);
    }
}
