//! Where plugins are dealt with: at the gateway that runs on a data directory, or, when none does, on the directory itself by the same commands.

use crate::{
    cli::{Failure, config, control::Control, store::is_running},
    commands::{self, Desk, Install, PLUGINS},
    config::{Config, PluginSources},
    depot::{
        Depot, Shelf,
        oci::{self, OciReference},
    },
    http::Problem,
};
use anyhow::anyhow;
use clap::Args;
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tidegate_clock::DomainClock;
use tidegate_model::Timestamp;
use tidegate_plugin_host::{HostConfig, PluginHost};
use tidegate_store::{Engine, sled::SledOptions};

/// The configuration of a gateway that is stopped.
#[derive(Debug, Clone, Args)]
pub(super) struct ConfigFile {
    /// Configuration file, for when no gateway runs: whose plugins are taken, and what the switch is checked against.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Where plugins are dealt with.
pub(super) enum Door {
    Running(Box<Control>),
    Stopped(Box<Stopped>),
}

/// A data directory that no gateway runs on.
pub(super) struct Stopped {
    store: Arc<dyn Engine>,
    data: PathBuf,
    host: PluginHost,
    config: Option<Config>,
    rules: PluginSources,
    now: Timestamp,
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.store.shutdown();
    }
}

impl Door {
    /// Of this data directory.
    pub(super) fn open(data: &Path, file: &ConfigFile) -> Result<Self, Failure> {
        if is_running(data) {
            return Ok(Self::Running(Box::new(Control::new(data)?)));
        }
        let loaded = config::load(file.config.as_deref(), &config::environment())?.config;
        let rules = loaded.plugin_sources.clone();
        let config = file.config.is_some().then_some(loaded);
        let data = std::path::absolute(data).map_err(anyhow::Error::from)?;
        let store = tidegate_store::sled::open(&SledOptions::new(data.join("store"))).map_err(anyhow::Error::from)?;
        let dir = data.join(PLUGINS);
        let settings = HostConfig { cache_dir: Some(dir.clone()), ..HostConfig::default() };
        let host = PluginHost::new(&settings).map_err(anyhow::Error::from)?;
        let now = Timestamp::from_ms(DomainClock::system().now_ms());
        Depot::new(&dir).tidy(&Shelf::load(&*store).map_err(anyhow::Error::from)?);
        Ok(Self::Stopped(Box::new(Stopped { store, data, host, config, rules, now })))
    }

    /// The gateway, where one runs.
    pub(super) fn running(&self) -> Option<&Control> {
        match self {
            Self::Running(control) => Some(control),
            Self::Stopped(_) => None,
        }
    }

    /// Every version, or those of one plugin.
    pub(super) fn versions(&self, id: Option<&str>) -> Result<Vec<Value>, Failure> {
        match self {
            Self::Running(control) => {
                let query = id.map(|id| ("id".to_owned(), json!(id))).into_iter().collect();
                let found = control.get_with("/v1/plugins/versions", &query)?;
                Ok(found["data"].as_array().cloned().unwrap_or_default())
            }
            Self::Stopped(stopped) => commands::versions(&stopped.desk(), id).map_err(|problem| refused(&problem)),
        }
    }

    /// Installs a component.
    pub(super) fn install(&self, component: Vec<u8>, asked: &Install) -> Result<Value, Failure> {
        match self {
            Self::Running(control) => {
                let mut url = reqwest::Url::parse("http://gateway/v1/plugins/install").map_err(anyhow::Error::from)?;
                url.query_pairs_mut()
                    .append_pair("source", &asked.source)
                    .append_pair("activate", &asked.activate.to_string())
                    .append_pair("grant", &asked.grant.to_string())
                    .extend_pairs(asked.digest.iter().map(|digest| ("digest", digest)));
                control.post_bytes(&format!("{}?{}", url.path(), url.query().unwrap_or_default()), component)
            }
            Self::Stopped(stopped) => {
                commands::install(&stopped.desk(), &component, asked).map_err(|problem| refused(&problem))
            }
        }
    }

    /// Installs a component out of a registry.
    pub(super) fn pull(&self, reference: &OciReference, asked: &Install) -> Result<Value, Failure> {
        let Self::Stopped(stopped) = self else {
            let text = reference.to_string();
            let body =
                json!({"reference": text, "digest": asked.digest, "activate": asked.activate, "grant": asked.grant});
            return self.order("pull", body);
        };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(anyhow::Error::from)?;
        let pulled = runtime.block_on(oci::pull(reference, &stopped.rules.registries)).map_err(anyhow::Error::from)?;
        let source = format!("{reference} (manifest sha256:{})", pulled.manifest_digest);
        let asked = Install { source, ..asked.clone() };
        let mut answer =
            commands::install(&stopped.desk(), &pulled.component, &asked).map_err(|problem| refused(&problem))?;
        answer["manifest_digest"] = json!(pulled.manifest_digest);
        Ok(answer)
    }

    /// Orders `upgrade`, `rollback` or `uninstall`.
    pub(super) fn order(&self, what: &str, body: Value) -> Result<Value, Failure> {
        let stopped = match self {
            Self::Running(control) => return control.post(&format!("/v1/plugins/{what}"), body),
            Self::Stopped(stopped) => stopped,
        };
        let desk = stopped.desk();
        let read = |error: serde_json::Error| Failure::Work(anyhow!("{what}: {error}"));
        match what {
            "upgrade" => commands::upgrade(&desk, &serde_json::from_value(body).map_err(read)?),
            "rollback" => commands::rollback(&desk, &serde_json::from_value(body).map_err(read)?),
            _ => commands::uninstall(&desk, &serde_json::from_value(body).map_err(read)?),
        }
        .map_err(|problem| refused(&problem))
    }
}

impl Stopped {
    fn desk(&self) -> Desk<'_> {
        let rules = (self.config.as_ref(), self.rules.clone());
        Desk::of_stopped((&*self.store, &self.data), self.host.clone(), rules, self.now)
    }
}

fn refused(problem: &Problem) -> Failure {
    Failure::Work(anyhow!("{}", problem.detail()))
}
