//! The store: an ordered key-value [`Engine`] with durable group commits, ready lanes and timers, and the records above it.
//!
//! Engines know bytes, lanes and due times, never what a row means; [`records`] knows rows, never which engine holds them.
//! Nothing here reads a clock: every moment is an argument.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod copy;
pub mod disk;
mod embedded;
pub mod engine;
pub mod keys;
pub mod memory;
pub mod migrate;
pub mod records;
pub mod sled;

pub use engine::{
    Batch, Claim, Commit, CommitError, Committed, Engine, Expect, Health, KeyRange, LaneToken, OpenError, Order,
    ReadySignal, Refusal, Retry, Row, Seq, Stats, StoreError,
};
pub use keys::{Key, Lane, Queue, Space, TimerKey};
pub use records::{Changes, Record, WorkRow};
