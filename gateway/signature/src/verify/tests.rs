//! What is accepted, what is refused, and in which words.

use std::borrow::Cow;
use tidegate_model::scheme::{SignatureScheme, StalePolicy};

use super::{MAX_SIGNATURES, Verified, verify, verify_request};
use crate::{Expected, Outgoing, Refusal, SchemeError, Secret, Secrets, Target, scheme, sign_request};

const AT_MS: i64 = 1_772_359_200_000;
const BODY: &[u8] = br#"{"id":1}"#;
const TARGET: Target<'_> = Target { method: "POST", url: "https://hooks.example/in/a" };

type Pairs = Vec<(String, String)>;

fn secret(scheme: &SignatureScheme, text: &str) -> Secret {
    Secret::new(text, &scheme.key).unwrap()
}

fn headers(scheme: &SignatureScheme, key: &str) -> Pairs {
    let message = Outgoing { id: "msg_1", at_ms: AT_MS, body: BODY };
    sign_request(scheme, &secret(scheme, key), TARGET, &message).unwrap()
}

fn check_with(
    scheme: &SignatureScheme,
    keys: &[&str],
    headers: &Pairs,
    at_ms: i64,
    expected: &Result<Verified, Refusal>,
) {
    let live = keys.iter().map(|key| secret(scheme, key)).collect();
    let secrets = Secrets::new(live).unwrap();
    let decision = verify_request(scheme, &secrets, TARGET, headers, BODY, at_ms);
    assert_eq!(&decision, expected, "{headers:?}");
}

/// Signs with the key `AAAA`, lets the case change the headers, and verifies at the time of signing.
fn check(name: &str, change: impl FnOnce(&mut Pairs), expected: &Result<Verified, Refusal>) {
    let scheme = scheme(name).unwrap();
    let mut headers = headers(&scheme, "AAAA");
    change(&mut headers);
    check_with(&scheme, &["AAAA"], &headers, AT_MS, expected);
}

fn accepted(secret_index: u32) -> Result<Verified, Refusal> {
    Ok(Verified { secret_index, stale: false })
}

fn missing(header: &str) -> Result<Verified, Refusal> {
    let header = header.to_owned();
    Err(Refusal::Missing { header })
}

fn repeated(header: &str) -> Result<Verified, Refusal> {
    let header = header.to_owned();
    Err(Refusal::Repeated { header })
}

fn malformed(header: &str, expected: Expected) -> Result<Verified, Refusal> {
    let header = header.to_owned();
    Err(Refusal::Malformed { header, expected })
}

fn mismatch(header: &str) -> Result<Verified, Refusal> {
    let header = header.to_owned();
    Err(Refusal::Mismatch { header })
}

#[test]
fn header_names_match_in_any_case() {
    let upper = |headers: &mut Pairs| {
        for (name, _) in headers {
            name.make_ascii_uppercase();
        }
    };
    for name in crate::SCHEME_NAMES {
        check(name, upper, &accepted(0));
    }
}

#[test]
fn hex_is_read_in_either_case_and_base64_only_in_its_one_form() {
    let upper = |headers: &mut Pairs| {
        let hex = headers[0].1["sha256=".len()..].to_uppercase();
        headers[0].1 = format!("sha256={hex}");
    };
    check("meta", upper, &accepted(0));

    let name = "X-Shopify-Hmac-SHA256";
    let unpadded = |headers: &mut Pairs| {
        headers[0].1.pop();
    };
    check("shopify", unpadded, &malformed(name, Expected::Signature));
}

#[test]
fn each_live_secret_is_tried_and_the_one_that_matched_is_told() {
    let scheme = scheme("shopify").unwrap();
    let headers = headers(&scheme, "new");
    check_with(&scheme, &["new", "old"], &headers, AT_MS, &accepted(0));
    check_with(&scheme, &["old", "new"], &headers, AT_MS, &accepted(1));
    check_with(&scheme, &["a", "new", "new"], &headers, AT_MS, &accepted(1));
    let refused = mismatch("X-Shopify-Hmac-SHA256");
    check_with(&scheme, &["old", "older"], &headers, AT_MS, &refused);
}

#[test]
fn a_header_that_is_not_there_is_named() {
    let drop = |index: usize| {
        move |headers: &mut Pairs| {
            headers.remove(index);
        }
    };
    check("shopify", drop(0), &missing("X-Shopify-Hmac-SHA256"));
    check("meta", drop(0), &missing("X-Hub-Signature-256"));
    let name = "standard-webhooks";
    check(name, drop(0), &missing("webhook-id"));
    check(name, drop(1), &missing("webhook-timestamp"));
    check(name, drop(2), &missing("webhook-signature"));
}

