//! The sending loop: a thread takes messages through the gate, and each becomes a task: mark durable, call the provider, settle. The same thread starts the tasks
//! that read from providers for items that wait (`fetch.rs`): both kinds of work lie in one queue.
//!
//! A sender that is slow or hangs takes its share of what may be on its way, and no more; so does a connection that is read from.

use super::{
    LOOK_UP, connect, fetch,
    slots::{Slot, Slots},
};
use crate::{
    app::App,
    catalog::Sender,
    config::Workers,
    letters::{self, Behind},
    metrics::{self, Gauge},
    pipeline::{self, Attempted, Prepared},
    supervisor::{Shutdown, Supervisor},
    telemetry::Root,
    tx::{self, Counts, Tx, TxError},
    work::Work,
};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tidegate_channels::{Outgoing, SendResult};
use tidegate_clock::Stopwatch;
use tidegate_model::{DeliveryId, MessageId, mask::Scrubbed};
use tidegate_store::{Claim, Commit, Key, Lane, Queue, Retry, WorkRow, records::DeadLetterKey};
use tracing::Instrument;

/// Pauses before a commit is tried again that somebody else's was in the way of, or that the disk had no time for. After the last it is given up.
pub(super) const PAUSES_MS: [u64; 8] = [1, 5, 20, 50, 100, 200, 400, 800];

/// Most claims that wait for a slot: beyond, no further lane is claimed.
const MOST_HELD: usize = 4_096;

pub(super) fn start(app: &Arc<App>, supervisor: &Supervisor, config: &Workers) -> std::io::Result<()> {
    let slots = Pools { sends: Slots::new(config.sends_in_flight), fetches: Slots::new(config.fetches_in_flight) };
    let (app, supervisor_of_sends, shutdown) = (Arc::clone(app), supervisor.clone(), supervisor.shutdown());
    supervisor.thread("sender".to_owned(), move || run(&app, &supervisor_of_sends, &slots, &shutdown))
}

/// The slots of both kinds of work.
struct Pools {
    sends: Arc<Slots>,
    fetches: Arc<Slots>,
}

impl Pools {
    /// A slot for work of this resource.
    fn take(&self, resource: u32, is_only_sender: bool) -> Option<Slot> {
        if pipeline::is_fetch(resource) {
            // Connections come and go with a reload: room is always left for another.
            self.fetches.take(resource, false)
        } else {
            self.sends.take(resource, is_only_sender)
        }
    }

    fn are_full(&self) -> bool {
        self.sends.is_full() && self.fetches.is_full()
    }
}

