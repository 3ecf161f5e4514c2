//! The settings of connections: checked as far as is possible without a webhook, and written as the JSON that plugins are given.

use super::{CatalogFault, load::fault, reach};
use crate::config;
use tidegate_json_mapping::{Mapping, PLUGIN};
use tidegate_plugin_host::Plugin;

/// The settings as JSON text.
pub(super) fn text_of(plugin: &Plugin, section: &config::Connection) -> Result<String, CatalogFault> {
    let key = format!("connections.{}.settings", section.name);
    let settings = serde_json::to_string(&section.settings).map_err(|error| fault(&key, error))?;
    // The one plugin whose settings are a program of their own.
    if plugin.id() == PLUGIN {
        Mapping::check(&settings).map_err(|faults| {
            let at = |place: &str| if place.is_empty() { key.clone() } else { format!("{key}.{place}") };
            CatalogFault::Several(faults.into_iter().map(|found| fault(at(&found.key), found.problem)).collect())
        })?;
    }
    reach::settings(plugin.manifest(), section)
}

#[cfg(test)]
mod tests {
    use tidegate_json_mapping::fields::{FOREIGN_NOUNS, KINDS};

    #[test]
    fn a_mapping_reaches_every_kind_of_the_model_but_those_of_channels() {
        let foreign = |kind: &&str| FOREIGN_NOUNS.contains(&kind.split('.').next().unwrap_or_default());
        let model: Vec<&str> = tidegate_model::event::KINDS.iter().copied().filter(|kind| !foreign(kind)).collect();
        let mapped: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(mapped, model);
    }
}
