//! Tidegate, the gateway: webhooks come in, are verified and stored, become canonical events in sandboxed plugins, start flows, and flows send messages.
//!
//! `pipeline` is the path of an event, `commands` what a person may do, `http` and `cli` thin faces; `app` wires all of it.

mod admission;
mod app;
mod breaker;
mod catalog;
mod cli;
mod commands;
mod config;
mod connecting;
mod depot;
mod difference;
mod http;
mod letters;
mod metrics;
mod notify;
mod pipeline;
mod play;
mod pulse;
mod records;
mod retention;
mod supervisor;
mod telemetry;
#[cfg(test)]
mod testing;
mod tx;
mod upkeep;
mod vault;
mod views;
mod work;
mod workers;

pub use cli::run;
