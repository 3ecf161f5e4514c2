//! A catalog in which other versions of plugins are active. Endpoints that they change are made anew, with their secrets read again; everything else is taken over
//! as it is, also where the files of it have changed.

use super::{
    Catalog, Connection, Endpoint, Facts,
    load::{CatalogFault, Loader},
};
use crate::{
    config,
    depot::{Depot, Reference, Shelf},
};
use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, RwLock},
};
use tidegate_flows::TemplateSet;
use tidegate_model::opt_out::Keywords;
use tidegate_plugin_host::Plugin;
use tidegate_store::Engine;

impl Catalog {
    /// With these versions of plugins. Endpoints that name a version or a file are as they were.
    ///
    /// # Errors
    /// What does not fit together; the one in force is not touched.
    pub(crate) fn switched(&self, store: &dyn Engine, plugins_dir: &Path, shelf: Shelf) -> Result<Self, CatalogFault> {
        let mut loader = Loader::beside(self, store, shelf, Some(Depot::new(plugins_dir)))?;
        let mut endpoints = HashMap::new();
        for section in &self.config.endpoints {
            let held = self.endpoints.get(&section.name);
            let endpoint = match held.filter(|held| is_as_it_was(&loader.shelf, section, held)) {
                Some(held) => Arc::clone(held),
                None => {
                    loader.facts.forget_builds(section, &self.config.connections);
                    Arc::new(loader.endpoint(section)?)
                }
            };
            endpoints.insert(section.name.clone(), endpoint);
        }
        let Loader { facts, mut plugins, .. } = loader;
        for digest in endpoints.values().flat_map(|endpoint| endpoint.digests()) {
            if let Some(held) = self.plugins.get(digest) {
                plugins.entry(digest.to_owned()).or_insert_with(|| held.clone());
            }
        }
        Ok(self.with_endpoints(endpoints, facts, plugins))
    }

    /// The same catalog with other endpoints, which run these plugins.
    pub(super) fn with_endpoints(
        &self,
        endpoints: HashMap<String, Arc<Endpoint>>,
        facts: Facts,
        plugins: HashMap<String, Plugin>,
    ) -> Self {
        Self {
            sending: self.sending.clone(),
            endpoints,
            senders: self.senders.clone(),
            workspaces: Arc::clone(&self.workspaces),
            old_flows: RwLock::default(),
            no_templates: TemplateSet::default(),
            no_keywords: Keywords::default(),
            config: self.config.clone(),
            proxies: self.proxies.clone(),
            facts,
            metrics: Arc::clone(&self.metrics),
            host: self.host.clone(),
            plugins,
            client: self.client.clone(),
            fetcher: self.fetcher.clone(),
            vault: Arc::clone(&self.vault),
            tokens: self.tokens.clone(),
        }
    }
}

/// Whether an endpoint and its connections go on with the builds that they run. One that names a version or a file does.
fn is_as_it_was(shelf: &Shelf, section: &config::Endpoint, held: &Endpoint) -> bool {
    let Ok(Reference::Active { id }) = Reference::parse(&section.plugin) else { return true };
    let own = shelf.active(&id).map(|build| build.digest());
    let is_of = |connection: &Connection| match shelf.active_for(&id, &connection.name) {
        Ok(Some(build)) => build.digest() == connection.interpreter.digest,
        Ok(None) => connection.interpreter.digest == held.plugin_digest,
        // What is wrong with it is said when it is made.
        Err(_) => false,
    };
    own.as_ref() == Ok(&held.plugin_digest) && held.connections().all(is_of)
}
