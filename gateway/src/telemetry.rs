//! Logs: readable messages with the ids of delivery, event, run and message as fields.

use crate::config::{Log, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// Starts the process's log on standard error. A second call changes nothing (tests share a process).
///
/// # Errors
/// When the filter can't be read: what was wrong with it.
pub(crate) fn start(log: &Log) -> Result<(), String> {
    let filter = EnvFilter::builder()
        .parse(&log.filter)
        .map_err(|error| format!("log.filter: {error}; it is written as in RUST_LOG, e.g. \"info,tidegate=debug\""))?;
    let registry = tracing_subscriber::registry().with(filter);
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).with_target(false);
    let started = match log.format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    // Already started: by an earlier call in the same process.
    started.or(Ok(()))
}
