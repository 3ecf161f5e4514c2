//! A Calendly account, as far as Tidegate touches one: webhook subscriptions by its API v2, webhooks signed with the key that each was made with, tried again for a day,
//! and a subscription that is switched off when another one fails after that. Strict about tokens, scopes and parameters, with Calendly's errors; told to fail when wanted.
//!
//! Sources: <https://developer.calendly.com/api-docs/calendly-api/webhooks/create-webhook-subscription>,
//! <https://developer.calendly.com/api-docs/overview/webhooks/webhook-errors>, <https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures>.

mod api;
mod sending;

use crate::{
    account::{Account, Answer, Asked, Inside, Provider, lock},
    config::StartError,
    oauth::{Oauth, OauthApp},
};
use serde_json::Value;
use std::{convert::Infallible, sync::Mutex};
use tidegate_clock::DomainClock;

/// A running account.
pub type CalendlyAccount = Account<Calendly>;

/// A webhook subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendlyHook {
    /// Its resource: an URL of the account's API.
    pub uri: String,
    /// Where it sends to.
    pub url: String,
    /// What it sends, sorted.
    pub events: Vec<String>,
    /// `organization` or `user`.
    pub scope: String,
    /// What it signs with; without one it does not sign.
    pub signing_key: Option<String>,
    /// Whether it was switched off.
    pub is_disabled: bool,
    /// Since when deliveries fail, in Unix seconds.
    failing_since: Option<i64>,
}

/// What is Calendly's own of an account.
pub struct Calendly {
    token: String,
    oauth: Option<Oauth>,
    hooks: Mutex<Vec<CalendlyHook>>,
    /// Made so far: resources have numbers.
    made: Mutex<u64>,
    /// Webhooks that have not arrived.
    parcels: Mutex<Vec<sending::Parcel>>,
}

impl CalendlyAccount {
    /// Opens an account whose administrator has this token, on the current tokio runtime. Its host and port are what a connection names as `api_host`.
    ///
    /// # Errors
    /// There is no port, or no HTTP client.
    pub async fn start(clock: DomainClock, token: &str) -> Result<Self, StartError> {
        Self::with(clock, token, None).await
    }

    /// The same, where an app is known that a person can let in.
    ///
    /// # Errors
    /// As [`CalendlyAccount::start`].
    pub async fn start_with(clock: DomainClock, token: &str, app: OauthApp) -> Result<Self, StartError> {
        Self::with(clock, token, Some(Oauth::new(app))).await
    }

    async fn with(clock: DomainClock, token: &str, oauth: Option<Oauth>) -> Result<Self, StartError> {
        let own = Calendly {
            token: token.to_owned(),
            oauth,
            hooks: Mutex::default(),
            made: Mutex::default(),
            parcels: Mutex::default(),
        };
        Self::open(clock, own).await
    }

    /// The next person who is asked to let the app in says no.
    pub fn say_no(&self) {
        self.inside.own.oauth.iter().for_each(Oauth::say_no);
    }

    /// A person throws the app out.
    pub fn revoke(&self) {
        self.inside.own.oauth.iter().for_each(Oauth::revoke);
    }

    /// Access tokens of the app end before their time.
    pub fn end_access(&self) {
        self.inside.own.oauth.iter().for_each(Oauth::end_access);
    }

    /// Something happens: `payload` goes out by every subscription to the event, at the next [`CalendlyAccount::send`].
    pub fn tell(&self, event: &str, payload: &Value) {
        self.inside.tell(event, payload);
    }

    /// Tries every webhook that has not arrived, once.
    pub async fn send(&self) {
        self.inside.send().await;
    }

    /// Its subscriptions.
    pub fn subscriptions(&self) -> Vec<CalendlyHook> {
        lock(&self.inside.own.hooks).clone()
    }
}

impl Provider for Calendly {
    /// Webhooks go out when they are told to: the day of their attempts is the test's.
    type Parcel = Infallible;

    async fn answer(inside: &Inside<Self>, asked: &Asked) -> Answer {
        api::answer(inside, asked)
    }

    fn failed(status: u16) -> Answer {
        api::refusal(status, "Unavailable", "Something went wrong.")
    }

    async fn deliver(_: &Inside<Self>, parcel: Infallible) {
        match parcel {}
    }
}

impl Inside<Calendly> {
    fn user(&self) -> String {
        format!("{}/users/GBGBDCAADAEDCRZ2", self.url())
    }

    fn organization(&self) -> String {
        format!("{}/organizations/HCHCECBBEBFEDSA3", self.url())
    }

    fn next(&self) -> u64 {
        let mut made = lock(&self.own.made);
        *made += 1;
        *made
    }
}
