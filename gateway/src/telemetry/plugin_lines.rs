//! The last lines that plugins wrote to the log, and what the gateway said about their failures: for an author who follows a plugin under development. Held in
//! memory, as far as the log's filter lets them through; they are masked where they are written.

use serde::Serialize;
use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Layer};

/// Lines that are held.
const MOST_LINES: usize = 500;
/// Where the lines of plugins come from, and those about calls that failed.
const TARGETS: [&str; 2] = ["plugin", "tidegate::pipeline::interpret"];

/// The last lines of plugins. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct PluginLines(Arc<Mutex<Ring>>);

#[derive(Default)]
struct Ring {
    /// Number of the next line.
    next: u64,
    held: VecDeque<Line>,
}

/// A line of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    number: u64,
    /// `debug`, `info`, `warn`, `error`.
    level: String,
    /// The plugin's id.
    #[serde(skip)]
    plugin: String,
    /// The item that it was about, or the first of them.
    item: String,
    text: String,
}

impl PluginLines {
    /// The lines of a plugin from this number on, and the number of the next one.
    pub(crate) fn since(&self, plugin: &str, from: u64) -> (Vec<Line>, u64) {
        let ring = self.ring();
        let lines = ring.held.iter().filter(|line| line.number >= from && line.plugin == plugin).cloned().collect();
        (lines, ring.next)
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber> Layer<S> for PluginLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if !TARGETS.contains(&event.metadata().target()) {
            return;
        }
        let mut read = Reading::default();
        event.record(&mut read);
        let Reading { plugin, item, message, reason } = read;
        let text = if reason.is_empty() { message } else { format!("{message}: {reason}") };
        let level = event.metadata().level().to_string().to_lowercase();
        // The gateway's own lines name the version too.
        let plugin = plugin.split('@').next().unwrap_or_default().to_owned();
        let mut ring = self.ring();
        let number = ring.next;
        ring.next += 1;
        if ring.held.len() == MOST_LINES {
            ring.held.pop_front();
        }
        ring.held.push_back(Line { number, level, plugin, item, text });
    }
}

/// The fields of a line.
#[derive(Default)]
struct Reading {
    plugin: String,
    item: String,
    message: String,
    reason: String,
}

impl Reading {
    fn slot(&mut self, field: &Field) -> Option<&mut String> {
        match field.name() {
            "plugin.id" | "plugin" => Some(&mut self.plugin),
            "item.id" => Some(&mut self.item),
            "message" => Some(&mut self.message),
            "reason" => Some(&mut self.reason),
            _ => None,
        }
    }
}

impl Visit for Reading {
    fn record_str(&mut self, field: &Field, value: &str) {
        if let Some(slot) = self.slot(field) {
            value.clone_into(slot);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if let Some(slot) = self.slot(field) {
            *slot = format!("{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::prelude::*;

    #[test]
    fn lines_of_a_plugin_are_held_and_told_once() {
        let lines = PluginLines::default();
        let subscriber = tracing_subscriber::registry().with(lines.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(target: "plugin", { plugin.id = "shop", item.id = %"itm_1", items = 1 }, "hello");
            tracing::info!(target: "plugin", { plugin.id = "other", item.id = %"itm_2", items = 1 }, "hello");
            tracing::info!("of the gateway");
            tracing::warn!(target: "tidegate::pipeline::interpret", { plugin = %"shop@0.1.0", item.id = %"itm_3", reason = %"it crashed" }, "the plugin failed");
        });
        let (found, next) = lines.since("shop", 0);
        let told: Vec<String> =
            found.iter().map(|line| format!("{} {} {}", line.level, line.item, line.text)).collect();
        assert_eq!(told, ["info itm_1 hello", "warn itm_3 the plugin failed: it crashed"]);
        assert_eq!((lines.since("shop", next).0.len(), next), (0, 3));
    }

    #[test]
    fn old_lines_go() {
        let lines = PluginLines::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines.clone()), || {
            for _ in 0..=MOST_LINES {
                tracing::info!(target: "plugin", { plugin.id = "shop" }, "x");
            }
        });
        let (found, next) = lines.since("shop", 0);
        assert_eq!((found.len(), found[0].number, next), (MOST_LINES, 1, MOST_LINES as u64 + 1));
    }
}
