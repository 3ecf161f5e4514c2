//! Delivers webhooks: a few lanes, each one at a time; what concerns one person stays in one lane, so that it comes in order. An answer other than 200 is tried
//! again, later and later, on the domain clock.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use reqwest::{
    Client,
    header::{CONTENT_TYPE, HeaderValue},
    redirect::Policy,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    line::Line,
    payload::{Update, body},
};
use crate::{
    record::{Delivery, note},
    schedule::Job,
    state::Shared,
    twilio::{self, Callback},
};

/// Waits before each further attempt, in domain ms: at once, then less and less often, inside Meta's 7 days.
const REPEATS_MS: [i64; 8] = [0, 5_000, 30_000, 5 * 60_000, 3_600_000, 6 * 3_600_000, 24 * 3_600_000, 72 * 3_600_000];
/// How long one attempt may take. Real time: it bounds I/O and decides nothing.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// A webhook on its way.
#[derive(Clone)]
pub(crate) struct Parcel {
    line: Arc<Line>,
    body: Bytes,
    message_ids: Vec<String>,
    attempt: u32,
    lane: usize,
}

enum Load {
    Fresh(Update),
    Again(Parcel),
    Form(Box<Callback>),
}

/// The lanes' entrances. Their queues hold at most what was asked of the double and not delivered yet.
pub(crate) struct Lanes {
    entrances: Vec<UnboundedSender<Load>>,
    /// Loads that are queued or on their way.
    loads: AtomicUsize,
}

/// A lane's other end.
pub(crate) struct Lane {
    place: usize,
    loads: UnboundedReceiver<Load>,
}

/// Makes so many lanes.
pub(crate) fn lanes(count: usize) -> (Lanes, Vec<Lane>) {
    let (entrances, lanes) = (0..count)
        .map(|place| {
            let (entrance, loads) = unbounded_channel();
            (entrance, Lane { place, loads })
        })
        .unzip();
    let loads = AtomicUsize::new(0);
    (Lanes { entrances, loads }, lanes)
}

impl Lanes {
    /// Sends something new.
    pub(crate) fn fresh(&self, update: Update) {
        let place = self.place(&update.who.user_id);
        self.put(place, Load::Fresh(update));
    }

    /// Sends a callback of Twilio's.
    pub(crate) fn form(&self, callback: Callback) {
        let place = self.place(callback.person());
        self.put(place, Load::Form(Box::new(callback)));
    }

    /// The lane of what concerns somebody.
    fn place(&self, person: &str) -> usize {
        let mut hash = DefaultHasher::new();
        person.hash(&mut hash);
        usize::try_from(hash.finish() % self.entrances.len() as u64).unwrap_or_default()
    }

    /// Tries a webhook again.
    pub(crate) fn again(&self, parcel: Parcel) {
        self.put(parcel.lane, Load::Again(parcel));
    }

    /// Whether nothing is queued or on its way.
    pub(crate) fn is_settled(&self) -> bool {
        self.loads.load(SeqCst) == 0
    }

    fn put(&self, place: usize, load: Load) {
        self.loads.fetch_add(1, SeqCst);
        if self.entrances[place].send(load).is_err() {
            // The lane's task is gone: the double is being stopped.
            self.done(1);
        }
    }

    fn done(&self, loads: usize) {
        self.loads.fetch_sub(loads, SeqCst);
    }
}

/// The client for all lanes. The gateway is on this machine or near it: no proxy.
pub(crate) fn client() -> reqwest::Result<Client> {
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .timeout(ATTEMPT_TIMEOUT)
        .user_agent("facebookexternalua")
        .tcp_nodelay(true)
        .build()
}

/// One lane's task: delivers its loads one after the other, for ever.
pub(crate) async fn run(shared: Arc<Shared>, client: Client, mut lane: Lane, batch: usize) {
    let mut held = None;
    loop {
        let Some(load) = next(&mut held, &mut lane.loads).await else {
            return;
        };
        let (parcel, loads) = match load {
            Load::Again(parcel) => (Some(parcel), 1),
            Load::Form(callback) => {
                twilio::deliver(&shared, &client, &callback).await;
                (None, 1)
            }
            Load::Fresh(update) => {
                let mut updates = vec![update];
                held = fill(&mut updates, &mut lane.loads, batch);
                (parcel(lane.place, &updates), updates.len())
            }
        };
        if let Some(parcel) = parcel {
            deliver(&shared, &client, parcel).await;
        }
        shared.lanes.done(loads);
        shared.tell();
    }
}

async fn next(held: &mut Option<Load>, loads: &mut UnboundedReceiver<Load>) -> Option<Load> {
    match held.take() {
        Some(load) => Some(load),
        None => loads.recv().await,
    }
}

/// Adds what waits already, up to a batch; gives back the first load that cannot go along.
fn fill(updates: &mut Vec<Update>, loads: &mut UnboundedReceiver<Load>, batch: usize) -> Option<Load> {
    while updates.len() < batch {
        match loads.try_recv() {
            Ok(Load::Fresh(update)) if Arc::ptr_eq(&update.line, &updates[0].line) => {
                updates.push(update);
            }
            Ok(other) => return Some(other),
            Err(_) => return None,
        }
    }
    None
}

/// A webhook of these updates, if their number has somewhere to send it.
fn parcel(lane: usize, updates: &[Update]) -> Option<Parcel> {
    let line = &updates.first()?.line;
    line.webhook_url()?;
    let body = body(line, updates).ok()?;
    Some(Parcel {
        line: line.clone(),
        body: Bytes::from(body),
        message_ids: updates.iter().map(|update| update.message_id().to_owned()).collect(),
        attempt: 1,
        lane,
    })
}

async fn deliver(shared: &Shared, client: &Client, parcel: Parcel) {
    let Some(url) = parcel.line.webhook_url() else {
        return;
    };
    let signature = parcel.line.signature(&parcel.body);
    let request = client
        .post(url)
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header("X-Hub-Signature-256", signature)
        .body(parcel.body.clone());
    let http_status = match request.send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            // Read to the end, so that the connection can be used again.
            response.bytes().await.ok().map(|_| status)
        }
        Err(error) => {
            tracing::debug!(error = %error.without_url(), "webhook not delivered");
            None
        }
    };
    settle(shared, parcel, http_status);
}

/// Notes an attempt, and plans the next one if it was not answered 200.
fn settle(shared: &Shared, parcel: Parcel, http_status: Option<u16>) {
    let now_ms = shared.clock.now_ms();
    let wait_ms = match http_status {
        Some(200) => None,
        _ => REPEATS_MS.get(parcel.attempt as usize - 1),
    };
    let entry = Delivery {
        message_ids: parcel.message_ids.clone(),
        attempt: parcel.attempt,
        http_status,
        again: wait_ms.is_some(),
        at_ms: now_ms,
    };
    note(&mut shared.lock().record.deliveries, entry);
    if let Some(wait_ms) = wait_ms {
        let next = Parcel { attempt: parcel.attempt + 1, ..parcel };
        let job = Job::Again(Box::new(next));
        shared.schedule.put([(now_ms + wait_ms, job)]);
    }
}
