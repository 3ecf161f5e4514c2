//! `tidegate plugin test`: the fixtures of a project, in the real host.

use super::{
    output,
    project::{Project, read_component},
};
use crate::cli::{Failure, progress::Line};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use tidegate_plugin_host::{HostConfig, Plugin, PluginHost, extract};
use tidegate_plugin_testing::{Mode, Ran, Selection, Settled, run_cases};

#[derive(Debug, Args)]
pub(in crate::cli) struct TestArgs {
    /// The plugin's folder; its cases are in `fixtures`.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Write each outcome.json anew. Read the difference before you keep it.
    #[arg(long)]
    update: bool,
    /// Run only this case.
    #[arg(long, value_name = "CASE")]
    only: Option<String>,
    /// Test this component instead of building one.
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
    /// Print JSON, one object a line.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &TestArgs) -> Result<u8, Failure> {
    let project = Project::open(&args.dir)?;
    let packed = match &args.component {
        Some(file) => built(&project, file)?,
        None => {
            let _line = Line::new("building", None);
            project.pack()?
        }
    };
    let plugin = load(&packed)?;
    let mode = if args.update { Mode::Update } else { Mode::Compare };
    let ran = cases(&plugin, &project, Selection { mode, only: args.only.as_deref() })?;
    ran.iter().for_each(|ran| tell(ran, args.json));
    let failed = ran.iter().filter(|ran| ran.ended.is_err()).count();
    if !args.json {
        let (count, id) = (ran.len(), plugin.id());
        let ended = if failed == 0 { "all passed".to_owned() } else { format!("{failed} failed") };
        output::line(format!("{id}: {count} {}, {ended}", if count == 1 { "case" } else { "cases" }));
    }
    Ok(u8::from(failed > 0))
}

/// Runs cases of a project.
pub(super) fn cases(plugin: &Plugin, project: &Project, selection: Selection<'_>) -> Result<Vec<Ran>, Failure> {
    run_cases(plugin, &project.fixtures(), selection).map_err(|error| Failure::Usage(error.to_string()))
}

/// Loads a packed plugin for this process alone.
pub(super) fn load(packed: &[u8]) -> Result<Plugin, Failure> {
    let host = PluginHost::new(&HostConfig::default()).map_err(anyhow::Error::from)?;
    Ok(host.load_aside(packed).map_err(anyhow::Error::from)?)
}

/// A component that was built before; one without a manifest is given the project's.
fn built(project: &Project, file: &Path) -> Result<Vec<u8>, Failure> {
    let component = read_component(file)?;
    if extract(&component).is_ok() { Ok(component) } else { project.embed(&component) }
}

/// A case, as a line; what is wrong with it below.
pub(super) fn tell(ran: &Ran, as_json: bool) {
    let (word, reason) = match &ran.ended {
        Ok(Settled::Same) => ("ok", None),
        Ok(Settled::Written) => ("written", None),
        Err(error) => ("failed", Some(error.to_string())),
    };
    if as_json {
        output::json(&json!({"case": ran.case, "result": word, "reason": reason}));
        return;
    }
    output::line(format!("{word:<8} {}", ran.case));
    for line in reason.iter().flat_map(|reason| reason.lines()) {
        output::line(format!("         {line}"));
    }
}