#[test]
fn a_header_that_comes_twice_is_refused_even_with_the_same_value() {
    let double = |index: usize| {
        move |headers: &mut Pairs| {
            let (name, value) = headers[index].clone();
            headers.push((name.to_uppercase(), value));
        }
    };
    check("shopify", double(0), &repeated("X-Shopify-Hmac-SHA256"));
    let name = "standard-webhooks";
    check(name, double(0), &repeated("webhook-id"));
    check(name, double(1), &repeated("webhook-timestamp"));
    check(name, double(2), &repeated("webhook-signature"));
}

#[test]
fn what_is_no_signature_is_malformed() {
    let cases = [
        ("shopify", "X-Shopify-Hmac-SHA256", ""),
        ("shopify", "X-Shopify-Hmac-SHA256", "%%%%"),
        ("meta", "X-Hub-Signature-256", "sha256="),
        ("meta", "X-Hub-Signature-256", "sha1=00"),
        ("meta", "X-Hub-Signature-256", "sha256=0"),
        ("meta", "X-Hub-Signature-256", "sha256=zz"),
        ("standard-webhooks", "webhook-signature", "v2,AAAA"),
        ("standard-webhooks", "webhook-signature", "v1,"),
        ("standard-webhooks", "webhook-signature", "v1,A v1,= "),
    ];
    for (name, header, value) in cases {
        let write = |headers: &mut Pairs| headers.last_mut().unwrap().1 = value.to_owned();
        check(name, write, &malformed(header, Expected::Signature));
    }
}

#[test]
fn a_signature_cut_short_does_not_match() {
    let cut = |headers: &mut Pairs| headers[0].1.truncate("sha256=".len() + 2);
    check("meta", cut, &mismatch("X-Hub-Signature-256"));
}

#[test]
fn one_of_several_signatures_is_enough_and_other_versions_are_passed_over() {
    let name = "standard-webhooks";
    let among = |before: &'static str, after: &'static str| {
        move |headers: &mut Pairs| headers[2].1 = format!("{before}{}{after}", headers[2].1)
    };
    check(name, among("v1a,xx v1,AAAA ", ""), &accepted(0));
    check(name, among("", " v1,AAAA v2,??"), &accepted(0));
    check(name, among(" ", "  "), &accepted(0));
    let header = "webhook-signature";
    let glued = malformed(header, Expected::Signature);
    check(name, among("v1,AAAA,", ""), &glued);
    check(name, among("", "A"), &glued);
}

#[test]
fn a_header_with_too_many_signatures_is_refused() {
    let fill = |count: usize| {
        move |headers: &mut Pairs| headers[2].1 = format!("{}{}", "v1,AAAA ".repeat(count), headers[2].1)
    };
    let name = "standard-webhooks";
    check(name, fill(MAX_SIGNATURES - 1), &accepted(0));
    let refused = malformed("webhook-signature", Expected::FewSignatures);
    check(name, fill(MAX_SIGNATURES), &refused);
}

#[test]
fn a_timestamp_is_digits_alone() {
    let name = "standard-webhooks";
    let refused = malformed("webhook-timestamp", Expected::UnixTime);
    for value in ["", "-1", "+1", "1.5", " 1", "1e9", "0x1", "９", "99999999999999999999"] {
        let write = |headers: &mut Pairs| headers[1].1 = value.to_owned();
        check(name, write, &refused);
    }
    // Fits as a number of seconds, not of milliseconds.
    let write = |headers: &mut Pairs| headers[1].1 = i64::MAX.to_string();
    check(name, write, &refused);
}

#[test]
fn the_tolerance_holds_both_ways_and_its_edge_is_inside() {
    let scheme = scheme("standard-webhooks").unwrap();
    let headers = headers(&scheme, "AAAA");
    let at = |age_ms: i64, expected: &Result<Verified, Refusal>| {
        check_with(&scheme, &["AAAA"], &headers, AT_MS + age_ms, expected);
    };
    let stale = |age_ms| Err(Refusal::Stale { header: "webhook-timestamp".to_owned(), age_ms, tolerance_s: 300 });
    at(0, &accepted(0));
    at(300_000, &accepted(0));
    at(-300_000, &accepted(0));
    at(300_001, &stale(300_001));
    at(-300_001, &stale(-300_001));
    let clock = verify(&scheme, &secret(&scheme, "AAAA").into(), &headers, BODY, i64::MIN);
    assert!(matches!(clock, Err(Refusal::Stale { .. })), "{clock:?}");
}

#[test]
fn a_forged_delivery_is_a_mismatch_however_old_it_is() {
    let scheme = scheme("standard-webhooks").unwrap();
    let headers = headers(&scheme, "BBBB");
    let refused = mismatch("webhook-signature");
    check_with(&scheme, &["AAAA"], &headers, AT_MS + 3_600_000, &refused);
}

