//! A catalog with another build of one endpoint's plugin: for the author who tries it in a running gateway. Nothing else is read again.

use super::{CatalogFault, Loader, fault};
use crate::{catalog::Catalog, depot::Shelf};
use std::sync::Arc;
use tidegate_plugin_host::Plugin;
use tidegate_store::{Engine, records::ReadError};

impl Catalog {
    /// The same catalog, with this plugin behind the endpoint.
    ///
    /// # Errors
    /// When there is no such endpoint, or its configuration does not fit what the plugin's manifest says now.
    pub(crate) fn with_plugin(&self, store: &dyn Engine, name: &str, plugin: Plugin) -> Result<Self, CatalogFault> {
        let section = self.config.endpoints.iter().find(|section| section.name == name);
        let section = section.ok_or_else(|| fault(format!("endpoints.{name}"), "there is no such endpoint"))?;
        // What connections run is loaded already.
        let mut loader = Loader::beside(self, store, Shelf::load(store).map_err(ReadError::Store)?, None)?;
        let mut endpoints = self.endpoints.clone();
        endpoints.insert(name.to_owned(), Arc::new(loader.endpoint_with(section, &plugin)?));
        let mut plugins = self.plugins.clone();
        plugins.insert(plugin.digest(), plugin);
        Ok(self.with_endpoints(endpoints, loader.facts, plugins))
    }
}
