//! The canonical form of a flow: what is stored, hashed and run. YAML's freedoms (order, comments, spellings) are gone here.

use crate::FlowVersion;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tidegate_model::message::{Category, ChannelKind};

/// The format of stored definitions that this release writes. An older one must stay readable, a newer one is refused.
pub const FORMAT: u32 = 1;

/// A flow as it is stored.
///
/// New kinds of steps are new cases of [`Action`]; new details are fields that are left out at their
/// default: so the JSON of an existing flow, and with it its version, never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// [`FORMAT`] at the time of writing.
    pub format: u32,
    /// Name, in kebab-case; unique in a workspace.
    pub flow: String,
    /// What it is for, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Event kinds (`order.placed`) and triggers (`cart-abandoned`) that start it; sorted, each once.
    pub on: Vec<String>,
    /// Entry condition, in CEL.
    #[serde(rename = "if", default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Steps, first to last.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Id, unique in the flow: figures, timers and running contacts hang on it.
    pub id: String,
    /// What it does.
    pub action: Action,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Waits.
    Wait(Wait),
    /// Waits for a message from the contact, and goes one way or another; both meet after the step.
    WaitForReply(WaitForReply),
    /// Goes one way or another; both meet after the step.
    If(Branch),
    /// Sends a template by WhatsApp.
    Send(Send),
    /// Sends a text by SMS.
    Sms(Sms),
}

/// A wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// How long, in milliseconds.
    pub for_ms: i64,
}

/// A wait for a message from the contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitForReply {
    /// How long, in milliseconds.
    pub for_ms: i64,
    /// The channel that it has to come by; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelKind>,
    /// Steps when one came in time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<Step>,
    /// Steps when none did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_response: Vec<Step>,
}

/// A branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// In CEL.
    pub condition: String,
    /// Steps when it is true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<Step>,
    /// Steps when it is false.
    #[serde(rename = "else", default, skip_serializing_if = "Vec::is_empty")]
    pub otherwise: Vec<Step>,
}

/// A message from a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// Name of the template.
    pub template: String,
    /// Name of the sender; the workspace's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Texts of the template's parameters by name, with `{{ variables }}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

/// A text by SMS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sms {
    /// The text, with `{{ variables }}`.
    pub text: String,
    /// Name of the sender; the workspace's default for SMS when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// What kind of message it is: no template says so.
    #[serde(default = "utility", skip_serializing_if = "is_utility")]
    pub category: Category,
}

pub(crate) const fn utility() -> Category {
    Category::Utility
}

fn is_utility(category: &Category) -> bool {
    *category == Category::Utility
}

impl Action {
    /// The lists of steps inside it, each with the name of its key.
    pub fn branches(&self) -> Vec<(&'static str, &[Step])> {
        match self {
            Self::If(it) => vec![("then", &it.then), ("else", &it.otherwise)],
            Self::WaitForReply(it) => vec![("then", &it.then), ("no_response", &it.no_response)],
            Self::Wait(_) | Self::Send(_) | Self::Sms(_) => Vec::new(),
        }
    }
}

impl Definition {
    /// The canonical JSON: what is stored.
    pub fn to_json(&self) -> String {
        // Strings, numbers, lists and maps with text keys: nothing here that JSON can't hold.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The hash of the canonical JSON.
    pub fn version(&self) -> FlowVersion {
        FlowVersion::of(self.to_json().as_bytes())
    }
}
