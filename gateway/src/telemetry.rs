//! Logs: readable messages with the ids of delivery, event, run and message as fields.

mod plugin_lines;

pub(crate) use plugin_lines::PluginLines;

use crate::config::{Log, LogFormat};
use std::{fmt, io::IsTerminal};
use tidegate_model::{DeliveryId, id::RawId};
use tracing_subscriber::{EnvFilter, Registry, filter::LevelFilter, fmt as lines, prelude::*, reload};

/// Libraries whose lines below `info` are about their own inside, and may hold what passes through it. They are heard when the filter names them.
const QUIET: [&str; 16] = [
    "axum",
    "cranelift_codegen",
    "h2",
    "hyper",
    "hyper_util",
    "mio",
    "pagecache",
    "regalloc2",
    "reqwest",
    "rustls",
    "sled",
    "tokio",
    "tower",
    "wasmtime",
    "wasmtime_wasi",
    "wasmtime_internal_cranelift",
];
/// Characters of an id that are its prefix, and those that are its root.
const ROOT: std::ops::Range<usize> = DeliveryId::PREFIX.len() + 1..DeliveryId::PREFIX.len() + 11;

/// What an id has in common with every id of the same story: everything that came from one delivery begins with the same ten characters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Root<'a>(pub &'a RawId);

impl fmt::Display for Root<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(DeliveryId::from_raw(*self.0).to_string().get(ROOT).unwrap_or_default())
    }
}

/// What is logged, to be changed while the process runs.
#[derive(Clone, Default)]
pub(crate) struct LogFilter {
    handle: Option<reload::Handle<EnvFilter, Registry>>,
    lines: PluginLines,
}

impl LogFilter {
    /// Changes it. The filter was checked before.
    pub(crate) fn set(&self, filter: &str) {
        let Some(handle) = &self.handle else { return };
        match parse(filter).map(|filter| handle.reload(filter)) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = %error, "log.filter stays as it was"),
            Err(reason) => tracing::warn!(reason, "log.filter stays as it was"),
        }
    }

    /// The last lines of plugins.
    pub(crate) fn plugin_lines(&self) -> PluginLines {
        self.lines.clone()
    }
}

/// Whether a filter can be read.
///
/// # Errors
/// What is wrong with it, and how it is written.
pub(crate) fn check_filter(filter: &str) -> Result<(), String> {
    parse(filter).map(|_| ())
}

fn parse(filter: &str) -> Result<EnvFilter, String> {
    let parsed = EnvFilter::builder().with_default_directive(LevelFilter::ERROR.into()).parse(filter);
    let mut parsed =
        parsed.map_err(|error| format!("{error}; it is written as in RUST_LOG, e.g. \"info,tidegate=debug\""))?;
    let most = parsed.max_level_hint().is_none_or(|level| level > LevelFilter::INFO);
    for target in QUIET.into_iter().filter(|target| most && !filter.contains(target)) {
        if let Ok(directive) = format!("{target}=info").parse() {
            parsed = parsed.add_directive(directive);
        }
    }
    Ok(parsed)
}

/// Starts the process's log on standard error. A second call changes nothing (tests share a process), and its filter has no effect.
///
/// # Errors
/// When the filter can't be read: what was wrong with it.
pub(crate) fn start(log: &Log) -> Result<LogFilter, String> {
    let filter = parse(&log.filter).map_err(|problem| format!("log.filter: {problem}"))?;
    let (filter, handle) = reload::Layer::new(filter);
    let plugin_lines = PluginLines::default();
    let registry = tracing_subscriber::registry().with(filter).with(plugin_lines.clone());
    let lines =
        lines::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).with_target(false);
    let started = match log.format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    // Already started: by an earlier call in the same process.
    Ok(LogFilter { handle: started.is_ok().then_some(handle), lines: plugin_lines })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_model::MessageId;

    #[test]
    fn all_ids_of_a_story_share_their_root() {
        let delivery = DeliveryId::derive(1_780_315_200_000, &[b"delivery"]);
        let message = MessageId::derive(delivery.root_ms(), &[b"message"]);
        let root = Root(delivery.raw()).to_string();
        assert_eq!(root.len(), 10);
        assert_eq!(Root(message.raw()).to_string(), root);
        assert!(message.to_string().starts_with(&format!("msg_{root}")));
    }

    #[test]
    fn libraries_are_quiet_below_info_unless_they_are_named() {
        let shown = |filter: &str| parse(filter).unwrap().to_string();
        assert!(shown("trace").contains("hyper=info") && shown("trace").contains("sled=info"), "{}", shown("trace"));
        let named = shown("debug,hyper=trace");
        assert!(
            named.contains("hyper=trace") && !named.contains("hyper=info") && named.contains("sled=info"),
            "{named}"
        );
        assert!(!shown("info").contains("hyper"));
        assert!(check_filter("tidegate=loud").unwrap_err().contains("RUST_LOG"));
    }
}
