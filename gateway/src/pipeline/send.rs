//! Send: a queued message passes the gate, is marked as being attempted, goes out, and its outcome is settled. The halves before and after the provider are here; the call itself is the worker's.

use super::{
    advance::shard,
    health::{self, Told},
    reach,
    record::addresses,
    refused::{self, By, Case, Fate},
    reply, unknown,
};
use crate::{
    catalog::{Catalog, Sender},
    records::{MessageRow, ProviderIdRow, SuppressionRow, WindowRow},
    tx::{Tx, TxError},
    work::Work,
};
use std::sync::Arc;
use tidegate_channels::{Outgoing, ProviderRefusal, Scope, SendResult};
use tidegate_model::{
    MessageId, Timestamp,
    circuit::Circuit,
    contact::Contact,
    gate::{self, GateInput, Suppression},
    message::{Category, Content, GateDecision, Message, State, Step, Verdict},
};
use tidegate_store::{Lane, Queue};

/// How long a marketing message waits for inbound messages that are stored and not yet interpreted.
pub(super) const UNREAD_PAUSE_MS: i64 = 1_000;

/// Decisions of the gate that a message keeps: the first and the newest. A message that waits for days must not outgrow its row.
const MOST_DECISIONS: usize = 40;

/// What to do with a claimed message.
pub(crate) enum Prepared {
    /// It may go: after the commit, call the provider.
    Attempt(Box<Outgoing>, Arc<Sender>),
    /// The commit is all there is to do.
    Settled,
}

/// Puts a message into the queue of its sender: row and work, in one commit.
pub(crate) fn queue(tx: &mut Tx<'_>, sender: &Sender, message: Message) {
    let workspace = tx.workspace();
    tx.enqueue(Queue::Io, lane(sender, &message), &Work::Send { id: message.id }.row());
    tx.put(MessageRow { workspace, message });
}

/// Puts a message into the queue of its sender for later.
pub(super) fn queue_at(tx: &mut Tx<'_>, sender: &Sender, message: Message, at: Timestamp) {
    let workspace = tx.workspace();
    tx.defer(at, Queue::Io, lane(sender, &message), Work::Send { id: message.id }.row());
    tx.put(MessageRow { workspace, message });
}

/// Where a sender's messages to a person are worked on, one after the other.
fn lane(sender: &Sender, message: &Message) -> Lane {
    Lane::new(sender.workspace, sender.number, shard(message.contact))
}

/// Does what can be done for a claimed row without calling the provider. The caller commits `tx`: with the lane's token unless it must attempt.
///
/// # Errors
/// The store's, and work of another kind.
pub(crate) fn prepare(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    work: Work,
    lane: Lane,
    now: Timestamp,
) -> Result<Prepared, TxError> {
    match work {
        Work::Send { id } => offer(tx, catalog, id, lane, now),
        Work::Unknown { id, attempt } => unknown::resolve(tx, catalog, id, attempt, now).map(|()| Prepared::Settled),
        Work::Delivery { .. }
        | Work::Replay { .. }
        | Work::Fetch { .. }
        | Work::Answered { .. }
        | Work::Timer { .. }
        | Work::Letter { .. }
        | Work::Connect { .. }
        | Work::Resume { .. } => Err(TxError::UnknownWork),
    }
}

/// Takes a message to the gate.
fn offer(tx: &mut Tx<'_>, catalog: &Catalog, id: MessageId, lane: Lane, now: Timestamp) -> Result<Prepared, TxError> {
    let Some(MessageRow { mut message, workspace }) = tx.get::<MessageRow>(&(tx.workspace(), id))? else {
        return Ok(Prepared::Settled);
    };
    let sender = catalog.sender(workspace, &message.sender);
    match message.state {
        State::Queued => {}
        State::Attempting => {
            cut(tx, catalog, sender.as_deref(), &mut message, lane, now)?;
            tx.put(MessageRow { workspace, message });
            return Ok(Prepared::Settled);
        }
        _ => return Ok(Prepared::Settled),
    }
    let (decision, circuits) = decide(tx, catalog, &message, sender.as_deref(), now)?;
    note(&mut message, &decision);
    tx.count(catalog.metrics().gate(&decision));
    match (decision.verdict, sender, message.address.clone()) {
        (Verdict::Sent, Some(sender), Some(to)) => {
            let trying = circuits.into_iter().filter(|circuit| circuit.holds(message.category)).collect::<Vec<_>>();
            message.attempts += 1;
            message.not_before = None;
            message.probe = !trying.is_empty();
            health::begin_probe(tx, trying, id, now);
            message.report(Step { state: State::Attempting, at: now, note: None });
            let outgoing = Outgoing { id, to, content: message.content.clone() };
            tx.put(MessageRow { workspace, message });
            Ok(Prepared::Attempt(Box::new(outgoing), sender))
        }
        (Verdict::DeferredUntil(until), ..) => {
            // What has a moment of its own keeps it; what waits for the same circuit does not come back together.
            let at = if circuits.is_empty() { until } else { refused::look_again_at(&message, until, now) };
            tx.put(MessageRow { workspace, message });
            tx.defer(at, Queue::Io, lane, Work::Send { id }.row());
            Ok(Prepared::Settled)
        }
        _ => {
            message.report(Step { state: State::Refused, at: now, note: Some(decision.reason) });
            tx.put(MessageRow { workspace, message });
            Ok(Prepared::Settled)
        }
    }
}

