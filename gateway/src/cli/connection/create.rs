//! `tidegate connection create`: writes the sections of a connection into the configuration, from what its plugin's manifest says it needs. Asks on a terminal for what
//! is missing; the file is replaced only by one that loads.

use super::{
    needs::{Lack, Missing, Said, Sections, sections},
    sections::{ConfigFile, difference, joined, text},
};
use crate::{
    catalog,
    cli::{Failure, config, control::Control, output},
    commands::PLUGINS,
    config::{Config, SecretText},
    depot::{Depot, Reference, Shelf},
};
use anyhow::anyhow;
use clap::Args;
use serde_json::{Value, json};
use std::{
    io::{BufRead, IsTerminal},
    path::{Path, PathBuf},
};
use tidegate_plugin_host::{Auth, Manifest, read_manifest};

#[derive(Debug, Args)]
pub(in crate::cli) struct CreateArgs {
    /// The plugin: an id such as `shopify`, or as an endpoint of the configuration names one.
    provider: String,
    /// The connection's name: a-z, 0-9, - and _.
    name: String,
    /// Configuration file that it is written into.
    #[arg(long, value_name = "FILE", default_value = "tidegate.toml")]
    config: PathBuf,
    /// The business it belongs to; needed where there are several.
    #[arg(long)]
    workspace: Option<String>,
    /// The endpoint that its webhooks come by. Without it: one of the connection's name. One that is not there is made.
    #[arg(long)]
    endpoint: Option<String>,
    /// The account at the provider, for an endpoint of several accounts and for providers that are reached by it.
    #[arg(long)]
    account: Option<String>,
    /// A setting for the plugin; may be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Where a credential is: `NAME='${VARIABLE}'` or `NAME=file:PATH`; may be given several times.
    #[arg(long = "credential", value_name = "NAME=REF")]
    credentials: Vec<String>,
    /// Where the secret is that the provider signs with: `'${VARIABLE}'` or `file:PATH`. Not needed where the gateway makes it.
    #[arg(long, value_name = "REF")]
    secret: Option<String>,
    /// Where the token is that the provider's handshake has: `'${VARIABLE}'` or `file:PATH`.
    #[arg(long, value_name = "REF")]
    verify_token: Option<String>,
    /// Write nothing; show what would be added.
    #[arg(long, conflicts_with = "subscribe")]
    dry_run: bool,
    /// Have the running gateway reload, and the provider send its webhooks.
    #[arg(long)]
    subscribe: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &CreateArgs) -> Result<u8, Failure> {
    super::plain(&args.name)?;
    let environment = config::environment();
    let config = config::load(Some(&args.config), &environment)?.config;
    let manifest = manifest(&args.provider, &args.config, &config)?;
    if args.subscribe && manifest.connector.is_none() {
        let problem =
            format!("--subscribe: the plugin {} does not do it; make the webhooks at the provider", manifest.id);
        return Err(Failure::Usage(problem));
    }
    let sections = complete(&manifest, &config, said(args)?, args.json)?;
    let file = ConfigFile::read(&args.config)?;
    let after = joined(&file.before, &text(&sections));
    let beside = file.beside(&after)?;
    let loaded = checked(&manifest, &sections, beside.path(), &args.config, &environment)?;
    let next = next(&manifest, &sections, &loaded, args.subscribe);
    if args.dry_run {
        if args.json {
            output::json(&json!({"file": args.config, "added": text(&sections), "written": false, "next": next}));
        } else {
            output::line(difference(&args.config, &file.before, &after).trim_end());
        }
        return Ok(0);
    }
    file.replace(beside)?;
    if args.json {
        output::json(&json!({"file": args.config, "added": text(&sections), "written": true, "next": next}));
    } else {
        tell(args, &sections, &next);
    }
    if args.subscribe { subscribe(args, &loaded) } else { Ok(0) }
}

/// What the plugin says about itself. Nothing of it is run.
fn manifest(plugin: &str, file: &Path, config: &Config) -> Result<Manifest, Failure> {
    let depot = Depot::new(&config.data.dir.join(PLUGINS));
    let shelf = Shelf::of_files(&depot);
    let found = match Reference::parse(plugin).map_err(Failure::Usage)? {
        Reference::Active { id } => shelf.active(&id).and_then(|build| build.manifest(&depot)),
        Reference::Version { id, version, .. } => shelf.version(&id, &version).and_then(|build| build.manifest(&depot)),
        // As in the file: beside it.
        Reference::File { path, .. } => {
            let path = file.parent().unwrap_or(Path::new("")).join(path);
            let read = std::fs::read(&path).map_err(|error| format!("{} can't be read: {error}", path.display()));
            read.and_then(|bytes| read_manifest(&bytes).map_err(|error| error.to_string()))
        }
    };
    found.map_err(Failure::Usage)
}

fn said(args: &CreateArgs) -> Result<Said, Failure> {
    let pairs = |flag: &str, given: &[String]| -> Result<_, Failure> {
        let pair = |text: &String| match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
            // What was typed may hold a secret.
            _ => Err(Failure::Usage(format!("{flag}: expected NAME=…, with a = in it"))),
        };
        given.iter().map(pair).collect()
    };
    Ok(Said {
        name: args.name.clone(),
        plugin: args.provider.clone(),
        workspace: args.workspace.clone(),
        endpoint: args.endpoint.clone(),
        account: args.account.clone(),
        secret: args.secret.clone(),
        verify_token: args.verify_token.clone(),
        settings: pairs("--set", &args.settings)?,
        credentials: pairs("--credential", &args.credentials)?,
    })
}

