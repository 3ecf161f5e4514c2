//! The sending loop: a thread takes messages through the gate, and each becomes a task: mark durable, call the provider, settle.
//!
//! A sender that is slow or hangs takes its share of what may be on its way, and no more.

use super::{
    LOOK_UP,
    slots::{Slot, Slots},
};
use crate::{
    app::App,
    catalog::Sender,
    pipeline::{self, Attempted, Prepared},
    supervisor::{Shutdown, Supervisor},
    tx::{self, Tx, TxError},
    work::Work,
};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tidegate_channels::{Outgoing, SendResult};
use tidegate_store::{Claim, Commit, Key, Lane, Queue, Retry, WorkRow};

/// Pauses before a commit is tried again that somebody else's was in the way of, or that the disk had no time for. After the last it is given up.
const PAUSES_MS: [u64; 8] = [1, 5, 20, 50, 100, 200, 400, 800];

pub(super) fn start(app: &Arc<App>, supervisor: &Supervisor, in_flight: usize) -> std::io::Result<()> {
    let slots = Slots::new(in_flight, app.catalog().all_senders().count());
    let (app, supervisor_of_sends, shutdown) = (Arc::clone(app), supervisor.clone(), supervisor.shutdown());
    supervisor.thread("sender".to_owned(), move || run(&app, &supervisor_of_sends, &slots, &shutdown))
}

fn run(app: &Arc<App>, supervisor: &Supervisor, slots: &Arc<Slots>, shutdown: &Shutdown) -> Result<(), String> {
    let ready = app.store().ready_signal(Queue::Io);
    let mut held = Held::default();
    while !shutdown.is_asked() {
        match next(app, &mut held, slots).map_err(|error| error.to_string())? {
            Some((claim, slot)) => take(app, supervisor, claim, slot).map_err(|error| error.to_string())?,
            None => supervisor.runtime().block_on(async {
                tokio::select! {
                    () = ready.wait() => {}
                    () = slots.freed() => {}
                    () = tokio::time::sleep(LOOK_UP) => {}
                }
            }),
        }
    }
    Ok(())
}

/// Claims of senders that have their share: each waits for a slot of its sender, and holds up nobody else. There are at most as many as lanes.
#[derive(Default)]
struct Held(HashMap<u32, VecDeque<Claim>>);

impl Held {
    fn push(&mut self, claim: Claim) {
        self.0.entry(claim.lane().resource).or_default().push_back(claim);
    }

    /// A claim whose sender has a slot again.
    fn next(&mut self, slots: &Arc<Slots>) -> Option<(Claim, Slot)> {
        let (sender, slot) = self.0.keys().find_map(|sender| Some((*sender, slots.take(*sender)?)))?;
        let claims = self.0.get_mut(&sender)?;
        let claim = claims.pop_front();
        if claims.is_empty() {
            self.0.remove(&sender);
        }
        Some((claim?, slot))
    }
}

/// A claim that may be worked on now, and its slot.
fn next(app: &App, held: &mut Held, slots: &Arc<Slots>) -> Result<Option<(Claim, Slot)>, TxError> {
    if let Some(found) = held.next(slots) {
        return Ok(Some(found));
    }
    while !slots.is_full() {
        let Some(claim) = app.store().claim(Queue::Io, 1)? else { return Ok(None) };
        match slots.take(claim.lane().resource) {
            Some(slot) => return Ok(Some((claim, slot))),
            None => held.push(claim),
        }
    }
    Ok(None)
}

/// One claimed lane with its first row.
struct Turn {
    claim: Claim,
    key: Key,
    work: Work,
    /// Kept until the message is settled: it bounds what is on its way.
    _slot: Slot,
}

impl Turn {
    fn lane(&self) -> Lane {
        self.claim.lane()
    }
}

