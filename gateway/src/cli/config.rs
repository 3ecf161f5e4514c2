//! `tidegate config`: what is in force and where it comes from, without secrets; and whether it is right.

use super::{Failure, output};
use crate::{
    catalog::{Catalog, Sources},
    commands,
    config::{self, Config, DEFAULTS, Loaded},
    depot::{Depot, Shelf},
    metrics::Metrics,
};
use clap::Args;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tidegate_store::memory::Memory;

#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Show every key with its default and what it is for.
    #[arg(long)]
    defaults: bool,
    /// Check everything that a start checks (secrets, plugins, flows, templates), and show only what is wrong.
    #[arg(long, conflicts_with = "defaults")]
    check: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ConfigArgs) -> Result<u8, Failure> {
    if args.defaults {
        output::line(DEFAULTS.trim_end());
        return Ok(0);
    }
    let loaded = load(args.config.as_deref(), &environment())?;
    let warnings = config::warnings(&loaded.config, &loaded.origins);
    if args.check {
        check(&loaded.config)?;
        if args.json {
            output::json(&serde_json::json!({"sound": true, "warnings": warnings}));
            return Ok(0);
        }
        output::line("the configuration is sound");
    } else if args.json {
        let mut shown = serde_json::to_value(&loaded.config).map_err(anyhow::Error::from)?;
        shown["origins"] = serde_json::json!(loaded.origins);
        shown["warnings"] = serde_json::json!(warnings);
        output::json(&shown);
        return Ok(0);
    } else {
        output::line(config::in_force(&loaded.config, &loaded.origins).map_err(anyhow::Error::from)?);
    }
    for warning in warnings {
        output::line(format!("# warning: {warning}"));
    }
    Ok(0)
}

/// Loads everything as a start does, into nothing.
fn check(config: &Config) -> Result<(), Failure> {
    let memory = Memory::new();
    let cache = config.data.dir.join(commands::PLUGINS);
    let shelf = Shelf::of_files(&Depot::new(&cache));
    let sources = Sources {
        store: &*memory.engine(),
        // A check leaves nothing behind where there is nothing yet.
        plugin_cache: cache.is_dir().then_some(cache.as_path()),
        metrics: &Arc::new(Metrics::new()),
        tokens: None,
        previous: None,
    };
    Catalog::load_with(config, &sources, shelf).map(|_| ()).map_err(|fault| Failure::Usage(fault.to_string()))
}

/// The layers: defaults, file, environment.
pub(super) fn load(file: Option<&Path>, environment: &[(String, String)]) -> Result<Loaded, Failure> {
    Config::load_layers(file, environment).map_err(|faults| Failure::Usage(faults.to_string()))
}

/// The environment, as far as it is text.
pub(super) fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
