//! `tidegate plugin dev`: each time a source changes, the plugin is built, tested and put in force in a running gateway, whose lines about it are shown.

mod sources;

use super::{
    output,
    project::Project,
    test::{cases, load, tell},
};
use crate::cli::{Failure, control::Control, serve::Signals};
use clap::Args;
use serde_json::Value;
use sources::Print;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tidegate_plugin_testing::{Mode, Selection};
use tokio::runtime::Runtime;

/// Pause between two looks at the sources and at the gateway's lines.
const LOOK_AGAIN: Duration = Duration::from_millis(300);

#[derive(Debug, Args)]
pub(in crate::cli) struct DevArgs {
    /// The plugin's folder.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The endpoint whose plugin it is.
    #[arg(long, value_name = "NAME")]
    endpoint: String,
    /// The gateway's data directory; its control socket is in it.
    #[arg(long, value_name = "DIR", env = "TIDEGATE_DATA__DIR", default_value = "tidegate-data")]
    data: PathBuf,
}

pub(super) fn run(args: &DevArgs) -> Result<u8, Failure> {
    let project = Project::open(&args.dir)?;
    let mut gateway = Gateway::find(&args.data, &args.endpoint, &project.manifest.id)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(anyhow::Error::from)?;
    // From here on Ctrl-C ends the loop, and not a command in its midst.
    let mut signals = runtime.block_on(async { Signals::listen() })?;
    output::line(format!("watching {}; Ctrl-C ends this", args.dir.display()));
    let (mut built, mut seen): (Option<Print>, Option<Print>) = (None, None);
    loop {
        let print = Print::of(&args.dir);
        // Unchanged for a moment: an editor may write several files.
        if built.as_ref() != Some(&print) && (built.is_none() || seen.as_ref() == Some(&print)) {
            match make(&args.dir) {
                Ok(packed) => gateway.load(packed),
                Err(failure) => output::line(format!("{failure}\n▸ not built; what was in force stays")),
            }
            built = Some(print.clone());
        }
        seen = Some(print);
        gateway.follow();
        if asked_to_end(&runtime, &mut signals) {
            return Ok(0);
        }
    }
}

/// Builds the plugin, and tells how its cases ended.
fn make(dir: &Path) -> Result<Vec<u8>, Failure> {
    output::line("▸ building");
    let project = Project::open(dir)?;
    let packed = project.pack()?;
    let plugin = load(&packed)?;
    match cases(&plugin, &project, Selection { mode: Mode::Compare, only: None }) {
        Ok(ran) => {
            let failed: Vec<_> = ran.iter().filter(|ran| ran.ended.is_err()).collect();
            failed.iter().for_each(|ran| tell(ran, false));
            output::line(format!("▸ {} of {} cases passed", ran.len() - failed.len(), ran.len()));
        }
        // A plugin without cases can be tried too.
        Err(failure) => output::line(format!("▸ {failure}")),
    }
    Ok(packed)
}

fn asked_to_end(runtime: &Runtime, signals: &mut Signals) -> bool {
    runtime.block_on(async {
        tokio::select! {
            () = signals.asked() => true,
            () = tokio::time::sleep(LOOK_AGAIN) => false,
        }
    })
}

/// The running gateway, and what it was given.
struct Gateway {
    data: PathBuf,
    endpoint: String,
    plugin: String,
    packed: Option<Vec<u8>>,
    /// The number of its next line; `None` while it does not answer.
    next: Option<u64>,
}

impl Gateway {
    /// Finds it, and that the endpoint has the plugin.
    fn find(data: &Path, endpoint: &str, plugin: &str) -> Result<Self, Failure> {
        let loaded = Control::new(data)?.get("/v1/plugins")?;
        let rows = || loaded["data"].as_array().into_iter().flatten();
        let endpoints = |row: &Value| -> Vec<String> {
            row["endpoints"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|name| Some(name.as_str()?.to_owned()))
                .collect()
        };
        let held = rows().find(|row| endpoints(row).iter().any(|name| name == endpoint));
        let Some(held) = held else {
            let known = rows().flat_map(endpoints).collect::<Vec<_>>().join(", ");
            return Err(Failure::Usage(format!("--endpoint {endpoint}: there is no such endpoint; there are {known}")));
        };
        if held["id"] != plugin {
            return Err(Failure::Usage(format!(
                "--endpoint {endpoint}: its plugin is {}, and this one is {plugin}: name it in the gateway's configuration first",
                held["id"].as_str().unwrap_or("another")
            )));
        }
        let (data, endpoint, plugin) = (data.to_owned(), endpoint.to_owned(), plugin.to_owned());
        let mut found = Self { data, endpoint, plugin, packed: None, next: None };
        found.next = found.lines(None).ok().map(|(_, next)| next);
        Ok(found)
    }

    /// Puts a build in force.
    fn load(&mut self, packed: Vec<u8>) {
        let path = format!("/v1/endpoints/{}/plugin", self.endpoint);
        let done = Control::new(&self.data).and_then(|control| control.post_bytes(&path, packed.clone()));
        self.packed = Some(packed);
        match done {
            Ok(swapped) => output::line(format!(
                "▸ in force: {} behind {}, until the gateway's next reload or start",
                swapped["plugin"].as_str().unwrap_or_default(),
                self.endpoint
            )),
            Err(failure) => output::line(format!("▸ not in force: {failure}")),
        }
    }

    /// Shows its new lines. One that was started anew is given the build again.
    fn follow(&mut self) {
        match self.lines(self.next) {
            Ok((lines, next)) => {
                lines.iter().for_each(show);
                let is_another = self.next.is_none_or(|held| next < held);
                self.next = Some(next);
                if let Some(packed) = self.packed.take_if(|_| is_another) {
                    output::line("▸ the gateway was started again");
                    self.load(packed);
                }
            }
            Err(failure) => {
                if self.next.take().is_some() {
                    output::line(format!("▸ {failure}"));
                }
            }
        }
    }

    fn lines(&self, from: Option<u64>) -> Result<(Vec<Value>, u64), Failure> {
        let from = from.map(|from| format!("&from={from}")).unwrap_or_default();
        let mut told = Control::new(&self.data)?.get(&format!("/v1/plugins/log?plugin={}{from}", self.plugin))?;
        let next = told["next"].as_u64().unwrap_or_default();
        Ok((told["data"].as_array_mut().map(std::mem::take).unwrap_or_default(), next))
    }
}

fn show(line: &Value) {
    let text = |key: &str| line[key].as_str().unwrap_or_default();
    output::line(format!("{:<5} {} {}", text("level"), text("item"), text("text")));
}
