//! What is embedded is found again, and any bytes are read or refused.

use super::*;
use proptest::prelude::*;

fn component(sections: &[u8]) -> Vec<u8> {
    [&COMPONENT_PREAMBLE[..], sections].concat()
}

#[test]
fn a_manifest_is_found_after_it_was_embedded_and_replaces_an_older_one() {
    let bare = component(&[7, 2, 0xaa, 0xbb, 0, 3, 1, b'n', 0xff]);
    assert_eq!(extract(&bare), Err(SectionError::NoManifest));
    let first = embed(&bare, "id = \"one\"").unwrap();
    assert_eq!(extract(&first), Ok("id = \"one\""));
    let second = embed(&first, &"x".repeat(300)).unwrap();
    assert_eq!(extract(&second), Ok("x".repeat(300).as_str()));
    assert!(second.starts_with(&bare), "the other sections stay as they were");
}

#[test]
fn what_is_no_component_is_refused_with_what_to_do() {
    let check = |bytes: &[u8], expected: SectionError| assert_eq!(extract(bytes), Err(expected));
    check(b"", SectionError::NotWasm);
    check(b"(component)", SectionError::NotWasm);
    check(&CORE_MODULE_PREAMBLE, SectionError::CoreModule);
    check(&component(&[7, 9, 1]), SectionError::Truncated { offset: 8 });
    check(&component(&[7, 0xff, 0xff, 0xff, 0xff, 0x7f]), SectionError::Truncated { offset: 8 });
    let mut not_text = component(&[CUSTOM_SECTION, 19, 17]);
    not_text.extend_from_slice(MANIFEST_SECTION.as_bytes());
    not_text.push(0xff);
    check(&not_text, SectionError::NotText);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = extract(&bytes);
        let _ = extract(&component(&bytes));
    }

    #[test]
    fn any_manifest_survives(manifest in ".{0,400}", size in 0usize..200) {
        let bare = component(&[&[1, size as u8 & 0x7f][..], &vec![0; size & 0x7f]].concat());
        let packed = embed(&bare, &manifest).unwrap();
        prop_assert_eq!(extract(&packed), Ok(manifest.as_str()));
    }

    #[test]
    fn numbers_survive(value: u32) {
        let mut bytes = Vec::new();
        write_leb(&mut bytes, value as usize);
        prop_assert_eq!(bytes.len(), leb_len(value as usize));
        prop_assert_eq!(read_leb(&bytes), Some((value as usize, &[][..])));
    }
}
