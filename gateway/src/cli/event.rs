//! `tidegate event`: what came in, and what it meant.

mod replay;

pub(super) use replay::tell as tell_item;

use super::{Failure, Target, control::Control, output};
use clap::Subcommand;
use serde_json::Value;

#[derive(Debug, Subcommand)]
pub(super) enum EventCommand {
    /// Newest first.
    List {
        #[command(flatten)]
        target: Target,
        /// Only items that could not be interpreted, with field and reason.
        #[arg(long)]
        failed: bool,
        /// How many.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
    },
    /// One event, item or delivery: evt_…, itm_… or dlv_….
    Show {
        #[command(flatten)]
        target: Target,
        /// Its id.
        id: String,
    },
    /// Interpret something again, and show the difference. Writes nothing without --apply.
    Replay(replay::ReplayArgs),
}

pub(super) fn run(command: &EventCommand) -> Result<u8, Failure> {
    match command {
        EventCommand::List { target, failed, limit } => list(target, *failed, *limit),
        EventCommand::Show { target, id } => {
            let found = Control::new(&target.data)?.get(&format!("/v1/events/{id}"))?;
            show(target.json, &found)
        }
        EventCommand::Replay(args) => replay::run(args),
    }
}

fn list(target: &Target, failed: bool, limit: u16) -> Result<u8, Failure> {
    let kind = if failed { "queue" } else { "events" };
    let found = Control::new(&target.data)?.get(&format!("/v1/{kind}?limit={limit}"))?;
    let rows = found["data"].as_array().cloned().unwrap_or_default();
    if target.json {
        rows.iter().for_each(output::json);
        return Ok(0);
    }
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or("-").to_owned();
    let pick = |keys: &[&str]| rows.iter().map(|row| keys.iter().map(|key| text(row, key)).collect()).collect();
    if failed {
        let keys = ["parked_at", "delivery", "connection", "topic", "field", "reason"];
        output::table(
            &["PARKED", "DELIVERY", "CONNECTION", "TOPIC", "FIELD", "REASON"],
            pick(&keys),
            "nothing is parked",
        );
    } else {
        let keys = ["received_at", "id", "connection", "kind", "about"];
        output::table(&["RECEIVED", "ID", "CONNECTION", "KIND", "ABOUT"], pick(&keys), "no events yet");
    }
    Ok(0)
}

/// One object: as JSON lines or as indented JSON, which people can read too.
pub(super) fn show(json: bool, value: &Value) -> Result<u8, Failure> {
    if json {
        output::json(value);
    } else {
        output::line(serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?);
    }
    Ok(0)
}
