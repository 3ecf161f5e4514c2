//! Configuration: documented defaults, then a file, the environment and flags. Unknown keys are errors that show the line.

mod check;
mod connecting;
mod fault;
mod layer;
mod origin;
mod plugins;
mod secret;
mod sender;
mod sending;
mod show;
mod sources;
mod warnings;

pub(crate) use connecting::{Reconcile, SecretsSection};
pub(crate) use fault::{ConfigFault, ConfigFaults};
pub(crate) use origin::Origins;
pub(crate) use plugins::PluginGrants;
pub(crate) use secret::SecretText;
pub(crate) use sender::Sender;
pub(crate) use sending::{Sending, UnknownPolicy};
pub(crate) use show::in_force;
pub(crate) use sources::{PluginSources, RegistryLogin};
pub(crate) use warnings::warnings;

use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use tidegate_model::opt_out::Keywords;

/// The lowest layer, which documents every key.
pub(crate) const DEFAULTS: &str = include_str!("../config.default.toml");

/// Everything that is configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Where to listen.
    pub server: Server,
    /// Where to store.
    pub data: Data,
    /// Which time.
    pub clock: Clock,
    /// What to log.
    pub log: Log,
    /// How much at once.
    pub workers: Workers,
    /// How long messages are worth sending, and what is done about providers that misbehave.
    pub sending: Sending,
    /// How long to keep what.
    pub retention: Retention,
    /// What the gateway's own secrets are sealed with.
    pub secrets: SecretsSection,
    /// Where plugins come from, and whose are taken.
    pub plugin_sources: PluginSources,
    /// Businesses, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub workspaces: BTreeMap<String, Workspace>,
    /// What plugins are granted, by their ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub plugins: BTreeMap<String, PluginGrants>,
    /// URLs that providers call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<Endpoint>,
    /// Accounts at providers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<Connection>,
    /// Numbers that send.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub senders: Vec<Sender>,
    /// Where its values come from, for what is found wrong later.
    #[serde(skip)]
    pub origins: Origins,
}

/// `[server]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    /// Address and port of the listener.
    pub listen: String,
    /// The address that providers call; empty for the listener's.
    pub public_url: String,
    /// How long a shutdown waits for work in flight, in seconds.
    pub drain_s: u64,
    /// Connections at once; further ones wait to be accepted.
    pub max_connections: usize,
    /// MiB of webhooks that may be in memory on their way into the store; further ones wait, then get 503.
    pub body_memory_mib: usize,
    /// Networks of the proxies in front, whose word about a caller's address is taken.
    pub trusted_proxies: Vec<String>,
    /// Address and port of the listener for figures; empty for none.
    pub metrics_listen: String,
}

/// `[data]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Data {
    /// Directory.
    pub dir: PathBuf,
    /// Page cache in MiB.
    pub cache_mib: u64,
    /// Free disk space in MiB below which no webhooks are taken; 0 for 5 % of the disk, but at least 1 GiB and at most 4.
    pub reserve_mib: u64,
}

/// `[clock]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Clock {
    /// `system`, `scaled:N` or `stepped:INSTANT`.
    pub mode: String,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    /// Filter as in `RUST_LOG`.
    pub filter: String,
    /// Form of the lines.
    pub format: LogFormat,
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `[workers]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Workers {
    /// Threads that interpret and advance; 0 for one a core, at least 2 and at most 8.
    pub threads: usize,
    /// Messages on their way at once.
    pub sends_in_flight: usize,
    /// Items that are read for at once.
    pub fetches_in_flight: usize,
    /// Accept and store only.
    pub paused: bool,
}

/// `[retention]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retention {
    /// Days that deliveries, ended runs and finished messages are kept; 0 for ever.
    pub days: u16,
    /// Most deliveries, most messages and most runs; 0 for any number.
    pub max_rows: u64,
    /// Days that parked work is kept; 0 for ever.
    pub dead_letter_days: u16,
}

