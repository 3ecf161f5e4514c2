//! The application's records: what the rows of each space hold. Every record carries its workspace, the first part of its key.

use serde::{Deserialize, Serialize};
use tidegate_flows::Run;
use tidegate_model::{
    ContactId, MessageId, RunId, Timestamp,
    circuit::Circuit,
    contact::Contact,
    gate::{Suppression, SuppressionScope, Unreachable},
    message::{ChannelKind, Message},
    window::Window,
};
use tidegate_store::{Key, Space, TimerKey, keys, records::Record};

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

mod connections;
mod fetches;
mod incoming;
mod plugins;
mod tokens;

pub(crate) use connections::{ConnectionRow, Reading, SecretRow, Trouble, Wanted};
pub(crate) use fetches::{AnswersRow, Exchange, FetchRow, Given};
pub(crate) use incoming::{
    Delivery, Earlier, Interpretation, InterpretedBy, InterpretedItem, ItemResult, Parked, PauseRow,
};
pub(crate) use plugins::{Choice, ChoiceRow, InstalledRow};
pub(crate) use tokens::TokenRow;

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

/// The runs that wait for a contact's reply; there is a row while any does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RepliesRow {
    /// Workspace.
    pub workspace: u32,
    /// The contact.
    pub contact: ContactId,
    /// The runs, oldest wait first.
    pub runs: Vec<RunId>,
}

record!(RepliesRow in Replies, key (u32, ContactId), |me| (me.workspace, me.contact), |(workspace, contact)| keys::replies(*workspace, contact.raw()));

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
