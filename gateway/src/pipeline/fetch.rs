//! Fetch: what a plugin needs from its provider is written down, read later, and given to it. An item that waits is a row, and so is the work of reading for it: in
//! any state a restart goes on where it was. It decides what becomes of an answer; how requests are made is another package's business.

use crate::{
    app::App,
    catalog::{Connection, Endpoint},
    pipeline::{setback::Setback, split::item_id},
    records::{AnswersRow, Delivery, Exchange, FetchRow, Given, ItemResult, Parked},
    tx::{Tx, TxError},
    work::Work,
};
use sha2::{Digest, Sha256};
use tidegate_fetch::{Fetched, Refusal};
use tidegate_model::{
    DeliveryId, ItemId, Timestamp,
    outcome::{Answer, Request},
    reach::authority_of,
};
use tidegate_store::{
    Batch, Engine, Key, Lane, Queue, keys,
    records::{self, BodyParts, Record, split_body},
};

/// Times that a plugin may ask for one item. One that goes on asking would never end.
const ROUNDS: u32 = 8;
/// Bytes that the requests of one asking may have: they lie in one row.
const REQUESTS_BYTES: usize = 32 << 10;
/// Times in a row that a request is tried: about seven hours, then the plugin is told that there is no answer.
const ATTEMPTS: u32 = 16;
/// First pause before a request is tried again; each is twice as long as the one before.
const FIRST_PAUSE_MS: i64 = 5_000;
/// Longest pause.
const LONGEST_PAUSE_MS: i64 = 3_600_000;
/// Pause of an item whose connection a person must authorize.
const PERSON_MS: i64 = 300_000;
/// In the resource of a lane: it is a connection that is read from, and no sender.
const CONNECTION: u32 = 1 << 31;
/// Lanes of a connection: so many of its items are read for at once.
const SHARDS: u8 = 16;

/// Whether the work of a lane is to read.
pub(crate) const fn is_fetch(resource: u32) -> bool {
    resource & CONNECTION != 0
}

fn lane_of(workspace: u32, connection: &Connection, item: ItemId) -> Lane {
    Lane::new(workspace, CONNECTION | connection.number, u16::from(item.raw()[15] % SHARDS))
}

/// The lane in which a connection is looked after: beside those of its items.
pub(crate) fn lane_aside(workspace: u32, connection: u32) -> Lane {
    Lane::new(workspace, CONNECTION | connection, u16::from(SHARDS))
}

/// A digest of what a plugin is called with beside the item. With the same basis it asks the same.
pub(super) fn basis(endpoint: &Endpoint, connection: &Connection, state: Option<&String>) -> String {
    let mut hash = Sha256::new();
    let info = &connection.info;
    let account = info.account.as_deref();
    for part in [
        Some(endpoint.plugin_digest.as_str()),
        Some(&info.name),
        account,
        Some(&info.settings),
        state.map(String::as_str),
    ] {
        // What is absent differs from what is empty, and where a part ends is part of it.
        hash.update(part.map_or(u64::MAX, |part| part.len() as u64).to_be_bytes());
        hash.update(part.unwrap_or_default());
    }
    hex::encode(&hash.finalize()[..16])
}

/// An item whose plugin needs something.
pub(super) struct Asking<'a> {
    /// Endpoint.
    pub endpoint: &'a Endpoint,
    /// Connection.
    pub connection: &'a Connection,
    /// Delivery.
    pub delivery: &'a Delivery,
    /// Position in it.
    pub index: u32,
    /// The lane in which the item is interpreted.
    pub lane: Lane,
    /// The plugin's state, as it was called.
    pub state: Option<&'a String>,
    /// What it was given until now, when it asked before.
    pub held: Option<&'a FetchRow>,
    /// The dead letter that it is another try of.
    pub letter: Option<u64>,
    /// What it needs.
    pub requests: &'a [Request],
}

