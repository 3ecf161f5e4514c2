//! The catalog: what is configured, loaded and checked: endpoints with their plugins, connections, senders, flows and templates. A catalog does not change; a reload
//! makes another one aside and puts it in place, and work that has begun ends with the one that it began with.

mod diff;
mod files;
mod load;
mod proof;
mod reach;
mod sealed;
mod settings;
mod switch;
mod tokens;
mod trial;

pub(crate) use diff::{Change, Facts, changes};
pub(crate) use load::{CatalogFault, Sources};
pub(crate) use proof::scheme_of;
pub(crate) use reach::check_settings;
pub(crate) use sealed::secrets_of;
pub(crate) use tokens::TokenPlace;
pub(crate) use trial::{Trial, Tried};

use crate::{
    config::{Config, Reconcile, Sending},
    http::Proxies,
    metrics::{EndpointMeter, FlowMeter, Metrics, PluginMeter, SenderMeter},
    records::PauseRow,
    vault::Vault,
};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};
use tidegate_channels::{Channel, HttpClient};
use tidegate_fetch::{Fetcher, Keeper, Reach};
use tidegate_flows::{Flow, FlowSet, TemplateSet};
use tidegate_model::{
    DeliveryId, Timestamp, message::ChannelKind, opt_out::Keywords, outcome::ConnectionInfo, scheme::Proof,
};
use tidegate_plugin_host::{Configured, Manifest, Plugin, PluginHost, Selector};
use tidegate_signature::Secrets;
use tidegate_store::{
    Engine, KeyRange, Lane, Order, Queue, StoreError, WorkRow,
    records::{self, ReadError},
};

/// Virtual parts of a resource's work: a contact's work lies in one of them, in order.
pub(crate) const SHARDS: u16 = 1_024;

/// A URL with its secrets and its plugin.
pub(crate) struct Endpoint {
    /// Last part of the URL.
    pub name: String,
    /// Number in the registry.
    pub number: u32,
    /// Workspace of its deliveries: that of its connections, or 0 when they are of several.
    pub home: u32,
    /// Its plugin.
    pub plugin: Plugin,
    /// SHA-256 of the plugin's component, in hex.
    pub plugin_digest: String,
    /// What the plugin's manifest and the configuration say of it together.
    pub manifest: Manifest,
    /// What the configuration says in the manifest's place.
    given: Configured,
    /// How its provider shows who it is.
    pub proof: Proof,
    /// Live secrets; none when nothing is to be shown.
    pub secrets: Option<Secrets>,
    /// Token of the handshake.
    pub verify_token: Option<HiddenText>,
    /// Size limit in bytes.
    pub max_body_bytes: usize,
    /// What tells deliveries apart, when the manifest names nothing inside them.
    pub delivery_id: Option<DeliveryIdParts>,
    /// What is counted of it.
    pub meter: EndpointMeter,
    /// What is counted of its plugin.
    pub plugin_meter: PluginMeter,
    connections: Vec<Arc<Connection>>,
}

/// The build of a plugin that interprets items.
#[derive(Clone)]
pub(crate) struct Interpreter {
    /// The plugin.
    pub plugin: Plugin,
    /// SHA-256 of its component, in hex.
    pub digest: String,
    /// What is counted of it.
    pub meter: PluginMeter,
}

impl Endpoint {
    /// Where its deliveries are worked on, in the order of their arrival. Endpoints whose plugin has topics that go first go first.
    pub(crate) fn lane(&self) -> Lane {
        let lane = Lane::new(self.home, self.number, 0);
        if self.manifest.items.priority.is_empty() { lane } else { lane.ahead() }
    }

    /// What another version of its plugin and the configuration would say of it together.
    pub(crate) fn manifest_with(&self, plugin: &Plugin) -> Manifest {
        plugin.manifest().configured(&self.given).unwrap_or_else(|_| plugin.manifest().clone())
    }

    /// Whether its deliveries carry ids of their own, so that its items need no mark.
    pub(crate) const fn marks_deliveries(&self) -> bool {
        self.delivery_id.is_some()
    }