/// The sections, when everything was said, or is on being asked.
fn complete(manifest: &Manifest, config: &Config, mut said: Said, json: bool) -> Result<Sections, Failure> {
    let may_ask = !json && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    loop {
        let missing = match sections(manifest, config, &said) {
            Ok(sections) => return Ok(sections),
            Err(Lack::Wrong(problem)) => return Err(Failure::Usage(problem)),
            Err(Lack::Missing(missing)) => missing,
        };
        if !may_ask {
            return Err(Failure::Usage(listed(manifest, &missing)));
        }
        for one in &missing {
            let answer = ask(one)?;
            said.note(&one.place, answer);
        }
    }
}

fn listed(manifest: &Manifest, missing: &[Missing]) -> String {
    let mut text = format!("a connection of the plugin {} needs more:", manifest.id);
    for Missing { place, what, .. } in missing {
        text.push_str(&format!("\n  {}: {what}", place.flag()));
    }
    text
}

fn ask(missing: &Missing) -> Result<String, Failure> {
    let usual = missing.usual.as_ref().map(|usual| format!(" [{usual}]")).unwrap_or_default();
    output::line(format!("{}: {}{usual}", missing.place.flag(), missing.what));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(anyhow::Error::from)?;
    match (answer.trim(), &missing.usual) {
        ("", Some(usual)) => Ok(usual.clone()),
        ("", None) => Err(Failure::Usage(format!("{} is needed: nothing was written", missing.place.flag()))),
        (answer, _) => Ok(answer.to_owned()),
    }
}

/// The configuration with the new sections, when it loads and the plugin takes the settings.
fn checked(
    manifest: &Manifest,
    sections: &Sections,
    beside: &Path,
    file: &Path,
    environment: &[(String, String)],
) -> Result<Config, Failure> {
    let wrong = |problem: String| {
        let problem = problem.replace(&beside.display().to_string(), &file.display().to_string());
        Failure::Usage(format!("nothing was written, because the configuration would be wrong with it:\n{problem}"))
    };
    let loaded = Config::load(Some(beside), environment).map_err(|faults| wrong(faults.to_string()))?;
    let made = loaded.connections.iter().find(|held| held.name == sections.name);
    let made = made.ok_or_else(|| wrong("connections: what is written there is not read".to_owned()))?;
    catalog::check_settings(manifest, made).map_err(|fault| wrong(fault.to_string()))?;
    Ok(loaded)
}

/// What is left to do.
fn next(manifest: &Manifest, sections: &Sections, config: &Config, subscribes: bool) -> Vec<String> {
    let mut steps = Vec::new();
    let endpoint = sections.endpoint.iter().flat_map(|endpoint| endpoint.secret.iter().chain(&endpoint.verify_token));
    let unset: Vec<&str> = sections
        .credentials
        .values()
        .chain(endpoint)
        .filter(|text| text.starts_with("${") || text.starts_with("file:"))
        .filter(|text| SecretText::new(text.as_str()).resolve(&|name| std::env::var(name).ok()).is_err())
        .map(String::as_str)
        .collect();
    if !unset.is_empty() {
        let step = "put there what is not found from here: ";
        steps.push(format!("{step}{} (a running gateway sees new variables only after a restart)", unset.join(", ")));
    }
    let url = format!("{}/in/{}", config.public_url(), sections.endpoint_name);
    if manifest.connector.is_some() && config.server.public_url.is_empty() {
        steps.push("set server.public_url to the address that the provider reaches the gateway at".to_owned());
    }
    if subscribes {
        return steps;
    }
    steps.push("tidegate reload".to_owned());
    let is_said = |auth: &&Auth| sections.credentials.contains_key(&auth.secret);
    if manifest.auth.iter().filter(|auth| auth.needs_person()).any(|auth| is_said(&auth)) {
        steps.push(format!("tidegate connection authorize {}", sections.name));
    }
    steps.push(match manifest.connector {
        Some(_) => format!("tidegate connection subscribe {}", sections.name),
        None => format!("have the provider send its webhooks to {url}"),
    });
    steps
}

fn tell(args: &CreateArgs, sections: &Sections, next: &[String]) {
    let endpoint = sections.endpoint.as_ref().map(|_| format!("the endpoint {} and ", sections.endpoint_name));
    let file = args.config.display();
    output::line(format!("{file}: {}the connection {} were added", endpoint.unwrap_or_default(), sections.name));
    for step in next {
        output::line(format!("  next: {step}"));
    }
}

/// Has the running gateway take it, and the provider send.
fn subscribe(args: &CreateArgs, config: &Config) -> Result<u8, Failure> {
    let done = || -> Result<Value, Failure> {
        let control = Control::new(&config.data.dir)?;
        control.post("/v1/reload", json!({}))?;
        control.post(&format!("/v1/connections/{}/subscribe", args.name), json!({"topics": [], "rotate": false}))
    };
    let written = || format!("{} is written; but it was not subscribed", args.config.display());
    let shown = done().map_err(|failure| match failure {
        Failure::Usage(problem) => Failure::Work(anyhow!("{}: {problem}", written())),
        Failure::Work(error) => Failure::Work(error.context(written())),
    })?;
    super::print(args.json, &shown);
    Ok(0)
}

#[cfg(test)]
mod tests;
