//! Ids: 128 bits, 48 of time and 80 of hash, so that a repeated stage derives the same ids and rows lie in the order of time.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// Crockford's base32 in lower case: no `i`, `l`, `o`, `u`.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters that 128 bits take.
const TEXT_LEN: usize = 26;

/// The 16 bytes behind every id: 48 bits of the root delivery's received-at, 80 bits of hash.
pub type RawId = [u8; 16];

/// Derives an id from what it comes from: the same inputs give the same id.
///
/// `root_ms` is the received-at of the delivery at the root; `parts` say what the id is of, most general first.
pub fn derive(root_ms: i64, parts: &[&[u8]]) -> RawId {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut raw = [0; 16];
    raw[..6].copy_from_slice(&root_ms.to_be_bytes()[2..]);
    raw[6..].copy_from_slice(&digest[..10]);
    raw
}

/// The root delivery's received-at (ms) that an id carries.
pub fn root_ms(raw: &RawId) -> i64 {
    let mut ms = [0; 8];
    ms[2..].copy_from_slice(&raw[..6]);
    i64::from_be_bytes(ms)
}

fn encode(prefix: &str, raw: &RawId) -> String {
    let mut text = String::with_capacity(prefix.len() + 1 + TEXT_LEN);
    text.push_str(prefix);
    text.push('_');
    let value = u128::from_be_bytes(*raw);
    for place in (0..TEXT_LEN).rev() {
        text.push(char::from(ALPHABET[((value >> (place * 5)) & 31) as usize]));
    }
    text
}

fn decode(prefix: &str, text: &str) -> Option<RawId> {
    let digits = text.strip_prefix(prefix)?.strip_prefix('_')?.as_bytes();
    // 26 digits hold 130 bits: the first may only use three of its five.
    if digits.len() != TEXT_LEN || digits[0] > b'7' {
        return None;
    }
    let mut value = 0u128;
    for digit in digits {
        let bits = ALPHABET.iter().position(|a| a == digit)?;
        value = (value << 5) | bits as u128;
    }
    Some(value.to_be_bytes())
}

/// The text is no id of the kind that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id such as {prefix}_01hs… ({prefix}_ and 26 characters), found {found:?}")]
pub struct IdError {
    prefix: &'static str,
    found: String,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(RawId);

        impl $name {
            /// Text before the `_`.
            pub const PREFIX: &'static str = $prefix;

            /// From its bytes.
            pub const fn from_raw(raw: RawId) -> Self {
                Self(raw)
            }

            /// Its bytes, in the order of time.
            pub const fn raw(&self) -> &RawId {
                &self.0
            }

            /// Derived from its root's received-at and what it is of (see [`derive()`]).
            pub fn derive(root_ms: i64, parts: &[&[u8]]) -> Self {
                Self(derive(root_ms, parts))
            }

            /// Received-at (ms) of the delivery at its root.
            pub fn root_ms(&self) -> i64 {
                root_ms(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&encode($prefix, &self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                decode($prefix, text)
                    .map(Self)
                    .ok_or_else(|| IdError { prefix: $prefix, found: text.chars().take(40).collect() })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// One received webhook.
    DeliveryId = "dlv";
    /// One unit inside a delivery.
    ItemId = "itm";
    /// A canonical event.
    EventId = "evt";
    /// A person.
    ContactId = "con";
    /// One contact in one version of a flow.
    RunId = "run";
    /// One outbound or inbound message.
    MessageId = "msg";
    /// One thing that was put aside for a person. It carries a place, not a time.
    LetterId = "dlq";
}

impl LetterId {
    /// Of the dead letter with this number in this workspace.
    pub fn at(workspace: u32, seq: u64) -> Self {
        let mut raw = [0; 16];
        raw[..4].copy_from_slice(&workspace.to_be_bytes());
        raw[8..].copy_from_slice(&seq.to_be_bytes());
        Self(raw)
    }

    /// Workspace and number; `None` when no dead letter can have this id.
    pub fn place(&self) -> Option<(u32, u64)> {
        let (workspace, rest) = self.0.split_first_chunk()?;
        let (gap, seq) = rest.split_first_chunk::<4>()?;
        (*gap == [0; 4]).then_some((u32::from_be_bytes(*workspace), u64::from_be_bytes(seq.try_into().ok()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_same_origin_gives_the_same_id_and_another_part_another() {
        let id = |parts: &[&[u8]]| EventId::derive(1_780_000_000_000, parts);
        assert_eq!(id(&[b"a", b"b"]), id(&[b"a", b"b"]));
        assert_ne!(id(&[b"a", b"b"]), id(&[b"ab", b""]));
        assert_eq!(id(&[b"a"]).root_ms(), 1_780_000_000_000);
    }

    #[test]
    fn a_wrong_id_says_what_was_expected() {
        let error = "msg_1".parse::<EventId>().unwrap_err().to_string();
        assert!(error.contains("evt_") && error.contains("msg_1"), "{error}");
    }

    proptest! {
        #[test]
        fn a_letter_s_id_is_its_place(workspace: u32, seq: u64) {
            let id = LetterId::at(workspace, seq);
            prop_assert_eq!(id.to_string().parse::<LetterId>().unwrap().place(), Some((workspace, seq)));
        }

        #[test]
        fn text_and_bytes_agree_and_sort_alike(a: [u8; 16], b: [u8; 16]) {
            let (a, b) = (RunId::from_raw(a), RunId::from_raw(b));
            prop_assert_eq!(a.to_string().parse::<RunId>().unwrap(), a);
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = text.parse::<RunId>();
        }
    }
}
