//! The vocabulary of Tidegate and its rules: pure values and functions. No I/O, no clock, no async, no randomness: time and ids are arguments.

pub mod circuit;
pub mod connector;
pub mod contact;
pub mod event;
pub mod gate;
pub mod id;
pub mod mask;
pub mod message;
pub mod opt_out;
pub mod outcome;
pub mod phone;
pub mod reach;
pub mod scheme;
pub mod segments;
pub mod time;
pub mod window;

pub use id::{ContactId, DeliveryId, EventId, ItemId, LetterId, MessageId, RunId};
pub use time::Timestamp;
