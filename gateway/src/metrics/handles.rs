//! Handles: figures of one endpoint, plugin, sender or flow, found once, so that counting is one addition. And the words of their labels.

use super::{Counter, Gauge};
use prometheus_client::metrics::histogram::Histogram;

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
    /// Time of a call.
    pub call: Histogram,
    /// 1 while it is not called.
    pub paused: Gauge,
}

impl PluginMeter {
    /// Items that ended so.
    pub(crate) fn items(&self, outcome: Interpreted) -> &Counter {
        &self.items[outcome as usize]
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
