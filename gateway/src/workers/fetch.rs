//! The reading loop's task: makes the requests that an item waits for, and writes down what became of them. Nothing is lost when it is cut at any point: reads may be
//! made again.

use super::{
    send::{PAUSES_MS, Up, may_pass},
    slots::Slot,
};
use crate::{
    app::App,
    letters, pipeline,
    records::FetchRow,
    supervisor::Shutdown,
    telemetry::Root,
    tx::{self, Tx, TxError},
    work::Work,
};
use futures_util::future::join_all;
use std::{sync::Arc, time::Duration};
use tidegate_clock::Stopwatch;
use tidegate_fetch::Fetched;
use tidegate_model::DeliveryId;
use tidegate_store::{Claim, Key, KeyRange, Order, Queue, WorkRow, records::DeadLetterKey};
use tracing::Instrument;

/// Most rows of a lane that are settled in one commit.
const AT_ONCE: usize = 32;

/// One claimed lane with its first row, which is to read for an item.
pub(super) struct Turn {
    pub claim: Claim,
    pub key: Key,
    /// The letter that it is another try of.
    pub letter: Option<DeadLetterKey>,
    pub delivery: DeliveryId,
    pub index: u32,
    /// Kept until the answers are written down: it bounds what is in memory.
    pub _slot: Slot,
}

impl Turn {
    fn workspace(&self) -> u32 {
        self.claim.lane().workspace
    }
}

/// One row of work, and the item that waits, if it still does.
struct Waiting {
    key: Key,
    letter: Option<DeadLetterKey>,
    row: Option<FetchRow>,
}

/// Sees a row through, with those of its lane that are read by the same request. What can't be written down is put aside, for a person to see.
pub(super) async fn drive(app: Arc<App>, turn: Turn, mut shutdown: Shutdown) {
    let mut rows = match tokio::task::block_in_place(|| rows(&app, &turn)) {
        Ok(rows) => rows,
        Err(error) => return put_aside(&app, &turn, &error),
    };
    let mut fetched = tokio::select! {
        fetched = join_all(rows.iter().map(|waiting| read(&app, waiting.row.as_ref()))) => fetched,
        // The rows are there after the next start.
        () = shutdown.asked() => return,
    };
    let mut pauses = PAUSES_MS.iter();
    while let Err(error) = settle(&app, &turn, &rows, &fetched).await {
        if rows.len() > 1 && !error.is_final() {
            // One of them may be at fault: the first alone, the others in their own turns.
            rows.truncate(1);
            fetched.truncate(1);
            continue;
        }
        match pauses.next() {
            Some(pause) if may_pass(&error) => tokio::time::sleep(Duration::from_millis(*pause)).await,
            _ => return put_aside(&app, &turn, &error),
        }
    }
}

/// The item, and where it goes with others the next ones of its lane that do so too.
fn rows(app: &App, turn: &Turn) -> Result<Vec<Waiting>, TxError> {
    let mut tx = Tx::new(app.store(), turn.workspace());
    let mut item = |delivery, index| {
        let row = pipeline::waiting(&mut tx, turn.workspace(), delivery, index)?;
        Ok::<_, TxError>(row.filter(|row| !row.is_answered()))
    };
    let first = item(turn.delivery, turn.index)?;
    let goes_with_others = |row: &FetchRow| pipeline::goes_with_others(app, row);
    let is_joined = first.as_ref().is_some_and(goes_with_others);
    let mut rows = vec![Waiting { key: turn.key.clone(), letter: turn.letter, row: first }];
    if is_joined {
        let lane = KeyRange::prefix(&turn.claim.lane().prefix(Queue::Io)).after(&turn.key);
        for (key, row) in app.store().range(&lane, Order::Forward, AT_ONCE - 1)? {
            let Some(Work::Fetch { id, index }) = WorkRow::decode(&row.value).as_ref().and_then(Work::read) else {
                break;
            };
            match item(id, index)?.filter(goes_with_others) {
                Some(row) => rows.push(Waiting { key: Key::from_bytes(key), letter: None, row: Some(row) }),
                None => break,
            }
        }
    }
    Ok(rows)
}

async fn read(app: &App, row: Option<&FetchRow>) -> Vec<Fetched> {
    let Some(row) = row else { return Vec::new() };
    let watch = Stopwatch::start();
    let _in_flight = Up::new(app.metrics().fetches_in_flight());
    let span = tracing::info_span!("fetch", root = %Root(row.delivery.raw()), item.id = %row.item, connection = row.connection);
    let fetched = pipeline::read_for(app, row).instrument(span).await;
    if let Some(endpoint) = app.catalog().endpoint(&row.endpoint) {
        endpoint.plugin_meter.fetch.observe(watch.elapsed().as_secs_f64());
    }
    fetched
}

async fn settle(app: &Arc<App>, turn: &Turn, rows: &[Waiting], fetched: &[Vec<Fetched>]) -> Result<(), TxError> {
    let (commit, counts) = tokio::task::block_in_place(|| {
        let mut tx = Tx::new(app.store(), turn.workspace());
        for (waiting, fetched) in rows.iter().zip(fetched) {
            if let Some(row) = &waiting.row {
                for batch in pipeline::settle_fetch(app, &mut tx, row, fetched)? {
                    app.store().commit(batch).wait()?;
                }
            }
            letters::done(&mut tx, &waiting.key, waiting.letter);
        }
        let counts = tx.take_counts();
        Ok::<_, TxError>((tx.submit(Some(turn.claim.token()))?, counts))
    })?;
    commit.await.map_err(TxError::Commit)?;
    counts.committed();
    Ok(())
}

fn put_aside(app: &App, turn: &Turn, error: &TxError) {
    if error.is_final() {
        // The store has stopped, and the gateway with it.
        return;
    }
    let given_up = tokio::task::block_in_place(|| tx::give_up(app.store(), &turn.claim, error, app.now()));
    if let Err(error) = given_up {
        tracing::error!(work = %turn.key, error = %error, "work could not be put aside; it is tried again");
    }
}
