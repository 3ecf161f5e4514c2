//! A Calendly account, as far as Tidegate touches one: webhook subscriptions by its API v2, webhooks signed with the key that each was made with, tried again for a day,
//! and a subscription that is switched off when another one fails after that. Strict about tokens, scopes and parameters, with Calendly's errors; told to fail when wanted.
//!
//! Sources: <https://developer.calendly.com/api-docs/calendly-api/webhooks/create-webhook-subscription>,
//! <https://developer.calendly.com/api-docs/overview/webhooks/webhook-errors>, <https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures>.

mod api;
mod sending;

use crate::{config::StartError, server::serve};
use serde_json::Value;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};
use tidegate_clock::DomainClock;
use tokio::{net::TcpListener, task::JoinSet};

/// What a request meets instead of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendlyFailure {
    /// This status.
    Status(u16),
    /// It is done, and the answer is lost.
    LostAnswer,
}

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

/// A running account. Dropping it stops it.
pub struct CalendlyAccount {
    url: String,
    inside: Arc<Inside>,
    _serving: JoinSet<()>,
}

/// What the account's parts share.
pub(crate) struct Inside {
    clock: DomainClock,
    token: String,
    url: String,
    client: reqwest::Client,
    hooks: Mutex<Vec<CalendlyHook>>,
    /// Made so far: resources have numbers.
    made: Mutex<u64>,
    /// Webhooks that have not arrived.
    parcels: Mutex<Vec<sending::Parcel>>,
    heard: Mutex<Vec<String>>,
    failures: Mutex<VecDeque<CalendlyFailure>>,
    /// Nothing that it sends arrives.
    is_cut_off: AtomicBool,
}

impl CalendlyAccount {
    /// Opens an account whose administrator has this token, on the current tokio runtime.
    ///
    /// # Errors
    /// There is no port, or no HTTP client.
    pub async fn start(clock: DomainClock, token: &str) -> Result<Self, StartError> {
        let address = ([127, 0, 0, 1], 0).into();
        let failed = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let url = format!("http://{}", listener.local_addr().map_err(failed)?);
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build();
        let inside = Arc::new(Inside {
            clock,
            token: token.to_owned(),
            url: url.clone(),
            client: client.map_err(StartError::Client)?,
            hooks: Mutex::default(),
            made: Mutex::default(),
            parcels: Mutex::default(),
            heard: Mutex::default(),
            failures: Mutex::default(),
            is_cut_off: AtomicBool::new(false),
        });
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, api::router(Arc::clone(&inside))));
        Ok(Self { url, inside, _serving: serving })
    }

    /// Its host and port: what a connection names as `api_host`.
    pub fn authority(&self) -> &str {
        self.url.trim_start_matches("http://")
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
        lock(&self.inside.hooks).clone()
    }

    /// Whether nothing that it sends arrives.
    pub fn cut_off(&self, is_cut_off: bool) {
        self.inside.is_cut_off.store(is_cut_off, SeqCst);
    }

    /// The next requests meet this, one each.
    pub fn fail_next(&self, times: usize, failure: CalendlyFailure) {
        lock(&self.inside.failures).extend(std::iter::repeat_n(failure, times));
    }

    /// Requests so far, in their order: `201 POST /webhook_subscriptions`.
    pub fn heard(&self) -> Vec<String> {
        lock(&self.inside.heard).clone()
    }
}

impl Inside {
    fn now_s(&self) -> i64 {
        self.clock.now_ms().div_euclid(1_000)
    }

    fn user(&self) -> String {
        format!("{}/users/GBGBDCAADAEDCRZ2", self.url)
    }

    fn organization(&self) -> String {
        format!("{}/organizations/HCHCECBBEBFEDSA3", self.url)
    }

    fn next(&self) -> u64 {
        let mut made = lock(&self.made);
        *made += 1;
        *made
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for CalendlyAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CalendlyAccount").field("url", &self.url).finish_non_exhaustive()
    }
}
