//! Makes the catalog: gives names their numbers, loads plugins, reads flows and templates, checks that all fits together.

use super::{Catalog, Connection, Endpoint, HiddenText, Sender, Workspace, delivery_id_headers};
use crate::{
    config::{self, Config, SecretText},
    records::FlowRow,
};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
    time::Duration,
};
use tidegate_channels::{HttpClient, Token, WhatsappConfig, WhatsappSender};
use tidegate_flows::{Action, FlowSet, Step, TemplateSet, parse_flow, parse_template};
use tidegate_model::{opt_out::Keywords, outcome::ConnectionInfo, scheme::SignatureScheme};
use tidegate_plugin_host::{HostConfig, Manifest, Plugin, PluginHost, Signature};
use tidegate_signature::{Secret, Secrets};
use tidegate_store::{
    Changes, Engine,
    records::{Named, ReadError, Registry, get},
};

/// What does not fit together, for the operator.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CatalogFault {
    /// At a key of the configuration.
    #[error("{key}: {problem}")]
    Key {
        /// Where.
        key: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// In files that the configuration names; each problem on a line of its own.
    #[error("{0}")]
    Files(String),
    /// The plugin host does not start.
    #[error("plugins can't be run here: {0}")]
    Host(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] ReadError),
}

fn fault(key: impl Into<String>, problem: impl std::fmt::Display) -> CatalogFault {
    CatalogFault::Key { key: key.into(), problem: format!("{problem}") }
}

impl Catalog {
    /// Loads everything that a configuration names. `plugin_cache` keeps compiled plugins.
    ///
    /// # Errors
    /// What does not fit together.
    pub(crate) fn load(config: &Config, store: &dyn Engine, plugin_cache: &Path) -> Result<Self, CatalogFault> {
        let loader = Loader { config, store, registry: Registry::load(store)? };
        let workspaces = loader.workspaces()?;
        let senders = loader.senders()?;
        let endpoints = loader.endpoints(plugin_cache)?;
        check_flows(&workspaces, &senders)?;
        Ok(Self {
            sending: config.sending.clone(),
            endpoints,
            senders,
            workspaces,
            old_flows: RwLock::default(),
            no_templates: TemplateSet::default(),
            no_keywords: Keywords::default(),
        })
    }
}

struct Loader<'a> {
    config: &'a Config,
    store: &'a dyn Engine,
    registry: Registry,
}

