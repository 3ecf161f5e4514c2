//! `[plugin_sources]`: where plugins come from, and whose are taken. Its own section, beside those who use it.

use super::{ConfigFault, SecretText};
use crate::depot::TrustedKey;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// `[plugin_sources]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PluginSources {
    /// A folder that is watched for packed plugins; empty for none.
    pub dir: PathBuf,
    /// Ids of plugins whose newer versions from that folder become active by themselves, when they ask for no more.
    pub auto: Vec<String>,
    /// Keys whose signatures are trusted: `ed25519:BASE64`.
    pub trusted_keys: Vec<String>,
    /// Whether a plugin without a trusted signature is refused.
    pub require_signature: bool,
    /// Registries that want to know who asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub registries: Vec<RegistryLogin>,
}

/// `[[plugin_sources.registries]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegistryLogin {
    /// Host, with the port where it has one: `ghcr.io`.
    pub host: String,
    /// User.
    pub username: String,
    /// Password or token.
    pub password: SecretText,
}

impl PluginSources {
    pub(super) fn rebase(&mut self, base: &Path) {
        if self.watched().is_some() {
            self.dir = base.join(&self.dir);
        }
        self.registries.iter_mut().for_each(|login| login.password.rebase(base));
    }

    /// The folder that is watched.
    pub(crate) fn watched(&self) -> Option<&Path> {
        Some(self.dir.as_path()).filter(|dir| !dir.as_os_str().is_empty())
    }

    /// The trusted keys. They were checked when the configuration was loaded.
    pub(crate) fn keys(&self) -> Vec<TrustedKey> {
        self.trusted_keys.iter().filter_map(|text| TrustedKey::parse(text).ok()).collect()
    }

    pub(super) fn check(&self) -> Result<(), ConfigFault> {
        for text in &self.trusted_keys {
            TrustedKey::parse(text).map_err(|problem| ConfigFault::key("plugin_sources.trusted_keys", problem))?;
        }
        if self.require_signature && self.trusted_keys.is_empty() {
            let problem = "no plugin can be installed with it while trusted_keys is empty: add the keys of those whose plugins you take";
            return Err(ConfigFault::key("plugin_sources.require_signature", problem));
        }
        if !self.auto.is_empty() && self.watched().is_none() {
            return Err(ConfigFault::key(
                "plugin_sources.auto",
                "it is for plugins that appear in `dir`, which is empty",
            ));
        }
        for RegistryLogin { host, .. } in &self.registries {
            if host.is_empty() || host.contains('/') {
                let problem =
                    format!("host must be a name such as ghcr.io, with its port where it has one, not {host:?}");
                return Err(ConfigFault::key("plugin_sources.registries", problem));
            }
        }
        Ok(())
    }
}
