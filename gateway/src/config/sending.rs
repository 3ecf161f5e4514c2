//! `[sending]`: how long messages are worth sending, and what is done about providers that misbehave. Its own section, beside those who use it.

use super::ConfigFault;
use serde::{Deserialize, Serialize};
use tidegate_model::message::Category;

/// `[sending]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sending {
    /// How long an authentication message is worth sending, in seconds.
    pub authentication_life_s: u32,
    /// How long a utility message is worth sending, in seconds.
    pub utility_life_s: u32,
    /// How long a free-form answer is worth sending, in seconds.
    pub service_life_s: u32,
    /// How long a marketing message is worth sending, in seconds.
    pub marketing_life_s: u32,
    /// How long to wait for a status of a message whose outcome is unknown, in seconds.
    pub unknown_after_s: u32,
    /// What then becomes of utility and service messages.
    pub unknown_utility: UnknownPolicy,
    /// Attempts in a row without a good answer after which a sender is paused.
    pub failures_to_pause: u32,
    /// How long nothing is sent to an address that is not on WhatsApp, in seconds.
    pub no_whatsapp_s: u32,
}

/// What becomes of a message of which nobody knows whether it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UnknownPolicy {
    /// It stays unknown, for a person to see.
    Keep,
    /// It is sent once more: it may arrive twice.
    Resend,
    /// It is given up: it may not have arrived.
    Drop,
}

impl Sending {
    /// How long a message is worth sending, in milliseconds.
    pub(crate) fn life_ms(&self, category: Category) -> i64 {
        let seconds = match category {
            Category::Authentication => self.authentication_life_s,
            Category::Utility => self.utility_life_s,
            Category::Service => self.service_life_s,
            Category::Marketing => self.marketing_life_s,
        };
        i64::from(seconds) * 1_000
    }

    /// How long to wait for a status of an unknown message, in milliseconds.
    pub(crate) fn unknown_after_ms(&self) -> i64 {
        i64::from(self.unknown_after_s) * 1_000
    }

    /// How long an address counts as not on WhatsApp, in milliseconds.
    pub(crate) fn no_whatsapp_ms(&self) -> i64 {
        i64::from(self.no_whatsapp_s) * 1_000
    }

    pub(super) fn check(&self) -> Result<(), ConfigFault> {
        for (key, value) in [
            ("authentication_life_s", self.authentication_life_s),
            ("utility_life_s", self.utility_life_s),
            ("service_life_s", self.service_life_s),
            ("marketing_life_s", self.marketing_life_s),
            ("unknown_after_s", self.unknown_after_s),
            ("failures_to_pause", self.failures_to_pause),
        ] {
            if value == 0 {
                return Err(ConfigFault::key(format!("sending.{key}"), "must be 1 or more"));
            }
        }
        if self.unknown_after_s >= self.authentication_life_s {
            tracing::warn!(
                "sending.unknown_after_s is not below sending.authentication_life_s: authentication messages of unknown outcome are never sent again"
            );
        }
        Ok(())
    }
}
