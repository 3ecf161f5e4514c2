//! A HubSpot app and one account that let it in, as far as Tidegate touches them: the app's webhook settings and subscriptions, contacts and deals of the CRM, and
//! webhooks in arrays, tried ten times. Strict about tokens, fields and the rate, with HubSpot's errors; told to fail when wanted.
//!
//! Sources: <https://developers.hubspot.com/docs/api-reference/2026-03/webhooks/guide>, <https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/batch/read>,
//! <https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests>, <https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines>.

mod app;
mod crm;
mod sending;

use crate::{
    account::{Account, Answer, Asked, Inside, Provider, lock},
    config::StartError,
    oauth::{Oauth, OauthApp, bearer},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    sync::{Mutex, MutexGuard},
};
use tidegate_clock::DomainClock;

/// The app.
pub(crate) const APP_ID: u64 = 39_522_895;
/// The account.
pub(crate) const PORTAL_ID: u64 = 48_975_575;
/// Requests in ten seconds of an app in an account.
const RATE: usize = 110;
const RATE_WINDOW_MS: i64 = 10_000;

/// A running account.
pub type HubspotAccount = Account<Hubspot>;

/// What is HubSpot's own of an account.
pub struct Hubspot {
    token: String,
    secret: String,
    oauth: Option<Oauth>,
    shelf: Mutex<Shelf>,
}

/// A subscription of the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubspotHook {
    /// Its id.
    pub id: u64,
    /// `contact.propertyChange`.
    pub event: String,
    /// Which property, for changes of one.
    pub property: Option<String>,
    /// Whether it sends.
    pub active: bool,
}

/// What the app and the account hold.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    /// The app's settings, once it has some.
    aim: Option<Value>,
    hooks: Vec<HubspotHook>,
    /// By kind (`contacts`) and id.
    objects: BTreeMap<(&'static str, u64), Object>,
    made: u64,
    /// Changes that have not arrived, oldest first.
    waiting: Vec<sending::Batch>,
    /// When requests came in, in domain ms.
    asked_ms: VecDeque<i64>,
}

/// A contact or a deal.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    /// With the earlier values, the newest first, each with its domain ms.
    properties: BTreeMap<String, Vec<(String, i64)>>,
    /// Contacts that it belongs to.
    contacts: Vec<u64>,
    created_ms: i64,
    updated_ms: i64,
}

impl HubspotAccount {
    /// Opens an account in which an app has this access token; it signs with this secret. On the current tokio runtime.
    ///
    /// # Errors
    /// There is no port, or no HTTP client.
    pub async fn start(clock: DomainClock, token: &str, secret: &str) -> Result<Self, StartError> {
        Self::with(clock, token, secret, None).await
    }

    /// The same, where a person can let the app in.
    ///
    /// # Errors
    /// As [`HubspotAccount::start`].
    pub async fn start_with(clock: DomainClock, secret: &str, app: OauthApp) -> Result<Self, StartError> {
        Self::with(clock, "nobody has this token", secret, Some(Oauth::new(app))).await
    }

    async fn with(clock: DomainClock, token: &str, secret: &str, oauth: Option<Oauth>) -> Result<Self, StartError> {
        let (token, secret) = (token.to_owned(), secret.to_owned());
        Self::open(clock, Hubspot { token, secret, oauth, shelf: Mutex::default() }).await
    }

    /// The app's id.
    pub const fn app_id(&self) -> u64 {
        APP_ID
    }

    /// The account's id: what a connection names as its account.
    pub const fn portal_id(&self) -> u64 {
        PORTAL_ID
    }

    /// Somebody makes a contact, with these properties. Gives its id.
    pub fn make_contact(&self, properties: &Value) -> u64 {
        self.inside.make("contacts", properties, Vec::new())
    }

    /// Somebody makes a deal of a contact's. Gives its id.
    pub fn make_deal(&self, contact: u64, properties: &Value) -> u64 {
        self.inside.make("deals", properties, vec![contact])
    }

