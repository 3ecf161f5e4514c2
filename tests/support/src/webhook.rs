//! Webhooks as providers sign them. The signatures are made here from the providers' documents, not with the gateway's code.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha1::Sha1;
use sha2::Sha256;

/// A webhook ready to be sent. Tests change it as they like.
#[derive(Debug, Clone)]
pub struct Played {
    /// Headers, in order; a name may come twice.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Played {
    /// Sets a header, in place of all of its name.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    /// Adds a header, beside others of its name.
    #[must_use]
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes a header away.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(held, _)| held != name);
        self
    }
}

/// What a webhook was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `content-type`.
    pub content_type: Option<String>,
    /// Id of the stored delivery.
    pub delivery: Option<String>,
    /// Body.
    pub body: String,
}

impl Answer {
    /// The id of the stored delivery.
    ///
    /// # Panics
    /// When the webhook was not stored.
    #[track_caller]
    pub fn stored(&self) -> String {
        assert_eq!(self.status, 200, "the webhook was not taken: {self:?}");
        self.delivery.clone().unwrap_or_else(|| panic!("the answer names no delivery: {self:?}"))
    }

    /// The `code` of a problem, which must be one in form.
    ///
    /// # Panics
    /// When the answer is no `application/problem+json` with this status inside.
    #[track_caller]
    pub fn problem(&self) -> String {
        assert_eq!(self.content_type.as_deref(), Some("application/problem+json"), "{self:?}");
        let problem: Value = serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert_eq!(problem["status"], self.status, "{self:?}");
        for key in ["type", "title", "detail"] {
            assert!(problem[key].as_str().is_some_and(|text| !text.is_empty()), "{key} is missing: {self:?}");
        }
        problem["code"].as_str().unwrap_or_else(|| panic!("no code: {self:?}")).to_owned()
    }
}

/// A webhook of Shopify. Its id is what Shopify repeats with every retry.
///
/// Source: <https://shopify.dev/docs/apps/build/webhooks/verify-deliveries>.
pub fn shopify(topic: &str, id: &str, body: impl Into<Vec<u8>>, secret: &str) -> Played {
    let body = body.into();
    let headers = [
        ("content-type", "application/json"),
        ("x-shopify-topic", topic),
        ("x-shopify-shop-domain", "harbour-and-pine.myshopify.com"),
        ("x-shopify-api-version", "2026-01"),
        ("x-shopify-webhook-id", id),
        ("x-shopify-hmac-sha256", &STANDARD.encode(hmac(secret, &body))),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Played { headers, body }
}

/// A webhook of WooCommerce. The delivery id is the same for all deliveries of a second; `secret` is the key, without HTML entities.
///
/// Source: <https://github.com/woocommerce/woocommerce/blob/trunk/plugins/woocommerce/includes/class-wc-webhook.php>.
pub fn woocommerce(topic: &str, delivery_id: &str, body: impl Into<Vec<u8>>, secret: &str) -> Played {
    let body = body.into();
    let (resource, event) = topic.split_once('.').unwrap_or((topic, ""));
    let headers = [
        ("content-type", "application/json"),
        ("x-wc-webhook-source", "https://harbour-and-pine.example/"),
        ("x-wc-webhook-topic", topic),
        ("x-wc-webhook-resource", resource),
        ("x-wc-webhook-event", event),
        ("x-wc-webhook-signature", &STANDARD.encode(hmac(secret, &body))),
        ("x-wc-webhook-id", "12"),
        ("x-wc-webhook-delivery-id", delivery_id),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Played { headers, body }
}

/// A webhook of Calendly, signed at a Unix second.
///
/// Source: <https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures>.
pub fn calendly(body: impl Into<Vec<u8>>, at_s: i64, secret: &str) -> Played {
    let body = body.into();
    let signed = [format!("{at_s}.").as_bytes(), &body].concat();
    let signature = format!("t={at_s},v1={}", hex::encode(hmac(secret, &signed)));
    let headers = [("content-type", "application/json"), ("calendly-webhook-signature", &signature)];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Played { headers, body }
}

/// A webhook of Meta.
///
/// Source: <https://developers.facebook.com/docs/graph-api/webhooks/getting-started>.
pub fn meta(body: impl Into<Vec<u8>>, secret: &str) -> Played {
    let body = body.into();
    let signature = format!("sha256={}", hex::encode(hmac(secret, &body)));
    let headers = [("content-type", "application/json"), ("x-hub-signature-256", &signature)];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Played { headers, body }
}

/// A webhook of HubSpot, signed in version 3 at a Unix millisecond for the URL that it is sent to.
///
/// Source: <https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation>.
pub fn hubspot(body: impl Into<Vec<u8>>, url: &str, at_ms: i64, secret: &str) -> Played {
    let body = body.into();
    let signed = [b"POST", url.as_bytes(), &body, at_ms.to_string().as_bytes()].concat();
    let signature = STANDARD.encode(hmac(secret, &signed));
    let headers = [
        ("content-type", "application/json"),
        ("x-hubspot-request-timestamp", &at_ms.to_string()),
        ("x-hubspot-signature-v3", &signature),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Played { headers, body }
}

/// A callback of Twilio, a form, to a URL as Twilio knows it.
///
/// Source: <https://www.twilio.com/docs/usage/security>.
pub fn twilio(url: &str, form: &[(&str, &str)], token: &str) -> Played {
    let mut sorted = form.to_vec();
    sorted.sort_unstable();
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(url.as_bytes());
    sorted.iter().for_each(|(name, value)| {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    });
    let mut body = reqwest::Url::parse("http://form").expect("a host alone is a URL");
    body.query_pairs_mut().extend_pairs(form);
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("x-twilio-signature", signature.as_str())];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Played { headers, body: body.query().unwrap_or_default().as_bytes().to_vec() }
}

fn hmac(secret: &str, body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 4231, test case 2.
    const MAC: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

    #[test]
    fn forms_are_signed_with_their_url() {
        // Twilio's own example (twilio-python, `request_validator`).
        let form = [
            ("Digits", "1234"),
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
        ];
        let played = twilio("https://mycompany.com/myapp.php?foo=1&bar=2", &form, "12345");
        assert_eq!(played.headers[1].1, "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    }

    #[test]
    fn signatures_are_hmac_sha256_of_the_body() {
        let body = "what do ya want for nothing?";
        let value = |played: Played, name: &str| played.headers.into_iter().find(|(held, _)| held == name).unwrap().1;
        assert_eq!(value(meta(body, "Jefe"), "x-hub-signature-256"), format!("sha256={MAC}"));
        let base64 = value(shopify("t", "i", body, "Jefe"), "x-shopify-hmac-sha256");
        assert_eq!(hex::encode(STANDARD.decode(base64).unwrap()), MAC);
    }
}
