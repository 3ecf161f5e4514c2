//! The application's records: what the rows of each space hold. Every record carries its workspace, the first part of its key.

use serde::{Deserialize, Serialize};
use tidegate_flows::Run;
use tidegate_model::{
    ContactId, DeliveryId, ItemId, MessageId, RunId, Timestamp,
    circuit::Circuit,
    contact::Contact,
    gate::{Suppression, SuppressionScope, Unreachable},
    message::{ChannelKind, Message},
    outcome::Outcome,
    window::Window,
};
use tidegate_store::{
    Key, Space, TimerKey, keys,
    records::{Layout, Record},
};

/// Defines a JSON record: its space, its key's parts, and how they become a row's key.
macro_rules! record {
    ($name:ident in $space:ident, key $key:ty, |$me:ident| $of:expr, |$parts:pat_param| $row:expr) => {
        impl Record for $name {
            const SPACE: Space = Space::$space;
            const VERSION: u16 = 1;
            type Key = $key;

            fn key(&self) -> $key {
                let $me = self;
                $of
            }

            fn row_key(key: &$key) -> Key {
                let $parts = key;
                $row
            }
        }
    };
}

/// A received webhook. Its body is the row's tail, and chunk rows when it is long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delivery {
    /// Home workspace of the endpoint.
    pub workspace: u32,
    /// Id.
    pub id: DeliveryId,
    /// Endpoint it came by.
    pub endpoint: String,
    /// When.
    pub received_at: Timestamp,
    /// Headers as received, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Which of the live secrets matched.
    pub secret_index: u32,
    /// Accepted although its timestamp was old.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stale: bool,
    /// Length of the body in bytes.
    pub body_bytes: usize,
    /// The body's compressed head; the rest is in chunk rows.
    #[serde(skip)]
    pub head: Vec<u8>,
}

impl Record for Delivery {
    const SPACE: Space = Space::Deliveries;
    const VERSION: u16 = 1;
    const LAYOUT: Layout = Layout::JsonTail;
    type Key = (u32, DeliveryId);

    fn key(&self) -> Self::Key {
        (self.workspace, self.id)
    }

    fn row_key((workspace, id): &Self::Key) -> Key {
        keys::delivery(*workspace, id.raw())
    }

    fn tail(&self) -> &[u8] {
        &self.head
    }

    fn set_tail(&mut self, tail: Vec<u8>) {
        self.head = tail;
    }
}

/// What became of a slice of a delivery's items: all of it that a replay needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Interpretation {
    /// Home workspace of the endpoint.
    pub workspace: u32,
    /// The delivery.
    pub delivery: DeliveryId,
    /// Endpoint it came by.
    pub endpoint: String,
    /// The plugin, as `id@version`.
    pub plugin: String,
    /// SHA-256 of the plugin's component, in hex.
    pub digest: String,
    /// When.
    pub at: Timestamp,
    /// The items, in order; never empty.
    pub items: Vec<InterpretedItem>,
}

record!(Interpretation in Interpretations, key (u32, ItemId),
    |me| (me.workspace, me.items.first().map_or(ItemId::from_raw([0; 16]), |item| item.id)),
    |(workspace, first)| keys::interpretation(*workspace, first.raw()));

/// One item and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct InterpretedItem {
    /// Id.
    pub id: ItemId,
    /// Position in the delivery.
    pub index: u32,
    /// Topic.
    pub topic: String,
    /// Connection, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The connection's workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<u32>,
    /// The plugin's state before, when it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_in: Option<String>,
    /// The item whose moment and randomness the call had, when it was another: it was interpreted together with that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<ItemId>,
    /// Who interpreted it, when it was done again after the rest of the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<InterpretedBy>,
    /// What was made of it before, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Earlier>,
    /// What became of it.
    pub result: ItemResult,
}

/// A build of a plugin at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InterpretedBy {
    /// The plugin, as `id@version`.
    pub plugin: String,
    /// SHA-256 of the plugin's component, in hex.
    pub digest: String,
    /// When.
    pub at: Timestamp,
}

