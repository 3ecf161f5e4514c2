//! `tidegate message`: what went out, and what was answered.

use super::{Failure, Target, control::Control, event::show, output};
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(super) enum MessageCommand {
    /// Newest first.
    List {
        #[command(flatten)]
        target: Target,
        /// How many.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
    },
    /// One message with its whole life: msg_….
    Show {
        #[command(flatten)]
        target: Target,
        /// Its id.
        id: String,
    },
    /// Answer a person by free-form text, through the same gate as every message.
    Send {
        #[command(flatten)]
        target: Target,
        /// The person's number, with + and country code.
        #[arg(long)]
        to: String,
        /// The text.
        #[arg(long)]
        text: String,
        /// Sender, by its name in the configuration; the workspace's default when absent.
        #[arg(long)]
        sender: Option<String>,
        /// Workspace, when there are several.
        #[arg(long)]
        workspace: Option<String>,
    },
}

pub(super) fn run(command: &MessageCommand) -> Result<u8, Failure> {
    match command {
        MessageCommand::List { target, limit } => list(target, *limit),
        MessageCommand::Show { target, id } => {
            let found = Control::new(&target.data)?.get(&format!("/v1/messages/{id}"))?;
            show(target.json, &found)
        }
        MessageCommand::Send { target, to, text, sender, workspace } => {
            let body = json!({"to": to, "text": text, "sender": sender, "workspace": workspace});
            let answer = Control::new(&target.data)?.post("/v1/messages", body)?;
            if target.json {
                output::json(&answer);
            } else {
                let id = answer["id"].as_str().unwrap_or("-");
                output::line(format!("{id} waits for the send gate; see `tidegate message show {id}`"));
            }
            Ok(0)
        }
    }
}

fn list(target: &Target, limit: u16) -> Result<u8, Failure> {
    let found = Control::new(&target.data)?.get(&format!("/v1/messages?limit={limit}"))?;
    let rows = found["data"].as_array().cloned().unwrap_or_default();
    if target.json {
        rows.iter().for_each(output::json);
        return Ok(0);
    }
    let cells = |row: &Value| {
        let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
        let channel = match row["segments"].as_u64() {
            Some(parts) if parts > 1 => format!("sms ×{parts}"),
            _ => text("channel"),
        };
        let place = [text("created_at"), text("id"), text("direction"), channel, text("to")];
        place.into_iter().chain([text("state"), text("why"), text("text")]).collect()
    };
    let rows = rows.iter().map(cells).collect();
    output::table(
        &["CREATED", "ID", "DIRECTION", "CHANNEL", "CONTACT", "STATE", "WHY", "TEXT"],
        rows,
        "no messages yet",
    );
    Ok(0)
}
