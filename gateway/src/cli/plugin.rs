//! `tidegate plugin`: for authors, from a new project to a packed plugin; for operators, the plugins of a gateway, and their life.

mod bench;
mod check;
mod dev;
mod door;
mod inspect;
mod install;
mod keys;
mod new;
mod pack;
mod project;
mod switch;
mod templates;
mod test;
mod trial;

use super::{Failure, Target, control::Control, output};
use clap::Subcommand;
use serde_json::Value;

#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// Make a project that builds, passes its tests, and is to be changed.
    New(new::NewArgs),
    /// Build a project, and pack it into the one file that a gateway loads.
    Pack(pack::PackArgs),
    /// Say what keeps a plugin from running, and what could be better.
    Check(check::CheckArgs),
    /// Run a project's fixtures in the real host.
    Test(test::TestArgs),
    /// Show what a packed plugin is and asks for, without running any of it.
    Inspect(inspect::InspectArgs),
    /// Measure what calls of a plugin cost, and how far its limits are.
    Bench(bench::BenchArgs),
    /// Build, test and load a plugin into a running gateway each time its sources change.
    Dev(dev::DevArgs),
    /// Which are loaded, how they fare, and what they may use.
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Put a version on the shelf: from a file or a registry.
    Install(install::InstallArgs),
    /// Every version that is here: installed, bundled, active, where used, signed by whom.
    Versions(install::VersionsArgs),
    /// Make a version active, for all or for one connection; or try it on what was received.
    Upgrade(switch::UpgradeArgs),
    /// Make what was active before active again.
    Rollback(switch::RollbackArgs),
    /// Take an installed version away.
    Uninstall(install::UninstallArgs),
    /// Make a pair of keys to sign plugins with.
    Keygen(keys::KeygenArgs),
    /// Sign a packed plugin.
    Sign(keys::SignArgs),
}

pub(super) fn run(command: &PluginCommand) -> Result<u8, Failure> {
    match command {
        PluginCommand::New(args) => new::run(args),
        PluginCommand::Pack(args) => pack::run(args),
        PluginCommand::Check(args) => check::run(args),
        PluginCommand::Test(args) => test::run(args),
        PluginCommand::Inspect(args) => inspect::run(args),
        PluginCommand::Bench(args) => bench::run(args),
        PluginCommand::Dev(args) => dev::run(args),
        PluginCommand::List { target } => list(target),
        PluginCommand::Install(args) => install::install(args),
        PluginCommand::Versions(args) => install::versions(args),
        PluginCommand::Upgrade(args) => switch::upgrade(args),
        PluginCommand::Rollback(args) => switch::rollback(args),
        PluginCommand::Uninstall(args) => install::uninstall(args),
        PluginCommand::Keygen(args) => keys::keygen(args),
        PluginCommand::Sign(args) => keys::sign(args),
    }
}

fn list(target: &Target) -> Result<u8, Failure> {
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