/// What was made of an item before it was interpreted again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Earlier {
    /// By whom, and when.
    #[serde(flatten)]
    pub by: InterpretedBy,
    /// In a few words.
    pub result: String,
}

impl Interpretation {
    /// Who interpreted an item of this row.
    pub(crate) fn by(&self, item: &InterpretedItem) -> InterpretedBy {
        let row = || InterpretedBy { plugin: self.plugin.clone(), digest: self.digest.clone(), at: self.at };
        item.by.clone().unwrap_or_else(row)
    }
}

/// What became of an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ItemResult {
    /// The plugin's outcome, and what it led to.
    Interpreted {
        /// What the plugin made of it.
        outcome: Outcome,
        /// Runs that its events started.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        runs: Vec<RunId>,
    },
    /// The same item came before.
    Duplicate {
        /// As this item.
        first: ItemId,
    },
    /// It waits for a person.
    Parked {
        /// Why.
        #[serde(flatten)]
        parked: Parked,
        /// Its row among the dead letters.
        letter: u64,
    },
}

/// Why an item is parked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parked {
    /// JSON pointer of the field at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong and, where it is known, what to do.
    pub reason: String,
}

impl Parked {
    /// Why, and at which field.
    pub(crate) fn new(field: Option<String>, reason: impl Into<String>) -> Self {
        Self { field, reason: reason.into() }
    }
}

/// An endpoint whose plugin is paused, while items wait for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PauseRow {
    /// Workspace of the deliveries that wait.
    pub workspace: u32,
    /// The endpoint's number in the registry.
    pub endpoint: u32,
    /// Its name.
    pub name: String,
    /// When the oldest delivery that waits was received.
    pub since: Timestamp,
    /// The dead letters that wait have this number or a larger one.
    pub from_seq: u64,
    /// Which row of work or timer may go on with it.
    pub turn: u32,
}

record!(PauseRow in Pauses, key (u32, u32), |me| (me.workspace, me.endpoint),
    |(workspace, endpoint)| keys::pause(*workspace, *endpoint));

/// A contact, or the trace of one that was merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ContactRow {
    /// Workspace.
    pub workspace: u32,
    /// Id.
    pub id: ContactId,
    /// The person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// Who it turned out to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias_of: Option<ContactId>,
}

record!(ContactRow in Contacts, key (u32, ContactId), |me| (me.workspace, me.id), |(workspace, id)| keys::contact(*workspace, id.raw()));

/// Whose a key is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ContactKeyRow {
    /// Workspace.
    pub workspace: u32,
    /// The key, as contacts look it up.
    pub lookup: String,
    /// The contact.
    pub contact: ContactId,
}

record!(ContactKeyRow in ContactKeys, key (u32, String), |me| (me.workspace, me.lookup.clone()),
    |(workspace, lookup)| keys::contact_key(*workspace, 0, lookup));

/// The customer service window between a sender and a contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct WindowRow {
    /// Workspace.
    pub workspace: u32,
    /// The contact.
    pub contact: ContactId,
    /// The sender's number in the registry.
    pub sender: u32,
    /// The window.
    pub window: Window,
}

record!(WindowRow in Windows, key (u32, ContactId, u32), |me| (me.workspace, me.contact, me.sender),
    |(workspace, contact, sender)| keys::window(*workspace, contact.raw(), *sender));

/// A run of a flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunRow {
    /// Workspace.
    pub workspace: u32,
    /// The run.
    pub run: Run,
    /// The timer that it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timer: Option<TimerKey>,
}

record!(RunRow in Runs, key (u32, RunId), |me| (me.workspace, me.run.id), |(workspace, id)| keys::run(*workspace, id.raw()));

/// A version of a flow, kept for the runs that entered it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FlowRow {
    /// Workspace.
    pub workspace: u32,
    /// Name.
    pub flow: String,
    /// Version.
    pub version: String,
    /// The canonical definition, as JSON text.
    pub definition: String,
}

