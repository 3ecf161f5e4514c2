//! `tidegate plugin pack`: one `.wasm` file of a project.

use super::{output, project::Project, size};
use crate::cli::{Failure, progress::Line};
use anyhow::Context;
use clap::Args;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{fs, path::PathBuf};

#[derive(Debug, Args)]
pub(in crate::cli) struct PackArgs {
    /// The plugin's folder.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Where the packed plugin is written; by default ID.wasm in its folder.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &PackArgs) -> Result<u8, Failure> {
    let project = Project::open(&args.dir)?;
    let packed = {
        let _line = Line::new("building", None);
        project.pack()?
    };
    let path = args.output.clone().unwrap_or_else(|| project.dir.join(format!("{}.wasm", project.manifest.id)));
    fs::write(&path, &packed).with_context(|| path.display().to_string())?;
    let digest = hex::encode(Sha256::digest(&packed));
    let (id, version) = (&project.manifest.id, &project.manifest.version);
    if args.json {
        output::json(&json!({"id": id, "version": version, "file": path, "bytes": packed.len(), "digest": digest}));
    } else {
        let size = size(packed.len() as u64);
        output::line(format!("{} is {id}@{version}: {size}, sha256 {digest}", path.display()));
    }
    Ok(0)
}