impl Loader<'_> {
    fn number(&self, kind: Named, name: &str) -> Result<u32, CatalogFault> {
        Ok(self.registry.assign(self.store, kind, name)?)
    }

    fn workspaces(&self) -> Result<HashMap<u32, Workspace>, CatalogFault> {
        let mut found = HashMap::new();
        for (name, section) in &self.config.workspaces {
            let number = self.number(Named::Workspace, name)?;
            let flows = read_all(section.flows.as_deref(), parse_flow)?;
            let flows = FlowSet::new(flows).map_err(|error| fault(format!("workspaces.{name}.flows"), error))?;
            let templates = read_all(section.templates.as_deref(), parse_template)?;
            let templates =
                TemplateSet::new(templates).map_err(|error| fault(format!("workspaces.{name}.templates"), error))?;
            self.keep_versions(number, &flows)?;
            let (keywords, default_sender) = (section.keywords.clone(), section.default_sender.clone());
            found.insert(number, Workspace { name: name.clone(), flows, templates, keywords, default_sender });
        }
        Ok(found)
    }

    /// Runs keep the version that they entered, so every version is stored before it can be entered.
    fn keep_versions(&self, workspace: u32, flows: &FlowSet) -> Result<(), CatalogFault> {
        for flow in flows.iter() {
            let (name, version) = (flow.name().to_owned(), flow.version().to_string());
            if get::<FlowRow>(self.store, &(workspace, name.clone(), version.clone()))?.is_some() {
                continue;
            }
            let mut changes = Changes::new(self.store.seq());
            let definition = flow.definition().to_json();
            changes.put(&FlowRow { workspace, flow: name, version, definition }).map_err(ReadError::Record)?;
            self.store.commit(changes.into_batch()).wait().map_err(ReadError::Commit)?;
        }
        Ok(())
    }

    fn senders(&self) -> Result<Vec<Arc<Sender>>, CatalogFault> {
        if self.config.senders.is_empty() {
            return Ok(Vec::new());
        }
        let client = HttpClient::new().map_err(|error| CatalogFault::Host(error.to_string()))?;
        self.config.senders.iter().map(|section| self.sender(section, &client).map(Arc::new)).collect()
    }

    fn sender(&self, section: &config::Sender, client: &HttpClient) -> Result<Sender, CatalogFault> {
        let key = format!("senders.{}", section.name);
        let token = secret(&key, "access_token", &section.access_token)?;
        let app = hex::encode(&Sha256::digest(token.trim())[..8]);
        let token = Token::new(&token).map_err(|error| fault(&key, error))?;
        let settings = WhatsappConfig {
            name: section.name.clone(),
            phone_number_id: section.phone_number_id.clone(),
            access_token: token,
            base_url: section.base_url.clone(),
            graph_version: section.graph_version.clone(),
            timeout: Duration::from_secs(section.timeout_s),
        };
        let channel = WhatsappSender::new(client.clone(), settings).map_err(|error| fault(&key, error))?;
        Ok(Sender {
            name: section.name.clone(),
            number: self.number(Named::Sender, &section.name)?,
            workspace: self.number(Named::Workspace, &section.workspace)?,
            provider_id: section.phone_number_id.clone(),
            kind: section.channel,
            account: section.account.clone().unwrap_or_else(|| format!("of-app-{app}")),
            app,
            channel: Arc::new(channel),
        })
    }

    fn endpoints(&self, plugin_cache: &Path) -> Result<HashMap<String, Arc<Endpoint>>, CatalogFault> {
        let settings = HostConfig { cache_dir: Some(plugin_cache.to_owned()), ..HostConfig::default() };
        let host = PluginHost::new(&settings).map_err(|error| CatalogFault::Host(error.to_string()))?;
        let mut plugins: HashMap<&str, Plugin> = HashMap::new();
        let mut found = HashMap::new();
        for section in &self.config.endpoints {
            let key = format!("endpoints.{}", section.name);
            let plugin = match plugins.get(section.plugin.as_str()) {
                Some(plugin) => plugin.clone(),
                None => {
                    let plugin = load_plugin(&host, &section.plugin)
                        .map_err(|problem| fault(format!("{key}.plugin"), problem))?;
                    plugins.insert(&section.plugin, plugin.clone());
                    plugin
                }
            };
            found.insert(section.name.clone(), Arc::new(self.endpoint(section, plugin)?));
        }
        Ok(found)
    }

    fn endpoint(&self, section: &config::Endpoint, plugin: Plugin) -> Result<Endpoint, CatalogFault> {
        let key = format!("endpoints.{}", section.name);
        let manifest = plugin.manifest();
        let scheme = scheme_of(manifest).map_err(|problem| fault(&key, problem))?;
        let secrets = section.secrets.iter().map(|text| {
            let text = secret(&key, "secrets", text)?;
            Secret::new(&text, &scheme.key).map_err(|error| fault(format!("{key}.secrets"), error))
        });
        let secrets =
            Secrets::new(secrets.collect::<Result<_, _>>()?).map_err(|error| fault(format!("{key}.secrets"), error))?;
        let verify_token = match &section.verify_token {
            Some(text) => Some(HiddenText(secret(&key, "verify_token", text)?)),
            None => None,
        };
        let connections = self.connections(section)?;
        let home = match connections.as_slice() {
            [first, rest @ ..] if rest.iter().all(|other| other.workspace == first.workspace) => first.workspace,
            _ => tidegate_store::keys::NO_WORKSPACE,
        };
        let manifest_limit = usize::try_from(manifest.limits.body_bytes).unwrap_or(usize::MAX);
        Ok(Endpoint {
            number: self.number(Named::Endpoint, &section.name)?,
            name: section.name.clone(),
            home,
            delivery_id_headers: delivery_id_headers(&manifest.items.dedupe),
            max_body_bytes: section.max_body_bytes.unwrap_or(manifest_limit),
            plugin_digest: plugin.digest(),
            plugin,
            scheme,
            secrets,
            verify_token,
            connections,
        })
    }

    fn connections(&self, endpoint: &config::Endpoint) -> Result<Vec<Arc<Connection>>, CatalogFault> {
        let sections = self.config.connections.iter().filter(|section| section.endpoint == endpoint.name);
        sections
            .map(|section| {
                let settings = serde_json::to_string(&section.settings)
                    .map_err(|error| fault(format!("connections.{}.settings", section.name), error))?;
                let info = ConnectionInfo { name: section.name.clone(), account: section.account.clone(), settings };
                Ok(Arc::new(Connection {
                    name: section.name.clone(),
                    number: self.number(Named::Connection, &section.name)?,
                    workspace: self.number(Named::Workspace, &section.workspace)?,
                    info,
                }))
            })
            .collect()
    }
}

