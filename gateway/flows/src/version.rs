//! The version of a flow: a hash of what it does, whatever its YAML looks like.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// Bytes of the hash that are kept.
const LEN: usize = 16;

/// The first 16 bytes of the SHA-256 of a definition's JSON; written as 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowVersion([u8; LEN]);

impl FlowVersion {
    /// The version of a definition, from its canonical JSON.
    pub(crate) fn of(json: &[u8]) -> Self {
        let digest = Sha256::digest(json);
        let mut bytes = [0; LEN];
        bytes.copy_from_slice(&digest[..LEN]);
        Self(bytes)
    }
}

/// The text is no flow version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a flow version of 32 hex digits, found {0:?}")]
pub struct VersionError(String);

impl FromStr for FlowVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let mut bytes = [0; LEN];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| VersionError(text.chars().take(40).collect()))?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for FlowVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for FlowVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for FlowVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FlowVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
