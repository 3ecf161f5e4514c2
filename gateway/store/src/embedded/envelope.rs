//! The envelope of a stored row: `[crc32c u32][version u64][value]`, the checksum over key, value and version.
//!
//! The caller's thread copies the value and sums key and value; the committer, who alone knows the version, adds eight bytes.

use crate::keys::Key;
use crc32c::{crc32c, crc32c_append};

/// Bytes before the value.
const HEAD: usize = 12;

/// An envelope without its version.
pub(super) struct Draft {
    bytes: Vec<u8>,
    crc: u32,
}

impl Draft {
    pub(super) fn new(key: &Key, value: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(HEAD + value.len());
        bytes.extend_from_slice(&[0; HEAD]);
        bytes.extend_from_slice(value);
        Self { crc: crc32c_append(crc32c(key), value), bytes }
    }

    /// The finished envelope.
    pub(super) fn seal(mut self, version: u64) -> Vec<u8> {
        let version = version.to_be_bytes();
        self.bytes[..4].copy_from_slice(&crc32c_append(self.crc, &version).to_be_bytes());
        self.bytes[4..HEAD].copy_from_slice(&version);
        self.bytes
    }
}

/// Seals a value at once.
pub(crate) fn seal(key: &Key, value: &[u8], version: u64) -> Vec<u8> {
    Draft::new(key, value).seal(version)
}

/// Version and value of an envelope; `None` when its checksum does not fit.
pub(super) fn open<'a>(key: &[u8], envelope: &'a [u8]) -> Option<(u64, &'a [u8])> {
    let (crc, rest) = envelope.split_first_chunk::<4>()?;
    let (version, value) = rest.split_first_chunk::<8>()?;
    let sum = crc32c_append(crc32c_append(crc32c(key), value), version);
    (sum == u32::from_be_bytes(*crc)).then_some((u64::from_be_bytes(*version), value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::meta;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_envelope_opens_and_a_changed_one_does_not(value: Vec<u8>, version: u64, at: usize, bit in 0..8u8) {
            let mut envelope = seal(&meta("a"), &value, version);
            prop_assert_eq!(open(&meta("a"), &envelope), Some((version, &value[..])));
            prop_assert_eq!(open(&meta("b"), &envelope), None);
            let at = at % envelope.len();
            envelope[at] ^= 1 << bit;
            prop_assert_eq!(open(&meta("a"), &envelope), None);
        }

        #[test]
        fn any_bytes_are_an_envelope_or_none(key: Vec<u8>, bytes: Vec<u8>) {
            let _ = open(&key, &bytes);
        }
    }
}
