//! The sending loop: a thread takes messages through the gate, and each that may go becomes a task: mark durable, call the provider, settle.

use super::LOOK_UP;
use crate::{
    app::App,
    catalog::Sender,
    metrics::{Attempted, Gauge},
    pipeline::{self, Prepared},
    supervisor::{Shutdown, Supervisor},
    telemetry::Root,
    tx::{self, Counts, Tx, TxError},
    work::Work,
};
use std::sync::Arc;
use tidegate_channels::{Outgoing, SendResult};
use tidegate_clock::Stopwatch;
use tidegate_model::{MessageId, mask::Scrubbed};
use tidegate_store::{Claim, Commit, CommitError, Key, Lane, Queue, WorkRow};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument;

/// Times a commit is tried again after another commit touched the same row.
const CONFLICTS: usize = 8;

pub(super) fn start(app: &Arc<App>, supervisor: &Supervisor, in_flight: usize) -> std::io::Result<()> {
    let slots = Arc::new(Semaphore::new(in_flight.max(1)));
    let (app, supervisor_of_sends, shutdown) = (Arc::clone(app), supervisor.clone(), supervisor.shutdown());
    supervisor.thread("sender".to_owned(), move || run(&app, &supervisor_of_sends, &slots, &shutdown))
}

fn run(app: &Arc<App>, supervisor: &Supervisor, slots: &Arc<Semaphore>, shutdown: &Shutdown) -> Result<(), String> {
    while !shutdown.is_asked() {
        let slot = supervisor.runtime().block_on(slots.clone().acquire_owned()).map_err(|error| error.to_string())?;
        match app.store().claim(Queue::Io, 1).map_err(|error| error.to_string())? {
            Some(claim) => take(app, supervisor, claim, slot).map_err(|error| error.to_string())?,
            None => {
                drop(slot);
                app.store().wait_ready(Queue::Io, LOOK_UP);
            }
        }
    }
    Ok(())
}

/// One claimed lane with its first row.
struct Turn {
    claim: Claim,
    key: Key,
    id: MessageId,
    /// Kept until the message is settled: it bounds what is on its way.
    _slot: OwnedSemaphorePermit,
}

impl Turn {
    fn lane(&self) -> Lane {
        self.claim.lane()
    }
}

fn take(app: &Arc<App>, supervisor: &Supervisor, claim: Claim, slot: OwnedSemaphorePermit) -> Result<(), TxError> {
    let Some((key, row)) = claim.rows().first().cloned() else { return Ok(()) };
    let Some(Work::Send { id }) = WorkRow::decode(&row.value).as_ref().and_then(Work::read) else {
        return tx::give_up(app.store(), &claim, &TxError::UnknownWork, app.now());
    };
    let turn = Turn { claim, key, id, _slot: slot };
    for _ in 0..CONFLICTS {
        match go(app, &turn, id) {
            Ok(Next::Done) => return Ok(()),
            Ok(Next::Attempt(commit, counts, outgoing, sender)) => {
                let app = Arc::clone(app);
                let flight = app.flights().message(id);
                let span = tracing::info_span!("send", root = %Root(id.raw()), message.id = %id, sender = sender.name);
                let sending = async move {
                    if let Err(error) = commit.await {
                        // Nothing was sent; the claim goes back and the message is looked at again.
                        tracing::debug!(message.id = %turn.id, error = %error, "the attempt was not recorded");
                        return flight.landed();
                    }
                    counts.committed();
                    attempt(&app, turn, *outgoing, &sender).await;
                    flight.landed();
                };
                supervisor.task(sending.instrument(span));
                return Ok(());
            }
            Err(error) if error.is_conflict() => {}
            Err(error) if error.is_final() => return Err(error),
            Err(error) => return tx::give_up(app.store(), &turn.claim, &error, app.now()),
        }
    }
    // The claim goes back, and the message is looked at again.
    Ok(())
}

/// What is to be done after the gate.
enum Next {
    Done,
    Attempt(Commit, Counts, Box<Outgoing>, Arc<Sender>),
}

fn go(app: &App, turn: &Turn, id: MessageId) -> Result<Next, TxError> {
    let mut tx = Tx::new(app.store(), turn.lane().workspace);
    match pipeline::prepare(&mut tx, &app.catalog(), id, turn.lane(), app.now())? {
        Prepared::Attempt(outgoing, sender) => {
            let counts = tx.take_counts();
            Ok(Next::Attempt(tx.submit(None)?, counts, outgoing, sender))
        }
        Prepared::Settled => {
            tx.delete(&turn.key);
            tx.commit(Some(turn.claim.token())).map(|()| Next::Done)
        }
    }
}

async fn attempt(app: &Arc<App>, turn: Turn, outgoing: Outgoing, sender: &Sender) {
    let watch = Stopwatch::start();
    let result = {
        let _in_flight = Up::new(app.metrics().in_flight());
        sender.channel.send(outgoing).await
    };
    sender.meter.send.observe(watch.elapsed().as_secs_f64());
    sender.meter.attempts(counts_as(&result)).inc();
    log(&turn, sender, &result);
    for _ in 0..CONFLICTS {
        match settle(app, &turn, sender, &result).await {
            Err(TxError::Commit(CommitError::Conflict { .. })) => {}
            Ok(()) => return,
            Err(error) => {
                tracing::error!(message.id = %turn.id, error = %error, "the outcome of an attempt was not recorded: the message is unknown until a status comes");
                return;
            }
        }
    }
}

/// One more, until it is dropped.
struct Up(Gauge);

impl Up {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.0.dec();
    }
}

const fn counts_as(result: &SendResult) -> Attempted {
    match result {
        SendResult::Accepted { .. } => Attempted::Accepted,
        SendResult::Refused(_) => Attempted::Refused,
        SendResult::Unknown { .. } => Attempted::Unknown,
    }
}

async fn settle(app: &Arc<App>, turn: &Turn, sender: &Sender, result: &SendResult) -> Result<(), TxError> {
    let commit = tokio::task::block_in_place(|| {
        let _span = tracing::info_span!("settle").entered();
        let mut tx = Tx::new(app.store(), turn.lane().workspace);
        pipeline::settle(&mut tx, sender, turn.id, turn.lane(), result, app.now())?;
        tx.delete(&turn.key);
        tx.submit(Some(turn.claim.token()))
    })?;
    commit.await.map(|_| ()).map_err(TxError::Commit)
}

fn log(turn: &Turn, sender: &Sender, result: &SendResult) {
    let (id, sender) = (turn.id, &sender.name);
    match result {
        SendResult::Accepted { .. } => tracing::info!(message.id = %id, sender, "accepted by the provider"),
        SendResult::Unknown { reason } => {
            tracing::warn!(message.id = %id, sender, reason = %Scrubbed(reason), "the provider's answer was lost")
        }
        SendResult::Refused(refusal) => {
            tracing::warn!(message.id = %id, sender, code = refusal.code, title = %Scrubbed(&refusal.title), "refused by the provider")
        }
    }
}

#[cfg(test)]
mod tests;
