//! What every account that the double plays has: a port of its own, a memory of what it was asked, failures that wait for the next requests, and webhooks on their way
//! out by a line that can be cut. What an account answers and sends is its provider's own.

use crate::{
    config::StartError,
    server::{MAX_BODY_BYTES, cut, serve},
};
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::{
    collections::{BTreeMap, VecDeque},
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

/// How long one delivery may take. Real time: it bounds I/O and decides nothing.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(10);

/// What a request meets instead of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountFailure {
    /// This status, with the provider's body for it, and `Retry-After` as given.
    Status(u16, Option<&'static str>),
    /// The provider's way to say that it is asked too much.
    Throttled,
    /// It is done, and the answer is lost.
    LostAnswer,
    /// The same, of the next request that writes.
    LostWrite,
}

/// A provider's part of an account.
pub trait Provider: Sized + Send + Sync + 'static {
    /// A webhook on its way out.
    type Parcel: Send + 'static;

    /// Answers a request.
    fn answer(inside: &Inside<Self>, asked: &Asked) -> impl Future<Output = Answer> + Send;

    /// What it says when it fails with this status.
    fn failed(status: u16) -> Answer;

    /// What it says when it is asked too much.
    fn throttled() -> Answer {
        Self::failed(429)
    }

    /// Delivers a parcel, and notes what became of it.
    fn deliver(inside: &Inside<Self>, parcel: Self::Parcel) -> impl Future<Output = ()> + Send;
}

/// A running account of a provider. Dropping it stops it.
pub struct Account<P: Provider> {
    pub(crate) inside: Arc<Inside<P>>,
    _serving: JoinSet<()>,
}

/// What an account's parts share.
pub struct Inside<P: Provider> {
    /// The provider's own.
    pub(crate) own: P,
    pub(crate) clock: DomainClock,
    authority: String,
    client: reqwest::Client,
    heard: Mutex<Vec<String>>,
    failures: Mutex<VecDeque<AccountFailure>>,
    is_cut_off: AtomicBool,
    on_the_way: watch::Sender<usize>,
    outgoing: mpsc::UnboundedSender<P::Parcel>,
}

impl<P: Provider> Account<P> {
    /// Opens an account on a free port of this machine, on the current tokio runtime.
    pub(crate) async fn open(clock: DomainClock, own: P) -> Result<Self, StartError> {
        let address = ([127, 0, 0, 1], 0).into();
        let failed = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let authority = listener.local_addr().map_err(failed)?.to_string();
        let client = reqwest::Client::builder().no_proxy().timeout(DELIVERY_TIMEOUT).build();
        let (outgoing, parcels) = mpsc::unbounded_channel();
        let inside = Arc::new(Inside {
            own,
            clock,
            authority,
            client: client.map_err(StartError::Client)?,
            heard: Mutex::default(),
            failures: Mutex::default(),
            is_cut_off: AtomicBool::new(false),
            on_the_way: watch::Sender::new(0),
            outgoing,
        });
        let router = Router::new().fallback(any).with_state(Arc::clone(&inside));
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, router));
        serving.spawn(carry(Arc::clone(&inside), parcels));
        Ok(Self { inside, _serving: serving })
    }

    /// Its address, as `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        self.inside.url()
    }

    /// Its host and port.
    pub fn authority(&self) -> &str {
        self.inside.authority()
    }

    /// Whether nothing that it sends arrives.
    pub fn cut_off(&self, is_cut_off: bool) {
        self.inside.is_cut_off.store(is_cut_off, SeqCst);
    }

    /// The next requests meet this, one each.
    pub fn fail_next(&self, times: usize, failure: AccountFailure) {
        lock(&self.inside.failures).extend(std::iter::repeat_n(failure, times));
    }

    /// Requests so far, in their order: `200 GET /orders.json?limit=50`; `lost …` when the answer was lost.
    pub fn heard(&self) -> Vec<String> {
        lock(&self.inside.heard).clone()
    }

    /// Waits until no webhook is on its way.
    pub async fn settle(&self) {
        // The sender lives in what this handle holds: it cannot be gone.
        let _ = self.inside.on_the_way.subscribe().wait_for(|on_the_way| *on_the_way == 0).await;
    }
}

impl<P: Provider> std::fmt::Debug for Account<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("authority", &self.inside.authority).finish_non_exhaustive()
    }
}

