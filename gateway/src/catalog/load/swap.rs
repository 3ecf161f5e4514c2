//! A catalog with another build of one endpoint's plugin: for the author who tries it in a running gateway. Nothing else is read again.

use super::{CatalogFault, Loader, fault};
use crate::catalog::Catalog;
use std::sync::{Arc, RwLock};
use tidegate_flows::TemplateSet;
use tidegate_model::opt_out::Keywords;
use tidegate_plugin_host::Plugin;
use tidegate_store::{Engine, records::Registry};

impl Catalog {
    /// The same catalog, with this plugin behind the endpoint.
    ///
    /// # Errors
    /// When there is no such endpoint, or its configuration does not fit what the plugin's manifest says now.
    pub(crate) fn with_plugin(&self, store: &dyn Engine, name: &str, plugin: Plugin) -> Result<Self, CatalogFault> {
        let section = self.config.endpoints.iter().find(|section| section.name == name);
        let section = section.ok_or_else(|| fault(format!("endpoints.{name}"), "there is no such endpoint"))?;
        let mut loader = Loader {
            config: &self.config,
            store,
            registry: Registry::load(store)?,
            host: self.host.clone(),
            client: self.client.clone(),
            metrics: &self.metrics,
            previous: Some(self),
            facts: self.facts.clone(),
            plugins: std::collections::HashMap::new(),
        };
        let mut endpoints = self.endpoints.clone();
        endpoints.insert(name.to_owned(), Arc::new(loader.endpoint(section, plugin)?));
        let in_use = endpoints.values().map(|endpoint| (endpoint.plugin_digest.clone(), endpoint.plugin.clone()));
        Ok(Self {
            sending: self.sending.clone(),
            plugins: in_use.collect(),
            endpoints,
            senders: self.senders.clone(),
            workspaces: Arc::clone(&self.workspaces),
            old_flows: RwLock::default(),
            no_templates: TemplateSet::default(),
            no_keywords: Keywords::default(),
            config: self.config.clone(),
            proxies: self.proxies.clone(),
            facts: loader.facts,
            metrics: Arc::clone(&self.metrics),
            host: self.host.clone(),
            client: self.client.clone(),
        })
    }
}
