//! The machine that both embedded engines share: one committer thread, group commits, lanes and timers over a plain [`Backend`].
//!
//! Knows no engine's files; a backend knows no expectations, lanes or timers.

mod boot;
mod committer;
mod core;
mod envelope;
mod intake;
mod members;
mod plan;
mod ready;
mod shared;
mod taps;

pub(crate) use boot::{Known, Unknown, format_row, is_own_row, openings_row, own_rows};
pub(crate) use core::Core;
pub(crate) use envelope::seal;
pub(crate) use shared::open_row;

use crate::engine::{KeyRange, Order};
use crate::keys::Key;
use std::{collections::HashMap, fmt, ops::Deref};

/// Rows of a group: what each key becomes. Values are sealed envelopes.
pub(crate) type Writes = HashMap<Key, Option<Vec<u8>>>;

/// A plain ordered key-value store with one writer.
pub(crate) trait Backend: Send + Sync + 'static {
    /// A stored value.
    type Value: Deref<Target = [u8]>;

    /// The value of a key, durable or not yet.
    fn get(&self, key: &[u8]) -> Result<Option<Self::Value>, Fault>;

    /// Gives rows in key order to `row` until it says stop.
    fn scan(&self, range: &KeyRange, order: Order, row: &mut dyn FnMut(&[u8], &[u8]) -> Flow) -> Result<(), Fault>;

    /// Makes the writes visible, all at once.
    fn apply(&self, writes: Writes) -> Result<(), Fault>;

    /// Makes everything applied so far durable; `commit` is the last commit of it, of so many row operations.
    fn sync(&self, commit: u64, row_ops: usize) -> Result<(), Fault>;
}

/// Whether a scan goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// The next row, please.
    More,
    /// Enough.
    Stop,
}

/// The backend broke: nothing works any more.
#[derive(Debug)]
pub(crate) struct Fault(pub(crate) String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests;
