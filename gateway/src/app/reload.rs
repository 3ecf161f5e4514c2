//! Reload: the configuration is read again, everything that it names is loaded and checked aside, and then put in place at once. One that is refused changes nothing.

use super::App;
use crate::{
    catalog::{self, Catalog, CatalogFault, Change, Sources, TokenPlace},
    config::{self, Config, ConfigFaults, Server},
    notify,
    telemetry::LogFilter,
};
use serde::Serialize;
use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, atomic::Ordering},
};

/// Where the configuration is read again.
pub(crate) struct Source {
    /// The file.
    pub file: PathBuf,
    /// The environment at the start: a process's does not change.
    pub environment: Vec<(String, String)>,
    /// What is logged.
    pub log: LogFilter,
}

/// What a reload did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Reloaded {
    /// What is not as it was.
    pub changes: Vec<Change>,
    /// Keys whose new values are in force from the next start on.
    pub restart: Vec<String>,
    /// What is harmful in it.
    pub warnings: Vec<String>,
}

/// Why a reload changed nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReloadFault {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigFaults),
    /// It names what is not there, or does not fit together.
    #[error(transparent)]
    Catalog(#[from] CatalogFault),
    /// The gateway was not started with a file.
    #[error("this gateway has no file to read again")]
    NoFile,
    /// It is about to end.
    #[error("the gateway is shutting down")]
    Draining,
}

impl App {
    /// Reads the configuration again. One at a time; waits for files, plugins and the store.
    ///
    /// # Errors
    /// What is wrong with it. Then everything is as it was.
    pub(crate) fn reload(&self) -> Result<Reloaded, ReloadFault> {
        notify::tell("RELOADING=1");
        let reloaded = self.try_reload();
        notify::tell("READY=1");
        match &reloaded {
            Ok(done) => {
                self.metrics().count_reload("done");
                done.log();
                if let Err(error) = crate::connecting::arm_all(self) {
                    tracing::error!(%error, "connections are not looked after until the next reload");
                }
            }
            Err(fault) => {
                self.metrics().count_reload("refused");
                tracing::error!(reason = %fault, "the configuration was not reloaded: the old one stays in force");
            }
        }
        reloaded
    }

    fn try_reload(&self) -> Result<Reloaded, ReloadFault> {
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let source = source.as_ref().ok_or(ReloadFault::NoFile)?;
        if self.draining.load(Ordering::Relaxed) {
            return Err(ReloadFault::Draining);
        }
        let loaded = Config::load_layers(Some(&source.file), &source.environment)?;
        let old = self.catalog();
        let restart = needs_restart(old.config(), &loaded.config);
        let in_force = with_what_runs(loaded.config.clone(), old.config());
        let plugins = self.data().join("plugins");
        let metrics = old.shared_metrics();
        let tokens = TokenPlace { store: Arc::clone(&self.store), clock: self.clock.clone() };
        let sources = Sources {
            store: self.store(),
            plugin_cache: Some(&plugins),
            metrics: &metrics,
            tokens: Some(&tokens),
            previous: Some(&old),
        };
        let new = Arc::new(Catalog::load(&in_force, &sources)?);
        let changes = catalog::changes(old.facts(), new.facts());
        // It was checked with the rest.
        source.log.set(&in_force.log.filter);
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(Reloaded { changes, restart, warnings: config::warnings(&loaded.config, &loaded.origins) })
    }
}

impl Reloaded {
    fn log(&self) {
        for change in &self.changes {
            tracing::info!(what = change.what, "changed: {change}");
        }
        for key in &self.restart {
            tracing::warn!(key, "{key} has changed in the file, and is in force from the next start on");
        }
        for warning in &self.warnings {
            tracing::warn!("{warning}");
        }
        tracing::info!(changes = self.changes.len(), restart = self.restart.len(), "configuration reloaded");
    }
}

/// Keys that differ and that only a start takes over.
fn needs_restart(old: &Config, new: &Config) -> Vec<String> {
    let table = |config: &Config| toml::Table::try_from(config).unwrap_or_default();
    let (old, new) = (table(old), table(new));
    let section = |name: &str| new.get(name).and_then(toml::Value::as_table).cloned().unwrap_or_default();
    let mut keys = Vec::new();
    for name in ["server", "data", "clock", "log", "workers", "retention"] {
        for (key, value) in section(name) {
            let path = format!("{name}.{key}");
            let live = ["server.public_url", "server.trusted_proxies", "log.filter"].contains(&path.as_str());
            if !live && old.get(name).and_then(|held| held.get(&key)) != Some(&value) {
                keys.push(path);
            }
        }
    }
    keys
}

/// The new configuration, with the old values of keys that only a start takes over.
fn with_what_runs(mut new: Config, old: &Config) -> Config {
    new.data.clone_from(&old.data);
    new.clock.clone_from(&old.clock);
    new.workers.clone_from(&old.workers);
    new.retention.clone_from(&old.retention);
    new.log.format = old.log.format;
    let Server { public_url, trusted_proxies, .. } = new.server;
    new.server = Server { public_url, trusted_proxies, ..old.server.clone() };
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_need_a_restart_are_named_and_keep_their_values() {
        let old = Config::load(None, &[]).unwrap();
        let mut new = old.clone();
        new.server.listen = "127.0.0.1:1".to_owned();
        new.server.public_url = "https://a.example".to_owned();
        new.data.cache_mib = 1;
        new.log.filter = "debug".to_owned();
        new.workers.threads = 3;
        new.server.body_memory_mib = 64;
        new.retention.days = 60;
        let mut keys = needs_restart(&old, &new);
        keys.sort();
        assert_eq!(
            keys,
            ["data.cache_mib", "retention.days", "server.body_memory_mib", "server.listen", "workers.threads"]
        );
        let runs = with_what_runs(new, &old);
        assert!(needs_restart(&old, &runs).is_empty());
        assert_eq!((runs.server.public_url.as_str(), runs.log.filter.as_str()), ("https://a.example", "debug"));
    }
}
