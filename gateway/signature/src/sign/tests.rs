//! What is written where, and what cannot be signed.

use tidegate_model::scheme::{Algorithm, SignatureScheme, SignedPart, TimestampUnit};

use super::{Outgoing, SignError, sign};
use crate::{SchemeError, Secret, scheme};

const MESSAGE: Outgoing<'_> = Outgoing { id: "msg_1", at_ms: 1_772_359_200_999, body: b"{}" };

fn signed(scheme: &SignatureScheme, message: Outgoing<'_>) -> Result<Vec<(String, String)>, SignError> {
    let secret = Secret::new("aHVzaA==", &scheme.key).unwrap();
    sign(scheme, &secret, &message)
}

fn standard() -> SignatureScheme {
    scheme("standard-webhooks").unwrap()
}

#[test]
fn a_standard_webhook_gets_its_id_its_seconds_and_its_signature() {
    let headers = signed(&standard(), MESSAGE).unwrap();
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let expected = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    assert_eq!(names, expected);
    assert_eq!(headers[0].1, "msg_1");
    assert_eq!(headers[1].1, "1772359200");
    assert!(headers[2].1.starts_with("v1,"));
}

#[test]
fn a_scheme_over_the_body_alone_needs_neither_id_nor_time() {
    let bare = Outgoing { id: "", at_ms: -1, ..MESSAGE };
    for name in ["shopify", "meta", "woocommerce"] {
        assert_eq!(signed(&scheme(name).unwrap(), bare).unwrap().len(), 1);
    }
}

#[test]
fn sha_1_in_hex_is_made_too() {
    // RFC 2202, test case 2: key "Jefe", data "what do ya want for nothing?".
    let mut sha1 = scheme("meta").unwrap();
    sha1.algorithm = Algorithm::HmacSha1;
    sha1.prefix.clear();
    let secret = Secret::new("Jefe", &sha1.key).unwrap();
    let body = b"what do ya want for nothing?";
    let headers = sign(&sha1, &secret, &Outgoing { body, ..MESSAGE }).unwrap();
    assert_eq!(headers[0].1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

#[test]
fn milliseconds_are_written_whole_and_a_header_signed_twice_is_sent_once() {
    let mut scheme = standard();
    let rule = scheme.timestamp.as_mut().unwrap();
    rule.unit = TimestampUnit::Milliseconds;
    let again = SignedPart::Header("Webhook-Id".to_owned());
    scheme.parts.push(again);
    let headers = signed(&scheme, MESSAGE).unwrap();
    assert_eq!(headers.len(), 3);
    assert_eq!(headers[1].1, "1772359200999");
}

#[test]
fn fields_stand_before_the_signature_in_its_own_header() {
    let mut scheme = scheme("calendly").unwrap();
    let headers = signed(&scheme, MESSAGE).unwrap();
    let (name, value) = &headers[0];
    assert_eq!((headers.len(), name.as_str()), (1, "Calendly-Webhook-Signature"));
    assert!(value.starts_with("t=1772359200,v1="), "{value}");

    scheme.timestamp = None;
    let headers = signed(&scheme, MESSAGE).unwrap();
    assert!(headers[0].1.starts_with("t=msg_1,v1="), "{headers:?}");
    let id = Outgoing { id: "a,v1=b", ..MESSAGE };
    assert_eq!(signed(&scheme, id), Err(SignError::Id));
    scheme.parts.push(SignedPart::Field("n".to_owned()));
    let expected = SignError::TwoHeaders { first: "t".to_owned(), second: "n".to_owned() };
    assert_eq!(signed(&scheme, MESSAGE), Err(expected));
}

#[test]
fn what_cannot_be_signed_is_refused() {
    for id in ["", "a b", "ü", "a\r\nevil: 1"] {
        let message = Outgoing { id, ..MESSAGE };
        assert_eq!(signed(&standard(), message), Err(SignError::Id), "{id:?}");
    }

    let at_ms = -1;
    let early = Outgoing { at_ms, ..MESSAGE };
    assert_eq!(signed(&standard(), early), Err(SignError::Time { at_ms }));

    let mut two = standard();
    two.parts.push(SignedPart::Header("x-tenant".to_owned()));
    let expected = SignError::TwoHeaders { first: "webhook-id".to_owned(), second: "x-tenant".to_owned() };
    assert_eq!(signed(&two, MESSAGE), Err(expected));

    let mut unsound = standard();
    unsound.parts.pop();
    let expected = SignError::Scheme(SchemeError::BodyNotSigned);
    assert_eq!(signed(&unsound, MESSAGE), Err(expected));
}
