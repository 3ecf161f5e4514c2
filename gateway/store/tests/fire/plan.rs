//! What the driver writes: batch `n` of a writer follows from both numbers alone, so that a test knows which rows a store must have.
//!
//! Rows of all sizes up to the largest, written over and deleted, so that sled splits and merges pages and uses its segments again.

use tidegate_store::{Key, Space, engine::MAX_VALUE_BYTES};

/// Writers of a driver. Each has keys of its own and commits its batches in order.
pub(crate) const WRITERS: u8 = 4;
/// Different keys of one writer.
const SLOTS: u64 = 64;
/// Most rows that a batch touches.
const MOST_ROWS: u64 = 10;

/// Numbers that look random and follow from a seed (`SplitMix64`).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next number under a limit that is not 0.
    pub(crate) const fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// What a batch does to one key of its writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// The key.
    pub(crate) slot: u16,
    /// Bytes of the new value; `None` deletes the row.
    pub(crate) len: Option<usize>,
}

/// The steps of a batch, each of another key.
pub(crate) fn steps(writer: u8, batch: u64) -> Vec<Step> {
    let mut random = Random::new(batch << 8 | u64::from(writer));
    let first = random.below(SLOTS);
    // An odd stride meets every slot once before any twice.
    let stride = random.below(SLOTS / 2) * 2 + 1;
    let step = |n: u64| Step { slot: ((first + n * stride) % SLOTS) as u16, len: len(&mut random) };
    let rows = 1 + batch % MOST_ROWS;
    (0..rows).map(step).collect()
}

fn len(random: &mut Random) -> Option<usize> {
    let most = match random.below(20) {
        0..5 => return None,
        5..16 => 400,
        16..19 => 8_000,
        _ => MAX_VALUE_BYTES as u64,
    };
    // Every so often exactly the largest.
    let len = random.below(most + most / 4).min(most);
    Some(len as usize)
}

/// The value that a batch gives a key.
pub(crate) fn value(writer: u8, batch: u64, step: Step) -> Vec<u8> {
    let mut random = Random::new(batch << 24 | u64::from(step.slot) << 8 | u64::from(writer));
    let words = std::iter::repeat_with(|| random.next().to_le_bytes());
    words.flatten().take(step.len.unwrap_or_default()).collect()
}

/// The key of a slot.
pub(crate) fn key(writer: u8, slot: u16) -> Key {
    rows(writer).u16(slot)
}

/// Where a writer's rows lie.
pub(crate) fn rows(writer: u8) -> Key {
    Key::new(Space::Messages, 1).u8(writer)
}

/// The row that says how many batches of a writer there are; every batch writes it.
pub(crate) fn counter(writer: u8) -> Key {
    Key::new(Space::Contacts, 1).u8(writer)
}

/// The number in a counter's row; 0 when there is none.
pub(crate) fn count(row: Option<&[u8]>) -> u64 {
    row.map_or(0, |value| value.try_into().map_or(0, u64::from_be_bytes))
}

/// The key of the `n`th row of a store that is filled: spread, as hashes are, so that every batch touches many pages.
pub(crate) fn filling(n: u64) -> Key {
    Key::new(Space::Messages, 1).u64(Random::new(n).next())
}