fn run(app: &Arc<App>, supervisor: &Supervisor, slots: &Pools, shutdown: &Shutdown) -> Result<(), String> {
    let ready = app.store().ready_signal(Queue::Io);
    let mut held = Held::default();
    while !shutdown.is_asked() {
        match next(app, &mut held, slots).map_err(|error| error.to_string())? {
            Some((claim, slot)) => take(app, supervisor, claim, slot).map_err(|error| error.to_string())?,
            None => supervisor.runtime().block_on(async {
                tokio::select! {
                    () = ready.wait() => {}
                    () = slots.sends.freed() => {}
                    () = slots.fetches.freed() => {}
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

    fn count(&self) -> usize {
        self.0.values().map(VecDeque::len).sum()
    }

    /// A claim whose sender has a slot again.
    fn next(&mut self, slots: &Pools, is_alone: bool) -> Option<(Claim, Slot)> {
        let (sender, slot) = self.0.keys().find_map(|sender| Some((*sender, slots.take(*sender, is_alone)?)))?;
        let claims = self.0.get_mut(&sender)?;
        let claim = claims.pop_front();
        if claims.is_empty() {
            self.0.remove(&sender);
        }
        Some((claim?, slot))
    }
}

/// A claim that may be worked on now, and its slot.
fn next(app: &App, held: &mut Held, slots: &Pools) -> Result<Option<(Claim, Slot)>, TxError> {
    let is_alone = app.catalog().all_senders().nth(1).is_none();
    if let Some(found) = held.next(slots, is_alone) {
        return Ok(Some(found));
    }
    while !slots.are_full() && held.count() < MOST_HELD {
        let Some(claim) = app.store().claim(Queue::Io, 1)? else { return Ok(None) };
        match slots.take(claim.lane().resource, is_alone) {
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
    /// The letter that it is another try of.
    letter: Option<DeadLetterKey>,
    /// Kept until the message is settled: it bounds what is on its way.
    _slot: Slot,
}

impl Turn {
    fn lane(&self) -> Lane {
        self.claim.lane()
    }
}

/// What a row of work asks for.
enum Wanted {
    /// Something about this message.
    Work(Work, MessageId, Option<DeadLetterKey>),
    /// Something that an item waits for.
    Fetch(DeliveryId, u32, Option<DeadLetterKey>),
    /// A connection that is to be looked after, and its turn.
    Connect(u32, u32, Option<DeadLetterKey>),
    /// Nobody asks for it any more.
    Nothing,
}

fn wanted(app: &App, claim: &Claim, row: &[u8]) -> Result<Wanted, TxError> {
    let workspace = claim.lane().workspace;
    let row = WorkRow::decode(row).ok_or(TxError::UnknownWork)?;
    match letters::behind(&mut Tx::new(app.store(), workspace), workspace, row)? {
        Some(Behind { work: Some(work @ (Work::Send { id } | Work::Unknown { id, .. })), letter, .. }) => {
            Ok(Wanted::Work(work, id, letter))
        }
        Some(Behind { work: Some(Work::Fetch { id, index }), letter, .. }) => Ok(Wanted::Fetch(id, index, letter)),
        Some(Behind { work: Some(Work::Connect { connection, turn }), letter, .. }) => {
            Ok(Wanted::Connect(connection, turn, letter))
        }
        Some(Behind { work: None, .. }) => Ok(Wanted::Nothing),
        _ => Err(TxError::UnknownWork),
    }
}

pub(super) fn take(app: &Arc<App>, supervisor: &Supervisor, claim: Claim, slot: Slot) -> Result<(), TxError> {
    let Some((key, row)) = claim.rows().first().cloned() else { return Ok(()) };
    let (work, id, letter) = match wanted(app, &claim, &row.value) {
        Ok(Wanted::Work(work, id, letter)) => (work, id, letter),
        Ok(Wanted::Fetch(delivery, index, letter)) => {
            let turn = fetch::Turn { claim, key, letter, delivery, index, _slot: slot };
            supervisor.task(fetch::drive(Arc::clone(app), turn, supervisor.shutdown()));
            return Ok(());
        }
        Ok(Wanted::Connect(connection, turn, letter)) => {
            let turn = connect::Turn { claim, key, letter, connection, turn, _slot: slot };
            supervisor.task(connect::drive(Arc::clone(app), turn, supervisor.shutdown()));
            return Ok(());
        }
        Ok(Wanted::Nothing) => {
            let mut tx = Tx::new(app.store(), claim.lane().workspace);
            tx.delete(&key);
            return tx.commit(Some(claim.token()));
        }
        Err(error) if error.is_final() => return Err(error),
        Err(error) => return tx::give_up(app.store(), &claim, &error, app.now()),
    };
    let turn = Turn { claim, key, work, letter, _slot: slot };
    let step = go(app, &turn);
    match step {
        Err(error) if error.is_final() => Err(error),
        step => {
            let span = tracing::info_span!("send", root = %Root(id.raw()), message.id = %id);
            supervisor.task(drive(Arc::clone(app), turn, step).instrument(span));
            Ok(())
        }
    }
}

/// What is to be done after the gate, when its commit is on disk.
enum Next {
    Settled(Commit, Counts),
    Attempt(Commit, Counts, Box<Outgoing>, Arc<Sender>),
}

fn go(app: &App, turn: &Turn) -> Result<Next, TxError> {
    let mut tx = Tx::new(app.store(), turn.lane().workspace);
    let prepared = pipeline::prepare(&mut tx, &app.catalog(), turn.work, turn.lane(), app.now())?;
    let counts = tx.take_counts();
    match prepared {
        Prepared::Attempt(outgoing, sender) => Ok(Next::Attempt(tx.submit(None)?, counts, outgoing, sender)),
        Prepared::Settled => {
            letters::done(&mut tx, &turn.key, turn.letter);
            Ok(Next::Settled(tx.submit(Some(turn.claim.token()))?, counts))
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
            Ok(Next::Settled(commit, counts)) => match commit.await {
                Ok(_) => return counts.committed(),
                Err(error) => TxError::Commit(error),
            },
            Ok(Next::Attempt(commit, counts, outgoing, sender)) => {
                let flight = app.flights().message(outgoing.id);
                match commit.await {
                    Ok(_) => {
                        counts.committed();
                        attempt(&app, turn, *outgoing, &sender).await;
                        return flight.landed();
                    }
                    Err(error) => {
                        flight.landed();
                        TxError::Commit(error)
                    }
                }
            }
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
pub(super) fn may_pass(error: &TxError) -> bool {
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
    let watch = Stopwatch::start();
    let result = {
        let _in_flight = Up::new(app.metrics().in_flight());
        sender.channel.send(outgoing).await
    };
    sender.meter.send.observe(watch.elapsed().as_secs_f64());
    sender.meter.attempts(counts_as(&result)).inc();
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
        let _span = tracing::info_span!("settle").entered();
        let mut tx = Tx::new(app.store(), turn.lane().workspace);
        pipeline::settle(&mut tx, &app.catalog(), attempted, app.now())?;
        letters::done(&mut tx, &turn.key, turn.letter);
        tx.submit(Some(turn.claim.token()))
    })?;
    commit.await.map(|_| ()).map_err(TxError::Commit)
}

/// One more, until it is dropped.
pub(super) struct Up(Gauge);

impl Up {
    pub(super) fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.0.dec();
    }
}

const fn counts_as(result: &SendResult) -> metrics::Attempted {
    match result {
        SendResult::Accepted { .. } => metrics::Attempted::Accepted,
        SendResult::Refused(_) => metrics::Attempted::Refused,
        SendResult::Unknown { .. } => metrics::Attempted::Unknown,
    }
}

fn log(id: MessageId, sender: &Sender, result: &SendResult) {
    let sender = &sender.name;
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
pub(super) mod tests;
