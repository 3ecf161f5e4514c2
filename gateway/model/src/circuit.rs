//! Circuits: what is known not to work is not tried again and again. It knows no provider and no storage.
//!
//! While one is open the messages of its scope wait; after a pause one of them tries (the probe), and its success closes the circuit.

use crate::{ContactId, MessageId, Timestamp, message::Category};
use serde::{Deserialize, Serialize};
use std::fmt;

/// First pause after a refusal that a person must act upon.
const REFUSED_MS: i64 = 5 * 60_000;
/// First pause of a sender whose provider does not answer as it should.
const TROUBLE_MS: i64 = 30_000;
/// Shortest pause of a limit.
const LIMIT_MS: i64 = 1_000;
/// Longest pause between two probes. What waits looks again within this time, whatever it waits for.
pub const LONGEST_PAUSE_MS: i64 = 3_600_000;
/// Longest pause of a sender in trouble: a provider that is back should not wait long for us.
const LONGEST_TROUBLE_MS: i64 = 10 * 60_000;
/// How soon to look again when a probe is under way.
const PROBE_LOOK_MS: i64 = 15_000;
/// After this a probe of which nothing was heard counts for nothing: longer than any attempt may take.
const PROBE_LOST_MS: i64 = 10 * 60_000;

/// What a circuit is about: everything that would fail alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum CircuitScope {
    /// Every sender with this access token.
    App {
        /// A digest of the token.
        app: String,
    },
    /// Every sender of this business account.
    Account {
        /// The account, or a digest of the token where it is not known.
        account: String,
    },
    /// One sender.
    Sender {
        /// Its number in the registry.
        sender: u32,
    },
    /// One template in one language.
    Template {
        /// The account that it belongs to.
        account: String,
        /// Name.
        name: String,
        /// Language.
        language: String,
    },
    /// One sender and one person.
    Pair {
        /// The sender's number in the registry.
        sender: u32,
        /// The person.
        contact: ContactId,
    },
}

impl CircuitScope {
    /// Its place in storage: one text for each scope.
    pub fn key(&self) -> String {
        match self {
            Self::App { app } => format!("app/{app}"),
            Self::Account { account } => format!("account/{account}"),
            Self::Sender { sender } => format!("sender/{sender}"),
            Self::Template { account, name, language } => format!("template/{account}/{name}/{language}"),
            Self::Pair { sender, contact } => format!("pair/{sender}/{contact}"),
        }
    }
}

impl fmt::Display for CircuitScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::App { .. } => f.write_str("the app and its token"),
            Self::Account { .. } => f.write_str("the business account"),
            Self::Sender { .. } => f.write_str("the sender"),
            Self::Template { name, language, .. } => write!(f, "the template {name} ({language})"),
            Self::Pair { .. } => f.write_str("the sender to this person"),
        }
    }
}

/// Why a circuit is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A limit was reached; it passes.
    Limit,
    /// The provider refuses, and a person must act.
    Refusal,
    /// The provider is not reached, does not answer, or fails.
    Trouble,
    /// An operator wants it so. Nothing but an operator ends it.
    Operator,
}

/// What opens a circuit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trip {
    /// Why.
    pub cause: Cause,
    /// The provider's code, or a word of ours.
    pub code: String,
    /// In words, for an operator.
    pub reason: String,
    /// Only marketing waits.
    pub marketing_only: bool,
    /// The pause that the provider wants; `None` for the usual one.
    pub pause_ms: Option<i64>,
}

impl Trip {
    /// How long the first pause is; `None` for one without probes.
    pub fn first_pause_ms(&self) -> Option<i64> {
        let usual = match self.cause {
            Cause::Limit => LIMIT_MS,
            Cause::Refusal => REFUSED_MS,
            Cause::Trouble => TROUBLE_MS,
            Cause::Operator => return None,
        };
        Some(self.pause_ms.unwrap_or(usual).max(LIMIT_MS))
    }
}