/// Writes down what an item needs, and the work of reading it. What may not be read parks the item.
///
/// # Errors
/// A value can't be written.
pub(super) fn ask(
    tx: &mut Tx<'_>,
    now: Timestamp,
    asking: &Asking<'_>,
) -> Result<Result<ItemResult, Setback>, TxError> {
    if let Some(reason) = refusal(asking)? {
        return Ok(Err(Setback::person(Parked::new(None, reason))));
    }
    let Asking { endpoint, connection, delivery, index, lane, .. } = *asking;
    let (item, asked) = (item_id(delivery.id, index), tx.next_seq());
    let basis = basis(endpoint, connection, asking.state);
    let rounds = asking.held.map_or(0, |held| held.rounds) + 1;
    let held = asking.held.filter(|held| held.basis == basis);
    let (take, parts, bytes, before) =
        held.map_or((asked, 0, 0, 0), |held| (held.take, held.parts, held.bytes, held.requests));
    let open: Vec<(u32, Request)> = (before..).zip(asking.requests.iter().cloned()).collect();
    let hosts = hosts(open.iter().map(|(_, request)| request));
    tx.enqueue(Queue::Io, lane_of(delivery.workspace, connection, item), &Work::Fetch { id: delivery.id, index }.row());
    tracing::info!(item.id = %item, requests = open.len(), hosts = hosts.join(", "), "the item waits for answers");
    tx.put(FetchRow {
        workspace: delivery.workspace,
        item,
        delivery: delivery.id,
        index,
        endpoint: endpoint.name.clone(),
        connection: connection.name.clone(),
        lane,
        basis,
        take,
        parts,
        bytes,
        rounds,
        asked,
        requests: before.saturating_add(u32::try_from(open.len()).unwrap_or(u32::MAX)),
        open,
        since: asking.held.map_or(now, |held| held.since),
        attempts: 0,
        reason: None,
        next_try: None,
        refused: None,
        letter: asking.letter,
    });
    Ok(Ok(ItemResult::Waiting { hosts }))
}

/// Why an item's requests are not made.
fn refusal(asking: &Asking<'_>) -> Result<Option<String>, TxError> {
    if let Some(reason) = may_not(asking.connection, asking.requests) {
        return Ok(Some(reason));
    }
    if asking.held.is_some_and(|held| held.rounds >= ROUNDS) {
        return Ok(Some(format!("the plugin asked its provider {ROUNDS} times for this item, and wants to ask again")));
    }
    let bytes = serde_json::to_vec(asking.requests).map_err(|error| TxError::Unwritable(error.to_string()))?.len();
    let over = bytes > REQUESTS_BYTES;
    Ok(over.then(|| {
        format!("the plugin asks for too much at once: its requests have {bytes} bytes, {REQUESTS_BYTES} at most")
    }))
}

/// Why requests of a connection's plugin may not be made, with the line to add where one helps.
pub(super) fn may_not(connection: &Connection, requests: &[Request]) -> Option<String> {
    let Some(reach) = &connection.reach else {
        return Some("the plugin needs answers of its provider, and its manifest asks for no host".to_owned());
    };
    requests.iter().find_map(|request| match reach.rules.check(&request.url) {
        Ok(()) => None,
        Err(Refusal::NotGranted(line)) => Some(not_granted(&line)),
        Err(Refusal::Never(reason)) => Some(format!("the plugin needs what it may not read: {reason}")),
    })
}

fn not_granted(line: &str) -> String {
    format!("{line}: add it to tidegate.toml, `tidegate reload`, and retry the item")
}

