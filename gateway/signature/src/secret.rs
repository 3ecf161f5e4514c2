//! Secrets: the key bytes of a scheme, and the one to few that are live at once. Nothing here can show them.

use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use tidegate_model::scheme::KeyForm;

use crate::html;

/// The most secrets that may be live at once: a rotation needs two, and each one costs a hash over the body.
pub const MAX_SECRETS: usize = 8;

/// Secrets are copied by hand, and the reference libraries differ in whether they want the padding: both forms are read.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A signing secret as key bytes. It has no `Display` and cannot be serialized; its `Debug` tells nothing, not even a length.
#[derive(Clone)]
pub struct Secret {
    key: Box<[u8]>,
}

impl Secret {
    /// Reads a secret from the configuration's text, in the form that the scheme's `key` names. The text is taken as it is: white space at its ends is part of it.
    ///
    /// # Errors
    /// [`SecretError::Empty`] when the text is blank or decodes to nothing; [`SecretError::NotBase64`] when the scheme wants base64 and this is none.
    pub fn new(text: &str, form: &KeyForm) -> Result<Self, SecretError> {
        if text.trim().is_empty() {
            return Err(SecretError::Empty);
        }
        let key = match form {
            KeyForm::Text => text.as_bytes().to_vec(),
            KeyForm::HtmlDecoded => html::decode(text).into_bytes(),
            KeyForm::Base64 { prefix } => BASE64
                .decode(text.strip_prefix(prefix.as_str()).unwrap_or(text))
                .map_err(|_| SecretError::NotBase64 { prefix: prefix.clone() })?,
        };
        if key.is_empty() {
            return Err(SecretError::Empty);
        }
        Ok(Self { key: key.into() })
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// The live secrets of an endpoint, in the order of the configuration: one to [`MAX_SECRETS`].
#[derive(Debug, Clone)]
pub struct Secrets {
    list: Vec<Secret>,
}

impl Secrets {
    /// Takes the secrets that are live.
    ///
    /// # Errors
    /// [`SecretError::None`] for an empty list, [`SecretError::TooMany`] past [`MAX_SECRETS`].
    pub fn new(list: Vec<Secret>) -> Result<Self, SecretError> {
        match list.len() {
            0 => Err(SecretError::None),
            count if count > MAX_SECRETS => Err(SecretError::TooMany { count }),
            _ => Ok(Self { list }),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Secret> {
        self.list.iter()
    }
}

impl From<Secret> for Secrets {
    fn from(secret: Secret) -> Self {
        Self { list: vec![secret] }
    }
}

/// Why a configured secret cannot be used. No message contains any part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It is blank, or decodes to nothing.
    #[error("the signing secret is empty: give the one that the provider shows, or remove it")]
    Empty,
    /// The scheme wants base64.
    #[error("the signing secret is not base64: copy it whole{}, as the provider shows it", after_prefix(prefix))]
    NotBase64 {
        /// The text that may stand before the base64.
        prefix: String,
    },
    /// The list is empty.
    #[error("no signing secret is given: give at least one, or ask for the signature `none` by name")]
    None,
    /// More secrets than can be live at once.
    #[error(
        "{count} signing secrets are given, {MAX_SECRETS} at most can be live at once: remove those that are no longer in use"
    )]
    TooMany {
        /// How many were given.
        count: usize,
    },
}

fn after_prefix(prefix: &str) -> String {
    if prefix.is_empty() { String::new() } else { format!(" (with or without `{prefix}` before it)") }
}

#[cfg(test)]
mod tests;
