//! `tidegate connection`: how connections fare at their providers; have a provider send its webhooks here, and have it stop.

mod authorize;
mod create;
mod needs;
mod sections;

use super::{Failure, Target, control::Control, output};
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(super) enum ConnectionCommand {
    /// Write a new connection into the configuration, from what its plugin says it needs.
    Create(create::CreateArgs),
    /// Have a person authorize a connection at its provider, in a browser. The gateway keeps the tokens, sealed, and renews them.
    Authorize(authorize::AuthorizeArgs),
    /// Every connection, as it was last seen.
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Ask the provider what it sends, and say what is wrong and what to do. Changes nothing there.
    Check {
        #[command(flatten)]
        target: Target,
        /// Its name in the configuration.
        name: String,
    },
    /// Have the provider send its webhooks here, signed with a secret that is made for it where the provider takes one. May be done again at any time.
    Subscribe {
        #[command(flatten)]
        target: Target,
        /// Its name in the configuration.
        name: String,
        /// A topic, in the provider's words; may be given several times. Without any: all that the plugin reads.
        #[arg(long = "topic", value_name = "TOPIC")]
        topics: Vec<String>,
        /// Make a new secret. The one before stays live until the next time.
        #[arg(long)]
        rotate: bool,
    },
    /// Have the provider send nothing more here.
    Unsubscribe {
        #[command(flatten)]
        target: Target,
        /// Its name in the configuration.
        name: String,
    },
}

pub(super) fn run(command: &ConnectionCommand) -> Result<u8, Failure> {
    match command {
        ConnectionCommand::Create(args) => create::run(args),
        ConnectionCommand::Authorize(args) => authorize::run(args),
        ConnectionCommand::List { target } => {
            let found = Control::new(&target.data)?.get("/v1/connections")?;
            list(target, &found["data"].as_array().cloned().unwrap_or_default());
            Ok(0)
        }
        ConnectionCommand::Check { target, name } => {
            let path = format!("/v1/connections/{}/check", plain(name)?);
            let found = Control::new(&target.data)?.post(&path, json!({}))?;
            show(target, &found);
            Ok(u8::from(found["state"] == "problem"))
        }
        ConnectionCommand::Subscribe { target, name, topics, rotate } => {
            let path = format!("/v1/connections/{}/subscribe", plain(name)?);
            let asked = json!({ "topics": topics, "rotate": rotate });
            show(target, &Control::new(&target.data)?.post(&path, asked)?);
            Ok(0)
        }
        ConnectionCommand::Unsubscribe { target, name } => {
            let path = format!("/v1/connections/{}/unsubscribe", plain(name)?);
            show(target, &Control::new(&target.data)?.post(&path, json!({}))?);
            Ok(0)
        }
    }
}

/// A name that can stand in a path. Names in a configuration have no other characters.
fn plain(name: &str) -> Result<&str, Failure> {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    if !name.is_empty() && name.bytes().all(good) {
        return Ok(name);
    }
    Err(Failure::Usage(format!("{name:?} is no name of a connection: expected a-z, 0-9, - and _")))
}

fn text(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or("-").to_owned()
}

fn list(target: &Target, rows: &[Value]) {
    if target.json {
        return rows.iter().for_each(output::json);
    }
    let cells = |row: &Value| {
        let mut cells: Vec<String> =
            ["name", "workspace", "plugin", "endpoint", "state"].map(|key| text(row, key)).into();
        cells.push(active(row));
        cells.extend(["last_delivery_at", "checked_at", "next_at"].map(|key| text(row, key)));
        let first = row["findings"].as_array().and_then(|findings| findings.first());
        cells.push(first.map_or_else(|| "-".to_owned(), |finding| text(finding, "problem")));
        cells
    };
    output::table(
        &["NAME", "WORKSPACE", "PLUGIN", "ENDPOINT", "STATE", "SENDS", "LAST WEBHOOK", "LOOKED AT", "NEXT", "WHAT"],
        rows.iter().map(cells).collect(),
        "no connections are configured",
    );
}

/// How many of the wanted topics are sent.
fn active(row: &Value) -> String {
    let wanted = row["wanted"]["topics"].as_array().map_or(0, Vec::len);
    let held = row["subscriptions"].as_array().into_iter().flatten();
    let active = held.filter(|held| held["state"] == "active").count();
    if wanted == 0 && active == 0 { "-".to_owned() } else { format!("{active} of {wanted}") }
}

fn show(target: &Target, row: &Value) {
    print(target.json, row);
}

fn print(json: bool, row: &Value) {
    if json {
        return output::json(row);
    }
    output::line(format!("{}: {}", text(row, "name"), text(row, "state")));
    let field = |name: &str, value: String| {
        if value != "-" {
            output::line(format!("  {name:<13} {value}"));
        }
    };
    field("endpoint", text(row, "url"));
    for held in row["subscriptions"].as_array().into_iter().flatten() {
        let reason = held["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
        field(
            "subscription",
            format!("{} {} (id {}){reason}", text(held, "topic"), text(held, "state"), text(held, "id")),
        );
    }
    field("last webhook", text(row, "last_delivery_at"));
    field("secret made", text(&row["secret"], "made_at"));
    field("token given", text(&row["authorization"], "given_at"));
    field("token ends", text(&row["authorization"], "expires_at"));
    field("looked at", text(row, "checked_at"));
    field("mended", text(row, "mended_at"));
    if row["items_read"].as_u64().is_some_and(|read| read > 0) {
        field("items read", row["items_read"].to_string());
    }
    field("read back to", text(row, "read_to"));
    field("next look", text(row, "next_at"));
    for finding in row["findings"].as_array().into_iter().flatten() {
        let advice = finding["advice"].as_str().map(|advice| format!(": {advice}")).unwrap_or_default();
        output::line(format!("  {}: {}{advice}", text(finding, "severity"), text(finding, "problem")));
    }
}
