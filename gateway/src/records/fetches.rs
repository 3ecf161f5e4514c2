//! Records of items that wait for answers of their provider, and of the answers that they were given.

use serde::{Deserialize, Serialize};
use tidegate_model::{
    DeliveryId, ItemId, Timestamp,
    outcome::{Answer, Request},
};
use tidegate_store::{
    Key, Lane, Space, keys,
    records::{Layout, Record},
};

/// An item that waits for answers. It is there as long as the item waits, also while what came of the answers is being interpreted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FetchRow {
    /// Home workspace of the endpoint.
    pub workspace: u32,
    /// The item.
    pub item: ItemId,
    /// Its delivery.
    pub delivery: DeliveryId,
    /// Its position there.
    pub index: u32,
    /// Endpoint it came by.
    pub endpoint: String,
    /// Its connection.
    pub connection: String,
    /// Where it goes on when the answers are there.
    pub lane: Lane,
    /// A digest of what the plugin was called with beside the item: the plugin itself, the connection, the state. When it changes, the plugin begins anew.
    pub basis: String,
    /// Which answers are meant: those of this asking.
    pub take: u64,
    /// Rows of answers so far.
    pub parts: u32,
    /// Bytes of answers so far.
    pub bytes: u64,
    /// Times that the plugin asked, those before it began anew included.
    pub rounds: u32,
    /// A number of the store's, drawn when the plugin asked: a read that was begun later is new enough.
    pub asked: u64,
    /// What is asked for and has no answer yet, each with its place among all requests of the item.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<(u32, Request)>,
    /// Requests of the item so far.
    pub requests: u32,
    /// Since when it waits.
    pub since: Timestamp,
    /// Times in a row that no answer came.
    #[serde(default)]
    pub attempts: u32,
    /// What happened the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try: Option<Timestamp>,
    /// Why the requests are not made: the item is parked with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The dead letter that it is another try of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter: Option<u64>,
}

record!(FetchRow in Fetches, key (u32, ItemId), |me| (me.workspace, me.item),
    |(workspace, item)| keys::fetch(*workspace, item.raw()));

impl FetchRow {
    /// Whether nothing is left to wait for.
    pub(crate) const fn is_answered(&self) -> bool {
        self.open.is_empty() || self.refused.is_some()
    }

    /// The answers that it was given so far.
    pub(crate) const fn given(&self) -> Given {
        Given { take: self.take, parts: self.parts }
    }
}

/// Which answers an item was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Given {
    /// Of which asking.
    pub take: u64,
    /// In so many rows.
    pub parts: u32,
}

impl Given {
    /// The id of a row of answers.
    pub(crate) fn id(self, item: ItemId, part: u32) -> ItemId {
        ItemId::derive(item.root_ms(), &[item.raw(), b"answers", &self.take.to_be_bytes(), &part.to_be_bytes()])
    }
}

/// Some answers of an item, with the requests that they are of. They are the row's tail, and chunk rows when they are long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AnswersRow {
    /// Home workspace of the endpoint.
    pub workspace: u32,
    /// Its id, which derives from the item's.
    pub id: ItemId,
    /// The item.
    pub item: ItemId,
    /// Its delivery: with it the answers go.
    pub delivery: DeliveryId,
    /// When they came.
    pub at: Timestamp,
    /// The compressed head of the exchanges; the rest is in chunk rows.
    #[serde(skip)]
    pub head: Vec<u8>,
}

impl Record for AnswersRow {
    const SPACE: Space = Space::Answers;
    const VERSION: u16 = 1;
    const LAYOUT: Layout = Layout::JsonTail;
    type Key = (u32, ItemId);

    fn key(&self) -> Self::Key {
        (self.workspace, self.id)
    }

    fn row_key((workspace, id): &Self::Key) -> Key {
        keys::answers(*workspace, id.raw())
    }

    fn tail(&self) -> &[u8] {
        &self.head
    }

    fn set_tail(&mut self, tail: Vec<u8>) {
        self.head = tail;
    }
}

/// A request and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exchange {
    /// Its place among all requests of the item.
    pub place: u32,
    /// What was asked.
    pub request: Request,
    /// What was answered.
    pub answer: Answer,
}
