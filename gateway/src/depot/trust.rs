//! Signatures of plugins: Ed25519 over the digest of the component, kept in its last section (`tidegate_plugin_pack::seal`). What is signed is everything before
//! that section, code and manifest. Nothing here says whom to trust: the keys are given.

use super::digest_of;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use std::fmt;
use tidegate_plugin_pack::{SectionError, seal, unseal};

/// Before a public key.
const PUBLIC: &str = "ed25519:";
/// Before a private key, so that nobody takes one for the other.
const PRIVATE: &str = "ed25519-private:";
/// What a signature is over, so that it is worth nothing elsewhere: this, and the hex digest.
const CONTEXT: &str = "tidegate plugin signature 1: ";
/// A signature as it is stored: the public key, and the signature.
const ENTRY_BYTES: usize = 32 + 64;
/// Most signatures of a component.
const MOST: usize = 16;

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrustedKey(VerifyingKey);

/// Why a key can't be read. It does not show the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyFault {
    /// It is no public key.
    #[error("expected a public key such as {PUBLIC}… (as `tidegate plugin keygen` prints it)")]
    Public,
    /// It is a private key, where a public one belongs.
    #[error(
        "this is a private key: whoever reads it can sign as you; put the public one here (`tidegate plugin keygen` prints it)"
    )]
    PrivateHere,
    /// It is no private key.
    #[error("expected a private key file, as `tidegate plugin keygen` writes it")]
    Private,
}

impl TrustedKey {
    /// Reads `ed25519:BASE64`.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with(PRIVATE) {
            return Err(KeyFault::PrivateHere.to_string());
        }
        let bytes = text.strip_prefix(PUBLIC).and_then(decode).ok_or_else(|| KeyFault::Public.to_string())?;
        VerifyingKey::from_bytes(&bytes).map(Self).map_err(|_| KeyFault::Public.to_string())
    }
}

impl fmt::Display for TrustedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC}{}", STANDARD.encode(self.0.as_bytes()))
    }
}

fn decode(text: &str) -> Option<[u8; 32]> {
    STANDARD.decode(text.trim()).ok()?.try_into().ok()
}

/// A new pair of keys from these random bytes: the private one as a file's text, and the public one.
pub(crate) fn keypair(random: [u8; 32]) -> (String, TrustedKey) {
    let key = SigningKey::from_bytes(&random);
    (format!("{PRIVATE}{}\n", STANDARD.encode(key.to_bytes())), TrustedKey(key.verifying_key()))
}

/// Who signed a component.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Signed {
    /// Keys that are trusted.
    pub trusted: Vec<TrustedKey>,
    /// Others.
    pub others: Vec<TrustedKey>,
}

/// Why signatures are refused, or can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TrustFault {
    /// The bytes are no component.
    #[error(transparent)]
    Component(#[from] SectionError),
    /// The section of signatures is not what it should be.
    #[error(
        "the signatures of the component can't be read: it is damaged, or signed by a newer version of this program"
    )]
    Unreadable,
    /// A signature is not for these bytes.
    #[error("the signature of {0} is not for these bytes: the plugin was changed after it was signed, do not use it")]
    Wrong(String),
    /// There are many already.
    #[error("a component has {MOST} signatures at most")]
    TooMany,
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyFault),
}

/// Checks every signature of a component. One that is wrong is an error, whoever's it is.
///
/// # Errors
/// A signature is wrong or can't be read.
pub(crate) fn verify(component: &[u8], trusted: &[TrustedKey]) -> Result<Signed, TrustFault> {
    let sealed = unseal(component)?;
    let message = message(sealed.signed);
    let mut signed = Signed::default();
    for (key, signature) in entries(sealed.signatures.unwrap_or_default())? {
        // The strict check takes no weak keys, under which a signature would be for anything.
        key.0.verify_strict(message.as_bytes(), &signature).map_err(|_| TrustFault::Wrong(key.to_string()))?;
        if trusted.contains(&key) { &mut signed.trusted } else { &mut signed.others }.push(key);
    }
    Ok(signed)
}

/// The component with a signature by this private key, beside those it has; a key's older one is replaced.
///
/// # Errors
/// The key can't be read, or the component is damaged.
pub(crate) fn sign(component: &[u8], private: &str) -> Result<(Vec<u8>, TrustedKey), TrustFault> {
    let secret = private.trim().strip_prefix(PRIVATE).and_then(decode).ok_or(KeyFault::Private)?;
    let key = SigningKey::from_bytes(&secret);
    let public = TrustedKey(key.verifying_key());
    let sealed = unseal(component)?;
    let mut kept = entries(sealed.signatures.unwrap_or_default())?;
    kept.retain(|(held, _)| *held != public);
    if kept.len() >= MOST {
        return Err(TrustFault::TooMany);
    }
    kept.push((public.clone(), key.sign(message(sealed.signed).as_bytes())));
    let content: Vec<u8> =
        kept.iter().flat_map(|(key, signature)| [&key.0.as_bytes()[..], &signature.to_bytes()].concat()).collect();
    Ok((seal(component, &content)?, public))
}

fn message(signed: &[u8]) -> String {
    format!("{CONTEXT}{}", digest_of(signed))
}

fn entries(content: &[u8]) -> Result<Vec<(TrustedKey, Signature)>, TrustFault> {
    let (entries, rest) = content.as_chunks::<ENTRY_BYTES>();
    if !rest.is_empty() || entries.len() > MOST {
        return Err(TrustFault::Unreadable);
    }
    let read = |entry: &[u8; ENTRY_BYTES]| {
        let key = entry.first_chunk::<32>().and_then(|key| VerifyingKey::from_bytes(key).ok())?;
        Some((TrustedKey(key), Signature::from_bytes(entry.last_chunk::<64>()?)))
    };
    entries.iter().map(|entry| read(entry).ok_or(TrustFault::Unreadable)).collect()
}

#[cfg(test)]
mod tests;
