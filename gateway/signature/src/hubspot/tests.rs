//! Which version counts, what the URL must be, and that nothing weaker makes up for a wrong signature.

use super::{SIGNATURE, TIMESTAMP, scheme};
use crate::{Expected, Outgoing, Refusal, Secret, Target, Verified, sign_request, verify_request};

const AT_MS: i64 = 1_772_359_200_042;
const BODY: &[u8] = br#"[{"eventId":1}]"#;
const TARGET: Target<'_> = Target { method: "POST", url: "https://hooks.example/in/hubspot" };
const VERSION_3: &str = "X-HubSpot-Signature-v3";
const VERSION: &str = "X-HubSpot-Signature-Version";

type Pairs = Vec<(String, String)>;

fn secret() -> Secret {
    Secret::new("hush", &scheme().key).unwrap()
}

/// Signed in the version 3, 2 or 1.
fn signed(version: usize) -> Pairs {
    signed_for(version, TARGET)
}

fn signed_for(version: usize, target: Target<'_>) -> Pairs {
    let scheme = scheme();
    let way = scheme.ways().nth(3 - version).unwrap();
    sign_request(way, &secret(), target, &Outgoing { id: "", at_ms: AT_MS, body: BODY }).unwrap()
}

fn decide(headers: &Pairs, target: Target<'_>, at_ms: i64) -> Result<Verified, Refusal> {
    verify_request(&scheme(), &secret().into(), target, headers, BODY, at_ms)
}

fn check(headers: &Pairs, expected: &Result<(), Refusal>) {
    assert_eq!(&decide(headers, TARGET, AT_MS).map(|_| ()), expected, "{headers:?}");
}

fn header(name: &str) -> String {
    name.to_owned()
}

fn set(mut headers: Pairs, name: &str, value: &str) -> Pairs {
    headers.iter_mut().filter(|(known, _)| known == name).for_each(|pair| value.clone_into(&mut pair.1));
    headers
}

#[test]
fn each_version_is_accepted_alone_and_all_together() {
    for version in [1, 2, 3] {
        check(&signed(version), &Ok(()));
    }
    check(&[signed(1), signed(3)].concat(), &Ok(()));
}

#[test]
fn a_wrong_version_3_is_refused_whatever_the_older_header_says() {
    let wrong = |value: &str| [signed(1), set(signed(3), VERSION_3, value)].concat();
    check(&wrong("AAAA"), &Err(Refusal::Mismatch { header: header(VERSION_3) }));
    for malformed in ["", "not base64"] {
        let expected = Expected::Signature;
        check(&wrong(malformed), &Err(Refusal::Malformed { header: header(VERSION_3), expected }));
    }
    let stale = [signed(1), signed(3)].concat();
    assert!(matches!(decide(&stale, TARGET, AT_MS + 300_001), Err(Refusal::Stale { .. })));
    let mut untimed = stale;
    untimed.retain(|(name, _)| name != TIMESTAMP);
    check(&untimed, &Err(Refusal::Missing { header: header(TIMESTAMP) }));
    let twice = [signed(3), signed(3).split_off(1), signed(1)].concat();
    check(&twice, &Err(Refusal::Repeated { header: header(VERSION_3) }));
}

#[test]
fn the_version_header_decides_between_the_older_versions() {
    check(&set(signed(2), VERSION, "v1"), &Err(Refusal::Mismatch { header: header(SIGNATURE) }));
    check(&set(signed(1), VERSION, "v2"), &Err(Refusal::Mismatch { header: header(SIGNATURE) }));
    let expected = Expected::Version;
    for unknown in ["v3", "v4", "", "V1", " v1"] {
        check(&set(signed(1), VERSION, unknown), &Err(Refusal::Malformed { header: header(VERSION), expected }));
    }
    let unversioned: Pairs = signed(1).split_off(1);
    check(&unversioned, &Err(Refusal::Missing { header: header(VERSION) }));
    let twice = [signed(1), vec![(header(VERSION), header("v2"))]].concat();
    check(&twice, &Err(Refusal::Repeated { header: header(VERSION) }));
    check(&Vec::new(), &Err(Refusal::Missing { header: header(VERSION_3) }));
}

#[test]
fn the_older_versions_are_refused_for_other_urls_secrets_and_bodies() {
    let elsewhere = Target { url: "https://hooks.example/in/other", ..TARGET };
    assert!(decide(&signed(2), elsewhere, AT_MS).is_err());
    assert!(decide(&signed(1), elsewhere, AT_MS).is_ok(), "version 1 signs the body alone");
    let other = Secret::new("hash", &scheme().key).unwrap();
    for version in [1, 2, 3] {
        let headers = signed(version);
        let with = |secret: Secret, body| verify_request(&scheme(), &secret.into(), TARGET, &headers, body, AT_MS);
        assert!(with(other.clone(), BODY).is_err());
        assert!(with(secret(), b"[]").is_err());
        assert!(with(secret(), BODY).is_ok());
    }
}

#[test]
fn exactly_the_listed_escapes_of_the_url_are_read_and_read_once() {
    // HubSpot signs the left URL for a call of the right one.
    for (plain, called) in [
        ("https://a.example/x?u=https://b.example/c?d@e", "https://a.example/x?u=https%3A%2F%2Fb.example%2fc%3Fd%40e"),
        ("https://a.example/x?y=!$'()*,;", "https://a.example/x?y=%21%24%27%28%29%2A%2C%3B"),
        ("https://a.example/x?y=%20%26%3D%2B%25%23", "https://a.example/x?y=%20%26%3D%2B%25%23"),
        ("https://a.example/x?y=%253A", "https://a.example/x?y=%253A"),
        ("https://a.example/x?y=%C3%A4%", "https://a.example/x?y=%C3%A4%"),
        ("https://a.example/x?y=%3", "https://a.example/x?y=%3"),
        ("https://a.example/x?y=%zz%+3", "https://a.example/x?y=%zz%+3"),
        ("https://a.example/\u{e4}:", "https://a.example/\u{e4}%3a"),
    ] {
        let headers = signed_for(3, Target { url: plain, ..TARGET });
        assert!(decide(&headers, Target { url: called, ..TARGET }, AT_MS).is_ok(), "{called}");
        let headers = signed_for(2, Target { url: plain, ..TARGET });
        let exact = decide(&headers, Target { url: called, ..TARGET }, AT_MS).is_ok();
        assert_eq!(exact, plain == called, "version 2 takes the URL as it is: {called}");
    }
    let headers = signed_for(3, Target { url: "https://a.example/x?y=a b", ..TARGET });
    assert!(decide(&headers, Target { url: "https://a.example/x?y=a%20b", ..TARGET }, AT_MS).is_err());
}
