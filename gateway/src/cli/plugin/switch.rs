//! `tidegate plugin upgrade` and `rollback`: which version is active.

use super::{
    door::{ConfigFile, Door},
    trial,
};
use crate::cli::{Failure, Target, output};
use anyhow::anyhow;
use clap::Args;
use serde_json::{Value, json};
use std::io::{BufRead, IsTerminal};

#[derive(Debug, Args)]
pub(in crate::cli) struct UpgradeArgs {
    #[command(flatten)]
    pub(super) target: Target,
    #[command(flatten)]
    file: ConfigFile,
    /// Id of the plugin.
    pub(super) id: String,
    /// The version: an installed one, or the bundled one.
    #[arg(long, value_name = "VERSION")]
    to: String,
    /// For this connection only.
    #[arg(long, value_name = "NAME")]
    pub(super) connection: Option<String>,
    /// Switch nothing; interpret what was received by the active version and by the other, and show the difference.
    #[arg(long, conflicts_with_all = ["yes", "grant"])]
    dry_run: bool,
    /// How far back the dry run looks: 30m, 24h, 7d, …
    #[arg(long, value_name = "TIME", default_value = "24h", requires = "dry_run")]
    pub(super) since: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Grant what it asks for more than the active version.
    #[arg(long)]
    grant: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RollbackArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    file: ConfigFile,
    /// Id of the plugin.
    id: String,
    /// For this connection only.
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
}

pub(super) fn upgrade(args: &UpgradeArgs) -> Result<u8, Failure> {
    let door = Door::open(&args.target.data, &args.file)?;
    let asked = |plan: bool, grant: bool, digest: &Value| json!({"id": args.id, "to": args.to, "connection": args.connection, "plan": plan, "grant": grant, "digest": digest});
    let plan = door.order("upgrade", asked(true, false, &Value::Null))?;
    if args.dry_run {
        let control = door
            .running()
            .ok_or_else(|| Failure::Usage("a dry run needs a running gateway: it has what was received".to_owned()))?;
        return trial::run(control, args, &plan);
    }
    if !args.target.json {
        wants(&plan);
    }
    let grant = agreed(args, &plan)?;
    let done = door.order("upgrade", asked(false, grant, &plan["to"]["digest"]))?;
    if args.target.json {
        output::json(&done);
    } else {
        tell(&done);
    }
    Ok(0)
}

pub(super) fn rollback(args: &RollbackArgs) -> Result<u8, Failure> {
    let door = Door::open(&args.target.data, &args.file)?;
    let done = door.order("rollback", json!({"id": args.id, "connection": args.connection}))?;
    if args.target.json {
        output::json(&done);
    } else {
        tell(&done);
    }
    Ok(0)
}

/// Whether what is asked for is granted. Asks where somebody can answer.
fn agreed(args: &UpgradeArgs, plan: &Value) -> Result<bool, Failure> {
    let needs = plan["needs_grant"] == true;
    if args.yes || args.target.json || !std::io::stdin().is_terminal() || (needs && args.grant) {
        return Ok(args.grant);
    }
    output::line(if needs { "Grant this, and switch? [y/N]" } else { "Switch? [y/N]" });
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(anyhow::Error::from)?;
    if ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()) {
        return Ok(needs);
    }
    Err(Failure::Work(anyhow!("nothing was changed")))
}

/// What a version asks for, beside the active one.
pub(super) fn wants(plan: &Value) {
    let rows: Vec<Vec<String>> = plan["wants"].as_array().into_iter().flatten().map(want).collect();
    if rows.is_empty() {
        output::line("it asks for nothing else than the active version");
        return;
    }
    output::table(&["", "WHAT", "WAS", "NOW"], rows, "");
    let hosts: Vec<String> = plan["hosts"].as_array().into_iter().flatten().map(Value::to_string).collect();
    if !hosts.is_empty() {
        output::line("Hosts are granted in tidegate.toml:");
        output::line(format!("[plugins.{}]\nfetch = [{}]", text(&plan["id"]), hosts.join(", ")));
    }
}

fn want(want: &Value) -> Vec<String> {
    let mark = if want["more"] == true { "more" } else { "" };
    vec![mark.to_owned(), text(&want["what"]).to_owned(), text(&want["was"]).to_owned(), text(&want["now"]).to_owned()]
}

/// What was switched.
pub(super) fn tell(done: &Value) {
    let from = done["from"]["version"].as_str().map_or_else(String::new, |version| format!(", in place of {version}"));
    let scope = done["connection"].as_str().map(|name| format!(" for the connection {name}")).unwrap_or_default();
    let (id, to) = (text(&done["id"]), text(&done["to"]["version"]));
    if done["done"] == "already" {
        output::line(format!("{id}@{to} is active already{scope}"));
    } else {
        output::line(format!("{id}@{to} is active{scope}{from}"));
    }
    let names =
        |key: &str| -> Vec<&str> { done[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect() };
    if !names("connections").is_empty() {
        output::line(format!("it interprets what comes for {}", names("connections").join(", ")));
    }
    if !names("pinned").is_empty() && done["connection"].is_null() {
        output::line(format!("pinned in the configuration, and as before: {}", names("pinned").join(", ")));
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}
