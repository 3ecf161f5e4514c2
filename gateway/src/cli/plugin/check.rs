//! `tidegate plugin check`: what keeps a plugin from running, and what would make it a better one. Every finding says how to mend it.

mod component;
mod fixtures;
mod manifest;

pub(super) use fixtures::cases;

use super::{
    output,
    project::{Project, read_component},
};
use crate::cli::{Failure, progress::Line};
use clap::Args;
use serde::Serialize;
use serde_json::json;
use std::path::{Path, PathBuf};
use tidegate_plugin_host::{Manifest, extract};

#[derive(Debug, Args)]
pub(in crate::cli) struct CheckArgs {
    /// A packed plugin, or the folder of one, which is built.
    #[arg(value_name = "FILE|DIR", default_value = ".")]
    given: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    /// A gateway does not take the plugin, or it does nothing there.
    Fault,
    /// It works, and could be better.
    Warning,
}

/// Something to mend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    level: Level,
    /// What is wrong.
    what: String,
    /// What to do about it.
    mend: String,
}

impl Finding {
    fn fault(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { level: Level::Fault, what: what.into(), mend: mend.into() }
    }

    fn warning(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { level: Level::Warning, what: what.into(), mend: mend.into() }
    }
}

pub(super) fn run(args: &CheckArgs) -> Result<u8, Failure> {
    let (label, mut findings) = if args.given.is_dir() { folder(&args.given)? } else { file(&args.given)? };
    findings.sort_by_key(|finding| finding.level);
    let count = |level: Level| findings.iter().filter(|finding| finding.level == level).count();
    let (faults, warnings) = (count(Level::Fault), count(Level::Warning));
    if args.json {
        output::json(&json!({"plugin": label, "faults": faults, "warnings": warnings, "findings": findings}));
    } else {
        findings.iter().for_each(tell);
        output::line(format!("{label}: {}, {}", counted(faults, "fault"), counted(warnings, "warning")));
    }
    Ok(u8::from(faults > 0))
}

fn tell(finding: &Finding) {
    let word = match finding.level {
        Level::Fault => "fault",
        Level::Warning => "warning",
    };
    let mut lines = finding.what.lines();
    output::line(format!("{word:<8} {}", lines.next().unwrap_or_default()));
    lines.for_each(|line| output::line(format!("         {line}")));
    output::line(format!("         → {}", finding.mend));
}

fn counted(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// A project: its manifest, what is built of it, and its cases.
fn folder(dir: &Path) -> Result<(String, Vec<Finding>), Failure> {
    let text = super::project::manifest_text(dir)?;
    let file = dir.join("plugin.toml").display().to_string();
    let manifest = match Manifest::parse(&file, &text) {
        Ok(manifest) => manifest,
        Err(error) => return Ok((file, vec![manifest::wrong(&error)])),
    };
    let project = Project::open(dir)?;
    let mut findings = manifest::check(&manifest);
    let built = {
        let _line = Line::new("building", None);
        project.pack()
    };
    match built {
        Ok(packed) => findings.extend(component::check(&packed, &manifest)),
        Err(failure) => findings.push(Finding::fault(failure.to_string(), "mend the build")),
    }
    findings.extend(fixtures::check(&project.fixtures(), &manifest));
    Ok((label(&manifest), findings))
}

/// A packed plugin.
fn file(path: &Path) -> Result<(String, Vec<Finding>), Failure> {
    let packed = read_component(path)?;
    let name = path.display().to_string();
    let text = match extract(&packed) {
        Ok(text) => text,
        Err(error) => {
            let mend = "make it with `tidegate plugin pack`, which builds a component and puts the manifest into it";
            return Ok((name, vec![Finding::fault(error.to_string(), mend)]));
        }
    };
    match Manifest::parse("plugin.toml", text) {
        Ok(manifest) => {
            let mut findings = manifest::check(&manifest);
            findings.extend(component::check(&packed, &manifest));
            Ok((label(&manifest), findings))
        }
        Err(error) => Ok((name, vec![manifest::wrong(&error)])),
    }
}

fn label(manifest: &Manifest) -> String {
    format!("{}@{}", manifest.id, manifest.version)
}
