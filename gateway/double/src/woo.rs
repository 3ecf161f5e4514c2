//! A WooCommerce store, as far as Tidegate touches one: webhooks and orders by its REST API v3, webhooks sent when orders change, and switched off after failures in
//! a row. Strict about keys and parameters, with WordPress's errors; told to fail when wanted.
//!
//! Sources: <https://github.com/woocommerce/woocommerce/blob/trunk/plugins/woocommerce/includes/class-wc-webhook.php> and
//! <https://github.com/woocommerce/woocommerce-rest-api-docs>, version wc/v3.

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

pub use shelf::{Hook, HookStatus};

/// What a request meets instead of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreFailure {
    /// This status, with WordPress's page for it; `Retry-After` when it has one.
    Status(u16, Option<u64>),
    /// It is done, and the answer is lost.
    LostAnswer,
}

/// A request that the store was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// `GET /webhooks`, without the API's root and the query.
    pub what: String,
    /// The query.
    pub query: String,
    /// The status that it was answered with; 0 when the answer was lost.
    pub status: u16,
}

/// A running store. Dropping it stops it.
pub struct WooStore {
    url: String,
    inside: Arc<Inside>,
    _serving: JoinSet<()>,
}

/// What the store's parts share.
pub(crate) struct Inside {
    clock: DomainClock,
    key: String,
    secret: String,
    /// Its address with a slash at the end, as its webhooks name it.
    home: String,
    client: reqwest::Client,
    shelf: Mutex<Shelf>,
    heard: Mutex<Vec<Heard>>,
    failures: Mutex<VecDeque<StoreFailure>>,
    /// Nothing that it sends arrives.
    is_cut_off: AtomicBool,
    /// Writes that are still answered; later ones are done, and their answers held back. `None` answers all.
    answered: watch::Sender<Option<usize>>,
    /// Answers that are held back.
    held_back: watch::Sender<usize>,
    /// Webhooks that are on their way.
    on_the_way: watch::Sender<usize>,
    outgoing: mpsc::UnboundedSender<sending::Parcel>,
}

impl WooStore {
    /// Opens a store that takes this key and secret, on the current tokio runtime.
    ///
    /// # Errors
    /// There is no port, or no HTTP client.
    pub async fn start(clock: DomainClock, key: &str, secret: &str) -> Result<Self, StartError> {
        let address = ([127, 0, 0, 1], 0).into();
        let failed = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let url = format!("http://{}", listener.local_addr().map_err(failed)?);
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build();
        let (outgoing, parcels) = mpsc::unbounded_channel();
        let inside = Arc::new(Inside {
            clock,
            key: key.to_owned(),
            secret: secret.to_owned(),
            home: format!("{url}/"),
            client: client.map_err(StartError::Client)?,
            shelf: Mutex::default(),
            heard: Mutex::default(),
            failures: Mutex::default(),
            is_cut_off: AtomicBool::new(false),
            answered: watch::Sender::new(None),
            held_back: watch::Sender::new(0),
            on_the_way: watch::Sender::new(0),
            outgoing,
        });
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, rest::router(Arc::clone(&inside))));
        serving.spawn(sending::carry(Arc::clone(&inside), parcels));
        Ok(Self { url, inside, _serving: serving })
    }

    /// Its address, as `http://127.0.0.1:40123`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its host and port.
    pub fn authority(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Somebody orders: the order gets an id and its times, and a webhook goes out. Gives the id.
    pub fn place(&self, order: &Value) -> u64 {
        let (id, order) = self.inside.shelf().place(order, self.inside.now_s(), &self.inside.home);
        self.inside.tell("order.created", &order);
        id
    }

    /// An order changes: these fields are set, and a webhook goes out.
    ///
    /// # Panics
    /// There is no such order.
    pub fn change(&self, id: u64, with: &Value) {
        let order = self.inside.shelf().change(id, with, self.inside.now_s());
        self.inside.tell("order.updated", &order.unwrap_or_else(|| panic!("there is no order {id}")));
    }

    /// Its webhooks, by id.
    pub fn webhooks(&self) -> Vec<Hook> {
        self.inside.shelf().hooks.values().cloned().collect()
    }

    /// An administrator sets the status of a webhook.
    pub fn set_status(&self, id: u64, status: HookStatus) {
        if let Some(hook) = self.inside.shelf().hooks.get_mut(&id) {
            hook.status = status;
        }
    }

    /// Whether nothing that it sends arrives.
    pub fn cut_off(&self, is_cut_off: bool) {
        self.inside.is_cut_off.store(is_cut_off, SeqCst);
    }

    /// Answers so many writes; later ones are done, and their answers held back.
    pub fn hang_after(&self, writes: usize) {
        self.inside.answered.send_replace(Some(writes));
    }

    /// Waits until an answer is held back.
    pub async fn hangs(&self) {
        let _ = self.inside.held_back.subscribe().wait_for(|held_back| *held_back > 0).await;
    }

    /// Holds nothing back any more.
    pub fn go_on(&self) {
        self.inside.answered.send_replace(None);
    }

    /// The next requests meet this, one each.
    pub fn fail_next(&self, times: usize, failure: StoreFailure) {
        lock(&self.inside.failures).extend(std::iter::repeat_n(failure, times));
    }

    /// Requests so far, in their order.
    pub fn heard(&self) -> Vec<Heard> {
        lock(&self.inside.heard).clone()
    }

    /// Waits until no webhook is on its way.
    pub async fn settle(&self) {
        // The sender lives in what this handle holds: it cannot be gone.
        let _ = self.inside.on_the_way.subscribe().wait_for(|on_the_way| *on_the_way == 0).await;
    }
}

impl Inside {
    /// Holds the answer to a write back, if it is to be.
    async fn hold_back(&self) {
        let mut is_held = false;
        self.answered.send_if_modified(|answered| {
            match answered {
                Some(0) => is_held = true,
                Some(left) => *left -= 1,
                None => {}
            }
            false
        });
        if is_held {
            self.held_back.send_modify(|held_back| *held_back += 1);
            let _ = self.answered.subscribe().wait_for(Option::is_none).await;
        }
    }

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

impl std::fmt::Debug for WooStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WooStore").field("url", &self.url).finish_non_exhaustive()
    }
}
