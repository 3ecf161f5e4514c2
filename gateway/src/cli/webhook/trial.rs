//! `tidegate webhook try`: what an endpoint of a configuration makes of a body, without a gateway.

use crate::{
    catalog::{Trial, Tried},
    cli::{Failure, config, output},
};
use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use tidegate_clock::DomainClock;
use tidegate_model::{
    Timestamp,
    outcome::{Done, Failure as ItemFailure, Outcome},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct TryArgs {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The endpoint that the body would be sent to.
    #[arg(long, value_name = "NAME")]
    endpoint: String,
    /// A file with the body, as the provider sends it; `-` for standard input.
    body: PathBuf,
    /// A header of the delivery. May be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    header: Vec<String>,
    /// When it was received, as RFC 3339 text; now when absent.
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
    /// Print JSON, an item a line.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &TryArgs) -> Result<u8, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    let loaded = config::load(Some(&args.config), &config::environment())?;
    let headers = args.header.iter().map(|pair| header(pair)).collect::<Result<Vec<_>, _>>()?;
    let at = match &args.at {
        Some(text) => Timestamp::parse(text).map_err(|error| usage(&format!("--at: {error}")))?,
        None => Timestamp::from_ms(DomainClock::system().now_ms()),
    };
    let body = read(&args.body)?;
    let trial = Trial::load(&loaded.config, &args.endpoint).map_err(|fault| usage(&fault))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(anyhow::Error::from)?;
    let tried = runtime.block_on(trial.run(&headers, &body, at)).map_err(|error| anyhow::anyhow!("{error}"))?;
    if args.json {
        tried.iter().for_each(|item| output::json(&as_json(item)));
    } else {
        tried.iter().for_each(show);
        if tried.is_empty() {
            output::line("the body holds no items");
        }
        output::line("no signature was verified, nothing was stored or sent");
    }
    let good = |item: &Tried| matches!(&item.outcome, Some(Ok(Outcome::Done(_) | Outcome::Skip(_))));
    Ok(u8::from(!tried.iter().all(good)))
}

fn header(pair: &str) -> Result<(String, String), Failure> {
    let parts = pair.split_once('=').filter(|(name, _)| !name.trim().is_empty());
    let (name, value) = parts.ok_or_else(|| Failure::Usage(format!("--header {pair}: expected NAME=VALUE")))?;
    Ok((name.trim().to_lowercase(), value.to_owned()))
}

fn read(path: &std::path::Path) -> Result<Vec<u8>, Failure> {
    if path.as_os_str() == "-" {
        let mut body = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut body).context("standard input can't be read")?;
        return Ok(body);
    }
    Ok(std::fs::read(path).with_context(|| format!("{} can't be read", path.display()))?)
}

fn as_json(item: &Tried) -> Value {
    let connection = item.connection.as_ref().ok();
    let problem = item.connection.as_ref().err().cloned();
    let failed = item.outcome.as_ref().and_then(|outcome| outcome.as_ref().err().cloned());
    let outcome = item.outcome.as_ref().and_then(|outcome| outcome.as_ref().ok());
    json!({"item": item.index, "topic": item.topic, "connection": connection, "outcome": outcome, "problem": problem.or(failed)})
}

fn show(item: &Tried) {
    let topic = if item.topic.is_empty() { "no topic" } else { &item.topic };
    let connection = item.connection.as_deref().unwrap_or("none");
    output::line(format!("item {} ({topic}), connection {connection}", item.index));
    match (item.connection.as_ref(), item.outcome.as_ref().map(Result::as_ref)) {
        (Err(problem), _) | (_, Some(Err(problem))) => output::line(format!("  would be parked: {problem}")),
        (_, Some(Ok(Outcome::Done(done)))) => show_done(done),
        (_, Some(Ok(Outcome::Skip(reason)))) => output::line(format!("  skipped: {reason}")),
        (_, Some(Ok(Outcome::Failed(ItemFailure { field, reason, .. })))) => {
            let field = field.as_ref().map(|field| format!(" at {field}")).unwrap_or_default();
            output::line(format!("  would be parked{field}: {reason}"));
        }
        (_, Some(Ok(Outcome::Need(requests)))) => {
            let urls: Vec<&str> = requests.iter().map(|request| request.url.as_str()).collect();
            output::line(format!("  needs answers from {}", urls.join(", ")));
        }
        (Ok(_), None) => {}
    }
}

fn show_done(done: &Done) {
    for event in &done.events {
        output::line(format!("  event {} at {}", event.kind, event.occurred_at));
        let Ok(Value::Object(mut fields)) = serde_json::to_value(event) else { continue };
        ["id", "connection", "kind", "occurred_at", "entity"].iter().for_each(|key| drop(fields.shift_remove(*key)));
        for (name, value) in fields {
            output::line(format!("    {name}: {value}"));
        }
    }
    for trigger in &done.triggers {
        output::line(format!("  trigger {} {}", trigger.name, Value::Object(trigger.variables.clone())));
    }
}
