//! Makes the catalog: gives names their numbers, loads plugins, reads flows and templates, checks that all fits together.

mod plugins;
mod senders;
mod swap;

pub(super) use plugins::component_of;

use plugins::build_text;

use super::{
    Catalog, Connection, DeliveryIdParts, Endpoint, Facts, HiddenText, Interpreter, TokenPlace, Workspace,
    files::read_all, proof, sealed, settings,
};
use crate::{
    config::{self, Config, Origins, SecretText},
    depot::{Depot, Shelf},
    http::Proxies,
    metrics::Metrics,
    records::FlowRow,
    vault::Vault,
};
use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, RwLock},
};
use tidegate_channels::HttpClient;
use tidegate_fetch::{Fetcher, Times};
use tidegate_flows::{FlowSet, TemplateSet, parse_flow, parse_template};
use tidegate_model::{opt_out::Keywords, outcome::ConnectionInfo, scheme::Proof};
use tidegate_plugin_host::{HostConfig, Plugin, PluginHost};
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
    /// At several keys, one a line.
    #[error("{}", lines(.0))]
    Several(Vec<CatalogFault>),
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

fn lines(faults: &[CatalogFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl CatalogFault {
    /// The same, with the place where each key was set.
    pub(super) fn at(self, origins: &Origins) -> Self {
        match self {
            Self::Key { key, problem } => {
                let place = origins.nearest_place(&key).map(|place| format!("{place}: ")).unwrap_or_default();
                Self::Key { key: format!("{place}{key}"), problem }
            }
            Self::Several(faults) => Self::Several(faults.into_iter().map(|fault| fault.at(origins)).collect()),
            other @ (Self::Files(_) | Self::Host(_) | Self::Store(_)) => other,
        }
    }
}

pub(super) fn fault(key: impl Into<String>, problem: impl std::fmt::Display) -> CatalogFault {
    CatalogFault::Key { key: key.into(), problem: format!("{problem}") }
}

/// Where a catalog is made.
pub(crate) struct Sources<'a> {
    /// Gives names their numbers, and keeps versions of flows.
    pub store: &'a dyn Engine,
    /// Keeps compiled and installed plugins; `None` compiles them each time, and has none installed.
    pub plugin_cache: Option<&'a Path>,
    /// What is counted.
    pub metrics: &'a Arc<Metrics>,
    /// Where tokens of connections lie; `None` where nothing is asked of providers.
    pub tokens: Option<&'a TokenPlace>,
    /// The catalog before: what has not changed is taken over from it.
    pub previous: Option<&'a Catalog>,
}

impl Catalog {
    /// Loads everything that a configuration names. When it fails, nothing of what is in force has changed.
    ///
    /// # Errors
    /// What does not fit together.
    pub(crate) fn load(config: &Config, sources: &Sources<'_>) -> Result<Self, CatalogFault> {
        let shelf = Shelf::load(sources.store).map_err(ReadError::Store)?;
        Self::load_with(config, sources, shelf)
    }

    /// As [`Catalog::load`], with versions of plugins that are not written down yet.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn load_with(config: &Config, sources: &Sources<'_>, shelf: Shelf) -> Result<Self, CatalogFault> {
        Self::load_all(config, sources, shelf).map_err(|fault| fault.at(&config.origins))
    }

    fn load_all(config: &Config, sources: &Sources<'_>, shelf: Shelf) -> Result<Self, CatalogFault> {
        let Sources { store, plugin_cache, metrics, tokens, previous } = *sources;
        let (host, client, fetcher) = match previous {
            Some(held) => (held.host.clone(), held.client.clone(), held.fetcher.clone()),
            None => {
                let settings = HostConfig { cache_dir: plugin_cache.map(Path::to_owned), ..HostConfig::default() };
                let host = PluginHost::new(&settings).map_err(|error| CatalogFault::Host(error.to_string()))?;
                let client = HttpClient::new().map_err(|error| CatalogFault::Host(error.to_string()))?;
                let fetcher = Fetcher::new(Times::default()).map_err(|error| CatalogFault::Host(error.to_string()))?;
                (host, client, fetcher)
            }
        };
        let proxies = Proxies::parse(&config.server.trusted_proxies)
            .map_err(|problem| fault("server.trusted_proxies", problem))?;
        let registry = Registry::load(store)?;
        let vault = Arc::new(Vault::new(&config.secrets, &config.data.dir));
        let mut loader = Loader {
            config,
            store,
            registry,
            host,
            client,
            fetcher,
            metrics,
            vault,
            tokens: tokens.cloned(),
            previous,
            facts: Facts::default(),
            plugins: HashMap::new(),
            shelf,
            depot: plugin_cache.map(Depot::new),
        };
        loader.facts.note_settings(config);
        let workspaces = loader.workspaces()?;
        let senders = loader.senders()?;
        let endpoints = loader.endpoints()?;
        senders::check_flows(&workspaces, &senders)?;
        // Last: a configuration that is refused leaves nothing behind but numbers of names.
        for (number, workspace) in &workspaces {
            loader.keep_versions(*number, &workspace.flows)?;
        }
        let Loader { host, client, fetcher, facts, plugins, vault, tokens, .. } = loader;
        Ok(Self {
            sending: config.sending.clone(),
            endpoints,
            senders,
            workspaces: Arc::new(workspaces),
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
            fetcher,
            vault,
            tokens,
        })
    }
}