    /// Its connections.
    pub(crate) fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter().map(|connection| &**connection)
    }

    /// The digests of its plugin, and of those that its connections run in place of it.
    pub(crate) fn digests(&self) -> impl Iterator<Item = &str> {
        let own = std::iter::once(self.plugin_digest.as_str());
        own.chain(
            self.connections().map(|held| held.interpreter.digest.as_str()).filter(|held| *held != self.plugin_digest),
        )
    }

    /// A connection by its name.
    pub(crate) fn connection_named(&self, name: &str) -> Option<Arc<Connection>> {
        self.connections.iter().find(|held| held.name == name).cloned()
    }

    /// What its plugin asks for and is not granted: the lines to add, each once.
    pub(crate) fn not_granted(&self) -> Vec<&str> {
        let mut lines: Vec<&str> =
            self.connections.iter().flat_map(|held| &held.not_granted).map(String::as_str).collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    }

    /// The connection of an account; else the one that takes every account.
    pub(crate) fn connection_for(&self, account: Option<&str>) -> Option<Arc<Connection>> {
        let named = account
            .and_then(|account| self.connections.iter().find(|held| held.info.account.as_deref() == Some(account)));
        named.or_else(|| self.connections.iter().find(|held| held.info.account.is_none())).cloned()
    }
}

/// What tells deliveries apart: headers, and the body where an id is not unique.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct DeliveryIdParts {
    /// Names of headers, in lower case.
    pub headers: Vec<String>,
    /// The body.
    pub body: bool,
}

impl DeliveryIdParts {
    /// As the selectors say, when none of them looks into the body.
    fn of(selectors: &[Selector]) -> Option<Self> {
        let mut parts = Self::default();
        for selector in selectors {
            match selector {
                Selector::Header(name) => parts.headers.push(name.to_ascii_lowercase()),
                Selector::Body(_) => parts.body = true,
                Selector::Pointer(_) | Selector::Envelope(_) | Selector::FirstOf(_) => return None,
            }
        }
        (parts != Self::default()).then_some(parts)
    }
}

/// One account at a provider.
pub(crate) struct Connection {
    /// Name.
    pub name: String,
    /// Number in the registry.
    pub number: u32,
    /// Workspace.
    pub workspace: u32,
    /// What the plugin is told.
    pub info: ConnectionInfo,
    /// Who interprets its items: its endpoint's plugin, or another version of it.
    pub interpreter: Interpreter,
    /// What is read for its plugin; `None` when the manifest asks for nothing.
    pub reach: Option<Reach>,
    /// What the manifest asks for and the operator has not granted: the lines to add.
    pub not_granted: Vec<String>,
    /// How often it is looked after.
    pub look_after: LookAfter,
}

/// How often a connection is looked after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LookAfter {
    /// As usual, when its provider is to send.
    Usual,
    /// Never.
    Never,
    /// In this period, in milliseconds.
    Every(i64),
}

impl LookAfter {
    /// The period in milliseconds, for a connection whose provider is to send or not.
    pub(crate) fn period_ms(self, is_wanted: bool) -> Option<i64> {
        match self {
            Self::Usual => is_wanted.then_some(Reconcile::USUAL_MS),
            Self::Never => None,
            Self::Every(ms) => Some(ms),
        }
    }
}

/// A number that sends.
pub(crate) struct Sender {
    /// Name.
    pub name: String,
    /// Number in the registry.
    pub number: u32,
    /// Workspace.
    pub workspace: u32,
    /// Id at the provider: Meta's of the number; Twilio's of the messaging service, else the number.
    pub provider_id: String,
    /// Another name that the provider calls it by: the number that sends in a messaging service.
    pub also: Option<String>,
    /// Channel.
    pub kind: ChannelKind,
    /// Whom the provider refuses together with it: its business account, or a digest of the token where that is not known.
    pub account: String,
    /// A digest of its access token.
    pub app: String,
    /// How it sends.
    pub channel: Arc<dyn Channel>,
    /// What is counted of it.
    pub meter: SenderMeter,
}

impl Sender {
    /// Whether the provider means this one.
    pub(crate) fn answers_to(&self, id: &str) -> bool {
        self.provider_id == id || self.also.as_deref() == Some(id)
    }
}

/// One business.
struct Workspace {
    name: String,
    flows: FlowSet,
    templates: TemplateSet,
    keywords: Keywords,
    default_sender: Option<String>,
    default_sms_sender: Option<String>,
    /// What is counted of its flows, by their names.
    meters: HashMap<String, FlowMeter>,
}