/// The process ended between an attempt and its outcome: nobody knows what became of it.
fn cut(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    sender: Option<&Sender>,
    message: &mut Message,
    lane: Lane,
    now: Timestamp,
) -> Result<(), TxError> {
    let note =
        "the gateway stopped before the provider's answer was recorded; a status of the provider will resolve it";
    unknown::begin(tx, catalog.sending(), message, lane, now, note);
    match sender {
        Some(sender) if message.probe => {
            message.probe = false;
            health::end_probe(tx, sender, message, &Told::Trouble, now)
        }
        _ => Ok(()),
    }
}

/// Keeps a decision. One that is put off again by the same check replaces the last, so that a long wait does not outgrow the row.
fn note(message: &mut Message, decision: &GateDecision) {
    let deferred = |held: &GateDecision| matches!(held.verdict, Verdict::DeferredUntil(_));
    match message.gate.last_mut() {
        Some(last) if deferred(last) && deferred(decision) && last.check == decision.check => {
            last.clone_from(decision);
        }
        _ => message.gate.push(decision.clone()),
    }
    if message.gate.len() > MOST_DECISIONS {
        message.gate.remove(1);
    }
}

/// The gate's decision, and the open circuits that the message hangs on.
fn decide(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    message: &Message,
    sender: Option<&Sender>,
    now: Timestamp,
) -> Result<(GateDecision, Vec<Circuit>), TxError> {
    let Some(sender) = sender else {
        let reason = format!("the configuration has no sender {:?} in this workspace any more", message.sender);
        return Ok((
            GateDecision { at: now, verdict: Verdict::Refused, check: "sender".to_owned(), reason },
            Vec::new(),
        ));
    };
    if message.category == Category::Marketing && reply::may_come(tx, catalog, now)? {
        let verdict = Verdict::DeferredUntil(now.plus_ms(UNREAD_PAUSE_MS));
        let reason = "inbound messages are not interpreted yet: one of them may be an opt-out".to_owned();
        return Ok((GateDecision { at: now, verdict, check: "unread".to_owned(), reason }, Vec::new()));
    }
    let contact = tx.contact(message.contact)?;
    let suppressions = suppressions(tx, message, contact.as_ref())?;
    let window = match &contact {
        Some(contact) => tx.get::<WindowRow>(&(tx.workspace(), contact.id, sender.number))?,
        None => None,
    };
    let template_known = match &message.content {
        Content::Template { name, .. } => catalog.has_template(tx.workspace(), name),
        Content::Text { .. } | Content::Received { .. } => true,
    };
    let unreachable = reach::known(tx, message)?;
    let circuits = health::circuits(tx, sender, message)?;
    let decision = gate::decide(
        &GateInput {
            channel: message.channel,
            category: message.category,
            content: &message.content,
            addressed: message.address.is_some(),
            suppressions: &suppressions,
            consents: contact.as_ref().map_or(&[], |contact| contact.consents.as_slice()),
            window: window.map(|row| row.window),
            template_known,
            unreachable: unreachable.as_ref(),
            circuits: &circuits,
            not_before: message.not_before,
            expires_at: message.expires_at,
            waited_for: waited_for(message),
        },
        now,
    );
    Ok((decision, circuits))
}

/// Why the gate put a message off, if that was the last it did.
fn waited_for(message: &Message) -> Option<&str> {
    let last = message.gate.last()?;
    matches!(last.verdict, Verdict::DeferredUntil(_)).then_some(last.reason.as_str())
}

fn suppressions(tx: &mut Tx<'_>, message: &Message, contact: Option<&Contact>) -> Result<Vec<Suppression>, TxError> {
    let mut found = Vec::new();
    for address in contact.map(|contact| addresses(message.channel, contact)).unwrap_or_default() {
        let key = (tx.workspace(), message.channel, address);
        // A STOP that is recorded in between takes the message back to the gate.
        found.extend(tx.watch::<SuppressionRow>(&key)?.into_iter().flat_map(SuppressionRow::held));
    }
    Ok(found)
}

/// What an attempt led to, and what is needed to settle it.
pub(crate) struct Attempted<'a> {
    /// By whom.
    pub sender: &'a Sender,
    /// Which message.
    pub id: MessageId,
    /// Its lane.
    pub lane: Lane,
    /// What the provider said.
    pub result: &'a SendResult,
    /// Attempts of the sender in a row, this one included, without a good answer.
    pub in_a_row: u32,
}

