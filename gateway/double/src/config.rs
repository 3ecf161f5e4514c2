//! What a double is started with: numbers, templates, manners. Everything is checked at start, with the wrong entry named.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
};

use serde::{Deserialize, Serialize};
use tidegate_clock::DomainClock;

use crate::{
    graph::text::placeholders,
    twilio::{self, TwilioAccount},
};

/// Everything a double is made of.
#[derive(Debug, Clone)]
pub struct DoubleConfig {
    /// Where it listens: this machine only. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The domain clock: windows, limits, statuses and repeats run by it.
    pub clock: DomainClock,
    /// Ids derive from it: the same requests in the same order get the same ids.
    pub seed: u64,
    /// Business numbers.
    pub numbers: Vec<Number>,
    /// Accounts that send SMS.
    pub twilio: Vec<TwilioAccount>,
    /// Approved templates, shared by all numbers.
    pub templates: Vec<Template>,
    /// When statuses come.
    pub delays: Delays,
    /// How a free-form message outside the window is refused.
    pub window: WindowRule,
    /// Which limits hold.
    pub limits: Limits,
    /// Webhooks in flight at once. What concerns one person goes in order, one at a time.
    pub lanes: usize,
    /// Most updates in one webhook. Meta batches up to 1000, and promises nothing.
    pub batch: usize,
}

impl DoubleConfig {
    /// A double with nothing in it: on a free port, statuses after 1, 2 and 5 seconds, no limits.
    pub fn new(clock: DomainClock) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            clock,
            seed: 1,
            numbers: Vec::new(),
            twilio: Vec::new(),
            templates: Vec::new(),
            delays: Delays::default(),
            window: WindowRule::default(),
            limits: Limits::default(),
            lanes: 16,
            batch: 1,
        }
    }

    pub(crate) fn check(&self) -> Result<(), StartError> {
        if !self.listen.ip().is_loopback() {
            return Err(StartError::NotThisMachine(self.listen));
        }
        if self.lanes == 0 || self.batch == 0 {
            return Err(StartError::Zero);
        }
        for (place, number) in self.numbers.iter().enumerate() {
            number.check(&self.numbers[..place])?;
        }
        for account in &self.twilio {
            if let Some(reason) = twilio::check(account) {
                return Err(StartError::Account { sid: account.account_sid.clone(), reason });
            }
        }
        self.templates.iter().try_for_each(Template::check)
    }
}

/// One business number, its account and its app.
#[derive(Clone, Deserialize)]
pub struct Number {
    /// Meta's id of the number (digits).
    pub phone_number_id: String,
    /// Id of the business account it belongs to.
    pub waba_id: String,
    /// The number itself, digits with the country code.
    pub display_phone_number: String,
    /// The only token that may send by it.
    pub access_token: String,
    /// Key of the webhooks' signatures.
    pub app_secret: String,
    /// Where webhooks go; without one nothing is delivered.
    pub webhook_url: Option<String>,
}

impl Number {
    fn check(&self, before: &[Self]) -> Result<(), StartError> {
        let wrong = |reason| Err(StartError::Number { id: self.phone_number_id.clone(), reason });
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(&self.phone_number_id) || !digits(&self.display_phone_number) {
            return wrong("phone_number_id and display_phone_number are digits");
        }
        if self.access_token.is_empty() || self.app_secret.is_empty() {
            return wrong("access_token and app_secret may not be empty");
        }
        if self.webhook_url.as_deref().is_some_and(|url| reqwest::Url::parse(url).is_err()) {
            return wrong("webhook_url cannot be read as an address");
        }
        if before.iter().any(|other| other.phone_number_id == self.phone_number_id) {
            return wrong("another number has this phone_number_id");
        }
        Ok(())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Number")
            .field("phone_number_id", &self.phone_number_id)
            .field("waba_id", &self.waba_id)
            .finish_non_exhaustive()
    }
}

/// An approved template in one language.
#[derive(Debug, Clone, Deserialize)]
pub struct Template {
    /// Name: lower-case letters, digits and `_`.
    pub name: String,
    /// Language code, as `en_US`.
    pub language: String,
    /// Variables of its body.
    pub parameters: Parameters,
    /// Its category, which the price follows.
    pub category: Category,
    /// Its body, with `{{1}}` or `{{name}}` where values go.
    pub body: String,
}

impl Template {
    fn check(&self) -> Result<(), StartError> {
        let wrong = |reason| Err(StartError::Template { name: self.name.clone(), reason });
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if self.name.is_empty() || !self.name.bytes().all(good) {
            return wrong("a name has lower-case letters, digits and `_`");
        }
        let mut held = placeholders(&self.body);
        let mut wanted = self.parameters.names();
        held.sort_unstable();
        held.dedup();
        wanted.sort_unstable();
        if held != wanted {
            return wrong("the body's placeholders are not the parameters");
        }
        Ok(())
    }
}

/// The variables of a template's body.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Parameters {
    /// So many, `{{1}}` and on.
    Positional(usize),
    /// By name.
    Named(Vec<String>),
}

impl Parameters {
    /// What stands between the braces, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        match self {
            Self::Positional(count) => (1..=*count).map(|place| place.to_string()).collect(),
            Self::Named(names) => names.clone(),
        }
    }
}

/// The category of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Promotion.
    Marketing,
    /// About something the person asked for.
    Utility,
    /// One-time codes.
    Authentication,
    /// Free-form messages; no template's.
    Service,
}

/// When statuses come, in domain milliseconds after a message was taken. `None` never comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Delays {
    /// `sent`, or `failed`.
    pub sent_ms: i64,
    /// `delivered`.
    pub delivered_ms: Option<i64>,
    /// `read`.
    pub read_ms: Option<i64>,
}

impl Default for Delays {
    fn default() -> Self {
        Self { sent_ms: 1_000, delivered_ms: Some(2_000), read_ms: Some(5_000) }
    }
}

/// How a free-form message outside the customer service window is refused. Meta does both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowRule {
    /// Taken, then `failed` with 131047 by webhook.
    #[default]
    Webhook,
    /// Answered with error 131047.
    Answer,
}

/// Limits of the provider. None hold unless asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub struct Limits {
    /// To one person: 45 at once, then one in 6 seconds. Over it: 131056.
    pub pair: bool,
    /// By one number, messages a second. Over it: 130429. Meta's default is 80.
    pub per_second: Option<u32>,
}

/// A double cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It would listen to the network.
    #[error("the double listens on this machine only, not on {0}: its scripts need no password; use 127.0.0.1")]
    NotThisMachine(SocketAddr),
    /// Nothing would ever be delivered.
    #[error("lanes and batch are at least 1")]
    Zero,
    /// A number is wrong.
    #[error("number {id:?}: {reason}")]
    Number {
        /// Its id.
        id: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// An account is wrong.
    #[error("account {sid:?}: {reason}")]
    Account {
        /// Its SID.
        sid: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A template is wrong.
    #[error("template {name:?}: {reason}")]
    Template {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The address is taken.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The client for webhooks cannot be made.
    #[error("the HTTP client for webhooks cannot be made")]
    Client(#[source] reqwest::Error),
}
