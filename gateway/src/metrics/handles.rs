//! Handles: figures of one endpoint, plugin, sender or flow, found once, so that counting is one addition. And the words of their labels.

use super::{Counter, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use tidegate_fetch::Fetched;
use tidegate_model::outcome::Answer;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$case_doc:meta])* $case:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($(#[$case_doc])* $case),* }

        impl $name {
            pub(super) const ALL: &'static [Self] = &[$(Self::$case),*];

            pub(super) const fn word(self) -> &'static str {
                match self { $(Self::$case => $word),* }
            }
        }
    )*};
}

words! {
    /// What became of a webhook.
    Taken {
        /// It is on disk.
        Accepted = "accepted",
        /// It was taken before.
        Repeat = "repeat",
        /// It is one that the provider never signs: it was answered, and not stored.
        Ping = "ping",
        /// It is not authentic.
        Refused = "refused",
        /// Its body is over the limit.
        TooLarge = "too_large",
        /// Its body ended early.
        Unreadable = "unreadable",
        /// The gateway takes none now.
        Unavailable = "unavailable",
        /// A fault of the gateway.
        Failed = "failed",
    }
    /// Why a webhook is not authentic.
    RefusedFor {
        /// It is not signed.
        Missing = "missing",
        /// It has two signatures.
        Repeated = "repeated",
        /// It is signed in another form.
        Malformed = "malformed",
        /// It is signed with another secret, or was changed.
        Mismatch = "mismatch",
        /// It was signed too long ago.
        Stale = "stale",
        /// The scheme itself is at fault.
        Scheme = "scheme",
    }
    /// What became of an item.
    Interpreted {
        /// It became events.
        Done = "done",
        /// It waits for answers of its provider.
        Waiting = "waiting",
        /// The plugin had no use for it.
        Skipped = "skipped",
        /// The plugin could not interpret it: it is parked.
        Failed = "failed",
        /// It could not be cut or routed: it is parked.
        Parked = "parked",
        /// It came before.
        Duplicate = "duplicate",
    }
    /// What a provider said to an attempt.
    Attempted {
        /// It took the message.
        Accepted = "accepted",
        /// It did not.
        Refused = "refused",
        /// Its answer was lost.
        Unknown = "unknown",
    }
    /// What became of a request for a plugin.
    FetchEnd {
        /// The provider answered.
        Answered = "answered",
        /// There will be no answer: the plugin is told why.
        Failed = "failed",
        /// There was no answer yet: it is tried again.
        Later = "later",
        /// It is not granted: it was not made.
        Refused = "refused",
    }
    /// How a run ended.
    RunEnd {
        /// It came to its end.
        Completed = "completed",
        /// It never began: its entry condition was false.
        NotEntered = "not_entered",
        /// It could not go on.
        Failed = "failed",
        /// A person ended it.
        Stopped = "stopped",
    }
}

/// Handles of an endpoint.
#[derive(Debug, Clone)]
pub(crate) struct EndpointMeter {
    pub(super) webhooks: Vec<Counter>,
    pub(super) refused: Vec<Counter>,
    /// Time from the head of a request to its being on disk.
    pub receive: Histogram,
}

impl EndpointMeter {
    /// Webhooks that ended so.
    pub(crate) fn webhooks(&self, taken: Taken) -> &Counter {
        &self.webhooks[taken as usize]
    }

    /// Webhooks that were refused for this.
    pub(crate) fn refused(&self, reason: RefusedFor) -> &Counter {
        &self.refused[reason as usize]
    }
}

/// Handles of a plugin.
#[derive(Debug, Clone)]
pub(crate) struct PluginMeter {
    pub(super) items: Vec<Counter>,
    pub(super) fetches: Vec<Counter>,
    /// Time of a call.
    pub call: Histogram,
    /// Time of the requests that an item waited for, waiting for a turn included.
    pub fetch: Histogram,
    /// 1 while it is not called.
    pub paused: Gauge,
}

impl PluginMeter {
    /// Items that ended so.
    pub(crate) fn items(&self, outcome: Interpreted) -> &Counter {
        &self.items[outcome as usize]
    }

    /// Requests for it that ended so.
    pub(crate) fn fetched(&self, fetched: &Fetched) -> &Counter {
        let end = match fetched {
            Fetched::Answer(Answer::Response { .. }) => FetchEnd::Answered,
            Fetched::Answer(Answer::Failed(_)) => FetchEnd::Failed,
            Fetched::Later { .. } => FetchEnd::Later,
            Fetched::Refused(_) | Fetched::Unauthorized(_) => FetchEnd::Refused,
        };
        &self.fetches[end as usize]
    }
}

/// Handles of a sender.
#[derive(Debug, Clone)]
pub(crate) struct SenderMeter {
    pub(super) attempts: Vec<Counter>,
    /// Time of an attempt.
    pub send: Histogram,
    /// 1 while nothing is sent by it.
    pub paused: Gauge,
}

impl SenderMeter {
    /// Attempts that ended so.
    pub(crate) fn attempts(&self, result: Attempted) -> &Counter {
        &self.attempts[result as usize]
    }
}

/// Handles of a flow.
#[derive(Debug, Clone)]
pub(crate) struct FlowMeter {
    /// Runs that were started.
    pub started: Counter,
    pub(super) ended: Vec<Counter>,
}

impl FlowMeter {
    /// Runs that ended so.
    pub(crate) fn ended(&self, end: RunEnd) -> &Counter {
        &self.ended[end as usize]
    }
}
