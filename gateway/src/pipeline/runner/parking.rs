//! Parking: an item that has no outcome is put aside with its reason. What may work later is tried again by itself; what waits for a paused plugin goes on with it.

use crate::{
    app::App,
    breaker::Breaker,
    catalog::{Catalog, Endpoint},
    letters::{self, CONNECTION, ENDPOINT, ITEM, PLUGIN, TOPIC},
    pipeline::setback::{Setback, Then},
    records::{ItemResult, PauseRow},
    tx::{Tx, TxError},
    work::Work,
};
use std::ops::ControlFlow;
use tidegate_model::{DeliveryId, ItemId, Timestamp, mask::Scrubbed};
use tidegate_store::{
    Key, KeyRange, Lane, Order, Queue, Space,
    records::{self, DeadLetter, DeadLetterKey, Deferred, Record, Standing},
};

/// Times that an item is tried whose plugin says that it may work later.
const MOST_TRIES: u32 = 6;
/// First pause before it is tried again; each is four times as long as the one before.
const FIRST_PAUSE_MS: i64 = 10_000;
/// Items that a plugin which works again is given at once.
const RESUMED_AT_ONCE: usize = 64;

/// The item that is parked.
pub(super) struct Subject<'a> {
    /// Endpoint, and its number.
    pub endpoint: (&'a str, u32),
    /// The plugin, as `id@version`.
    pub plugin: String,
    /// Its id.
    pub plugin_id: &'a str,
    /// The delivery.
    pub delivery: DeliveryId,
    /// The item.
    pub item: ItemId,
    /// Its topic.
    pub topic: &'a str,
    /// Its connection.
    pub connection: Option<&'a str>,
    /// It stands for a delivery that could not be cut.
    pub whole: bool,
}

/// Parks an item. `known` is its letter when this was another try.
///
/// # Errors
/// The store's.
pub(super) fn park(
    app: &App,
    tx: &mut Tx<'_>,
    lane: Lane,
    subject: &Subject<'_>,
    setback: &Setback,
    known: Option<DeadLetter>,
) -> Result<ItemResult, TxError> {
    let now = app.now();
    let Setback { parked, then } = setback;
    let mut letter = match known {
        Some(mut letter) => {
            if !matches!(then, Then::Paused(_)) {
                letter.failed_again(parked.reason.clone(), parked.field.clone(), now.ms());
            }
            letter
        }
        None => {
            let mut letter = new_letter(tx, lane, subject, parked.reason.clone(), now);
            letter.field.clone_from(&parked.field);
            letter.attempts = u32::from(!matches!(then, Then::Paused(_)));
            letter
        }
    };
    letter.labels.insert(PLUGIN.to_owned(), subject.plugin.clone());
    letter.standing = match then {
        Then::Person => Standing::Left,
        Then::Later if letter.attempts >= MOST_TRIES => Standing::Left,
        Then::Later => {
            let until = now.plus_ms(pause_ms(letter.attempts, subject.item));
            tx.defer(until, Queue::Pure, lane, retry_work(subject).row());
            Standing::Waiting { until_ms: until.ms() }
        }
        Then::Paused(pause) => {
            arm(tx, lane, subject, letter.key.seq, pause.until)?;
            Standing::Paused
        }
    };
    tracing::warn!(delivery.id = %subject.delivery, item.id = %subject.item, topic = %Scrubbed(subject.topic), field = parked.field, "item parked");
    let seq = letter.key.seq;
    tx.put(letter);
    Ok(ItemResult::Parked { parked: parked.clone(), letter: seq })
}

fn new_letter(tx: &Tx<'_>, lane: Lane, subject: &Subject<'_>, reason: String, now: Timestamp) -> DeadLetter {
    let key = DeadLetterKey { workspace: lane.workspace, seq: tx.next_seq() };
    let deferred = Deferred { queue: Queue::Pure, lane, work: retry_work(subject).row() };
    let mut letter = letters::letter(key, deferred, reason, now);
    subject.plugin_id.clone_into(&mut letter.source);
    let named = [
        (ENDPOINT, subject.endpoint.0.to_owned()),
        (ITEM, subject.item.to_string()),
        (TOPIC, subject.topic.to_owned()),
        (CONNECTION, subject.connection.unwrap_or_default().to_owned()),
    ];
    letter.labels = named.into_iter().filter(|(_, value)| !value.is_empty()).map(|(k, v)| (k.to_owned(), v)).collect();
    letter
}

/// What does the item again: a delivery that could not be cut is taken from the start, since nobody knows its items.
const fn retry_work(subject: &Subject<'_>) -> Work {
    if subject.whole {
        Work::Delivery { id: subject.delivery, from: 0 }
    } else {
        Work::Replay { id: subject.delivery, from: 0 }
    }
}

/// Spread by the item's id, so that items which failed together do not come back together.
fn pause_ms(attempts: u32, item: ItemId) -> i64 {
    let pause = FIRST_PAUSE_MS << (2 * attempts.saturating_sub(1).min(MOST_TRIES));
    pause + pause * i64::from(item.raw()[15]) / 1_024
}