record!(FlowRow in Flows, key (u32, String, String), |me| (me.workspace, me.flow.clone(), me.version.clone()),
    |(workspace, flow, version)| keys::flow(*workspace, flow, version.as_bytes()));

/// A message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct MessageRow {
    /// Workspace.
    pub workspace: u32,
    /// The message.
    pub message: Message,
}

record!(MessageRow in Messages, key (u32, MessageId), |me| (me.workspace, me.message.id),
    |(workspace, id)| keys::message(*workspace, id.raw()));

/// What a plugin keeps from item to item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StateRow {
    /// Workspace.
    pub workspace: u32,
    /// The connection's number in the registry.
    pub connection: u32,
    /// Under which key.
    pub state_key: String,
    /// The state.
    pub state: String,
}

record!(StateRow in PluginState, key (u32, u32, String), |me| (me.workspace, me.connection, me.state_key.clone()),
    |(workspace, connection, state_key)| keys::plugin_state(*workspace, *connection, state_key));

/// Whether an address takes messages, and marketing. The two are decided apart, so that neither hides the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SuppressionRow {
    /// Workspace.
    pub workspace: u32,
    /// Channel.
    pub channel: ChannelKind,
    /// The address, as contacts look it up.
    pub address: String,
    /// The newest decision about every message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<Decision>,
    /// The newest decision about marketing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketing: Option<Decision>,
    /// The newest sign of whether the person blocks us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Decision>,
}

impl SuppressionRow {
    /// The newest decision of a scope.
    pub(crate) const fn decision(&mut self, scope: SuppressionScope) -> &mut Option<Decision> {
        match scope {
            SuppressionScope::All => &mut self.all,
            SuppressionScope::Marketing => &mut self.marketing,
            SuppressionScope::Blocked => &mut self.blocked,
        }
    }

    /// What is held back now.
    pub(crate) fn held(self) -> impl Iterator<Item = Suppression> {
        [self.all, self.blocked, self.marketing].into_iter().flatten().filter_map(|decision| decision.suppression)
    }
}

/// What a person decided. An allowance is kept as well, so that an older opt-out that comes late is recognised as older.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Decision {
    /// When.
    pub at: Timestamp,
    /// What is held back; `None` when nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppression: Option<Suppression>,
}

record!(SuppressionRow in Suppressions, key (u32, ChannelKind, String), |me| (me.workspace, me.channel, me.address.clone()),
    |(workspace, channel, address)| keys::suppression(*workspace, *channel as u8, address));

/// A provider's message id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProviderIdRow {
    /// Workspace.
    pub workspace: u32,
    /// The sender's number in the registry.
    pub sender: u32,
    /// The provider's id.
    pub provider_id: String,
    /// Our message.
    pub message: MessageId,
}

record!(ProviderIdRow in ProviderIds, key (u32, u32, String), |me| (me.workspace, me.sender, me.provider_id.clone()),
    |(workspace, sender, provider_id)| keys::provider_id(*workspace, *sender, provider_id));

/// An open circuit. Those of accounts and apps lie in workspace 0: several workspaces may share them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CircuitRow {
    /// Workspace.
    pub workspace: u32,
    /// The circuit.
    pub circuit: Circuit,
}

record!(CircuitRow in Circuits, key (u32, String), |me| (me.workspace, me.circuit.scope.key()),
    |(workspace, scope)| keys::circuit(*workspace, scope));

/// An address that a channel does not reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct UnreachableRow {
    /// Workspace.
    pub workspace: u32,
    /// Channel.
    pub channel: ChannelKind,
    /// The address, as contacts look it up.
    pub address: String,
    /// What is known.
    pub mark: Unreachable,
}

record!(UnreachableRow in Unreachable, key (u32, ChannelKind, String), |me| (me.workspace, me.channel, me.address.clone()),
    |(workspace, channel, address)| keys::unreachable(*workspace, *channel as u8, address));
#[cfg(test)]
mod format;