/// Writes what became of an attempt.
///
/// # Errors
/// The store's.
pub(crate) fn settle(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    attempted: &Attempted<'_>,
    now: Timestamp,
) -> Result<(), TxError> {
    let Attempted { sender, id, lane, result, in_a_row } = attempted;
    let Some(MessageRow { mut message, workspace }) = tx.get::<MessageRow>(&(tx.workspace(), *id))? else {
        return Ok(());
    };
    let probe = std::mem::take(&mut message.probe);
    match result {
        SendResult::Accepted { provider_id, held, .. } => {
            let note = held.as_ref().map(|word| format!("held by the provider: {word}"));
            if message.state == State::Attempting {
                // The answer is about this attempt, whatever the id was before.
                message.earlier.retain(|held| held != provider_id);
            }
            message.report_of_provider(provider_id, Step { state: State::Accepted, at: now, note });
            if !message.earlier.contains(provider_id) {
                message.earlier.extend(message.provider_id.take().filter(|held| held != provider_id));
                message.provider_id = Some(provider_id.clone());
            }
            tx.put(ProviderIdRow { workspace, sender: sender.number, provider_id: provider_id.clone(), message: *id });
            if probe {
                health::end_probe(tx, sender, &message, &Told::Works, now)?;
            }
        }
        SendResult::Unknown { reason } => {
            // A status may have come before the answer was given up.
            if message.state == State::Attempting {
                unknown::begin(tx, catalog.sending(), &mut message, *lane, now, reason.clone());
            }
            if probe {
                health::end_probe(tx, sender, &message, &Told::Trouble, now)?;
            } else if let Some(trip) = refused::trouble(*in_a_row, catalog.sending())
                && let Some(scope) = health::scope_of(sender, &message, Scope::Sender)
            {
                health::open(tx, &scope, &trip, now)?;
            }
        }
        SendResult::Refused(refusal) => {
            return refuse(tx, catalog, attempted, refusal, (message, probe), now);
        }
    }
    tx.put(MessageRow { workspace, message });
    Ok(())
}

fn refuse(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    attempted: &Attempted<'_>,
    refusal: &ProviderRefusal,
    (mut message, probe): (Message, bool),
    now: Timestamp,
) -> Result<(), TxError> {
    let (workspace, sender) = (tx.workspace(), attempted.sender);
    message.errors = vec![refusal.error()];
    // It has an id at the provider, and is over: what is told of that id later is old.
    message.earlier.extend(refusal.provider_id.clone().filter(|id| !message.earlier.contains(id)));
    let sending = catalog.sending();
    let case = Case { message: &message, refusal, by: By::Answer, in_a_row: attempted.in_a_row, sending, now };
    let follow = refused::follow(&case);
    if probe {
        let trip = follow.trip.as_ref();
        let trip = trip.and_then(|(scope, trip)| Some((health::scope_of(sender, &message, *scope)?, trip.clone())));
        let told = if crate::pulse::is_trouble_of_provider(refusal) && trip.is_none() {
            Told::Trouble
        } else {
            Told::Refused(trip.as_ref())
        };
        health::end_probe(tx, sender, &message, &told, now)?;
    }
    refused::apply(tx, catalog, sender, &message, refusal, &follow, now)?;
    if message.state != State::Attempting {
        // A status came first: it knows better.
        let note = Some(refused::words(refusal));
        message.report(Step { state: State::Failed, at: now, note });
        tx.put(MessageRow { workspace, message });
        return Ok(());
    }
    match follow.fate {
        Fate::Again { at, words } => {
            message.retries += 1;
            message.not_before = Some(at);
            message.requeue(now, words);
            queue_at(tx, sender, message, at);
        }
        Fate::Waits { until, words } => {
            let at = refused::look_again_at(&message, until, now);
            waits(&mut message, now, words);
            queue_at(tx, sender, message, at);
        }
        Fate::Fails { words } => {
            message.report(Step { state: State::Failed, at: now, note: Some(words) });
            tx.put(MessageRow { workspace, message });
        }
    }
    Ok(())
}

/// Back to the queue. A message that tries again and again for a circuit does not outgrow its row: of such steps only the last are kept.
fn waits(message: &mut Message, now: Timestamp, words: String) {
    message.requeue(now, words);
    let mut steps = message.history.iter().rev();
    let mut waited = |state: State| steps.next().is_some_and(|step| step.state == state);
    if waited(State::Queued) && waited(State::Attempting) && waited(State::Queued) && waited(State::Attempting) {
        let at = message.history.len() - 3;
        message.history.drain(at - 1..=at);
    }
}

#[cfg(test)]
mod health_tests;
#[cfg(test)]
mod stage_tests;
