//! Installing: a component is checked, compiled, put on disk and written down. It becomes active only when that is asked for.

use super::{Desk, conflict, switch, wrong};
use crate::{
    depot::{self, COMPONENT_BYTES, Shelf, Signed},
    http::Problem,
    records::InstalledRow,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_plugin_host::Manifest;

/// Longest version: it stands in the name of a file.
const VERSION_CHARS: usize = 64;
/// Longest words about where a plugin came from.
const SOURCE_CHARS: usize = 300;

/// How a component is to be installed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Install {
    /// Where it came from, in words.
    #[serde(default)]
    pub source: String,
    /// What its bytes must hash to: `sha256:…`.
    #[serde(default)]
    pub digest: Option<String>,
    /// Whether it becomes active.
    #[serde(default)]
    pub activate: bool,
    /// Whether what it asks for is granted.
    #[serde(default)]
    pub grant: bool,
}

/// Installs a packed component. The same bytes once more change nothing. Takes seconds for a large one: call it where blocking is fine.
///
/// # Errors
/// 400 for a component that is not taken, 409 for one that does not fit what is installed or asks for more than was granted. An installed one stays installed when it
/// could not become active.
pub(crate) fn install(desk: &Desk<'_>, component: &[u8], asked: &Install) -> Result<Value, Problem> {
    if component.len() > COMPONENT_BYTES {
        return Err(wrong(format!("the plugin has {} bytes; {COMPONENT_BYTES} are taken at most", component.len())));
    }
    let digest = depot::digest_of(component);
    if let Some(expected) = &asked.digest {
        let expected = depot::read_digest(expected).map_err(wrong)?;
        if expected != digest {
            return Err(wrong(format!(
                "the plugin is not the one that was named: it is sha256:{digest}, and sha256:{expected} was expected"
            )));
        }
    }
    let signed = signed(desk, component)?;
    let manifest = tidegate_plugin_host::read_manifest(component).map_err(|error| wrong(error.to_string()))?;
    let shelf = desk.shelf()?;
    let known = known(&shelf, &manifest, &digest)?;
    if !known {
        desk.host.load(component).map_err(|error| wrong(error.to_string()))?;
        let row = InstalledRow {
            plugin: manifest.id.clone(),
            version: manifest.version.clone(),
            digest: digest.clone(),
            bytes: component.len() as u64,
            source: asked.source.chars().filter(|c| !c.is_control()).take(SOURCE_CHARS).collect(),
            signed_by: signed.trusted.iter().map(ToString::to_string).collect(),
            installed_at: desk.now,
        };
        write_down(desk, &row, component)?;
    }
    let (id, version) = (&manifest.id, &manifest.version);
    let mut answer = json!({
        "id": id,
        "version": version,
        "digest": digest,
        "already": known,
        "signed_by": signed.trusted.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "signed_by_others": signed.others.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    if asked.activate {
        let upgrade = switch::Upgrade {
            id: id.clone(),
            to: version.clone(),
            connection: None,
            grant: asked.grant,
            digest: Some(digest),
            plan: false,
        };
        answer["activated"] = switch::upgrade(desk, &upgrade)
            .map_err(|problem| problem.with_note(&format!("{id}@{version} is installed, and was not made active: ")))?;
    }
    Ok(answer)
}

/// First the file, then the row: a row always has its file.
fn write_down(desk: &Desk<'_>, row: &InstalledRow, component: &[u8]) -> Result<(), Problem> {
    desk.depot.put(row, component).map_err(|error| {
        let folder = desk.dir.display();
        Problem::unavailable(format!("the plugin can't be written to {folder}: {error}"))
    })?;
    desk.commit(|tx| tx.put(row.clone()))?;
    tracing::info!(
        plugin = row.plugin,
        version = row.version,
        digest = row.digest,
        source = row.source,
        "plugin installed"
    );
    Ok(())
}

/// Who signed it; refused when a signature is wrong, or none is there that must be.
fn signed(desk: &Desk<'_>, component: &[u8]) -> Result<Signed, Problem> {
    let signed = depot::verify(component, &desk.rules.keys()).map_err(|fault| wrong(fault.to_string()))?;
    if !desk.rules.require_signature || !signed.trusted.is_empty() {
        return Ok(signed);
    }
    let how = match signed.others.first() {
        Some(key) => format!("it is signed by {key}, which is not among plugin_sources.trusted_keys: when you know whose key that is, add it"),
        None => "it is not signed: ask its author for a signed one, or look at it yourself and sign it (`tidegate plugin sign`) with a key of yours that is among plugin_sources.trusted_keys".to_owned(),
    };
    Err(wrong(format!("plugin_sources.require_signature is set, and the plugin has no trusted signature: {how}")))
}

/// Whether this very build is here. A version stands for the same bytes for ever.
fn known(shelf: &Shelf, manifest: &Manifest, digest: &str) -> Result<bool, Problem> {
    let Manifest { id, version, .. } = manifest;
    if version.len() > VERSION_CHARS {
        return Err(wrong(format!("the version has {} characters; {VERSION_CHARS} are taken at most", version.len())));
    }
    match shelf.version(id, version) {
        Ok(build) if build.digest() == digest => Ok(true),
        Ok(build) => {
            let (here, how) = match build {
                depot::Build::Bundled(_) => ("comes with the gateway", String::new()),
                depot::Build::Installed(_) => {
                    ("is installed", format!(", or `tidegate plugin uninstall {id}@{version}` first"))
                }
            };
            Err(conflict(format!(
                "{id}@{version} {here} as other bytes (sha256:{}): give the new build a version of its own{how}",
                build.digest()
            )))
        }
        Err(_) => Ok(false),
    }
}
