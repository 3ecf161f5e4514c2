//! The clock across processes: a local socket that shows and steps a clock, its client, and a clock that follows another one.

mod client;
mod follow;
mod server;

pub use client::{ClientError, ClockClient};
pub(crate) use follow::Link;
pub use server::{MAX_CONNECTIONS, bind, serve};

#[cfg(test)]
mod tests;
