//! `tidegate sender`: how the numbers that send fare, and a hand on them.

use super::{Failure, Target, control::Control, output};
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(super) enum SenderCommand {
    /// Every sender: whether it sends, and if not, why, since when, and when it is tried again.
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Let a sender's messages wait until it is resumed. None is lost; those that become too old are refused.
    Pause {
        #[command(flatten)]
        target: Target,
        /// Its name in the configuration.
        name: String,
        /// Why, for others to see.
        #[arg(long)]
        reason: Option<String>,
    },
    /// End everything that holds a sender's messages, also what the provider's refusals led to; they go on at once.
    Resume {
        #[command(flatten)]
        target: Target,
        /// Its name in the configuration.
        name: String,
    },
}

pub(super) fn run(command: &SenderCommand) -> Result<u8, Failure> {
    match command {
        SenderCommand::List { target } => {
            let found = Control::new(&target.data)?.get("/v1/senders")?;
            let rows = found["data"].as_array().cloned().unwrap_or_default();
            show(target, &rows)
        }
        SenderCommand::Pause { target, name, reason } => {
            let path = format!("/v1/senders/{}/pause", plain(name)?);
            show(target, &[Control::new(&target.data)?.post(&path, json!({ "reason": reason }))?])
        }
        SenderCommand::Resume { target, name } => {
            let path = format!("/v1/senders/{}/resume", plain(name)?);
            show(target, &[Control::new(&target.data)?.post(&path, json!({}))?])
        }
    }
}

/// A name that can stand in a path. Names in a configuration have no other characters.
fn plain(name: &str) -> Result<&str, Failure> {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    if !name.is_empty() && name.bytes().all(good) {
        return Ok(name);
    }
    Err(Failure::Usage(format!("{name:?} is no name of a sender: expected a-z, 0-9, - and _")))
}

fn show(target: &Target, rows: &[Value]) -> Result<u8, Failure> {
    if target.json {
        rows.iter().for_each(output::json);
        return Ok(0);
    }
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or("-").to_owned();
    let cells = |row: &Value| {
        let more = if row["waiting_more"] == true { "+" } else { "" };
        let mut cells: Vec<String> =
            ["name", "workspace", "state", "since", "next_probe_at"].map(|key| text(row, key)).into();
        cells.push(format!("{}{more}", row["waiting"]));
        let failure = match row["last_failure"].as_str() {
            Some(word) => format!("{} {word}", text(row, "last_failure_at")),
            None => "-".to_owned(),
        };
        cells.extend([text(row, "last_success_at"), failure, text(row, "reason")]);
        cells
    };
    output::table(
        &["NAME", "WORKSPACE", "STATE", "SINCE", "NEXT PROBE", "WAITING", "LAST SUCCESS", "LAST FAILURE", "REASON"],
        rows.iter().map(cells).collect(),
        "no senders are configured",
    );
    for row in rows {
        for pause in row["pauses"].as_array().into_iter().flatten() {
            let marketing = if pause["marketing_only"] == true { "marketing of " } else { "" };
            let next = pause["next_probe_at"]
                .as_str()
                .map_or_else(|| "until it is resumed".to_owned(), |at| format!("one message tries again at {at}"));
            output::line(format!(
                "{}: {marketing}{} is paused since {}: {} ({}); {next}",
                text(row, "name"),
                text(pause, "what"),
                text(pause, "since"),
                text(pause, "reason"),
                text(pause, "code"),
            ));
        }
    }
    Ok(0)
}