fn secret(key: &str, field: &str, text: &SecretText) -> Result<String, CatalogFault> {
    text.resolve(&|name| std::env::var(name).ok()).map_err(|problem| fault(format!("{key}.{field}"), problem))
}

fn load_plugin(host: &PluginHost, name: &str) -> Result<Plugin, String> {
    if config::is_path(name) {
        let component = std::fs::read(name).map_err(|error| format!("{name} can't be read: {error}"))?;
        return host.load(&component).map_err(|error| format!("{name}: {error}"));
    }
    let bundled = tidegate_bundled::PLUGINS.iter().find(|plugin| plugin.id == name).ok_or_else(|| {
        let known: Vec<&str> = tidegate_bundled::PLUGINS.iter().map(|plugin| plugin.id).collect();
        format!("there is no bundled plugin {name:?}; there are {}, or name a .wasm file by its path", known.join(", "))
    })?;
    host.load(bundled.component).map_err(|error| error.to_string())
}

/// How a plugin's provider signs.
pub(crate) fn scheme_of(manifest: &Manifest) -> Result<SignatureScheme, String> {
    match &manifest.signature {
        Some(Signature::Named { scheme }) => tidegate_signature::scheme(scheme).ok_or_else(|| {
            let known = tidegate_signature::SCHEME_NAMES.join(", ");
            format!("the plugin {} names the signature scheme {scheme:?}; this version knows {known}", manifest.id)
        }),
        Some(Signature::Scheme(scheme)) => {
            tidegate_signature::check_scheme(scheme)
                .map_err(|error| format!("the plugin {}'s signature scheme: {error}", manifest.id))?;
            Ok(scheme.clone())
        }
        None => Err(format!("the plugin {} has no signature scheme, and unsigned webhooks are not taken", manifest.id)),
    }
}

/// Every `.yaml` file of a folder, in the order of names. All that is wrong is said at once.
fn read_all<T, E: ToString>(
    folder: Option<&Path>,
    parse: fn(&str, &str) -> Result<T, E>,
) -> Result<Vec<T>, CatalogFault> {
    let Some(folder) = folder else { return Ok(Vec::new()) };
    let unreadable = |path: &Path, error: std::io::Error| CatalogFault::Files(format!("{}: {error}", path.display()));
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(|error| unreadable(folder, error))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(folder, error))?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"));
    files.sort();
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for path in files {
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        match parse(&path.display().to_string(), &text) {
            Ok(one) => found.push(one),
            Err(error) => problems.push(error.to_string()),
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(CatalogFault::Files(problems.join("\n"))) }
}

/// Steps must name senders of their workspace.
fn check_flows(workspaces: &HashMap<u32, Workspace>, senders: &[Arc<Sender>]) -> Result<(), CatalogFault> {
    for (number, workspace) in workspaces {
        for flow in workspace.flows.iter() {
            for finding in tidegate_flows::check(flow, &workspace.templates, &tidegate_flows::Limits::default()) {
                let step = finding.step.as_deref().unwrap_or("-");
                match finding.severity {
                    tidegate_flows::Severity::Error => {
                        let problem = format!("step {step}: {}", finding.message);
                        return Err(fault(format!("flow {}", flow.name()), problem));
                    }
                    tidegate_flows::Severity::Warning => {
                        tracing::warn!(flow = flow.name(), step, "{}", finding.message);
                    }
                }
            }
            for name in named_senders(&flow.definition().steps) {
                if !senders.iter().any(|sender| sender.workspace == *number && sender.name == name) {
                    let problem = format!("there is no sender {name:?} in the workspace {}", workspace.name);
                    return Err(fault(format!("flow {}", flow.name()), problem));
                }
            }
        }
    }
    Ok(())
}

/// Senders that steps name, also inside branches.
fn named_senders(steps: &[Step]) -> Vec<&str> {
    steps
        .iter()
        .flat_map(|step| match &step.action {
            Action::Send(send) => send.sender.as_deref().into_iter().collect(),
            Action::If(branch) => [named_senders(&branch.then), named_senders(&branch.otherwise)].concat(),
            Action::Wait(_) => Vec::new(),
        })
        .collect()
}
