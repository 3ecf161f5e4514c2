//! `tidegate queue`: what was put aside, and what is to become of it.

use super::{Failure, Target, control::Control, event::show, output, progress::Bar};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use tidegate_model::Timestamp;

#[derive(Debug, Subcommand)]
pub(super) enum QueueCommand {
    /// Newest first.
    List {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        filter: FilterArgs,
        /// Those that were discarded, with who did it and why.
        #[arg(long)]
        discarded: bool,
        /// How many.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
    },
    /// Items that wait for answers of their provider. They go on by themselves.
    Waiting {
        #[command(flatten)]
        target: Target,
        /// How many.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
    },
    /// One of them with its history: dlq_….
    Show {
        #[command(flatten)]
        target: Target,
        /// Its id.
        id: String,
    },
    /// Try again: these, or all that fit. What fails again keeps its history.
    Retry {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        picked: PickedArgs,
    },
    /// Throw away: these, or all that fit. A trace stays, and so does what was received.
    Discard {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        picked: PickedArgs,
        /// Why, for the trace.
        #[arg(long, value_name = "TEXT")]
        why: Option<String>,
        /// Who, for the trace.
        #[arg(long, value_name = "NAME", env = "USER", default_value = "operator")]
        by: String,
        /// Do it: without this, nothing is thrown away.
        #[arg(long)]
        yes: bool,
    },
}

/// Which of them.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct FilterArgs {
    /// Words of the reason, or of the field.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Plugin: shopify, or shopify@1.2.0.
    #[arg(long, value_name = "ID")]
    plugin: Option<String>,
    /// Endpoint.
    #[arg(long, value_name = "NAME")]
    endpoint: Option<String>,
    /// Workspace.
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
    /// Put aside in the last 30m, 24h, 7d, …
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// What it is.
    #[arg(long, value_parser = ["item", "delivery", "timer", "message", "connection"])]
    kind: Option<String>,
}

impl FilterArgs {
    fn fields(&self, control: &Control) -> Result<Map<String, Value>, Failure> {
        let Self { reason, plugin, endpoint, workspace, since, kind } = self;
        let texts =
            [("reason", reason), ("plugin", plugin), ("endpoint", endpoint), ("workspace", workspace), ("kind", kind)];
        let mut fields: Map<String, Value> = texts
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), Value::String(value.clone()?))))
            .collect();
        if let Some(text) = since {
            fields.insert("since".to_owned(), json!(since_instant(control, text)?));
        }
        Ok(fields)
    }
}

/// The moment that lies so long before the gateway's now.
pub(super) fn since_instant(control: &Control, text: &str) -> Result<Timestamp, Failure> {
    let back = tidegate_flows::parse_duration(text).map_err(|error| Failure::Usage(format!("--since: {error}")))?;
    let stats = control.get("/v1/stats")?;
    let now = Timestamp::parse(stats["now"].as_str().unwrap_or_default()).map_err(anyhow::Error::from)?;
    Ok(now.plus_ms(-back))
}

/// These, or all that fit.
#[derive(Debug, Clone, Args)]
pub(super) struct PickedArgs {
    /// Ids: dlq_….
    #[arg(required_unless_present = "all")]
    ids: Vec<String>,
    /// All that fit, in place of ids.
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    #[command(flatten)]
    filter: FilterArgs,
}

pub(super) fn run(command: &QueueCommand) -> Result<u8, Failure> {
    match command {
        QueueCommand::List { target, filter, discarded, limit } => list(target, filter, *discarded, *limit),
        QueueCommand::Waiting { target, limit } => waiting(target, *limit),
        QueueCommand::Show { target, id } => {
            let found = Control::new(&target.data)?.get(&format!("/v1/queue/{id}"))?;
            show(target.json, &found)
        }
        QueueCommand::Retry { target, picked } => {
            let (done, skipped) = act(target, picked, "/v1/queue/retry", &Map::new())?;
            report(target, done, skipped, "tried again", "are being tried already, or were discarded");
            Ok(0)
        }
        QueueCommand::Discard { target, picked, why, by, yes } => {
            if !yes {
                return Err(Failure::Usage(
                    "this throws work away: add --yes, or look first with `queue list`".to_owned(),
                ));
            }
            let mut trace = Map::new();
            trace.insert("by".to_owned(), json!(by));
            trace.insert("why".to_owned(), json!(why));
            let (done, skipped) = act(target, picked, "/v1/queue/discard", &trace)?;
            report(target, done, skipped, "discarded", "are being tried, or were discarded before");
            Ok(0)
        }
    }
}