impl<P: Provider> Inside<P> {
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.authority)
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.clock.now_ms().div_euclid(1_000)
    }

    /// Puts a parcel on its way.
    pub(crate) fn hand_over(&self, parcel: P::Parcel) {
        self.on_the_way.send_modify(|on_the_way| *on_the_way += 1);
        // The carrier lives as long as the account.
        let _ = self.outgoing.send(parcel);
    }

    /// Asks an address; none when nothing answered.
    pub(crate) async fn get(&self, url: reqwest::Url) -> Option<(u16, String)> {
        if self.is_cut_off.load(SeqCst) {
            return None;
        }
        let response = self.client.get(url).send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.text().await.ok()?))
    }

    /// Posts a body to a webhook's address. The status that it met; none when nothing answered.
    pub(crate) async fn post(&self, url: &str, headers: &[(&str, String)], body: String) -> Option<u16> {
        if self.is_cut_off.load(SeqCst) {
            return None;
        }
        let mut request = self.client.post(url).body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        request.send().await.ok().map(|response| response.status().as_u16())
    }
}

/// Carries parcels, one after the other, for ever.
async fn carry<P: Provider>(inside: Arc<Inside<P>>, mut parcels: mpsc::UnboundedReceiver<P::Parcel>) {
    while let Some(parcel) = parcels.recv().await {
        P::deliver(&inside, parcel).await;
        inside.on_the_way.send_modify(|on_the_way| *on_the_way -= 1);
    }
}

/// A request, read.
pub struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// As it was written; empty without one.
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    /// The parameters of the query. A name that comes twice has its last value.
    pub(crate) fn parameters(&self) -> BTreeMap<String, String> {
        pairs(&self.query)
    }

    /// The fields of a body that is a form.
    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        std::str::from_utf8(&self.body).map(pairs).unwrap_or_default()
    }

    /// A header's text; empty without one.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    let url = reqwest::Url::parse(&format!("http://account/?{text}"));
    url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default()
}

/// What is answered.
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    what: Option<String>,
}

impl Answer {
    /// A body of this type; none when it is empty.
    pub(crate) fn new(status: u16, content_type: &'static str, body: String) -> Self {
        Self { status, headers: vec![(header::CONTENT_TYPE.as_str(), content_type.to_owned())], body, what: None }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        Self::new(status, "application/json; charset=utf-8", body)
    }

    pub(crate) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// What was asked, where the address does not tell.
    pub(crate) fn to(mut self, what: String) -> Self {
        self.what = Some(what);
        self
    }
}

#[cfg(test)]
impl Answer {
    /// Status and body.
    pub(crate) fn parts(self) -> (u16, Value) {
        (self.status, serde_json::from_str(&self.body).unwrap_or_default())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(held, _)| *held == name).map(|(_, value)| value.as_str())
    }
}

async fn any<P: Provider>(State(inside): State<Arc<Inside<P>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let asked = Asked {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: to_bytes(body, MAX_BODY_BYTES).await.unwrap_or_default(),
    };
    let failure = {
        let mut failures = lock(&inside.failures);
        let waits = asked.method == Method::GET && failures.front() == Some(&AccountFailure::LostWrite);
        if waits { None } else { failures.pop_front() }
    };
    let answer = match failure {
        Some(AccountFailure::Status(status, retry_after)) => {
            let answer = P::failed(status);
            match retry_after {
                Some(seconds) => answer.with(header::RETRY_AFTER.as_str(), seconds.to_owned()),
                None => answer,
            }
        }
        Some(AccountFailure::Throttled) => P::throttled(),
        Some(AccountFailure::LostAnswer | AccountFailure::LostWrite) | None => P::answer(&inside, &asked).await,
    };
    let is_lost = matches!(failure, Some(AccountFailure::LostAnswer | AccountFailure::LostWrite));
    let what = answer.what.clone().unwrap_or_else(|| {
        let mark = if asked.query.is_empty() { "" } else { "?" };
        format!("{} {}{mark}{}", asked.method, asked.path, asked.query)
    });
    let status = if is_lost { "lost".to_owned() } else { answer.status.to_string() };
    lock(&inside.heard).push(format!("{status} {what}"));
    if is_lost { cut() } else { respond(answer) }
}

fn respond(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// HMAC-SHA256.
pub(crate) fn hmac_sha256(key: &str, text: &str) -> Vec<u8> {
    // HMAC takes a key of any length.
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).map(|mac| mac.chain_update(text));
    mac.map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default()
}

/// HMAC-SHA256 in base64, as Shopify and WooCommerce sign.
pub(crate) fn signature(key: &str, text: &str) -> String {
    STANDARD.encode(hmac_sha256(key, text))
}

/// Locks, whatever a test that panicked has left.
pub(crate) fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
