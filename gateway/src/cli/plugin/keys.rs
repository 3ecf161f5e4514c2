//! `tidegate plugin keygen` and `sign`: who vouches for a plugin.

use crate::{
    cli::{Failure, output},
    depot,
};
use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::json;
use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct KeygenArgs {
    /// File for the private key; it must not exist yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SignArgs {
    /// The packed plugin; it is signed in place.
    file: PathBuf,
    /// The private key, as `tidegate plugin keygen` wrote it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Write the signed plugin here, and leave the file as it is.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn keygen(args: &KeygenArgs) -> Result<u8, Failure> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| anyhow!("the system gives no randomness: {error}"))?;
    let (private, public) = depot::keypair(random);
    let shown = args.out.display();
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&args.out);
    let mut file = file.map_err(|error| Failure::Usage(format!("--out: {shown} can't be made: {error}")))?;
    file.write_all(private.as_bytes()).and_then(|()| file.sync_all()).with_context(|| format!("{shown}"))?;
    if args.json {
        output::json(&json!({"public": public.to_string(), "private_file": args.out}));
    } else {
        output::line(&public);
        output::line(format!(
            "The private key is in {shown}: who reads it can sign as you. The line above is public; operators put it into plugin_sources.trusted_keys."
        ));
    }
    Ok(0)
}

pub(super) fn sign(args: &SignArgs) -> Result<u8, Failure> {
    let read = |path: &Path| {
        fs::read(path).map_err(|error| Failure::Usage(format!("{} can't be read: {error}", path.display())))
    };
    let component = read(&args.file)?;
    let key = String::from_utf8(read(&args.key)?).unwrap_or_default();
    // Nobody should sign what no gateway would take.
    let manifest =
        tidegate_plugin_host::read_manifest(&component).map_err(|error| Failure::Usage(error.to_string()))?;
    let (signed, by) = depot::sign(&component, &key).map_err(|fault| Failure::Usage(fault.to_string()))?;
    let out = args.out.as_ref().unwrap_or(&args.file);
    let part = out.with_extension("part");
    fs::write(&part, &signed).and_then(|()| fs::rename(&part, out)).with_context(|| format!("{}", out.display()))?;
    let digest = depot::digest_of(&signed);
    if args.json {
        output::json(
            &json!({"id": manifest.id, "version": manifest.version, "digest": digest, "signed_by": by.to_string(), "file": out}),
        );
    } else {
        output::line(format!("{}@{} is signed by {by} (sha256:{digest})", manifest.id, manifest.version));
    }
    Ok(0)
}
