//! Makes the catalog: gives names their numbers, loads plugins, reads flows and templates, checks that all fits together.

use super::{
    Catalog, Connection, DeliveryIdParts, Endpoint, Facts, HiddenText, Sender, Workspace,
    files::{read_all, read_component},
};
use crate::{
    config::{self, Config, SecretText},
    http::Proxies,
    metrics::Metrics,
    records::FlowRow,
};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    path::Path,
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

/// Where a catalog is made.
pub(crate) struct Sources<'a> {
    /// Gives names their numbers, and keeps versions of flows.
    pub store: &'a dyn Engine,
    /// Keeps compiled plugins; `None` compiles them each time.
    pub plugin_cache: Option<&'a Path>,
    /// What is counted.
    pub metrics: &'a Arc<Metrics>,
    /// The catalog before: what has not changed is taken over from it.
    pub previous: Option<&'a Catalog>,
}

impl Catalog {
    /// Loads everything that a configuration names. When it fails, nothing of what is in force has changed.
    ///
    /// # Errors
    /// What does not fit together.
    pub(crate) fn load(config: &Config, sources: &Sources<'_>) -> Result<Self, CatalogFault> {
        let Sources { store, plugin_cache, metrics, previous } = *sources;
        let (host, client) = match previous {
            Some(held) => (held.host.clone(), held.client.clone()),
            None => {
                let settings = HostConfig { cache_dir: plugin_cache.map(Path::to_owned), ..HostConfig::default() };
                let host = PluginHost::new(&settings).map_err(|error| CatalogFault::Host(error.to_string()))?;
                (host, HttpClient::new().map_err(|error| CatalogFault::Host(error.to_string()))?)
            }
        };
        let proxies = Proxies::parse(&config.server.trusted_proxies)
            .map_err(|problem| fault("server.trusted_proxies", problem))?;
        let registry = Registry::load(store)?;
        let mut loader = Loader {
            config,
            store,
            registry,
            host,
            client,
            metrics,
            previous,
            facts: Facts::default(),
            plugins: HashMap::new(),
        };
        loader.facts.note_settings(config);
        let workspaces = loader.workspaces()?;
        let senders = loader.senders()?;
        let endpoints = loader.endpoints()?;
        check_flows(&workspaces, &senders)?;
        // Last: a configuration that is refused leaves nothing behind but numbers of names.
        for (number, workspace) in &workspaces {
            loader.keep_versions(*number, &workspace.flows)?;
        }
        let Loader { host, client, facts, plugins, .. } = loader;
        Ok(Self {
            sending: config.sending.clone(),
            endpoints,
            senders,
            workspaces,
            old_flows: RwLock::default(),
            no_templates: TemplateSet::default(),
            no_keywords: Keywords::default(),
            config: config.clone(),
            proxies,
            facts,
            metrics: Arc::clone(metrics),
            host,
            plugins,
            client,
        })
    }
}

struct Loader<'a> {
    config: &'a Config,
    store: &'a dyn Engine,
    registry: Registry,
    host: PluginHost,
    client: HttpClient,
    metrics: &'a Arc<Metrics>,
    previous: Option<&'a Catalog>,
    facts: Facts,
    plugins: HashMap<String, Plugin>,
}

