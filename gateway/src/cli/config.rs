//! `tidegate config`: what is in force, without secrets.

use super::{Failure, output};
use crate::config::{Config, DEFAULTS};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Show every key with its default and what it is for.
    #[arg(long)]
    defaults: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ConfigArgs) -> Result<u8, Failure> {
    if args.defaults {
        output::line(DEFAULTS.trim_end());
        return Ok(0);
    }
    let config = load(args.config.as_deref())?;
    if args.json {
        output::json(&config);
    } else {
        let text = toml::to_string(&config).map_err(anyhow::Error::from)?;
        output::line(text.trim_end());
    }
    Ok(0)
}

/// The layers: defaults, file, environment.
pub(super) fn load(file: Option<&std::path::Path>) -> Result<Config, Failure> {
    let environment: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    Config::load(file, &environment).map_err(|fault| Failure::Usage(fault.to_string()))
}