#[test]
fn a_scheme_may_accept_a_stale_delivery_once_and_says_so() {
    let mut scheme = scheme("standard-webhooks").unwrap();
    let rule = scheme.timestamp.as_mut().unwrap();
    rule.stale = StalePolicy::AcceptOnce;
    let headers = headers(&scheme, "AAAA");
    let stale = Ok(Verified { secret_index: 0, stale: true });
    check_with(&scheme, &["AAAA"], &headers, AT_MS, &accepted(0));
    check_with(&scheme, &["AAAA"], &headers, AT_MS + 300_001, &stale);
}

#[test]
fn fields_are_found_by_name_in_any_order_among_others() {
    let rewrite = |change: fn(&str, &str) -> String| {
        move |headers: &mut Pairs| {
            let (t, v1) = headers[0].1.split_once(',').map(|(t, v1)| (t.to_owned(), v1.to_owned())).unwrap();
            headers[0].1 = change(&t, &v1);
        }
    };
    let name = "calendly";
    check(name, rewrite(|t, v1| format!("{v1},{t}")), &accepted(0));
    check(name, rewrite(|t, v1| format!("v0=00,{t},x=1,{v1},v1=00,")), &accepted(0));
    let refused = |expected| malformed("Calendly-Webhook-Signature", expected);
    check(name, rewrite(|_, v1| v1.to_owned()), &refused(Expected::Fields));
    check(name, rewrite(|t, v1| format!("{t},{t},{v1}")), &refused(Expected::Fields));
    check(name, rewrite(|_, v1| format!("T=1772359200,{v1}")), &refused(Expected::Fields));
    check(name, rewrite(|t, _| t.to_owned()), &refused(Expected::Signature));
    check(name, rewrite(|t, v1| format!("{t};{v1}")), &refused(Expected::Signature));
    check(name, rewrite(|_, v1| format!("t=1772359201,{v1}")), &mismatch("Calendly-Webhook-Signature"));
}

#[test]
fn a_timestamp_in_a_field_is_digits_and_a_stale_one_is_accepted_once() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use tidegate_model::scheme::Encoding;

    let scheme = scheme("calendly").unwrap();
    let headers = headers(&scheme, "AAAA");
    let stale = Ok(Verified { secret_index: 0, stale: true });
    check_with(&scheme, &["AAAA"], &headers, AT_MS + 180_000, &accepted(0));
    check_with(&scheme, &["AAAA"], &headers, AT_MS + 180_001, &stale);
    check_with(&scheme, &["AAAA"], &headers, AT_MS + 86_400_000, &stale);
    let pieces = [b"soon".as_slice(), b".", BODY].map(Cow::Borrowed);
    let signature = crate::content::tag(scheme.algorithm, &secret(&scheme, "AAAA"), &pieces);
    let headers = |text: String| vec![(scheme.header.clone(), text)];
    let refused = malformed("Calendly-Webhook-Signature", Expected::UnixTime);
    let forged = headers(format!("t=soon,v1={}", hex::encode(&signature)));
    check_with(&scheme, &["AAAA"], &forged, AT_MS, &refused);
    let mut padded = scheme.clone();
    padded.encoding = Encoding::Base64;
    padded.timestamp = None;
    // The padding of base64 is no field.
    let signed = headers(format!("t=soon,v1={}", STANDARD.encode(&signature)));
    check_with(&padded, &["AAAA"], &signed, AT_MS, &accepted(0));
}

#[test]
fn an_unsound_scheme_accepts_nothing() {
    let mut scheme = scheme("shopify").unwrap();
    let headers = headers(&scheme, "AAAA");
    scheme.parts.clear();
    let refused = Err(Refusal::Scheme(SchemeError::BodyNotSigned));
    check_with(&scheme, &["AAAA"], &headers, AT_MS, &refused);
}

