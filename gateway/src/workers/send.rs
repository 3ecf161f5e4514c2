//! The sending loop: a thread takes messages through the gate, and each that may go becomes a task: mark durable, call the provider, settle.

use super::LOOK_UP;
use crate::{
    app::App,
    catalog::Sender,
    letters::{self, Behind},
    pipeline::{self, Prepared},
    supervisor::{Shutdown, Supervisor},
    tx::{self, Tx, TxError},
    work::Work,
};
use std::sync::Arc;
use tidegate_channels::{Outgoing, SendResult};
use tidegate_model::MessageId;
use tidegate_store::{Claim, Commit, CommitError, Key, Lane, Queue, WorkRow, records::DeadLetterKey};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

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
    /// The letter that it is another try of.
    letter: Option<DeadLetterKey>,
    /// Kept until the message is settled: it bounds what is on its way.
    _slot: OwnedSemaphorePermit,
}

impl Turn {
    fn lane(&self) -> Lane {
        self.claim.lane()
    }

    /// Takes away the row of work, and the letter that asked for it.
    fn done(&self, tx: &mut Tx<'_>) {
        tx.delete(&self.key);
        if let Some(key) = self.letter {
            tx.delete_letter(key.workspace, key.seq);
        }
    }
}

/// What a row of work asks for.
enum Wanted {
    Message(MessageId, Option<DeadLetterKey>),
    /// Nobody asks for it any more.
    Nothing,
}

fn wanted(app: &App, claim: &Claim, row: &[u8]) -> Result<Wanted, TxError> {
    let workspace = claim.lane().workspace;
    let row = WorkRow::decode(row).ok_or(TxError::UnknownWork)?;
    match letters::behind(&mut Tx::new(app.store(), workspace), workspace, row)? {
        Some(Behind { work: Some(Work::Send { id }), letter, .. }) => Ok(Wanted::Message(id, letter)),
        Some(Behind { work: None, .. }) => Ok(Wanted::Nothing),
        _ => Err(TxError::UnknownWork),
    }
}

fn take(app: &Arc<App>, supervisor: &Supervisor, claim: Claim, slot: OwnedSemaphorePermit) -> Result<(), TxError> {
    let Some((key, row)) = claim.rows().first().cloned() else { return Ok(()) };
    let (id, letter) = match wanted(app, &claim, &row.value) {
        Ok(Wanted::Message(id, letter)) => (id, letter),
        Ok(Wanted::Nothing) => {
            let mut tx = Tx::new(app.store(), claim.lane().workspace);
            tx.delete(&key);
            return tx.commit(Some(claim.token()));
        }
        Err(error) if error.is_final() => return Err(error),
        Err(error) => return tx::give_up(app.store(), &claim, &error, app.now()),
    };
    let turn = Turn { claim, key, id, letter, _slot: slot };
    for _ in 0..CONFLICTS {
        match go(app, &turn, id) {
            Ok(Next::Done) => return Ok(()),
            Ok(Next::Attempt(commit, outgoing, sender)) => {
                let app = Arc::clone(app);
                supervisor.task(async move {
                    if let Err(error) = commit.await {
                        // Nothing was sent; the claim goes back and the message is looked at again.
                        tracing::debug!(message.id = %turn.id, error = %error, "the attempt was not recorded");
                        return;
                    }
                    attempt(&app, turn, *outgoing, &sender).await;
                });
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
    Attempt(Commit, Box<Outgoing>, Arc<Sender>),
}

fn go(app: &App, turn: &Turn, id: MessageId) -> Result<Next, TxError> {
    let mut tx = Tx::new(app.store(), turn.lane().workspace);
    match pipeline::prepare(&mut tx, app.catalog(), id, turn.lane(), app.now())? {
        Prepared::Attempt(outgoing, sender) => Ok(Next::Attempt(tx.submit(None)?, outgoing, sender)),
        Prepared::Settled => {
            turn.done(&mut tx);
            tx.commit(Some(turn.claim.token())).map(|()| Next::Done)
        }
    }
}

async fn attempt(app: &Arc<App>, turn: Turn, outgoing: Outgoing, sender: &Sender) {
    let result = sender.channel.send(outgoing).await;
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

async fn settle(app: &Arc<App>, turn: &Turn, sender: &Sender, result: &SendResult) -> Result<(), TxError> {
    let commit = tokio::task::block_in_place(|| {
        let mut tx = Tx::new(app.store(), turn.lane().workspace);
        pipeline::settle(&mut tx, sender, turn.id, turn.lane(), result, app.now())?;
        turn.done(&mut tx);
        tx.submit(Some(turn.claim.token()))
    })?;
    commit.await.map(|_| ()).map_err(TxError::Commit)
}

fn log(turn: &Turn, sender: &Sender, result: &SendResult) {
    let (id, sender) = (turn.id, &sender.name);
    match result {
        SendResult::Accepted { .. } => tracing::info!(message.id = %id, sender, "accepted by the provider"),
        SendResult::Unknown { reason } => {
            tracing::warn!(message.id = %id, sender, reason, "the provider's answer was lost")
        }
        SendResult::Refused(refusal) => {
            tracing::warn!(message.id = %id, sender, code = refusal.code, title = refusal.title, "refused by the provider")
        }
    }
}

#[cfg(test)]
mod tests;