/// An open circuit. A closed one is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circuit {
    /// What it is about.
    pub scope: CircuitScope,
    /// Why.
    pub cause: Cause,
    /// The provider's code, or a word of ours.
    pub code: String,
    /// In words.
    pub reason: String,
    /// Only marketing waits.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub marketing_only: bool,
    /// Since when.
    pub since: Timestamp,
    /// Probes that failed, one after the other.
    #[serde(default)]
    pub failed_probes: u32,
    /// The pause that is under way, in milliseconds.
    pub pause_ms: i64,
    /// When one message may try; `None` when only an operator ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_probe_at: Option<Timestamp>,
    /// The message that tries now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
}

/// A message that tries whether it works again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Which.
    pub message: MessageId,
    /// Since when.
    pub at: Timestamp,
}

impl Circuit {
    /// Opens.
    pub fn open(scope: CircuitScope, trip: &Trip, now: Timestamp) -> Self {
        let pause_ms = trip.first_pause_ms();
        Self {
            scope,
            cause: trip.cause,
            code: trip.code.clone(),
            reason: trip.reason.clone(),
            marketing_only: trip.marketing_only,
            since: now,
            failed_probes: 0,
            pause_ms: pause_ms.unwrap_or(LONGEST_PAUSE_MS),
            next_probe_at: pause_ms.map(|pause| now.plus_ms(pause)),
            probe: None,
        }
    }

    /// Whether messages of this category wait for it.
    pub fn holds(&self, category: Category) -> bool {
        !self.marketing_only || category == Category::Marketing
    }

    /// Until when a message has to wait, to look again then; `None` when it may go, as the probe.
    pub fn waits_until(&self, now: Timestamp) -> Option<Timestamp> {
        let latest = now.plus_ms(LONGEST_PAUSE_MS);
        match (self.next_probe_at, self.probe) {
            (None, _) => Some(latest),
            (Some(_), Some(probe)) if now < probe.at.plus_ms(PROBE_LOST_MS) => Some(now.plus_ms(PROBE_LOOK_MS)),
            (Some(at), _) if now < at => Some(at.min(latest)),
            (Some(_), _) => None,
        }
    }

    /// Whether this message is its probe.
    pub fn is_probed_by(&self, message: MessageId) -> bool {
        self.probe.is_some_and(|probe| probe.message == message)
    }

    /// A message goes out to try.
    pub fn begin_probe(&mut self, message: MessageId, now: Timestamp) {
        self.probe = Some(Probe { message, at: now });
    }

    /// The probe failed: the next pause is longer. A new word of the provider's replaces the old one.
    pub fn probe_failed(&mut self, trip: Option<&Trip>, now: Timestamp) {
        self.failed_probes = self.failed_probes.saturating_add(1);
        let longest = if self.cause == Cause::Trouble { LONGEST_TROUBLE_MS } else { LONGEST_PAUSE_MS };
        // Meta: after the limit of a pair wait 4^X seconds, X = 1, 2, 3…
        let factor = if matches!(self.scope, CircuitScope::Pair { .. }) { 4 } else { 2 };
        let grown = self.pause_ms.saturating_mul(factor).min(longest);
        let asked = trip.and_then(|trip| trip.pause_ms).unwrap_or(0);
        if let Some(trip) = trip {
            self.code.clone_from(&trip.code);
            self.reason.clone_from(&trip.reason);
            self.marketing_only = trip.marketing_only;
            self.cause = trip.cause;
        }
        self.pause(grown.max(asked), now);
    }

    /// The probe told nothing about this: another one tries after the same pause.
    pub fn probe_told_nothing(&mut self, now: Timestamp) {
        self.pause(self.pause_ms, now);
    }

    fn pause(&mut self, pause_ms: i64, now: Timestamp) {
        self.probe = None;
        self.pause_ms = pause_ms;
        self.next_probe_at = self.next_probe_at.map(|_| now.plus_ms(pause_ms));
    }

    /// Why messages wait, for an operator.
    pub fn words(&self) -> String {
        let what = if self.marketing_only { "marketing of " } else { "" };
        let next = match (self.cause, self.next_probe_at) {
            (_, None) => "until an operator resumes it".to_owned(),
            (Cause::Limit, Some(at)) => format!("until {at}"),
            (_, Some(at)) => format!("one message tries again at {at}"),
        };
        format!("{what}{} is paused since {}: {} ({}); {next}", self.scope, self.since, self.reason, self.code)
    }
}

#[cfg(test)]
mod tests;
