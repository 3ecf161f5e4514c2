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
};
use std::{sync::Arc, time::Duration};
use tidegate_clock::Stopwatch;
use tidegate_fetch::Fetched;
use tidegate_model::DeliveryId;
use tidegate_store::{Claim, Key, records::DeadLetterKey};
use tracing::Instrument;

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

/// Sees a row through. What can't be written down is put aside, for a person to see.
pub(super) async fn drive(app: Arc<App>, turn: Turn, mut shutdown: Shutdown) {
    let row = match tokio::task::block_in_place(|| row(&app, &turn)) {
        Ok(row) => row,
        Err(error) => return put_aside(&app, &turn, &error),
    };
    let fetched = match &row {
        None => Vec::new(),
        Some(row) => {
            let span = tracing::info_span!("fetch", root = %Root(turn.delivery.raw()), item.id = %row.item, connection = row.connection);
            tokio::select! {
                fetched = read(&app, row).instrument(span) => fetched,
                // The row is there after the next start.
                () = shutdown.asked() => return,
            }
        }
    };
    let mut pauses = PAUSES_MS.iter();
    while let Err(error) = settle(&app, &turn, row.as_ref(), &fetched).await {
        match pauses.next() {
            Some(pause) if may_pass(&error) => tokio::time::sleep(Duration::from_millis(*pause)).await,
            _ => return put_aside(&app, &turn, &error),
        }
    }
}

/// The item, if it still waits.
fn row(app: &App, turn: &Turn) -> Result<Option<FetchRow>, TxError> {
    let mut tx = Tx::new(app.store(), turn.workspace());
    let row = pipeline::waiting(&mut tx, turn.workspace(), turn.delivery, turn.index)?;
    Ok(row.filter(|row| !row.is_answered()))
}

async fn read(app: &App, row: &FetchRow) -> Vec<Fetched> {
    let watch = Stopwatch::start();
    let _in_flight = Up::new(app.metrics().fetches_in_flight());
    let fetched = pipeline::read_for(app, row).await;
    if let Some(endpoint) = app.catalog().endpoint(&row.endpoint) {
        endpoint.plugin_meter.fetch.observe(watch.elapsed().as_secs_f64());
    }
    fetched
}

async fn settle(app: &Arc<App>, turn: &Turn, row: Option<&FetchRow>, fetched: &[Fetched]) -> Result<(), TxError> {
    let (commit, counts) = tokio::task::block_in_place(|| {
        let mut tx = Tx::new(app.store(), turn.workspace());
        if let Some(row) = row {
            for batch in pipeline::settle_fetch(app, &mut tx, row, fetched)? {
                app.store().commit(batch).wait()?;
            }
        }
        letters::done(&mut tx, &turn.key, turn.letter);
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