pub(super) struct Loader<'a> {
    pub(super) config: &'a Config,
    pub(super) store: &'a dyn Engine,
    pub(super) registry: Registry,
    pub(super) host: PluginHost,
    pub(super) client: HttpClient,
    pub(super) fetcher: Fetcher,
    pub(super) metrics: &'a Arc<Metrics>,
    pub(super) vault: Arc<Vault>,
    pub(super) tokens: Option<TokenPlace>,
    pub(super) previous: Option<&'a Catalog>,
    pub(super) facts: Facts,
    pub(super) plugins: HashMap<String, Plugin>,
    /// What is installed, and what is active.
    pub(super) shelf: Shelf,
    pub(super) depot: Option<Depot>,
}

impl<'a> Loader<'a> {
    /// Of a part of a catalog, beside it: what is not made anew is as it is there.
    pub(super) fn beside(
        held: &'a Catalog,
        store: &'a dyn Engine,
        shelf: Shelf,
        depot: Option<Depot>,
    ) -> Result<Self, CatalogFault> {
        Ok(Self {
            config: &held.config,
            store,
            registry: Registry::load(store)?,
            host: held.host.clone(),
            client: held.client.clone(),
            fetcher: held.fetcher.clone(),
            metrics: &held.metrics,
            vault: Arc::clone(&held.vault),
            tokens: held.tokens.clone(),
            previous: Some(held),
            facts: held.facts.clone(),
            plugins: HashMap::new(),
            shelf,
            depot,
        })
    }
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
            let keywords = section.keywords.clone();
            let (default_sender, default_sms_sender) = (section.default_sender.clone(), self.default_sms_sender(name));
            let name = name.clone();
            let workspace = Workspace { name, flows, templates, keywords, default_sender, default_sms_sender, meters };
            found.insert(number, workspace);
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

    fn endpoints(&mut self) -> Result<HashMap<String, Arc<Endpoint>>, CatalogFault> {
        let mut found = HashMap::new();
        for section in &self.config.endpoints {
            found.insert(section.name.clone(), Arc::new(self.endpoint(section)?));
        }
        Ok(found)
    }

    pub(super) fn endpoint(&mut self, section: &config::Endpoint) -> Result<Endpoint, CatalogFault> {
        let wrong = |problem: String| fault(format!("endpoints.{}.plugin", section.name), problem);
        let plugin = self.plugin(&section.plugin).map_err(wrong)?;
        self.endpoint_with(section, &plugin)
    }

    /// An endpoint with this plugin behind it, whatever its section names.
    fn endpoint_with(&mut self, section: &config::Endpoint, plugin: &Plugin) -> Result<Endpoint, CatalogFault> {
        let (key, subject) = (format!("endpoints.{}", section.name), format!("endpoint {}", section.name));
        let given = proof::given(section);
        let manifest = proof::manifest_of(section, plugin)?;
        let proof = proof::proof_of(section, &manifest)?;
        self.facts.note(subject.clone(), section);
        self.facts.note_text(subject.clone(), "plugin build", &build_text(plugin));
        let own =
            Interpreter { digest: plugin.digest(), meter: self.metrics.plugin(plugin.id()), plugin: plugin.clone() };
        let connections = self.connections(section, &own)?;
        let texts = self.secret_texts(section, &manifest, &connections)?;
        let secrets = texts.iter().map(|text| {
            Secret::new(text, proof::key_form(&proof)).map_err(|error| fault(format!("{key}.secrets"), error))
        });
        let secrets = secrets.collect::<Result<Vec<_>, _>>()?;
        let secrets = match proof {
            Proof::Nothing => None,
            // None yet: everything is refused until the provider is told one.
            _ if secrets.is_empty() && section.secrets.iter().any(SecretText::is_generated) => None,
            Proof::Signature(_) | Proof::Token(_) => {
                Some(Secrets::new(secrets).map_err(|error| fault(format!("{key}.secrets"), error))?)
            }
        };
        let token = section.verify_token.as_ref().map(|text| secret(&key, "verify_token", text)).transpose()?;
        self.facts.note_hidden(subject.clone(), "secrets", &texts.join("\n"));
        if let Some(token) = &token {
            self.facts.note_hidden(subject, "verify_token", token);
        }
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
            plugin_digest: own.digest,
            meter: self.metrics.endpoint(&section.name),
            plugin_meter: own.meter,
            plugin: own.plugin,
            manifest,
            given,
            proof,
            secrets,
            verify_token: token.map(HiddenText),
            connections,
        })
    }

    fn connections(
        &mut self,
        endpoint: &config::Endpoint,
        own: &Interpreter,
    ) -> Result<Vec<Arc<Connection>>, CatalogFault> {
        let sections = self.config.connections.iter().filter(|section| section.endpoint == endpoint.name);
        sections
            .map(|section| {
                self.facts.note(format!("connection {}", section.name), section);
                let interpreter = self.interpreter(endpoint, &section.name, own)?;
                let settings = settings::text_of(&interpreter.plugin, section)?;
                let info = ConnectionInfo { name: section.name.clone(), account: section.account.clone(), settings };
                let number = self.number(Named::Connection, &section.name)?;
                let workspace = self.number(Named::Workspace, &section.workspace)?;
                let place = (workspace, number);
                let (reach, not_granted) = self.reach(&interpreter.plugin, section, &info, place)?;
                Ok(Arc::new(Connection {
                    name: section.name.clone(),
                    number,
                    workspace,
                    info,
                    interpreter,
                    reach,
                    not_granted,
                    look_after: sealed::look_after(section)?,
                }))
            })
            .collect()
    }
}

pub(super) fn secret(key: &str, field: &str, text: &SecretText) -> Result<String, CatalogFault> {
    text.resolve(&|name| std::env::var(name).ok()).map_err(|problem| fault(format!("{key}.{field}"), problem))
}
