//! `tidegate plugin install`, `versions` and `uninstall`: what is here.

use super::door::{ConfigFile, Door};
use crate::{
    cli::{Failure, Target, output},
    commands::Install,
    depot::oci::{OCI, OciReference},
};
use clap::Args;
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub(in crate::cli) struct InstallArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    file: ConfigFile,
    /// A packed plugin: a file, or one in a registry by tag or digest (`oci://host/repository:tag`, `oci://host/repository@sha256:…`).
    #[arg(value_name = "FILE|oci://…")]
    what: String,
    /// What its bytes must hash to; anything else is refused.
    #[arg(long, value_name = "sha256:…")]
    digest: Option<String>,
    /// Make it active.
    #[arg(long)]
    activate: bool,
    /// Grant what it asks for more than the active version.
    #[arg(long, requires = "activate")]
    grant: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct VersionsArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    file: ConfigFile,
    /// Only of this plugin.
    id: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct UninstallArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    file: ConfigFile,
    /// The version to take away.
    #[arg(value_name = "ID@VERSION")]
    what: String,
}

pub(super) fn install(args: &InstallArgs) -> Result<u8, Failure> {
    let door = Door::open(&args.target.data, &args.file)?;
    let mut asked =
        Install { digest: args.digest.clone(), activate: args.activate, grant: args.grant, ..Install::default() };
    let done = if args.what.starts_with(OCI) {
        let reference = OciReference::parse(&args.what).map_err(Failure::Usage)?;
        door.pull(&reference, &asked)?
    } else {
        let component = std::fs::read(&args.what)
            .map_err(|error| Failure::Usage(format!("{} can't be read: {error}", args.what)))?;
        asked.source = std::path::absolute(&args.what).map_err(anyhow::Error::from)?.display().to_string();
        door.install(component, &asked)?
    };
    if args.target.json {
        output::json(&done);
        return Ok(0);
    }
    let text = |key: &str| done[key].as_str().unwrap_or("-");
    let how = if done["already"] == true { "was installed already" } else { "is installed" };
    output::line(format!("{}@{} {how} (sha256:{})", text("id"), text("version"), text("digest")));
    output::line(signed(&done));
    if done["activated"].is_object() {
        super::switch::tell(&done["activated"]);
    } else {
        output::line(format!(
            "not active; to make it so: tidegate plugin upgrade {} --to {}",
            text("id"),
            text("version")
        ));
    }
    Ok(0)
}

fn signed(done: &Value) -> String {
    let keys =
        |key: &str| -> Vec<&str> { done[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect() };
    match (keys("signed_by"), keys("signed_by_others")) {
        (trusted, _) if !trusted.is_empty() => format!("signed by {}, which you trust", trusted.join(", ")),
        (_, others) if !others.is_empty() => {
            format!("signed by {}, which is not among your trusted keys", others.join(", "))
        }
        _ => "not signed".to_owned(),
    }
}

pub(super) fn versions(args: &VersionsArgs) -> Result<u8, Failure> {
    let found = Door::open(&args.target.data, &args.file)?.versions(args.id.as_deref())?;
    if args.target.json {
        found.iter().for_each(output::json);
        return Ok(0);
    }
    let cells = |row: &Value| {
        let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
        let list = |key: &str| {
            let words: Vec<&str> = row[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            if words.is_empty() { "-".to_owned() } else { words.join(", ") }
        };
        let source = if row["bundled"] == true { "bundled".to_owned() } else { text("source") };
        vec![
            text("id"),
            text("version"),
            text("digest_short"),
            text("state"),
            list("used_by"),
            list("signed_by"),
            source,
        ]
    };
    let rows = found.iter().map(cells).collect();
    output::table(
        &["ID", "VERSION", "DIGEST", "STATE", "USED BY", "SIGNED BY", "FROM"],
        rows,
        "there is no such plugin here",
    );
    Ok(0)
}

pub(super) fn uninstall(args: &UninstallArgs) -> Result<u8, Failure> {
    let wrong = || Failure::Usage(format!("expected a version such as shopify@0.2.0, found {:?}", args.what));
    let (id, version) = args.what.split_once('@').ok_or_else(wrong)?;
    let done = Door::open(&args.target.data, &args.file)?.order("uninstall", json!({"id": id, "version": version}))?;
    if args.target.json {
        output::json(&done);
    } else {
        output::line(format!("{id}@{version} is uninstalled"));
    }
    Ok(0)
}
