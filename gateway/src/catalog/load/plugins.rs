//! The plugins of endpoints and connections: which build the configuration and the depot name, loaded once for all that run it.

use super::{CatalogFault, Loader, fault};
use crate::{
    catalog::Interpreter,
    config,
    depot::{self, Build, Depot, Reference, Shelf},
};
use std::borrow::Cow;
use tidegate_plugin_host::Plugin;

impl Loader<'_> {
    /// An endpoint's plugin, as the configuration names it.
    pub(super) fn plugin(&mut self, name: &str) -> Result<Plugin, String> {
        match Reference::parse(name)? {
            Reference::Active { id } => {
                let build = self.shelf.active(&id)?;
                self.build(&build)
            }
            Reference::Version { id, version, digest } => {
                let build = self.shelf.version(&id, &version)?;
                pinned(name, digest, &build.digest())?;
                self.build(&build)
            }
            Reference::File { path, digest } => {
                let component = std::fs::read(&path).map_err(|error| format!("{path} can't be read: {error}"))?;
                let found = depot::digest_of(&component);
                pinned(name, digest, &found)?;
                self.loaded(found, &path, || Ok(component.into()))
            }
        }
    }

    /// A build that is installed or bundled.
    fn build(&mut self, build: &Build) -> Result<Plugin, String> {
        let name = match build {
            Build::Bundled(plugin) => plugin.id.to_owned(),
            Build::Installed(row) => format!("{}@{}", row.plugin, row.version),
        };
        let depot = self.depot.clone();
        self.loaded(build.digest(), &name, || build.component(depot.as_ref()))
    }

    /// The plugin with these bytes. One that is loaded already, here or in the catalog before, is not loaded again.
    fn loaded(
        &mut self,
        digest: String,
        name: &str,
        component: impl FnOnce() -> Result<Cow<'static, [u8]>, String>,
    ) -> Result<Plugin, String> {
        let held = self.plugins.get(&digest).or_else(|| self.previous?.plugins.get(&digest)).cloned();
        let plugin = match held {
            Some(plugin) => plugin,
            None => self.host.load(&component()?).map_err(|error| format!("{name}: {error}"))?,
        };
        self.plugins.insert(digest, plugin.clone());
        Ok(plugin)
    }

    /// Who interprets a connection's items: its endpoint's plugin, unless another version was chosen for it. An endpoint that names a version or a file is pinned to
    /// it, with its connections.
    pub(super) fn interpreter(
        &mut self,
        endpoint: &config::Endpoint,
        connection: &str,
        own: &Interpreter,
    ) -> Result<Interpreter, CatalogFault> {
        let Ok(Reference::Active { id }) = Reference::parse(&endpoint.plugin) else { return Ok(own.clone()) };
        let wrong = |problem: String| fault(format!("connections.{connection}"), problem);
        let Some(build) = self.shelf.active_for(&id, connection).map_err(wrong)? else { return Ok(own.clone()) };
        let plugin = self.build(&build).map_err(wrong)?;
        if let Some(problem) = depot::misfit(own.plugin.manifest(), plugin.manifest()) {
            return Err(wrong(problem));
        }
        self.facts.note_text(format!("connection {connection}"), "plugin build", &build_text(&plugin));
        Ok(Interpreter { digest: plugin.digest(), meter: own.meter.clone(), plugin })
    }
}

/// The bytes of the plugin that a name stands for, by the files alone.
pub(in crate::catalog) fn component_of(name: &str, depot: Option<&Depot>) -> Result<Cow<'static, [u8]>, String> {
    let shelf = depot.map(Shelf::of_files).unwrap_or_default();
    let (component, digest): (Cow<'static, [u8]>, _) = match Reference::parse(name)? {
        Reference::Active { id } => (shelf.active(&id)?.component(depot)?, None),
        Reference::Version { id, version, digest } => (shelf.version(&id, &version)?.component(depot)?, digest),
        Reference::File { path, digest } => {
            let component = std::fs::read(&path).map_err(|error| format!("{path} can't be read: {error}"))?;
            (component.into(), digest)
        }
    };
    pinned(name, digest, &depot::digest_of(&component))?;
    Ok(component)
}

/// Whether bytes are those that a name is pinned to.
fn pinned(name: &str, expected: Option<String>, found: &str) -> Result<(), String> {
    match expected {
        Some(expected) if expected != found => Err(format!(
            "{name} is pinned to other bytes: sha256:{found} is here; put the right ones here, or change the digest"
        )),
        _ => Ok(()),
    }
}

/// A build as changes show it.
pub(super) fn build_text(plugin: &Plugin) -> String {
    let (manifest, digest) = (plugin.manifest(), plugin.digest());
    format!("{}@{} {}", manifest.id, manifest.version, digest.get(..12).unwrap_or_default())
}