#[test]
fn refusals_name_the_header_and_what_to_do() {
    let header = || "X-Signature".to_owned();
    let stale = |age_ms| Refusal::Stale { header: header(), age_ms, tolerance_s: 300 };
    let malformed = |expected| Refusal::Malformed { header: header(), expected };
    let cases = [
        (
            Refusal::Missing { header: header() },
            "the header `X-Signature` is missing: the request was not signed by the provider, or a proxy removed the header",
        ),
        (
            Refusal::Repeated { header: header() },
            "the header `X-Signature` comes more than once: look for a proxy that adds it; a provider sends one",
        ),
        (
            malformed(Expected::Signature),
            "the header `X-Signature` is not a signature of the form that the scheme describes: the request does not come from this provider, or the endpoint names another provider's scheme",
        ),
        (
            malformed(Expected::UnixTime),
            "the header `X-Signature` is not a Unix time in digits: the request does not come from this provider, or the endpoint names another provider's scheme",
        ),
        (
            Refusal::Mismatch { header: header() },
            "no live secret of this endpoint makes the signature in `X-Signature`: compare the secret with the provider's, and see that no proxy changes the body",
        ),
        (
            stale(300_001),
            "the time in `X-Signature` is 301 s before the time of receipt, 300 s are allowed: a replay or a late retry; if this befalls every delivery, set the machine's clock",
        ),
        (
            stale(-400_000),
            "the time in `X-Signature` is 400 s after the time of receipt, 300 s are allowed: a replay or a late retry; if this befalls every delivery, set the machine's clock",
        ),
    ];
    for (refusal, expected) in cases {
        assert_eq!(refusal.to_string(), expected);
    }
}

#[test]
fn a_signed_url_is_that_of_the_target() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use hmac::{Hmac, KeyInit, Mac};
    use tidegate_model::scheme::SignedPart;

    let mut scheme = crate::scheme("shopify").unwrap();
    scheme.parts = vec![SignedPart::Method, SignedPart::Url, SignedPart::Body];
    let secrets = crate::Secret::new("s3cret", &scheme.key).unwrap().into();
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(b"s3cret").unwrap();
    mac.update(b"POSThttps://hooks.example/in/a?x=1{}");
    let headers = [(scheme.header.clone(), STANDARD.encode(mac.finalize().into_bytes()))];
    let check = |method, url| {
        let target = crate::Target { method, url };
        crate::verify_request(&scheme, &secrets, target, &headers, b"{}", 0).is_ok()
    };
    assert!(check("POST", "https://hooks.example/in/a?x=1"));
    for (method, url) in [
        ("PUT", "https://hooks.example/in/a?x=1"),
        ("POST", "https://evil.example/in/a?x=1"),
        ("POST", "https://hooks.example/in/a"),
        ("", ""),
    ] {
        assert!(!check(method, url), "{method} {url}");
    }
    assert!(crate::verify(&scheme, &secrets, &headers, b"{}", 0).is_err(), "an unknown target is none");
    let outgoing = crate::Outgoing { id: "a", at_ms: 0, body: b"{}" };
    assert_eq!(
        crate::sign(&scheme, &crate::Secret::new("s3cret", &scheme.key).unwrap(), &outgoing),
        Err(crate::SignError::Target)
    );
}

#[test]
fn a_time_may_stand_among_the_signatures_of_its_header() {
    use hmac::{Hmac, KeyInit, Mac};
    use tidegate_model::scheme::SignedPart;

    let mut scheme = crate::scheme("meta").unwrap();
    scheme.header = "Stripe-Signature".to_owned();
    scheme.prefix = "v1=".to_owned();
    scheme.separator = Some(",".to_owned());
    scheme.parts = vec![SignedPart::Field("t".to_owned()), SignedPart::Text(".".to_owned()), SignedPart::Body];
    scheme.timestamp = Some(tidegate_model::scheme::TimestampRule {
        header: "stripe-signature".to_owned(),
        unit: tidegate_model::scheme::TimestampUnit::Seconds,
        tolerance_s: 300,
        stale: StalePolicy::Reject,
    });
    let secret = crate::Secret::new("s3cret", &scheme.key).unwrap();
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(b"s3cret").unwrap();
    mac.update(b"1772359200.{}");
    let signature = hex::encode(mac.finalize().into_bytes());
    let check = |value: &str, at_ms: i64| {
        let headers = [("stripe-signature", value)];
        crate::verify(&scheme, &secret.clone().into(), &headers, b"{}", at_ms)
    };
    let good = format!("t=1772359200,v1={signature},v0=00");
    assert_eq!(check(&good, 1_772_359_300_000), Ok(Verified { secret_index: 0, stale: false }));
    assert!(matches!(check(&good, 1_772_359_600_000), Err(Refusal::Stale { .. })));
    assert!(matches!(check(&good.replace("t=17", "t=18"), 1_872_359_200_000), Err(Refusal::Mismatch { .. })));
    assert!(matches!(check(&format!("v1={signature}"), 0), Err(Refusal::Malformed { .. })), "without a time");
    assert!(matches!(check(&format!("t=1,{good}"), 1_772_359_300_000), Err(Refusal::Malformed { .. })), "two times");
    let outgoing = crate::Outgoing { id: "", at_ms: 1_772_359_200_000, body: b"{}" };
    let made = crate::sign(&scheme, &secret, &outgoing).unwrap();
    assert_eq!(made, [("Stripe-Signature".to_owned(), format!("t=1772359200,v1={signature}"))]);
}