/// Notes that a letter waits for the endpoint's plugin, and has the plugin tried when its pause is over.
fn arm(tx: &mut Tx<'_>, lane: Lane, subject: &Subject<'_>, seq: u64, until: Timestamp) -> Result<(), TxError> {
    let (name, endpoint) = subject.endpoint;
    let received = Timestamp::from_ms(subject.delivery.root_ms());
    let row = match tx.get::<PauseRow>(&(lane.workspace, endpoint))? {
        Some(held) if held.since <= received && held.from_seq <= seq => return Ok(()),
        Some(held) => PauseRow { since: held.since.min(received), from_seq: held.from_seq.min(seq), ..held },
        None => {
            let turn = new_turn(tx);
            tx.defer(until, Queue::Pure, lane, Work::Resume { endpoint, turn }.row());
            let (workspace, name) = (lane.workspace, name.to_owned());
            PauseRow { workspace, endpoint, name, since: received, from_seq: seq, turn }
        }
    };
    tx.put(row);
    Ok(())
}

/// A turn that no row of work of before has.
fn new_turn(tx: &Tx<'_>) -> u32 {
    // Numbers of two openings of a store share their lower halves: all of the number is mixed into 32 bits.
    (tx.next_seq().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}

/// Goes on with what waits for an endpoint's plugin: all of it, slice by slice, when the plugin works; one item when it is to be tried; nothing while it is paused.
/// Nothing else may be in the commit.
///
/// # Errors
/// The store's.
pub(super) fn resume(
    app: &App,
    catalog: &Catalog,
    tx: &mut Tx<'_>,
    lane: Lane,
    endpoint: u32,
    turn: u32,
) -> Result<(), TxError> {
    let Some(row) = tx.watch::<PauseRow>(&(lane.workspace, endpoint))?.filter(|row| row.turn == turn) else {
        return Ok(());
    };
    let Some(configured) = catalog.endpoint(&row.name) else {
        tracing::warn!(endpoint = row.name, "items wait for the plugin of an endpoint that is not configured any more");
        return Ok(());
    };
    let work = Work::Resume { endpoint, turn }.row();
    let breaker = breaker_of(app, &configured);
    if let Some(pause) = breaker.pause(app.now()) {
        tx.defer(pause.until, Queue::Pure, lane, work);
        return Ok(());
    }
    let most = if breaker.works() { RESUMED_AT_ONCE } else { 1 };
    let (found, next) = waiting(app, &row, most)?;
    let mut replayed = Vec::new();
    for key in found {
        if let Some(letter) = tx.watch::<DeadLetter>(&key)? {
            letters::ask(tx, letter, &mut replayed);
        }
    }
    match next {
        Some(from_seq) => {
            tx.put(PauseRow { from_seq, ..row });
            tx.enqueue(Queue::Pure, lane, &work);
        }
        None => tx.delete(&PauseRow::row_key(&row.key())),
    }
    Ok(())
}

/// The breaker of an endpoint's plugin. Where its connections run several versions: that of the one that is paused the longest, or else of one that is tried.
fn breaker_of(app: &App, endpoint: &Endpoint) -> Breaker {
    let mut breakers: Vec<Breaker> = endpoint.digests().map(|digest| app.breakers().of(digest)).collect();
    let until = |breaker: &Breaker| breaker.pause(app.now()).map(|pause| pause.until);
    breakers.sort_by_key(|breaker| (until(breaker), !breaker.works()));
    breakers.pop().unwrap_or_default()
}

/// The first letters that wait for an endpoint's plugin, and where the next one is.
fn waiting(app: &App, row: &PauseRow, most: usize) -> Result<(Vec<DeadLetterKey>, Option<u64>), TxError> {
    let all = Key::new(Space::DeadLetters, row.workspace);
    let range = KeyRange::prefix(&all);
    let end = range.end().unwrap_or_default().to_vec();
    let range = KeyRange::between(&all.u64(row.from_seq), &end);
    let mut found = Vec::new();
    let next = records::walk(app.store(), &range, Order::Forward, |letter: DeadLetter| {
        if letter.standing != Standing::Paused || letter.labels.get(ENDPOINT) != Some(&row.name) {
            return ControlFlow::Continue(());
        }
        if found.len() >= most {
            return ControlFlow::Break(letter.key.seq);
        }
        found.push(letter.key);
        ControlFlow::Continue(())
    })?;
    Ok((found, next))
}

/// At the start of a gateway every plugin works until it fails: what waited for one is tried at once.
///
/// # Errors
/// The store's.
pub(crate) fn resume_all(app: &App) -> Result<(), TxError> {
    let catalog = app.catalog();
    for (workspace, _) in catalog.workspaces() {
        let mut rows = Vec::new();
        records::walk(app.store(), &KeyRange::prefix(&Key::new(Space::Pauses, workspace)), Order::Forward, |row| {
            rows.push(row);
            ControlFlow::<()>::Continue(())
        })?;
        for PauseRow { endpoint, name, .. } in rows {
            let Some(configured) = catalog.endpoint(&name) else { continue };
            let mut tx = Tx::new(app.store(), workspace);
            let Some(row) = tx.get::<PauseRow>(&(workspace, endpoint))? else { continue };
            // Timers of earlier turns find that their turn is over.
            let turn = new_turn(&tx);
            tx.put(PauseRow { turn, ..row });
            let lane = Lane { workspace, ..configured.lane() };
            tx.enqueue(Queue::Pure, lane, &Work::Resume { endpoint, turn }.row());
            tx.commit(None)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
