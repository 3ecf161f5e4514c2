//! One piece of work in a queue: fixed binary, 23 bytes.

use serde::{Deserialize, Serialize};

/// What is to be done: the application says what kinds there are and what `arg` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WorkRow {
    /// The kind of work.
    pub kind: u8,
    /// The record that it is about.
    #[serde(with = "hex_id")]
    pub id: [u8; 16],
    /// How often it was tried before.
    pub attempt: u16,
    /// Whatever else the kind needs.
    pub arg: u32,
}

impl WorkRow {
    /// Bytes of the row.
    pub const LEN: usize = 23;

    /// A first attempt.
    pub const fn new(kind: u8, id: [u8; 16]) -> Self {
        Self { kind, id, attempt: 0, arg: 0 }
    }

    /// The same work, tried once more.
    #[must_use]
    pub const fn again(mut self) -> Self {
        self.attempt = self.attempt.saturating_add(1);
        self
    }

    /// `[kind u8][id 16][attempt u16][arg u32]`.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[0] = self.kind;
        bytes[1..17].copy_from_slice(&self.id);
        bytes[17..19].copy_from_slice(&self.attempt.to_be_bytes());
        bytes[19..].copy_from_slice(&self.arg.to_be_bytes());
        bytes
    }

    /// Reads a work row's bytes; `None` when they are none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (id, rest) = rest.split_first_chunk()?;
        let (attempt, arg) = rest.split_first_chunk()?;
        Some(Self {
            kind: *kind,
            id: *id,
            attempt: u16::from_be_bytes(*attempt),
            arg: u32::from_be_bytes(arg.try_into().ok()?),
        })
    }
}

/// Sixteen bytes as 32 hex digits, in JSON.
mod hex_id {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(id: &[u8; 16], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:032x}", u128::from_be_bytes(*id)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 16], D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = is_hex.then(|| u128::from_str_radix(&text, 16).ok()).flatten();
        Ok(number.ok_or_else(|| D::Error::custom("expected an id of 32 hex digits"))?.to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_work_row_is_23_bytes_and_readable_json() {
        let work = WorkRow { kind: 2, id: [0xab; 16], attempt: 3, arg: 4 };
        assert_eq!(work.encode()[..2], [2, 0xab]);
        let json = serde_json::to_string(&work).unwrap();
        assert_eq!(json, r#"{"kind":2,"id":"abababababababababababababababab","attempt":3,"arg":4}"#);
        assert_eq!(serde_json::from_str::<WorkRow>(&json).unwrap(), work);
        assert!(serde_json::from_str::<WorkRow>(&json.replace("abab", "+bab")).is_err());
    }

    proptest! {
        #[test]
        fn work_rows_read_back(kind: u8, id: [u8; 16], attempt: u16, arg: u32) {
            let work = WorkRow { kind, id, attempt, arg };
            prop_assert_eq!(WorkRow::decode(&work.encode()), Some(work));
        }

        #[test]
        fn bytes_of_another_length_are_no_work_row(bytes: Vec<u8>) {
            prop_assert_eq!(WorkRow::decode(&bytes).is_some(), bytes.len() == WorkRow::LEN);
        }
    }
}
