//! The task that looks after one connection: asks its provider, and writes down what was found with the next turn. Nothing is lost when it is cut at any point: the
//! row of work is there after the next start, what was read is stored once, and what was told the provider is looked at before it is told again.

use super::{
    send::{PAUSES_MS, may_pass},
    slots::Slot,
};
use crate::{
    app::App,
    connecting::{self, Outcome, Round, Subject},
    letters,
    records::ConnectionRow,
    supervisor::Shutdown,
    tx::{Tx, TxError},
};
use std::{sync::Arc, time::Duration};
use tidegate_store::{Claim, Key, records::DeadLetterKey};
use tracing::Instrument;

/// One claimed lane with its first row, which is to look after a connection.
pub(super) struct Turn {
    pub claim: Claim,
    pub key: Key,
    /// The letter that it is another try of.
    pub letter: Option<DeadLetterKey>,
    pub connection: u32,
    pub turn: u32,
    /// Kept until all is written down: it bounds what is in memory.
    pub _slot: Slot,
}

/// Sees a turn through. What can't be written down is put aside, for a person to see.
pub(super) async fn drive(app: Arc<App>, turn: Turn, mut shutdown: Shutdown) {
    let span = tracing::info_span!("connection", connection = turn.connection);
    let work = async {
        let _held = tokio::select! {
            held = app.connecting().turn(turn.connection) => held,
            () = shutdown.asked() => return,
        };
        let round = match tokio::task::block_in_place(|| round(&app, &turn)) {
            Ok(round) => round,
            Err(error) => return put_aside(&app, &turn, &error),
        };
        let outcome = match &round {
            None => Outcome::default(),
            Some(round) => {
                let went = tokio::select! {
                    went = round.go(&app) => went,
                    () = shutdown.asked() => return,
                };
                match went {
                    Ok(outcome) => outcome,
                    Err(error) => return put_aside(&app, &turn, &error),
                }
            }
        };
        let mut pauses = PAUSES_MS.iter();
        while let Err(error) = settle(&app, &turn, round.as_ref(), &outcome).await {
            match pauses.next() {
                Some(pause) if may_pass(&error) => tokio::time::sleep(Duration::from_millis(*pause)).await,
                _ => return put_aside(&app, &turn, &error),
            }
        }
    };
    work.instrument(span).await;
}

/// The row, when it is its turn.
fn row(tx: &mut Tx<'_>, turn: &Turn) -> Result<Option<ConnectionRow>, TxError> {
    let row = tx.get::<ConnectionRow>(&(turn.claim.lane().workspace, turn.connection))?;
    Ok(row.filter(|row| row.turn == turn.turn))
}

fn round(app: &App, turn: &Turn) -> Result<Option<Round>, TxError> {
    let Some(row) = row(&mut Tx::new(app.store(), turn.claim.lane().workspace), turn)? else { return Ok(None) };
    let subject = Subject::numbered(app, row.workspace, row.connection);
    let is_wanted = row.wanted.is_some();
    let subject =
        subject.filter(|subject| subject.connects() && subject.connection.look_after.period_ms(is_wanted).is_some());
    Ok(subject.map(|subject| Round { subject, row }))
}

async fn settle(app: &Arc<App>, turn: &Turn, round: Option<&Round>, outcome: &Outcome) -> Result<(), TxError> {
    let commit = tokio::task::block_in_place(|| {
        let mut tx = Tx::new(app.store(), turn.claim.lane().workspace);
        match round {
            Some(round) => connecting::settle(&mut tx, app, round, outcome)?,
            // Nobody looks after it any more; a reload may have it looked after again.
            None => {
                if let Some(mut row) = row(&mut tx, turn)? {
                    (row.due, row.timer, row.aside) = (None, None, None);
                    tx.put(row);
                }
            }
        }
        letters::done(&mut tx, &turn.key, turn.letter);
        tx.submit(Some(turn.claim.token()))
    })?;
    commit.await.map_err(TxError::Commit)?;
    if let Some(Round { row, .. }) = round {
        app.metrics().connection_read(&row.name).inc_by(outcome.new_items());
        app.metrics().connection_mended(&row.name).inc_by(u64::from(outcome.is_mended()));
    }
    Ok(())
}

fn put_aside(app: &App, turn: &Turn, error: &TxError) {
    if error.is_final() {
        // The store has stopped, and the gateway with it.
        return;
    }
    let given_up =
        tokio::task::block_in_place(|| connecting::put_aside(app, &turn.claim, (turn.connection, turn.turn), error));
    if let Err(error) = given_up {
        tracing::error!(work = %turn.key, error = %error, "work could not be put aside; it is tried again");
    }
}

#[cfg(test)]
mod tests;
