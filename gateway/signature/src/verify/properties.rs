//! What holds for every message: signed is accepted, changed is refused, and no header makes it panic.

use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, prop_assume, proptest};
use tidegate_model::scheme::{Encoding, SignatureScheme, SignedPart};

use super::verify_request;
use crate::{Outgoing, SCHEME_NAMES, Secret, Secrets, Target, scheme, sign_request};

const TARGET: Target<'_> = Target { method: "POST", url: "https://hooks.example/in/a?b=%2F" };

fn schemes() -> impl Strategy<Value = SignatureScheme> {
    prop::sample::select(SCHEME_NAMES.to_vec()).prop_map(|name| scheme(name).unwrap())
}

/// Texts that every key form reads.
fn keys() -> impl Strategy<Value = String> {
    "[A-Za-z0-9+/]{4,80}".prop_map(|text| text[..text.len() / 4 * 4].to_owned())
}

/// Whether the change leaves the signature's meaning: hex may be written in either case.
fn same_meaning(scheme: &SignatureScheme, before: &str, after: &[u8]) -> bool {
    let digits = before.rfind(&scheme.prefix).map_or(0, |at| at + scheme.prefix.len());
    scheme.encoding == Encoding::Hex
        && before.as_bytes()[..digits] == after[..digits]
        && before.as_bytes().eq_ignore_ascii_case(after)
}

fn flip(bytes: &mut [u8], bit: usize) {
    let bit = bit % (bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
}

proptest! {
    #[test]
    fn what_is_signed_is_accepted_among_other_secrets(
        scheme in schemes(),
        keys in prop::collection::vec(keys(), 1..4),
        which in any::<prop::sample::Index>(),
        id in "[!-~]{1,40}",
        at_ms in 0_i64..4_102_444_800_000,
        body in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let live: Vec<Secret> = keys.iter().map(|key| Secret::new(key, &scheme.key).unwrap()).collect();
        let index = which.index(live.len());
        let message = Outgoing { id: &id, at_ms, body: &body };
        let headers = sign_request(&scheme, &live[index], TARGET, &message).unwrap();
        let verified = verify_request(&scheme, &Secrets::new(live).unwrap(), TARGET, &headers, &body, at_ms).unwrap();
        prop_assert_eq!(&keys[verified.secret_index as usize], &keys[index]);
        prop_assert!(!verified.stale);
    }

    #[test]
    fn a_flipped_bit_of_body_or_header_is_refused(
        scheme in schemes(),
        key in keys(),
        body in prop::collection::vec(any::<u8>(), 1..100),
        at_ms in 0_i64..4_102_444_800_000,
        target in 0_usize..4,
        bit in any::<usize>(),
    ) {
        // An escape of a form may be written in either case.
        prop_assume!(!body.contains(&b'%') || !scheme.parts.contains(&SignedPart::SortedForm));
        let secret = Secret::new(&key, &scheme.key).unwrap();
        let message = Outgoing { id: "msg_1", at_ms, body: &body };
        let signed = sign_request(&scheme, &secret, TARGET, &message).unwrap();
        let mut headers: Vec<(String, Vec<u8>)> =
            signed.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
        let mut body = body;
        match headers.get_mut(target) {
            Some((_, value)) => flip(value, bit),
            None => flip(&mut body, bit),
        }
        let signature = &headers[headers.len() - 1].1;
        let harmless = target < headers.len()
            && same_meaning(&scheme, &signed[signed.len() - 1].1, signature)
            && headers.len() == 1;
        let decision = verify_request(&scheme, &secret.into(), TARGET, &headers, &body, at_ms);
        prop_assert_eq!(decision.is_ok(), harmless, "{:?}", decision);
    }

    #[test]
    fn arbitrary_headers_are_refused_without_a_panic(
        scheme in schemes(),
        values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 3),
        tail in "\\PC{0,60}",
        body in prop::collection::vec(any::<u8>(), 0..100),
        at_ms in any::<i64>(),
    ) {
        let secret = Secret::new("AAAA", &scheme.key).unwrap();
        let message = Outgoing { id: "msg_1", at_ms: 0, body: &body };
        let names: Vec<String> =
            sign_request(&scheme, &secret, TARGET, &message).unwrap().into_iter().map(|(name, _)| name).collect();
        let mut headers: Vec<(String, Vec<u8>)> = names.into_iter().zip(values).collect();
        let secrets = Secrets::from(secret);
        prop_assert!(verify_request(&scheme, &secrets, TARGET, &headers, &body, at_ms).is_err());
        // Past the prefix, where decoding begins.
        let last = headers.len() - 1;
        headers[last].1 = format!("{}{tail}", scheme.prefix).into_bytes();
        prop_assert!(verify_request(&scheme, &secrets, TARGET, &headers, &body, at_ms).is_err());
        // Past the fields, where they are compared.
        headers[last].1 = format!("t=0,{}00,{tail}", scheme.prefix).into_bytes();
        prop_assert!(verify_request(&scheme, &secrets, TARGET, &headers, &body, at_ms).is_err());
    }
}
