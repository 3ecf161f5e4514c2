//! Ranges of keys.

/// Which end of a range comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest key first.
    Forward,
    /// Largest key first.
    Backward,
}

/// Keys from `start` (included) to `end` (not included).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    start: Vec<u8>,
    end: Option<Vec<u8>>,
}

impl KeyRange {
    /// From `start` (included) to `end` (not included).
    pub fn between(start: &[u8], end: &[u8]) -> Self {
        Self { start: start.to_vec(), end: Some(end.to_vec()) }
    }

    /// All keys that start with these bytes.
    pub fn prefix(prefix: &[u8]) -> Self {
        Self { start: prefix.to_vec(), end: after_prefix(prefix) }
    }

    /// The part of this range behind a key: for going on forward.
    #[must_use]
    pub fn after(mut self, key: &[u8]) -> Self {
        let mut start = key.to_vec();
        start.push(0);
        self.start = self.start.max(start);
        self
    }

    /// The part of this range before a key: for going on backward.
    #[must_use]
    pub fn before(mut self, key: &[u8]) -> Self {
        if self.end.as_deref().is_none_or(|end| key < end) {
            self.end = Some(key.to_vec());
        }
        self
    }

    /// The first key that may be in it.
    pub fn start(&self) -> &[u8] {
        &self.start
    }

    /// The first key behind it; `None` is the end of all keys.
    pub fn end(&self) -> Option<&[u8]> {
        self.end.as_deref()
    }

    /// Whether no key can be in it.
    pub fn is_empty(&self) -> bool {
        self.end.as_deref().is_some_and(|end| end <= &*self.start)
    }
}

/// The smallest key that is larger than all keys with this prefix.
fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < 0xff {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn contains(range: &KeyRange, key: &[u8]) -> bool {
        key >= range.start() && range.end().is_none_or(|end| key < end)
    }

    proptest! {
        #[test]
        fn a_prefix_range_holds_just_the_keys_that_start_so(prefix in "[\\x00\\x01]{0,3}", key: Vec<u8>, high: bool) {
            let mut prefix = prefix.into_bytes();
            if high {
                prefix.push(0xff);
            }
            prop_assert_eq!(contains(&KeyRange::prefix(&prefix), &key), key.starts_with(&prefix));
            let inside = [&prefix[..], &key].concat();
            prop_assert!(contains(&KeyRange::prefix(&prefix), &inside));
        }

        #[test]
        fn after_and_before_cut_at_the_key(a: u8, b: u8, cut: u8, key: u8) {
            let range = KeyRange::between(&[a], &[b]);
            let inside = contains(&range, &[key]);
            prop_assert_eq!(contains(&range.clone().after(&[cut]), &[key]), inside && key > cut);
            prop_assert_eq!(contains(&range.before(&[cut]), &[key]), inside && key < cut);
        }
    }
}
