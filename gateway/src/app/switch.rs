//! Exchanging the catalog while the gateway works: one at a time, by whoever holds it.

use super::{App, Source};
use crate::catalog::{Catalog, changes};
use std::sync::{Arc, MutexGuard, PoisonError};

/// Nobody else makes another catalog while this is held.
pub(crate) struct Held<'a>(
    #[expect(dead_code, reason = "held until it is dropped, and not looked at")] MutexGuard<'a, Option<Source>>,
);

impl App {
    /// Waits until nobody else is making another catalog.
    pub(crate) fn hold(&self) -> Held<'_> {
        Held(self.source.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a catalog in place that was made of the one in force. Work that has begun ends with the one that it began with. Gives what changed, in words.
    pub(crate) fn exchange(&self, _: &Held<'_>, catalog: Catalog) -> Vec<String> {
        let told: Vec<String> =
            changes(self.catalog().facts(), catalog.facts()).iter().map(ToString::to_string).collect();
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalog);
        for change in &told {
            tracing::info!("changed: {change}");
        }
        told
    }
}
