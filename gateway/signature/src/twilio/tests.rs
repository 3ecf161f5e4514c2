//! Forms, hashes in URLs, ports, and which of the two algorithms counts.

use super::scheme;
use crate::{Outgoing, Refusal, Secret, Target, Verified, sign_request, verify_request};

const URL: &str = "https://hooks.example/in/sms?foo=1";
const FORM: &[u8] = b"Body=a+b%26c&From=%2B12025550107&Body=a+b%26c&Body=0&Empty=";
const SIGNATURE: &str = "X-Twilio-Signature";

type Pairs = Vec<(String, String)>;

fn secret() -> Secret {
    Secret::new("12345", &scheme().key).unwrap()
}

/// Signed with SHA-256 (0) or SHA-1 (1).
fn signed(way: usize, url: &str, body: &[u8]) -> Pairs {
    let scheme = scheme();
    let target = Target { method: "POST", url };
    let way = scheme.ways().nth(way).unwrap();
    sign_request(way, &secret(), target, &Outgoing { id: "", at_ms: 0, body }).unwrap()
}

fn decide(headers: &Pairs, url: &str, body: &[u8]) -> Result<Verified, Refusal> {
    verify_request(&scheme(), &secret().into(), Target { method: "POST", url }, headers, body, 0)
}

fn mismatch() -> Result<Verified, Refusal> {
    Err(Refusal::Mismatch { header: SIGNATURE.to_owned() })
}

#[test]
fn the_order_and_the_writing_of_a_form_do_not_matter_but_its_content_does() {
    for way in [0, 1] {
        let headers = signed(way, URL, FORM);
        assert!(decide(&headers, URL, FORM).is_ok());
        assert!(decide(&headers, URL, b"Empty&From=%2b12025550107&Body=0&Body=a%20b%26c").is_ok());
        for other in [
            &b"Body=a+b&From=%2B12025550107&Body=0&Empty="[..],
            b"",
            b"Body=0",
            b"{}",
            b"Body=a+b%26c&From=+12025550107&Body=0",
        ] {
            assert_eq!(decide(&headers, URL, other), mismatch());
        }
        assert_eq!(decide(&headers, "https://hooks.example/in/sms?foo=2", FORM), mismatch());
        assert_eq!(decide(&headers, "", FORM), mismatch());
    }
}

#[test]
fn a_body_that_is_no_form_has_the_hash_that_the_url_tells() {
    let body = br#"{"a":1}"#;
    let url =
        "https://hooks.example/in/sms?x=1&bodySHA256=015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
    for way in [0, 1] {
        let headers = signed(way, url, body);
        assert!(decide(&headers, url, body).is_ok());
        for other in [&br#"{"a":2}"#[..], b"", b"Body=evil"] {
            assert_eq!(decide(&headers, url, other), mismatch());
        }
        let swapped = url.replace("015abd", "115abd");
        assert_eq!(decide(&headers, &swapped, body), mismatch());
    }
}

#[test]
fn the_port_may_be_signed_or_not() {
    for (called, also) in [
        ("https://hooks.example/in/sms", "https://hooks.example:443/in/sms"),
        ("https://hooks.example:8443/in/sms?a=:1", "https://hooks.example/in/sms?a=:1"),
        ("http://hooks.example?a=1", "http://hooks.example:80?a=1"),
        ("https://[::1]:8443/in/sms", "https://[::1]/in/sms"),
    ] {
        assert!(decide(&signed(1, called, FORM), called, FORM).is_ok(), "{called}");
        assert!(decide(&signed(1, also, FORM), called, FORM).is_ok(), "{also}");
        assert_eq!(decide(&signed(1, "https://other.example/in/sms", FORM), called, FORM), mismatch());
    }
    assert_eq!(
        decide(&signed(1, "https://hooks.example:8444/", FORM), "https://hooks.example:8443/", FORM),
        mismatch()
    );
}

#[test]
fn the_settings_name_the_algorithm() {
    let settings = |value: &str, way: usize| {
        let mut headers = signed(way, URL, FORM);
        headers.retain(|(name, _)| name == SIGNATURE);
        headers.push(("x-twilio-webhooks-signature-settings".to_owned(), value.to_owned()));
        decide(&headers, URL, FORM)
    };
    assert!(settings("key=webhooks_sharedkey_1,algorithm=HMAC_SHA256", 0).is_ok());
    assert_eq!(settings("key=webhooks_sharedkey_1,algorithm=HMAC_SHA256", 1), mismatch());
    for legacy in ["", "key=k", "algorithm=HMAC_SHA1", "algorithm="] {
        assert!(settings(legacy, 1).is_ok(), "{legacy}");
        assert_eq!(settings(legacy, 0), mismatch(), "{legacy}");
    }
    assert_eq!(settings("algorithm=HMAC_SHA512", 0), mismatch(), "an algorithm that nobody knows");
    let twice = [signed(0, URL, FORM), signed(0, URL, FORM)[..1].to_vec()].concat();
    assert!(matches!(decide(&twice, URL, FORM), Err(Refusal::Repeated { .. })));
    assert_eq!(decide(&Vec::new(), URL, FORM), Err(Refusal::Missing { header: SIGNATURE.to_owned() }));
}
