//! The provider's side of a connection, as the host understands it: what is asked of a plugin's connector, and what it answers.

use crate::{
    Timestamp,
    outcome::{Failure, Request},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// In the body of a request that writes: the secret that the gateway made for the connection.
pub const SECRET_PLACEHOLDER: &str = "{{webhook_secret}}";
/// In the body of a request that writes: the token that the endpoint proves itself with.
pub const VERIFY_TOKEN_PLACEHOLDER: &str = "{{verify_token}}";

/// What the host wants of the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Look, and change nothing.
    Check(Target),
    /// Have the provider send these topics.
    Subscribe(Target),
    /// Have it send these topics no more.
    Unsubscribe(Target),
    /// Read what changed.
    Backfill(Span),
}

impl Task {
    /// Whether it may change something at the provider.
    pub const fn writes(&self) -> bool {
        matches!(self, Self::Subscribe(_) | Self::Unsubscribe(_))
    }
}

/// Where webhooks go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The endpoint's URL.
    pub url: String,
    /// Topics, in the provider's words.
    pub topics: Vec<String>,
}

/// What to read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// What changed at this moment or later.
    pub since: Timestamp,
    /// The page before gave this.
    pub cursor: Option<String>,
}

/// What comes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Requests that are made in their order.
    Need(Vec<Request>),
    /// The task is done.
    Done(Report),
    /// It can't be done.
    Failed(Failure),
}

/// What was found or done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The provider's subscriptions.
    pub subscriptions: Vec<Subscription>,
    /// What an operator should know.
    pub findings: Vec<Finding>,
    /// What a page holds, oldest first.
    pub items: Vec<FoundItem>,
    /// What to ask for the next page with.
    pub cursor: Option<String>,
}

/// One subscription at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its id there.
    pub id: String,
    /// Its topic.
    pub topic: String,
    /// Whether it sends.
    pub state: SubscriptionState,
    /// Why it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether a subscription sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionState {
    /// It does.
    Active,
    /// Somebody paused it.
    Paused,
    /// The provider switched it off.
    Disabled,
}

impl fmt::Display for SubscriptionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        })
    }
}

/// Something that an operator should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How serious.
    pub severity: Severity,
    /// What is so.
    pub problem: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    /// Worth knowing.
    pub fn note(problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { severity: Severity::Note, problem: problem.into(), advice: Some(advice.into()) }
    }

    /// Something is missed.
    pub fn problem(problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { severity: Severity::Problem, problem: problem.into(), advice: Some(advice.into()) }
    }

    /// Something may be missed.
    pub fn warning(problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, problem: problem.into(), advice: Some(advice.into()) }
    }
}

/// How serious a finding is; the last is the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Something may be missed.
    Warning,
    /// Something is missed.
    Problem,
}

/// What a webhook would have brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundItem {
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}
