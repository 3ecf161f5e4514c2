//! What every channel is: something that makes one attempt to send one message and tells its outcome. No provider's detail.

use std::{future::Future, pin::Pin, time::Duration};

use tidegate_model::{
    MessageId,
    contact::WhatsappAddress,
    event::ProviderError,
    gate::SuppressionScope,
    message::{ChannelKind, Content},
};

/// The future of one attempt.
pub type SendFuture<'a> = Pin<Box<dyn Future<Output = SendResult> + Send + 'a>>;

/// Makes one attempt to send one message. It neither retries nor waits its turn.
pub trait Channel: Send + Sync {
    /// Which channel it is.
    fn kind(&self) -> ChannelKind;

    /// Makes one attempt. Dropping the future after its first poll leaves the outcome unknown: the request may have left.
    fn send(&self, outgoing: Outgoing) -> SendFuture<'_>;
}

/// One message to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// Our id. It travels with the message, and comes back in its statuses.
    pub id: MessageId,
    /// Where it goes.
    pub to: WhatsappAddress,
    /// What it says.
    pub content: Content,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendResult {
    /// The provider took it. That is no delivery.
    Accepted {
        /// The provider's id of the message.
        provider_id: String,
        /// The person's WhatsApp id (digits). It may differ from the number that was sent to (Brazil, Mexico): an alias of the contact.
        wa_id: Option<String>,
        /// The person's business-scoped user id, when the provider tells it.
        user_id: Option<String>,
        /// The provider took it, but holds it: its word (`held_for_quality_assessment`, `paused`). It goes out later, or fails by webhook.
        held: Option<String>,
    },
    /// It was certainly not sent.
    Refused(ProviderRefusal),
    /// The answer was lost after the request may have left: it may have been sent. Only an echo of our id tells.
    Unknown {
        /// What happened, for an operator.
        reason: String,
    },
}

impl SendResult {
    /// The same with the provider's words rewritten: it, or what stands between, may repeat a secret that it was sent.
    pub(crate) fn reworded(mut self, reword: impl Fn(String) -> String) -> Self {
        if let Self::Refused(refusal) = &mut self {
            refusal.title = reword(std::mem::take(&mut refusal.title));
            refusal.details = refusal.details.take().map(reword);
        }
        self
    }

    /// In a word, for logs: none of the provider's, which may hold personal data.
    pub(crate) fn word(&self) -> &str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Refused(refusal) => &refusal.code,
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// Makes an attempt, and notes what became of it.
pub(crate) async fn noted(sender: &str, message: MessageId, attempt: impl Future<Output = SendResult>) -> SendResult {
    let result = attempt.await;
    tracing::debug!(message.id = %message, sender.name = %sender, outcome = result.word(), "attempt made");
    result
}

/// Why an attempt was refused, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRefusal {
    /// The provider's code (`131056`). Without one: `http_` and the status, `connect` when the provider was not reached, `content` when
    /// the message cannot be sent as it is and nobody was asked.
    pub code: String,
    /// The provider's short words.
    pub title: String,
    /// The provider's longer words, or what the code means.
    pub details: Option<String>,
    /// HTTP status, when there was an answer. Nothing hangs on it: one code comes with several.
    pub http_status: Option<u16>,
    /// The provider's id of the message, when it gave one and refused all the same: what it tells of that id later is about this attempt.
    pub provider_id: Option<String>,
    /// What to do with the message.
    pub action: Action,
    /// What the refusal is about: everything in that scope would be refused alike.
    pub scope: Scope,
}

impl ProviderRefusal {
    /// As it is kept with the message.
    pub fn error(&self) -> ProviderError {
        ProviderError { code: self.code.clone(), title: Some(self.title.clone()), details: self.details.clone() }
    }
}

/// What to do with a message that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send it again, soon.
    Retry {
        /// Not before this; `None` leaves it to the caller's back-off.
        after: Option<Duration>,
    },
    /// Send it again a few times: if that does not help, the message is wrong.
    Try {
        /// Attempts in all.
        at_most: u16,
    },
    /// Send it again much later: trying sooner makes it worse.
    Defer {
        /// Not before this.
        after: Duration,
    },
    /// Say it with a template: the person's customer service window is closed.
    Template,
    /// WhatsApp cannot reach this person: SMS, where consent and policy allow.
    Sms,
    /// The address cannot be reached by this channel.
    Unreachable,
    /// Record the person's refusal and send nothing of the kind again.
    Suppress(SuppressionScope),
    /// An operator must act before anything in the refusal's scope can be sent.
    Pause,
    /// As [`Action::Pause`], for marketing only.
    PauseMarketing,
    /// The message is wrong as it is, and will be refused again.
    Fail,
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// This message.
    Message,
    /// Our number and this person.
    Pair,
    /// This person, from any number of ours.
    Recipient,
    /// This template in this language.
    Template,
    /// This WhatsApp Flow.
    Flow,
    /// Our number.
    Sender,
    /// The business account: all its numbers.
    Account,
    /// The app and its token.
    App,
}
