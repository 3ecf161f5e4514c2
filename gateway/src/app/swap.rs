//! Swap: another build of the plugin behind one endpoint, put in force at once and kept nowhere: the next reload or start takes the configured one again.
//!
//! Work that has begun keeps the catalog it began with, so a delivery under way ends with the build that it began with, and the next one meets the new one.

use super::App;
use crate::{catalog::CatalogFault, pipeline::label};
use serde::Serialize;
use std::sync::{Arc, PoisonError, atomic::Ordering};
use tidegate_plugin_host::LoadError;

/// What a swap put in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Swapped {
    /// The endpoint.
    pub endpoint: String,
    /// The plugin, as `id@version`.
    pub plugin: String,
    /// Digest of its component.
    pub digest: String,
    /// Digest of the one before.
    pub was: String,
}

/// Why a swap changed nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SwapFault {
    /// There is no such endpoint.
    #[error("there is no endpoint {0:?} in the configuration of this gateway")]
    NoEndpoint(String),
    /// The component can't be loaded.
    #[error("the plugin: {0}")]
    Plugin(#[from] LoadError),
    /// The endpoint has another plugin.
    #[error(
        "the plugin of the endpoint {endpoint} is {configured}, and this one is {found}: name it in the configuration first"
    )]
    OtherPlugin {
        /// The endpoint.
        endpoint: String,
        /// The id of its plugin.
        configured: String,
        /// The id of this one.
        found: String,
    },
    /// The configuration does not fit the plugin.
    #[error(transparent)]
    Catalog(#[from] CatalogFault),
    /// The gateway is about to end.
    #[error("the gateway is shutting down")]
    Draining,
}

impl App {
    /// Puts a packed plugin in force behind an endpoint. Compiles it: to be called where blocking is fine.
    ///
    /// # Errors
    /// Why everything is as it was.
    pub(crate) fn swap_plugin(&self, endpoint: &str, component: &[u8]) -> Result<Swapped, SwapFault> {
        let plugin = self.catalog().plugin_host().load_aside(component)?;
        // One change of the catalog at a time: a reload holds it too.
        let _source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        if self.draining.load(Ordering::Relaxed) {
            return Err(SwapFault::Draining);
        }
        let old = self.catalog();
        let held = old.endpoint(endpoint).ok_or_else(|| SwapFault::NoEndpoint(endpoint.to_owned()))?;
        if held.plugin.id() != plugin.id() {
            let (configured, found) = (held.plugin.id().to_owned(), plugin.id().to_owned());
            return Err(SwapFault::OtherPlugin { endpoint: endpoint.to_owned(), configured, found });
        }
        let swapped = Swapped {
            endpoint: endpoint.to_owned(),
            plugin: label(&plugin),
            digest: plugin.digest(),
            was: held.plugin_digest.clone(),
        };
        let new = old.with_plugin(self.store(), endpoint, plugin)?;
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        let Swapped { plugin, digest, .. } = &swapped;
        tracing::warn!(
            endpoint,
            plugin,
            digest,
            "a plugin that is not installed is in force until the next reload or start"
        );
        Ok(swapped)
    }
}
