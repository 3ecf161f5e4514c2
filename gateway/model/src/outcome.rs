//! What goes into a plugin and what comes out of it, as the host understands it.

use crate::{ItemId, Timestamp, event::Event};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The unit of interpretation: one part of a delivery, often all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Id, the same each time it is interpreted.
    pub id: ItemId,
    /// What the provider says it is, e.g. `orders/create`.
    pub topic: String,
    /// Headers of the delivery without secrets: names in lower case.
    pub headers: Vec<(String, String)>,
    /// The item's own text.
    pub body: String,
    /// What surrounds the item in its delivery, as JSON text.
    pub envelope: Option<String>,
    /// When the delivery was received.
    pub received_at: Timestamp,
    /// What the plugin last stored under the item's state key.
    pub state: Option<String>,
    /// Answers to what the plugin needed.
    pub answers: Vec<Answer>,
}

/// The connection that items belong to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectionInfo {
    /// Its name in the configuration.
    pub name: String,
    /// The provider's id of the account.
    pub account: Option<String>,
    /// The plugin's settings, as JSON text.
    pub settings: String,
}

/// One HTTP read that a plugin needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// Further headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// Body of a POST.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// What a needed request gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The provider answered.
    Response {
        /// HTTP status.
        status: u16,
        /// Headers, names in lower case.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        headers: Vec<(String, String)>,
        /// Body.
        body: String,
    },
    /// No answer, and why.
    Failed(String),
}

/// What a plugin makes of one item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Interpreted.
    Done(Done),
    /// Answers are needed first.
    Need(Vec<Request>),
    /// Of no interest: why.
    Skip(String),
    /// Not understood.
    Failed(Failure),
}

/// The result of an interpreted item.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Done {
    /// What happened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// What it means for automation, beside the events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<Trigger>,
    /// New state under the item's state key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// A signal for flows that is not an event of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    /// Name in kebab-case.
    pub name: String,
    /// Position of the event it is about, in the outcome's events.
    pub event: usize,
    /// Variables for the flow.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub variables: Map<String, Value>,
}

/// Why an item can't be read, for an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// JSON pointer of the field at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What was expected and found.
    pub reason: String,
    /// Whether trying again later may help.
    #[serde(default)]
    pub retryable: bool,
}
