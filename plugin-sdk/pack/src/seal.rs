//! Signatures inside a component: the last custom section, which is no part of what is signed. So one file is the plugin, its manifest and its signatures,
//! wherever it is carried. Knows where the bytes are, and nothing of keys.

use crate::section::{SIGNATURE_SECTION, SectionError, append, sections};

/// A component, and what is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed<'a> {
    /// What is signed: the component up to the section of signatures.
    pub signed: &'a [u8],
    /// The content of that section; `None` without one.
    pub signatures: Option<&'a [u8]>,
}

/// Takes a component and its signatures apart.
///
/// # Errors
/// When the bytes are no component; and when something follows the signatures, which they would not be for.
pub fn unseal(component: &[u8]) -> Result<Sealed<'_>, SectionError> {
    let mut at = 8;
    let mut found: Option<Sealed<'_>> = None;
    for section in sections(component)? {
        let section = section?;
        if found.is_some() {
            return Err(SectionError::BehindSignatures { offset: at });
        }
        if section.is_signature() {
            found = Some(Sealed { signed: &component[..at], signatures: Some(section.content) });
        }
        at += section.whole.len();
    }
    Ok(found.unwrap_or(Sealed { signed: component, signatures: None }))
}

/// The component with these signatures, in place of those it may have had.
///
/// # Errors
/// As [`unseal`].
pub fn seal(component: &[u8], signatures: &[u8]) -> Result<Vec<u8>, SectionError> {
    let mut sealed = unseal(component)?.signed.to_vec();
    append(&mut sealed, SIGNATURE_SECTION, signatures);
    Ok(sealed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{embed, extract};

    const BARE: &[u8] = &[0, b'a', b's', b'm', 0x0d, 0, 1, 0, 7, 2, 0xaa, 0xbb];

    #[test]
    fn signatures_are_the_end_of_a_component_and_are_not_signed() {
        let packed = embed(BARE, "id = 1").unwrap();
        assert_eq!(unseal(&packed), Ok(Sealed { signed: &packed, signatures: None }));
        let sealed = seal(&packed, b"one").unwrap();
        assert_eq!(unseal(&sealed), Ok(Sealed { signed: &packed, signatures: Some(b"one") }));
        assert_eq!(extract(&sealed), Ok("id = 1"));
        let again = seal(&sealed, b"one and two").unwrap();
        assert_eq!(unseal(&again), Ok(Sealed { signed: &packed, signatures: Some(b"one and two") }));
        assert_eq!(unseal(&embed(&again, "id = 2").unwrap()).unwrap().signatures, None, "they were for other bytes");
    }

    #[test]
    fn what_follows_the_signatures_is_refused() {
        let mut sealed = seal(BARE, b"one").unwrap();
        let end = sealed.len();
        sealed.extend_from_slice(&[7, 1, 0]);
        assert_eq!(unseal(&sealed), Err(SectionError::BehindSignatures { offset: end }));
        assert_eq!(seal(&sealed, b"two"), Err(SectionError::BehindSignatures { offset: end }));
    }
}
