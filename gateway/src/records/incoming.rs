//! Records of what came in: deliveries, what became of their items, and what waits for a paused plugin.

use super::Given;
use serde::{Deserialize, Serialize};
use tidegate_model::{DeliveryId, ItemId, RunId, Timestamp, outcome::Outcome};
use tidegate_store::{
    Key, Space, keys,
    records::{Layout, Record},
};

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
    /// No webhook brought it: it was read at the provider.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_back: bool,
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
    /// The answers of its provider that it was interpreted with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Given>,
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
    /// It waits for answers of its provider.
    Waiting {
        /// From these hosts.
        hosts: Vec<String>,
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
