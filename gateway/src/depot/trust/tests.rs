//! What is signed verifies, and nothing else does.

use super::*;
use tidegate_plugin_pack::embed;

const BARE: &[u8] = &[0, b'a', b's', b'm', 0x0d, 0, 1, 0, 7, 2, 0xaa, 0xbb];

fn component() -> Vec<u8> {
    embed(BARE, "id = \"one\"").unwrap()
}

#[test]
fn a_component_is_signed_by_several_and_each_is_told_as_trusted_or_not() {
    let ((ours, our_key), (theirs, their_key)) = (keypair([1; 32]), keypair([2; 32]));
    assert_eq!(verify(&component(), &[]), Ok(Signed::default()));
    let (signed, by) = sign(&component(), &ours).unwrap();
    assert_eq!(by, our_key);
    let (signed, _) = sign(&signed, &theirs).unwrap();
    let (again, _) = sign(&signed, &ours).unwrap();
    assert_eq!(again.len(), signed.len(), "a key's signature is replaced");
    let found = verify(&again, std::slice::from_ref(&our_key)).unwrap();
    assert_eq!((found.trusted, found.others), (vec![our_key.clone()], vec![their_key]));
    assert_eq!(TrustedKey::parse(&our_key.to_string()), Ok(our_key));
}

#[test]
fn a_byte_that_was_changed_is_found_wherever_it_is() {
    let (private, key) = keypair([1; 32]);
    let (signed, _) = sign(&component(), &private).unwrap();
    for place in 8..signed.len() {
        let mut changed = signed.clone();
        changed[place] ^= 1;
        let found = verify(&changed, std::slice::from_ref(&key));
        assert!(
            found.as_ref().is_err() || found.as_ref().is_ok_and(|found| found.trusted.is_empty()),
            "{place}: {found:?}"
        );
    }
    let mut longer = signed.clone();
    longer.extend_from_slice(&[7, 1, 0]);
    assert!(matches!(verify(&longer, &[]), Err(TrustFault::Component(_))));
    let other = embed(&signed, "id = \"two\"").unwrap();
    assert_eq!(verify(&other, &[key]), Ok(Signed::default()), "another manifest has no signature");
}

#[test]
fn a_signature_moved_to_another_component_is_wrong() {
    let (private, key) = keypair([1; 32]);
    let (signed, _) = sign(&component(), &private).unwrap();
    let other = embed(BARE, "id = \"two\"").unwrap();
    let moved = seal(&other, unseal(&signed).unwrap().signatures.unwrap()).unwrap();
    assert_eq!(verify(&moved, std::slice::from_ref(&key)), Err(TrustFault::Wrong(key.to_string())));
    let cut = seal(&other, &[0; 95]).unwrap();
    assert_eq!(verify(&cut, &[]), Err(TrustFault::Unreadable));
}

#[test]
fn keys_are_not_taken_for_each_other() {
    let (private, public) = keypair([1; 32]);
    assert!(TrustedKey::parse(private.trim()).unwrap_err().contains("private key"));
    assert!(TrustedKey::parse("ed25519:AAAA").unwrap_err().contains("expected a public key"));
    assert_eq!(sign(&component(), &public.to_string()).unwrap_err(), TrustFault::Key(KeyFault::Private));
}
