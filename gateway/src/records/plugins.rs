//! Records of the plugins that are installed: their versions, and which of them is active for whom.

use serde::{Deserialize, Serialize};
use tidegate_model::Timestamp;
use tidegate_store::{Key, Space, keys, records::Record};

/// A version of a plugin that is installed: its component lies in a file of the data directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InstalledRow {
    /// Id of the plugin.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the component, in hex.
    pub digest: String,
    /// Length of the component.
    pub bytes: u64,
    /// Where it came from: a file or a registry, in words.
    pub source: String,
    /// The trusted keys that signed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signed_by: Vec<String>,
    /// When.
    pub installed_at: Timestamp,
}

record!(InstalledRow in PluginVersions, key (String, String), |me| (me.plugin.clone(), me.version.clone()),
    |(plugin, version)| keys::plugin_version(plugin, version));

/// A version that was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Choice {
    /// None: a connection takes its endpoint's, a plugin the bundled one.
    Follow,
    /// The one that comes with the gateway, whichever that is.
    Bundled,
    /// An installed one.
    Installed {
        /// Its version.
        version: String,
        /// SHA-256 of its component, in hex.
        digest: String,
    },
}

/// What is active for a plugin, or for a connection where that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChoiceRow {
    /// Id of the plugin.
    pub plugin: String,
    /// The connection, by name; empty for all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub connection: String,
    /// What is active.
    pub choice: Choice,
    /// What was active before, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Choice>,
    /// Since when.
    pub since: Timestamp,
}

record!(ChoiceRow in PluginChoices, key (String, String), |me| (me.plugin.clone(), me.connection.clone()),
    |(plugin, connection)| keys::plugin_choice(plugin, connection));
