//! `tidegate plugin`: the plugins of a running gateway.

use super::{Failure, Target, control::Control, output};
use clap::Subcommand;
use serde_json::Value;

#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// Which are loaded, how they fare, and what they may use.
    List {
        #[command(flatten)]
        target: Target,
    },
}

pub(super) fn run(command: &PluginCommand) -> Result<u8, Failure> {
    let PluginCommand::List { target } = command;
    let found = Control::new(&target.data)?.get("/v1/plugins")?;
    let rows = found["data"].as_array().cloned().unwrap_or_default();
    if target.json {
        rows.iter().for_each(output::json);
        return Ok(0);
    }
    let cells = |row: &Value| {
        let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
        let figure = |key: &str| row[key].as_u64().map_or_else(|| "-".to_owned(), |figure| figure.to_string());
        vec![
            text("id"),
            text("version"),
            text("digest_short"),
            text("state_text"),
            figure("calls"),
            figure("failures"),
            figure("mean_us"),
            limits(&row["limits"]),
        ]
    };
    let asks = |row: &Value| {
        let lines = row["not_granted"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let plugin = row["id"].as_str().unwrap_or("-").to_owned();
        lines.map(|line| format!("{plugin} asks for what it is not granted: {line}")).collect::<Vec<_>>()
    };
    let asked: Vec<String> = rows.iter().flat_map(asks).collect();
    let rows = rows.iter().map(cells).collect();
    let header = ["ID", "VERSION", "DIGEST", "STATE", "CALLS", "FAILURES", "MEAN µs", "LIMITS"];
    output::table(&header, rows, "no plugins are loaded");
    asked.iter().for_each(output::line);
    Ok(0)
}

/// Limits in a few words: `250 ms, 64 MiB, 32 items, …`.
fn limits(limits: &Value) -> String {
    let of = |key: &str| limits[key].as_u64().unwrap_or_default();
    let (time, memory, items) = (of("deadline_ms"), size(of("memory_bytes")), of("chunk_items"));
    let (body, outcome) = (size(of("body_bytes")), size(of("outcome_bytes")));
    format!("{time} ms, {memory}, {items} items, body {body}, outcome {outcome}")
}

/// Bytes for people, exact where that is short.
fn size(bytes: u64) -> String {
    match bytes {
        bytes if bytes >= 1 << 20 && bytes % (1 << 20) == 0 => format!("{} MiB", bytes >> 20),
        bytes if bytes >= 1 << 10 => format!("{} KiB", bytes >> 10),
        bytes => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn limits_are_told_in_a_few_words() {
        let shown = limits(
            &json!({"body_bytes": 2_097_152, "memory_bytes": 1_100_000, "deadline_ms": 250, "chunk_items": 32, "outcome_bytes": 512}),
        );
        assert_eq!(shown, "250 ms, 1074 KiB, 32 items, body 2 MiB, outcome 512 B");
    }
}