impl Loader<'_> {
    fn number(&self, kind: Named, name: &str) -> Result<u32, CatalogFault> {
        Ok(self.registry.assign(self.store, kind, name)?)
    }

    fn workspaces(&mut self) -> Result<HashMap<u32, Workspace>, CatalogFault> {
        let mut found = HashMap::new();
        for (name, section) in &self.config.workspaces {
            let number = self.number(Named::Workspace, name)?;
            self.facts.note(format!("workspace {name}"), section);
            let flows = read_all(section.flows.as_deref(), parse_flow)?;
            let flows = FlowSet::new(flows).map_err(|error| fault(format!("workspaces.{name}.flows"), error))?;
            let mut meters = HashMap::new();
            for flow in flows.iter() {
                meters.insert(flow.name().to_owned(), self.metrics.flow(name, flow.name()));
                self.facts.note_text(format!("flow {name}/{}", flow.name()), "version", &flow.version().to_string());
            }
            let templates = read_all(section.templates.as_deref(), parse_template)?;
            for template in &templates {
                let text = format!("{:?}", template.definition());
                self.facts.note_hidden(format!("template {name}/{}", template.name()), "text", &text);
            }
            let templates =
                TemplateSet::new(templates).map_err(|error| fault(format!("workspaces.{name}.templates"), error))?;
            let (keywords, default_sender) = (section.keywords.clone(), section.default_sender.clone());
            found.insert(number, Workspace { name: name.clone(), flows, templates, keywords, default_sender, meters });
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

    fn senders(&mut self) -> Result<Vec<Arc<Sender>>, CatalogFault> {
        let sections = &self.config.senders;
        sections.iter().map(|section| self.sender(section)).collect()
    }

    /// A sender that has not changed is the same one, with what it knows of its provider.
    fn sender(&mut self, section: &config::Sender) -> Result<Arc<Sender>, CatalogFault> {
        let key = format!("senders.{}", section.name);
        let subject = format!("sender {}", section.name);
        let token = secret(&key, "access_token", &section.access_token)?;
        self.facts.note(subject.clone(), section);
        self.facts.note_hidden(subject.clone(), "access_token", &token);
        if let Some(previous) = self.previous
            && self.facts.same(previous.facts(), &subject)
            && let Some(held) = previous.senders.iter().find(|held| held.name == section.name)
        {
            return Ok(Arc::clone(held));
        }
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
        let channel = WhatsappSender::new(self.client.clone(), settings).map_err(|error| fault(&key, error))?;
        Ok(Arc::new(Sender {
            name: section.name.clone(),
            number: self.number(Named::Sender, &section.name)?,
            workspace: self.number(Named::Workspace, &section.workspace)?,
            provider_id: section.phone_number_id.clone(),
            kind: section.channel,
            account: section.account.clone().unwrap_or_else(|| format!("of-app-{app}")),
            app,
            channel: Arc::new(channel),
            meter: self.metrics.sender(&section.name),
        }))
    }

    fn endpoints(&mut self) -> Result<HashMap<String, Arc<Endpoint>>, CatalogFault> {
        let mut found = HashMap::new();
        for section in &self.config.endpoints {
            let plugin = self
                .plugin(&section.plugin)
                .map_err(|problem| fault(format!("endpoints.{}.plugin", section.name), problem))?;
            found.insert(section.name.clone(), Arc::new(self.endpoint(section, plugin)?));
        }
        Ok(found)
    }

    /// A plugin by its id or path. One that is loaded already, here or in the catalog before, is not loaded again.
    fn plugin(&mut self, name: &str) -> Result<Plugin, String> {
        let component = read_component(name)?;
        let digest = hex::encode(Sha256::digest(&component));
        let held = self.plugins.get(&digest).or_else(|| self.previous?.plugins.get(&digest)).cloned();
        let plugin = match held {
            Some(plugin) => plugin,
            None => self.host.load(&component).map_err(|error| format!("{name}: {error}"))?,
        };
        self.plugins.insert(digest, plugin.clone());
        Ok(plugin)
    }

    fn endpoint(&mut self, section: &config::Endpoint, plugin: Plugin) -> Result<Endpoint, CatalogFault> {
        let (key, subject) = (format!("endpoints.{}", section.name), format!("endpoint {}", section.name));
        let manifest = plugin.manifest();
        let scheme = scheme_of(manifest).map_err(|problem| fault(&key, problem))?;
        self.facts.note(subject.clone(), section);
        let build = format!("{}@{} {}", manifest.id, manifest.version, plugin.digest().get(..12).unwrap_or_default());
        self.facts.note_text(subject.clone(), "plugin build", &build);
        let mut all = String::new();
        let secrets = section.secrets.iter().map(|text| {
            let text = secret(&key, "secrets", text)?;
            all.push_str(&text);
            all.push('\n');
            Secret::new(&text, &scheme.key).map_err(|error| fault(format!("{key}.secrets"), error))
        });
        let secrets =
            Secrets::new(secrets.collect::<Result<_, _>>()?).map_err(|error| fault(format!("{key}.secrets"), error))?;
        let token = section.verify_token.as_ref().map(|text| secret(&key, "verify_token", text)).transpose()?;
        self.facts.note_hidden(subject.clone(), "secrets", &all);
        if let Some(token) = &token {
            self.facts.note_hidden(subject, "verify_token", token);
        }
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
            delivery_id: DeliveryIdParts::of(&manifest.items.dedupe),
            max_body_bytes: section.max_body_bytes.unwrap_or(manifest_limit),
            plugin_digest: plugin.digest(),
            meter: self.metrics.endpoint(&section.name),
            plugin_meter: self.metrics.plugin(plugin.id()),
            plugin,
            scheme,
            secrets,
            verify_token: token.map(HiddenText),
            connections,
        })
    }

    fn connections(&mut self, endpoint: &config::Endpoint) -> Result<Vec<Arc<Connection>>, CatalogFault> {
        let sections = self.config.connections.iter().filter(|section| section.endpoint == endpoint.name);
        sections
            .map(|section| {
                self.facts.note(format!("connection {}", section.name), section);
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
