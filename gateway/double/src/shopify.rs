//! A Shopify shop, as far as Tidegate touches one: subscriptions by the GraphQL Admin API, orders by the REST Admin API, webhooks sent when orders change, and a
//! subscription taken away after failures in a row. Strict about versions, tokens, fields and parameters, with Shopify's errors; told to fail when wanted.
//!
//! A delivery is tried once: what Shopify would try again over four hours is lost at once.
//!
//! Sources: <https://shopify.dev/docs/api/admin-graphql/2026-01/mutations/webhookSubscriptionCreate>, <https://shopify.dev/docs/api/admin-rest/latest/resources/order>,
//! <https://shopify.dev/docs/api/usage/limits>.

mod document;
mod graphql;
mod rest;
mod sending;
mod shelf;

use crate::{config::StartError, server::serve};
use serde_json::Value;
use shelf::Shelf;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};
use tidegate_clock::DomainClock;
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinSet,
};

pub use shelf::ShopHook;

/// What a request meets instead of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopFailure {
    /// This status; `Retry-After` as Shopify writes it (`2.0`) when it has one.
    Status(u16, Option<&'static str>),
    /// GraphQL's way to say that it is asked too much: 200, and the code `THROTTLED`.
    Throttled,
    /// It is done, and the answer is lost.
    LostAnswer,
}

/// A running shop. Dropping it stops it.
pub struct ShopifyShop {
    url: String,
    inside: Arc<Inside>,
    _serving: JoinSet<()>,
}

/// What the shop's parts share.
pub(crate) struct Inside {
    clock: DomainClock,
    token: String,
    /// The app's client secret: webhooks are signed with it.
    secret: String,
    /// The shop's name, which is its host.
    domain: String,
    client: reqwest::Client,
    shelf: Mutex<Shelf>,
    heard: Mutex<Vec<String>>,
    failures: Mutex<VecDeque<ShopFailure>>,
    /// Nothing that it sends arrives.
    is_cut_off: AtomicBool,
    /// Webhooks that are on their way.
    on_the_way: watch::Sender<usize>,
    outgoing: mpsc::UnboundedSender<sending::Parcel>,
}

impl ShopifyShop {
    /// Opens a shop for an app with this access token and client secret, on the current tokio runtime.
    ///
    /// # Errors
    /// There is no port, or no HTTP client.
    pub async fn start(clock: DomainClock, token: &str, secret: &str) -> Result<Self, StartError> {
        let address = ([127, 0, 0, 1], 0).into();
        let failed = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let domain = listener.local_addr().map_err(failed)?.to_string();
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build();
        let (outgoing, parcels) = mpsc::unbounded_channel();
        let inside = Arc::new(Inside {
            clock,
            token: token.to_owned(),
            secret: secret.to_owned(),
            domain: domain.clone(),
            client: client.map_err(StartError::Client)?,
            shelf: Mutex::default(),
            heard: Mutex::default(),
            failures: Mutex::default(),
            is_cut_off: AtomicBool::new(false),
            on_the_way: watch::Sender::new(0),
            outgoing,
        });
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, rest::router(Arc::clone(&inside))));
        serving.spawn(sending::carry(Arc::clone(&inside), parcels));
        Ok(Self { url: format!("http://{domain}"), inside, _serving: serving })
    }

    /// Its address, as `http://127.0.0.1:40123`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its host and port, which are its name: a connection's account.
    pub fn domain(&self) -> &str {
        &self.inside.domain
    }

    /// Somebody orders: the order gets an id and its times, and webhooks go out. Gives the id.
    pub fn place(&self, order: &Value) -> u64 {
        let (id, told) = self.inside.shelf().place(order, self.inside.now_s());
        self.inside.tell(told);
        id
    }

    /// An order changes: these fields are set, and webhooks go out for all that it means.
    ///
    /// # Panics
    /// There is no such order.
    pub fn change(&self, id: u64, with: &Value) {
        let told = self.inside.shelf().change(id, with, self.inside.now_s());
        self.inside.tell(told.unwrap_or_else(|| panic!("there is no order {id}")));
    }

    /// Its subscriptions, by id.
    pub fn subscriptions(&self) -> Vec<ShopHook> {
        self.inside.shelf().hooks.values().cloned().collect()
    }

    /// Whether nothing that it sends arrives.
    pub fn cut_off(&self, is_cut_off: bool) {
        self.inside.is_cut_off.store(is_cut_off, SeqCst);
    }

    /// The next requests meet this, one each.
    pub fn fail_next(&self, times: usize, failure: ShopFailure) {
        lock(&self.inside.failures).extend(std::iter::repeat_n(failure, times));
    }

    /// Requests so far, in their order: `200 GET /orders.json?limit=50`, `200 webhookSubscriptionCreate`.
    pub fn heard(&self) -> Vec<String> {
        lock(&self.inside.heard).clone()
    }

    /// Waits until no webhook is on its way.
    pub async fn settle(&self) {
        // The sender lives in what this handle holds: it cannot be gone.
        let _ = self.inside.on_the_way.subscribe().wait_for(|on_the_way| *on_the_way == 0).await;
    }
}

impl Inside {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        lock(&self.shelf)
    }

    fn now_s(&self) -> i64 {
        self.clock.now_ms().div_euclid(1_000)
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for ShopifyShop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShopifyShop").field("url", &self.url).finish_non_exhaustive()
    }
}