/// `[workspaces.NAME]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Workspace {
    /// Folder of flow files.
    pub flows: Option<PathBuf>,
    /// Folder of template files.
    pub templates: Option<PathBuf>,
    /// WhatsApp sender of flows that name none.
    pub default_sender: Option<String>,
    /// SMS sender of flows that name none; not needed where the workspace has one.
    pub default_sms_sender: Option<String>,
    /// Further keywords.
    pub keywords: Keywords,
}

/// `[[endpoints]]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Endpoint {
    /// Last part of its URL.
    pub name: String,
    /// A plugin's id, with `@version` and `#sha256:…` where it is pinned; or the path of a `.wasm` file.
    pub plugin: String,
    /// Live signing secrets; none when nothing is to be proved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretText>,
    /// Whether anybody may send.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsigned: bool,
    /// How its provider signs, where the plugin leaves that to the endpoint; so the next three.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<tidegate_plugin_host::Signature>,
    /// How a delivery is cut into items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<tidegate_plugin_host::Items>,
    /// What an accepted delivery is answered with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<tidegate_plugin_host::Response>,
    /// How the provider checks the endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake: Option<tidegate_plugin_host::Handshake>,
    /// Token of the handshake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_token: Option<SecretText>,
    /// Size limit in bytes; the manifest's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_body_bytes: Option<usize>,
}

/// `[[connections]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Connection {
    /// Name.
    pub name: String,
    /// Endpoint that its items come by.
    pub endpoint: String,
    /// Business it belongs to.
    pub workspace: String,
    /// Account at the provider; absent for every item of the endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// For the plugin.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub settings: toml::Table,
    /// What the gateway adds to the plugin's requests, by the names in the plugin's manifest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub credentials: BTreeMap<String, SecretText>,
    /// How often it is looked after, and what no webhook told is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile: Option<Reconcile>,
}

/// A configuration, and where its values come from.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// What is in force.
    pub config: Config,
    /// The layer of each value.
    pub origins: Origins,
}

impl Config {
    /// Loads the layers. `environment` is what `std::env::vars` gives. Paths in the file are made relative to its folder.
    ///
    /// # Errors
    /// Faults name the file, line and key, what was expected, and what to do. All that can be seen at once are told at once.
    pub(crate) fn load(file: Option<&Path>, environment: &[(String, String)]) -> Result<Self, ConfigFaults> {
        Self::load_layers(file, environment).map(|loaded| loaded.config)
    }

    /// As [`Config::load`], with the origin of each value.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn load_layers(file: Option<&Path>, environment: &[(String, String)]) -> Result<Loaded, ConfigFaults> {
        let mut table: toml::Table = toml::from_str(DEFAULTS)
            .map_err(|error| ConfigFault::Shape { place: "the defaults".to_owned(), problem: error.to_string() })?;
        let (mut origins, mut faults) = (Origins::default(), Vec::new());
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .map_err(|error| ConfigFault::Unreadable { path: path.to_owned(), reason: error.to_string() })?;
            let layer = layer::read::<Layer>(path, &text);
            faults.extend(layer.faults);
            origins = layer.origins;
            layer::merge(&mut table, layer.table);
        }
        let base = file.and_then(Path::parent).unwrap_or(Path::new("")).to_owned();
        // Before the environment: a path in a variable belongs to the working directory, not to the file.
        if let Some(toml::Value::String(dir)) = table.get_mut("data").and_then(|data| data.get_mut("dir")) {
            *dir = base.join(&*dir).display().to_string();
        }
        for (name, value) in environment {
            match layer::set_from_environment(&mut table, name, value) {
                Ok(Some(key)) => origins.set_by_variable(key, name),
                Ok(None) => {}
                Err(fault) => faults.push(fault),
            }
        }
        ConfigFaults::unless_empty(faults)?;
        // Each layer was checked by itself: this can fail by values of variables only.
        let mut config: Self = table.try_into().map_err(|error: toml::de::Error| ConfigFault::Shape {
            place: "the environment".to_owned(),
            problem: error.to_string(),
        })?;
        config.rebase(&base);
        config.senders.iter_mut().for_each(Sender::fill);
        let faults = config.check().into_iter().map(|fault| fault.at(&origins)).collect();
        ConfigFaults::unless_empty(faults)?;
        config.origins = origins.clone();
        Ok(Loaded { config, origins })
    }

    /// The address that providers call, without a slash at its end.
    pub(crate) fn public_url(&self) -> String {
        match self.server.public_url.trim_end_matches('/') {
            "" => format!("http://{}", self.server.listen),
            url => url.to_owned(),
        }
    }

    fn rebase(&mut self, base: &Path) {
        let place = |path: &mut PathBuf| *path = base.join(&*path);
        for workspace in self.workspaces.values_mut() {
            workspace.flows.iter_mut().chain(&mut workspace.templates).for_each(place);
        }
        for endpoint in &mut self.endpoints {
            if is_path(&endpoint.plugin) {
                endpoint.plugin = base.join(&endpoint.plugin).display().to_string();
            }
            endpoint.secrets.iter_mut().chain(&mut endpoint.verify_token).for_each(|secret| secret.rebase(base));
        }
        let credentials = self.connections.iter_mut().flat_map(|connection| connection.credentials.values_mut());
        credentials.for_each(|secret| secret.rebase(base));
        self.senders.iter_mut().for_each(|sender| sender.rebase(base));
        self.secrets.master_key.rebase(base);
        self.plugin_sources.rebase(base);
    }
}