fn take(app: &Arc<App>, supervisor: &Supervisor, claim: Claim, slot: Slot) -> Result<(), TxError> {
    let Some((key, row)) = claim.rows().first().cloned() else { return Ok(()) };
    let Some(work) = WorkRow::decode(&row.value).as_ref().and_then(Work::read) else {
        return tx::give_up(app.store(), &claim, &TxError::UnknownWork, app.now());
    };
    let turn = Turn { claim, key, work, _slot: slot };
    let step = go(app, &turn);
    match step {
        Err(error) if error.is_final() => Err(error),
        step => {
            supervisor.task(drive(Arc::clone(app), turn, step));
            Ok(())
        }
    }
}

/// What is to be done after the gate, when its commit is on disk.
enum Next {
    Settled(Commit),
    Attempt(Commit, Box<Outgoing>, Arc<Sender>),
}

fn go(app: &App, turn: &Turn) -> Result<Next, TxError> {
    let mut tx = Tx::new(app.store(), turn.lane().workspace);
    match pipeline::prepare(&mut tx, app.catalog(), turn.work, turn.lane(), app.now())? {
        Prepared::Attempt(outgoing, sender) => Ok(Next::Attempt(tx.submit(None)?, outgoing, sender)),
        Prepared::Settled => {
            tx.delete(&turn.key);
            Ok(Next::Settled(tx.submit(Some(turn.claim.token()))?))
        }
    }
}

/// Sees a row through. A commit that does not get through is tried again after a pause, with everything that hangs on it; nothing was sent then. At last the row is
/// put aside, for a person to see.
async fn drive(app: Arc<App>, turn: Turn, first: Result<Next, TxError>) {
    let mut step = first;
    let mut pauses = PAUSES_MS.iter();
    loop {
        let error = match step {
            Ok(Next::Settled(commit)) => match commit.await {
                Ok(_) => return,
                Err(error) => TxError::Commit(error),
            },
            Ok(Next::Attempt(commit, outgoing, sender)) => match commit.await {
                Ok(_) => return attempt(&app, turn, *outgoing, &sender).await,
                Err(error) => TxError::Commit(error),
            },
            Err(error) => error,
        };
        match pauses.next() {
            Some(pause) if may_pass(&error) => tokio::time::sleep(Duration::from_millis(*pause)).await,
            _ => return put_aside(&app, &turn, &error),
        }
        step = tokio::task::block_in_place(|| go(&app, &turn));
    }
}

/// Whether a commit that failed so may succeed, when it is decided again.
fn may_pass(error: &TxError) -> bool {
    matches!(error, TxError::Commit(error) if error.retry() != Retry::Never)
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

async fn attempt(app: &Arc<App>, turn: Turn, outgoing: Outgoing, sender: &Sender) {
    let id = outgoing.id;
    let result = sender.channel.send(outgoing).await;
    log(id, sender, &result);
    let in_a_row = app.pulses().observe(sender.number, &result, app.now());
    let attempted = Attempted { sender, id, lane: turn.lane(), result: &result, in_a_row };
    let mut pauses = PAUSES_MS.iter();
    while let Err(error) = settle(app, &turn, &attempted).await {
        match pauses.next() {
            Some(pause) if may_pass(&error) => tokio::time::sleep(Duration::from_millis(*pause)).await,
            _ => {
                tracing::error!(message.id = %id, error = %error, "the outcome of an attempt was not recorded: the message is unknown until a status comes");
                return;
            }
        }
    }
}

async fn settle(app: &Arc<App>, turn: &Turn, attempted: &Attempted<'_>) -> Result<(), TxError> {
    let commit = tokio::task::block_in_place(|| {
        let mut tx = Tx::new(app.store(), turn.lane().workspace);
        pipeline::settle(&mut tx, app.catalog(), attempted, app.now())?;
        tx.delete(&turn.key);
        tx.submit(Some(turn.claim.token()))
    })?;
    commit.await.map(|_| ()).map_err(TxError::Commit)
}

fn log(id: tidegate_model::MessageId, sender: &Sender, result: &SendResult) {
    let sender = &sender.name;
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