/// The hosts of requests, each once.
fn hosts<'a>(requests: impl Iterator<Item = &'a Request>) -> Vec<String> {
    let mut hosts: Vec<String> =
        requests.filter_map(|request| authority_of(&request.url)).map(|held| held.to_string()).collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

/// The row of an item that waits.
///
/// # Errors
/// The store's.
pub(crate) fn waiting(
    tx: &mut Tx<'_>,
    workspace: u32,
    delivery: DeliveryId,
    index: u32,
) -> Result<Option<FetchRow>, TxError> {
    tx.watch::<FetchRow>(&(workspace, item_id(delivery, index)))
}

/// An item waits no more, because its work was given up and nobody wants it.
pub(crate) fn forget(tx: &mut Tx<'_>, workspace: u32, delivery: DeliveryId, index: u32) {
    tx.delete(&FetchRow::row_key(&(workspace, item_id(delivery, index))));
}

/// Whether what an item waits for is one read that is made together with others of its connection.
pub(crate) fn goes_with_others(app: &App, row: &FetchRow) -> bool {
    let [(_, request)] = row.open.as_slice() else { return false };
    let catalog = app.catalog();
    let connection = catalog.endpoint(&row.endpoint).and_then(|endpoint| endpoint.connection_named(&row.connection));
    let reach = connection.as_ref().and_then(|connection| connection.reach.as_ref());
    reach.is_some_and(|reach| reach.is_batched(request))
}

/// Makes the requests that an item waits for; what became of each, in their order.
pub(crate) async fn read(app: &App, row: &FetchRow) -> Vec<Fetched> {
    let catalog = app.catalog();
    let connection = catalog.endpoint(&row.endpoint).and_then(|endpoint| endpoint.connection_named(&row.connection));
    let Some(reach) = connection.as_ref().and_then(|connection| connection.reach.as_ref()) else {
        return vec![Fetched::Refused(format!("the connection {} can't be read from any more", row.connection))];
    };
    let requests: Vec<Request> = row.open.iter().map(|(_, request)| request.clone()).collect();
    let seq = app.store().seq();
    reach.read(&requests, row.asked, &|| seq.next()).await
}

/// Most bytes of all answers of an item.
fn most_bytes(app: &App, row: &FetchRow) -> u64 {
    let endpoint = app.catalog().endpoint(&row.endpoint);
    endpoint.map_or(0, |endpoint| 2 * endpoint.plugin.manifest().capabilities.answer_bytes)
}

/// Writes down what became of an item's requests: answers, with the work that gives them to the plugin; or when the rest is tried again. Gives what must be on disk
/// before the commit. What changed meanwhile is left as it is.
///
/// # Errors
/// The store's.
pub(crate) fn settle(app: &App, tx: &mut Tx<'_>, seen: &FetchRow, fetched: &[Fetched]) -> Result<Vec<Batch>, TxError> {
    let now = app.now();
    let Some(mut row) = tx.get::<FetchRow>(&seen.key())?.filter(|row| row == seen) else { return Ok(Vec::new()) };
    let tries_are_over = row.attempts + 1 >= ATTEMPTS;
    let most = most_bytes(app, &row);
    let (mut answered, mut open, mut after_ms) = (Vec::new(), Vec::new(), 0);
    let mut waits_for_person = false;
    let meter = app.catalog().endpoint(&row.endpoint).map(|endpoint| endpoint.plugin_meter.clone());
    for ((place, request), fetched) in std::mem::take(&mut row.open).into_iter().zip(fetched) {
        if let Some(meter) = &meter {
            tx.count(meter.fetched(fetched).clone());
        }
        let answer = match fetched {
            Fetched::Answer(answer) => answer.clone(),
            Fetched::Later { reason, .. } if tries_are_over => {
                Answer::Failed(format!("no answer in {ATTEMPTS} tries since {}; the last time: {reason}", row.since))
            }
            Fetched::Later { after, reason } => {
                after_ms = after_ms.max(after.map_or(0, |after| i64::try_from(after.as_millis()).unwrap_or(i64::MAX)));
                row.reason = Some(reason.clone());
                open.push((place, request));
                continue;
            }
            Fetched::Unauthorized(reason) => {
                (waits_for_person, after_ms) = (true, after_ms.max(PERSON_MS));
                row.reason = Some(reason.clone());
                open.push((place, request));
                continue;
            }
            Fetched::Refused(line) => {
                row.refused = Some(not_granted(line));
                continue;
            }
        };
        let bytes = size(&answer);
        let fits = row.bytes.saturating_add(bytes) <= most;
        row.bytes += if fits { bytes } else { 0 };
        let answer = if fits {
            answer
        } else {
            Answer::Failed(format!("the answers of this item together have more than {most} bytes"))
        };
        answered.push(Exchange { place, request, answer });
    }
    let ahead = match answered.as_slice() {
        [] => Vec::new(),
        answered => {
            row.parts += 1;
            keep(tx, now, &row, answered)?
        }
    };
    row.open = open;
    if row.is_answered() {
        (row.attempts, row.reason, row.next_try) = (0, None, None);
        tx.enqueue(Queue::Pure, row.lane, &Work::Answered { id: row.delivery, index: row.index }.row());
    } else {
        // A person may take days to authorize: that is no failure of a try.
        row.attempts += u32::from(!waits_for_person);
        let until = now.plus_ms(pause_ms(row.attempts, row.item).max(after_ms));
        row.next_try = Some(until);
        tracing::warn!(item.id = %row.item, attempts = row.attempts, reason = row.reason, until = %until, "no answer yet");
        let connection =
            app.catalog().endpoint(&row.endpoint).and_then(|endpoint| endpoint.connection_named(&row.connection));
        let work = Work::Fetch { id: row.delivery, index: row.index }.row();
        // Without its connection the next try finds that it is gone.
        let lane =
            connection.map_or(Lane::new(row.workspace, CONNECTION, 0), |held| lane_of(row.workspace, &held, row.item));
        tx.defer(until, Queue::Io, lane, work);
    }
    tx.put(row);
    Ok(ahead)
}

fn size(answer: &Answer) -> u64 {
    match answer {
        Answer::Response { headers, body, .. } => {
            let headers: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
            (headers + body.len()) as u64
        }
        Answer::Failed(reason) => reason.len() as u64,
    }
}

/// Keeps answers in a row of their own. Gives the chunks that must be there before.
fn keep(tx: &mut Tx<'_>, at: Timestamp, row: &FetchRow, answered: &[Exchange]) -> Result<Vec<Batch>, TxError> {
    let id = row.given().id(row.item, row.parts - 1);
    let kept =
        AnswersRow { workspace: row.workspace, id, item: row.item, delivery: row.delivery, at, head: Vec::new() };
    put_answers(tx, kept, answered)
}

/// Writes a row of answers. Gives the chunks that must be there before.
///
/// # Errors
/// They can't be written.
pub(super) fn put_answers(tx: &mut Tx<'_>, mut kept: AnswersRow, answered: &[Exchange]) -> Result<Vec<Batch>, TxError> {
    let json = serde_json::to_vec(answered).map_err(|error| TxError::Unwritable(error.to_string()))?;
    let mut parts: BodyParts = split_body(&json).map_err(TxError::Body)?;
    let ahead = parts.take_ahead(kept.workspace, kept.id.raw());
    for (number, chunk) in (0..=u16::MAX).zip(parts.chunks) {
        tx.put_row(keys::body(kept.workspace, kept.id.raw(), number), chunk);
    }
    kept.head = parts.head;
    tx.put(kept);
    Ok(ahead)
}

/// Spread by the item's id, so that items which failed together do not come back together.
fn pause_ms(attempts: u32, item: ItemId) -> i64 {
    let doubled = FIRST_PAUSE_MS.saturating_mul(1 << attempts.saturating_sub(1).min(20));
    let pause = doubled.min(LONGEST_PAUSE_MS);
    pause + pause * i64::from(item.raw()[14]) / 1_024
}

/// The answers that an item was given, in the order of its requests.
///
/// # Errors
/// The store's, or they are gone.
pub(crate) fn answers(
    store: &dyn Engine,
    workspace: u32,
    item: ItemId,
    given: Given,
) -> Result<Vec<Exchange>, TxError> {
    let mut found: Vec<Exchange> = Vec::new();
    for part in 0..given.parts {
        let id = given.id(item, part);
        let Some((row, _)) = records::get::<AnswersRow>(store, &(workspace, id))? else {
            return Err(TxError::AnswersGone);
        };
        let json = records::read_body(store, workspace, id.raw(), &row.head)?.map_err(TxError::Body)?;
        let exchanges: Vec<Exchange> = serde_json::from_slice(&json).map_err(|_| TxError::AnswersGone)?;
        found.extend(exchanges);
    }
    found.sort_by_key(|exchange| exchange.place);
    Ok(found)
}

/// The key of the row of answers that chunk rows with this owner are of.
pub(crate) fn answers_key(workspace: u32, owner: &[u8; 16]) -> Key {
    keys::answers(workspace, owner)
}

#[cfg(test)]
mod tests;