    /// A contact changes.
    pub fn change_contact(&self, id: u64, properties: &Value) {
        self.inside.change("contacts", id, properties);
    }

    /// A deal changes.
    pub fn change_deal(&self, id: u64, properties: &Value) {
        self.inside.change("deals", id, properties);
    }

    /// Tries everything that has not arrived, once.
    pub async fn send(&self) {
        self.inside.send().await;
    }

    /// Subscriptions of the app.
    pub fn subscriptions(&self) -> Vec<HubspotHook> {
        self.inside.shelf().hooks.clone()
    }

    /// Somebody takes every subscription to this kind of change away.
    pub fn forget(&self, event: &str) {
        self.inside.shelf().hooks.retain(|hook| hook.event != event);
    }

    /// Somebody switches every subscription to this kind of change on or off.
    pub fn switch(&self, event: &str, active: bool) {
        let mut shelf = self.inside.shelf();
        shelf.hooks.iter_mut().filter(|hook| hook.event == event).for_each(|hook| hook.active = active);
    }

    /// A person throws the app out.
    pub fn revoke(&self) {
        self.inside.own.oauth.iter().for_each(Oauth::revoke);
    }
}

/// HubSpot's form of an error.
pub(crate) fn refusal(status: u16, category: &str, message: &str) -> Answer {
    let id = "2b1e8a5c-0d0b-4b6a-9a55-3e5a4c8f1d21";
    Answer::json(status, &json!({"status": "error", "message": message, "correlationId": id, "category": category}))
}

impl Provider for Hubspot {
    /// Webhooks go out when they are told to: the day of their attempts is the test's.
    type Parcel = Infallible;

    async fn answer(inside: &Inside<Self>, asked: &Asked) -> Answer {
        let oauth = inside.own.oauth.as_ref();
        if let Some(answer) = oauth.and_then(|oauth| oauth.answer(asked, inside.now_s())) {
            return answer;
        }
        let token = bearer(asked);
        if token != inside.own.token && !oauth.is_some_and(|oauth| oauth.is_live(token, inside.now_s())) {
            let words = "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview";
            return refusal(401, "INVALID_AUTHENTICATION", words);
        }
        let mut shelf = inside.shelf();
        if !shelf.has_room(inside.clock.now_ms()) {
            return Self::throttled();
        }
        let answer = app::answer(&mut shelf, asked).or_else(|| crm::answer(&shelf, asked));
        answer.unwrap_or_else(|| refusal(404, "OBJECT_NOT_FOUND", "resource not found"))
    }

    fn failed(status: u16) -> Answer {
        refusal(status, "INTERNAL_ERROR", "internal error")
    }

    fn throttled() -> Answer {
        let message = "You have reached your ten_secondly_rolling limit.";
        let body = json!({"status": "error", "message": message, "errorType": "RATE_LIMIT", "correlationId": "c033cdaa", "policyName": "TEN_SECONDLY_ROLLING"});
        Answer::json(429, &body)
            .with("x-hubspot-ratelimit-max", RATE.to_string())
            .with("x-hubspot-ratelimit-remaining", "0".to_owned())
            .with("x-hubspot-ratelimit-interval-milliseconds", RATE_WINDOW_MS.to_string())
    }

    async fn deliver(_: &Inside<Self>, parcel: Infallible) {
        match parcel {}
    }
}

impl Inside<Hubspot> {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        lock(&self.own.shelf)
    }
}

impl Shelf {
    fn next_id(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// Whether another request fits the rate.
    fn has_room(&mut self, now_ms: i64) -> bool {
        self.asked_ms.retain(|at| now_ms - at < RATE_WINDOW_MS);
        let has_room = self.asked_ms.len() < RATE;
        if has_room {
            self.asked_ms.push_back(now_ms);
        }
        has_room
    }
}