fn waiting(target: &Target, limit: u16) -> Result<u8, Failure> {
    let found = Control::new(&target.data)?.get(&format!("/v1/waiting?limit={limit}"))?;
    let rows = found["data"].as_array().cloned().unwrap_or_default();
    if target.json {
        rows.iter().for_each(output::json);
        return Ok(0);
    }
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or("-").to_owned();
    let cells = |row: &Value| ["since", "item", "connection", "words"].iter().map(|key| text(row, key)).collect();
    output::table(
        &["SINCE", "ITEM", "CONNECTION", "WHAT"],
        rows.iter().map(cells).collect(),
        "no item waits for answers",
    );
    Ok(0)
}

fn report(target: &Target, done: u64, skipped: u64, word: &str, why_not: &str) {
    if target.json {
        return output::json(&json!({"done": done, "skipped": skipped}));
    }
    output::line(format!("{done} {word}"));
    if skipped > 0 {
        output::line(format!("{skipped} not: they {why_not}"));
    }
}

/// Asks for one bounded piece after the other.
fn act(target: &Target, picked: &PickedArgs, path: &str, more: &Map<String, Value>) -> Result<(u64, u64), Failure> {
    let control = Control::new(&target.data)?;
    let mut body = more.clone();
    if picked.all {
        body.insert("all".to_owned(), Value::Object(picked.filter.fields(&control)?));
    } else {
        body.insert("ids".to_owned(), json!(picked.ids));
    }
    let (mut done, mut skipped) = (0, 0);
    let bar = Bar::new();
    loop {
        let answer = control.post(path, Value::Object(body.clone()))?;
        done += answer["done"].as_u64().unwrap_or_default();
        skipped += answer["skipped"].as_u64().unwrap_or_default();
        if answer["next"].is_null() {
            return Ok((done, skipped));
        }
        bar.count(&format!("{done} done"));
        body.insert("after".to_owned(), answer["next"].clone());
    }
}

fn list(target: &Target, filter: &FilterArgs, discarded: bool, limit: u16) -> Result<u8, Failure> {
    let control = Control::new(&target.data)?;
    let mut fields = filter.fields(&control)?;
    fields.insert("limit".to_owned(), json!(limit));
    fields.insert("discarded".to_owned(), json!(discarded));
    let found = control.get_with("/v1/queue", &fields)?;
    let rows = found["data"].as_array().cloned().unwrap_or_default();
    if target.json {
        rows.iter().for_each(output::json);
        return Ok(0);
    }
    let cells = |row: &Value| {
        let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
        let about = ["topic", "message", "run", "delivery"].iter().find_map(|key| row[*key].as_str()).unwrap_or("-");
        let state = match &row["discarded"] {
            Value::Object(trace) => {
                format!("by {}: {}", trace["by"].as_str().unwrap_or("-"), trace["why"].as_str().unwrap_or("-"))
            }
            _ => text("state"),
        };
        let tries = row["attempts"].to_string();
        vec![
            text("parked_at"),
            text("id"),
            text("kind"),
            state,
            tries,
            text("plugin"),
            about.to_owned(),
            text("reason"),
        ]
    };
    let rows = rows.iter().map(cells).collect();
    output::table(
        &["PARKED", "ID", "KIND", "STATE", "TRIES", "PLUGIN", "ABOUT", "REASON"],
        rows,
        "nothing is put aside",
    );
    Ok(0)
}