/// Whether a plugin is named by its file.
pub(crate) fn is_path(plugin: &str) -> bool {
    let name = plugin.split_once("#sha256:").map_or(plugin, |(name, _)| name);
    name.contains('/') || name.ends_with(".wasm")
}

/// The shape of a file: every section may be there in part. Only its errors are of interest.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "deserialized for the position of its errors only")]
struct Layer {
    server: Option<ServerLayer>,
    data: Option<DataLayer>,
    clock: Option<Clock>,
    log: Option<LogLayer>,
    workers: Option<WorkersLayer>,
    sending: Option<SendingLayer>,
    retention: Option<RetentionLayer>,
    secrets: Option<SecretsLayer>,
    plugin_sources: Option<PluginSourcesLayer>,
    workspaces: Option<BTreeMap<String, Workspace>>,
    plugins: Option<BTreeMap<String, PluginGrants>>,
    endpoints: Option<Vec<Endpoint>>,
    connections: Option<Vec<Connection>>,
    senders: Option<Vec<Sender>>,
}

macro_rules! layers {
    ($($name:ident { $($key:ident: $type:ty),* $(,)? })*) => {$(
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "deserialized for the position of its errors only")]
        struct $name { $($key: Option<$type>),* }
    )*};
}

layers! {
    ServerLayer {
        listen: String,
        public_url: String,
        drain_s: u64,
        max_connections: usize,
        body_memory_mib: usize,
        trusted_proxies: Vec<String>,
        metrics_listen: String,
    }
    DataLayer { dir: PathBuf, cache_mib: u64, reserve_mib: u64 }
    LogLayer { filter: String, format: LogFormat }
    WorkersLayer { threads: usize, sends_in_flight: usize, fetches_in_flight: usize, paused: bool }
    SendingLayer {
        authentication_life_s: u32,
        utility_life_s: u32,
        service_life_s: u32,
        marketing_life_s: u32,
        unknown_after_s: u32,
        unknown_utility: UnknownPolicy,
        failures_to_pause: u32,
        no_whatsapp_s: u32,
    }
    SecretsLayer { master_key: SecretText }
    RetentionLayer { days: u16, max_rows: u64, dead_letter_days: u16 }
    PluginSourcesLayer {
        dir: PathBuf,
        auto: Vec<String>,
        trusted_keys: Vec<String>,
        require_signature: bool,
        registries: Vec<RegistryLogin>,
    }
}

#[cfg(test)]
mod tests;
