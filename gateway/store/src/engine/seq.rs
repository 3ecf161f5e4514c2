//! Unique, growing numbers.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Bits of the counter below the number of the opening.
const COUNTER_BITS: u32 = 40;

/// A source of unique, growing numbers; clones share it.
///
/// The number of the store's opening is in the upper 24 bits, so that numbers grow across restarts without being stored.
#[derive(Debug, Clone)]
pub struct Seq(Arc<AtomicU64>);

impl Seq {
    /// Numbers of this opening of a store; openings count from 1.
    pub fn of_opening(opening: u64) -> Self {
        Self::starting_at(opening << COUNTER_BITS)
    }

    /// Numbers from here on, for tests of code that needs some.
    pub fn starting_at(first: u64) -> Self {
        Self(Arc::new(AtomicU64::new(first)))
    }

    /// The next number.
    pub fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_later_opening_are_larger() {
        let first = Seq::of_opening(1);
        assert_eq!((first.next(), first.clone().next()), (1 << 40, (1 << 40) + 1));
        assert!(Seq::of_opening(2).next() > (1 << 40) + 1_000_000_000);
    }
}