/// Text that is never shown.
pub(crate) struct HiddenText(String);

impl HiddenText {
    /// The text, for a comparison.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for HiddenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Everything that is configured.
pub(crate) struct Catalog {
    sending: Sending,
    endpoints: HashMap<String, Arc<Endpoint>>,
    senders: Vec<Arc<Sender>>,
    workspaces: Arc<HashMap<u32, Workspace>>,
    /// Versions of flows that runs entered and that are not the newest, as they are met.
    old_flows: RwLock<HashMap<(u32, String), Arc<Flow>>>,
    no_templates: TemplateSet,
    no_keywords: Keywords,
    /// What it was made of.
    config: Config,
    proxies: Proxies,
    /// What it holds, to tell what another one changes.
    facts: Facts,
    metrics: Arc<Metrics>,
    host: PluginHost,
    /// Every plugin that is in use, by its digest.
    plugins: HashMap<String, Plugin>,
    client: HttpClient,
    fetcher: Fetcher,
    vault: Arc<Vault>,
    tokens: Option<TokenPlace>,
}

impl Connection {
    /// Whether its tokens come from a person's authorization.
    pub(crate) fn is_authorized_by_a_person(&self) -> bool {
        self.keeper().is_some_and(Keeper::needs_person)
    }

    /// Who keeps its tokens, where the provider gives some for a time.
    pub(crate) fn keeper(&self) -> Option<&Keeper> {
        self.reach.as_ref()?.authorized.as_ref().map(|authorized| &*authorized.keeper)
    }
}

impl Catalog {
    /// What it was made of.
    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    /// The proxies in front, whose word about callers is taken.
    pub(crate) const fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    /// What it holds.
    pub(crate) const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// What is counted, for who keeps it.
    pub(crate) fn shared_metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.metrics)
    }

    /// What is counted of a flow, also of one that is not configured any more.
    pub(crate) fn flow_meter(&self, workspace: u32, flow: &str) -> FlowMeter {
        let held = self.workspaces.get(&workspace).and_then(|workspace| workspace.meters.get(flow)).cloned();
        held.unwrap_or_else(|| self.metrics.flow(self.workspace_name(workspace), flow))
    }

    fn workspace_name(&self, number: u32) -> &str {
        self.workspaces.get(&number).map_or("", |held| &held.name)
    }

    /// An endpoint by its name.
    pub(crate) fn endpoint(&self, name: &str) -> Option<Arc<Endpoint>> {
        self.endpoints.get(name).cloned()
    }

    /// Every endpoint.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.values().map(|endpoint| &**endpoint)
    }

    /// Every connection, with its endpoint.
    pub(crate) fn connections(&self) -> impl Iterator<Item = (&Arc<Endpoint>, &Arc<Connection>)> {
        self.endpoints.values().flat_map(|endpoint| endpoint.connections.iter().map(move |held| (endpoint, held)))
    }

    /// What seals and opens the gateway's own secrets.
    pub(crate) const fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// A plugin that is in use, by its digest.
    pub(crate) fn plugin_of(&self, digest: &str) -> Option<Plugin> {
        self.plugins.get(digest).cloned()
    }

    /// What loads plugins.
    pub(crate) const fn plugin_host(&self) -> &PluginHost {
        &self.host
    }

    /// A sender of a workspace by its name.
    pub(crate) fn sender(&self, workspace: u32, name: &str) -> Option<Arc<Sender>> {
        self.senders.iter().find(|sender| sender.workspace == workspace && sender.name == name).cloned()
    }

    /// How long messages are worth sending, and what is done about providers that misbehave.
    pub(crate) const fn sending(&self) -> &Sending {
        &self.sending
    }

    /// Every sender.
    pub(crate) fn all_senders(&self) -> impl Iterator<Item = &Arc<Sender>> {
        self.senders.iter()
    }

    /// The senders of a workspace.
    pub(crate) fn senders(&self, workspace: u32) -> impl Iterator<Item = &Sender> {
        self.senders.iter().map(|sender| &**sender).filter(move |sender| sender.workspace == workspace)
    }

    /// A sender of a workspace by its id at the provider.
    pub(crate) fn sender_by_provider_id(&self, workspace: u32, channel: ChannelKind, id: &str) -> Option<Arc<Sender>> {
        let of_workspace =
            |sender: &&Arc<Sender>| sender.workspace == workspace && sender.kind == channel && sender.answers_to(id);
        let exactly = |sender: &&Arc<Sender>| sender.provider_id == id;
        let mut found = self.senders.iter().filter(of_workspace);
        // Of several numbers in one messaging service, the one that is meant.
        found.clone().find(exactly).or_else(|| found.next()).cloned()
    }

    /// Makes every sender send by this.
    #[cfg(test)]
    pub(crate) fn send_by(&mut self, channel: &Arc<dyn Channel>) {
        for sender in self.senders.iter_mut().filter_map(Arc::get_mut) {
            sender.channel = Arc::clone(channel);
        }
    }

    /// The WhatsApp sender of flows that name none.
    pub(crate) fn default_sender(&self, workspace: u32) -> Option<&str> {
        self.workspaces.get(&workspace)?.default_sender.as_deref()
    }

    /// The SMS sender of flows that name none.
    pub(crate) fn default_sms_sender(&self, workspace: u32) -> Option<&str> {
        self.workspaces.get(&workspace)?.default_sms_sender.as_deref()
    }

    /// A workspace's flows.
    pub(crate) fn flows(&self, workspace: u32) -> Option<&FlowSet> {
        Some(&self.workspaces.get(&workspace)?.flows)
    }

    /// A workspace's templates.
    pub(crate) fn templates(&self, workspace: u32) -> &TemplateSet {
        self.workspaces.get(&workspace).map_or(&self.no_templates, |held| &held.templates)
    }

    /// Whether a workspace has a template.
    pub(crate) fn has_template(&self, workspace: u32, name: &str) -> bool {
        self.templates(workspace).get(name).is_some()
    }

    /// A workspace's keywords.
    pub(crate) fn keywords(&self, workspace: u32) -> &Keywords {
        self.workspaces.get(&workspace).map_or(&self.no_keywords, |held| &held.keywords)
    }

    /// Every workspace's number and name, and 0 for endpoints that serve several.
    pub(crate) fn workspaces(&self) -> impl Iterator<Item = (u32, &str)> {
        let named = self.workspaces.iter().map(|(number, held)| (*number, held.name.as_str()));
        named.chain([(tidegate_store::keys::NO_WORKSPACE, "")])
    }

    /// A version of a flow that was met before.
    pub(crate) fn old_flow(&self, workspace: u32, version: &str) -> Option<Arc<Flow>> {
        let held = self.old_flows.read().unwrap_or_else(PoisonError::into_inner);
        held.get(&(workspace, version.to_owned())).cloned()
    }

    /// Keeps a version of a flow for the next run that entered it.
    pub(crate) fn keep_old_flow(&self, workspace: u32, version: String, flow: Flow) -> Arc<Flow> {
        let mut held = self.old_flows.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(held.entry((workspace, version)).or_insert_with(|| Arc::new(flow)))
    }

    /// When the oldest delivery that may hold a message from a person, and is not interpreted yet, was received.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn unread_since(&self, store: &dyn Engine) -> Result<Option<Timestamp>, StoreError> {
        let mut oldest = None;
        for endpoint in self.endpoints.values().filter(|endpoint| endpoint.lane().is_ahead()) {
            let range = KeyRange::prefix(&endpoint.lane().prefix(Queue::Pure));
            let first = store.range(&range, Order::Forward, 1)?.into_iter().next();
            let work = first.and_then(|(_, row)| WorkRow::decode(&row.value));
            let at = work.map(|work| Timestamp::from_ms(DeliveryId::from_raw(work.id).root_ms()));
            // What people wrote may also wait for a plugin that is paused.
            let paused = match records::get::<PauseRow>(store, &(endpoint.home, endpoint.number)) {
                Ok(found) => found.map(|(row, _)| row.since),
                Err(ReadError::Store(error)) => return Err(error),
                // Nobody knows since when: since ever.
                Err(_) => Some(Timestamp::from_ms(0)),
            };
            oldest = [oldest, at, paused].into_iter().flatten().min();
        }
        Ok(oldest)
    }
}

#[cfg(test)]
mod tests;
