//! A message and its life: a ladder of states that never falls, and the decisions of the send gate.

mod life;

pub use life::{Draft, Reported};

use crate::{
    ContactId, EventId, MessageId, RunId, Timestamp,
    contact::WhatsappAddress,
    event::{Media, Pricing, ProviderError},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A channel that messages go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// WhatsApp.
    Whatsapp,
    /// SMS.
    Sms,
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whatsapp => "whatsapp",
            Self::Sms => "sms",
        })
    }
}

/// What kind of message it is: decides consent, hours and price. Set by the template or the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Promotion.
    Marketing,
    /// About something the person asked for: an order, an appointment.
    Utility,
    /// One-time codes.
    Authentication,
    /// A free-form answer in the customer service window.
    Service,
}

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the person.
    Outbound,
    /// From the person.
    Inbound,
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// From a person: received.
    Received,
    /// Waits for the send gate.
    Queued,
    /// The gate refused it, for good.
    Refused,
    /// The attempt is under way: written before the provider is called.
    Attempting,
    /// The provider's answer was lost: it may have been sent. An echo of our id resolves it.
    Unknown,
    /// The provider took it.
    Accepted,
    /// It left the provider.
    Sent,
    /// It reached the device.
    Delivered,
    /// The person read it.
    Read,
    /// It will not arrive.
    Failed,
}

impl State {
    /// Its height on the ladder.
    const fn rank(self) -> u8 {
        match self {
            Self::Received | Self::Queued => 0,
            Self::Attempting => 1,
            Self::Unknown => 2,
            Self::Accepted => 3,
            Self::Sent => 4,
            // Below delivered and read: Meta may report a failure of one device after another received it.
            Self::Failed | Self::Refused => 5,
            Self::Delivered => 6,
            Self::Read => 7,
        }
    }

    /// Whether nothing further is expected.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Received | Self::Refused | Self::Failed | Self::Read)
    }

    /// The state that a provider's word means; `None` for a word of no state.
    pub fn from_provider(word: &str) -> Option<Self> {
        Some(match word {
            "accepted" => Self::Accepted,
            "sent" => Self::Sent,
            "delivered" => Self::Delivered,
            // `played`: a voice message was heard.
            "read" | "played" => Self::Read,
            "failed" => Self::Failed,
            _ => return None,
        })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Received => "received",
            Self::Queued => "queued",
            Self::Refused => "refused",
            Self::Attempting => "attempting",
            Self::Unknown => "unknown",
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
        };
        f.pad(text)
    }
}

/// One step in a message's life, also one that did not move the ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The state that was reported.
    pub state: State,
    /// When, by its reporter's time.
    pub at: Timestamp,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What a message says.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Content {
    /// An approved template.
    Template {
        /// Name at the provider.
        name: String,
        /// Language code at the provider (`en_US`).
        language: String,
        /// Values of the body's variables, in order; each with its name when the template has named ones.
        parameters: Vec<Parameter>,
        /// The text as the person reads it.
        text: String,
    },
    /// Free-form text.
    Text {
        /// The text.
        text: String,
    },
    /// What a person sent.
    Received {
        /// `text`, `image`, `button`, …
        message_type: String,
        /// Text, caption or title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Machine value of a button or row.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_id: Option<String>,
        /// Media.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        media: Option<Media>,
    },
}

impl Content {
    /// The text as the person reads (or wrote) it.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Template { text, .. } | Self::Text { text } => Some(text),
            Self::Received { text, .. } => text.as_deref(),
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Template { name, language, .. } => write!(f, "Template({name}, {language})"),
            Self::Text { .. } => f.write_str("Text(***)"),
            Self::Received { message_type, .. } => write!(f, "Received({message_type})"),
        }
    }
}

/// One variable of a template.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name, when the template has named variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its value.
    pub value: String,
}

impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parameter({:?})", self.name)
    }
}

/// A decision of the send gate, in words an operator understands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateDecision {
    /// When.
    pub at: Timestamp,
    /// What.
    pub verdict: Verdict,
    /// The check that decided (`suppression`, `window`, …); `all` when every check let it pass.
    pub check: String,
    /// Why, for an operator.
    pub reason: String,
}

/// What the gate decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may go.
    Sent,
    /// It waits until then, and the whole gate runs again.
    DeferredUntil(Timestamp),
    /// It never goes.
    Refused,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Id; it travels with the message as `biz_opaque_callback_data`.
    pub id: MessageId,
    /// Which way.
    pub direction: Direction,
    /// Channel.
    pub channel: ChannelKind,
    /// Our sender's name in the configuration.
    pub sender: String,
    /// The other side.
    pub contact: ContactId,
    /// Where it goes, or came from; none when the contact has no address on the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<WhatsappAddress>,
    /// Its category.
    pub category: Category,
    /// What it says.
    pub content: Content,
    /// Where it stands.
    pub state: State,
    /// Its life so far, oldest first.
    pub history: Vec<Step>,
    /// Every decision of the gate, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gate: Vec<GateDecision>,
    /// Attempts made.
    #[serde(default)]
    pub attempts: u16,
    /// Refusals that were said to pass, after each of which it is tried again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: u16,
    /// Attempts that were made again because nobody knew what became of the one before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub resends: u16,
    /// Not to be tried before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Its attempt tries whether something that is paused works again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub probe: bool,
    /// Id at the provider, of the last attempt that was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// Ids at the provider of attempts that are over: another one follows, or followed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<String>,
    /// Why it failed, in the provider's words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProviderError>,
    /// What it cost, as the provider says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pricing: Option<Pricing>,
    /// The event it goes back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventId>,
    /// The run that sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The flow's step that sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is no longer worth sending.
    pub expires_at: Timestamp,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &u16) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests;
