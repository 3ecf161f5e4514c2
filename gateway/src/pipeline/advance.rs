//! Advance: runs move, and what should happen is written down: messages to the send gate, timers. The moving itself is the flow engine's, which is pure.

use super::{
    reply,
    send::{UNREAD_PAUSE_MS, queue},
};
use crate::{
    catalog::{Catalog, SHARDS},
    metrics::RunEnd,
    records::{FlowRow, MessageRow, RunRow},
    telemetry::Root,
    tx::{Tx, TxError},
    work::Work,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use tidegate_flows::{Context, Effect, Flow, Input, Run, RunState, advance as step};
use tidegate_model::{
    ContactId, MessageId, RunId, Timestamp,
    contact::{Contact, ContactKey, WhatsappAddress},
    mask::Scrubbed,
    message::{Category, ChannelKind, Content, Draft, GateDecision, Message, State, Step, Verdict},
};
use tidegate_store::{Lane, Queue, TimerKey};

/// Starts a run.
///
/// # Errors
/// The store's.
pub(super) fn start(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    flow: &Flow,
    run: Run,
    contact: &Contact,
    now: Timestamp,
) -> Result<(), TxError> {
    move_on(tx, catalog, flow, run, &Input::Start, contact, now).map(|_| ())
}

/// A run's timer has come.
///
/// # Errors
/// The store's.
pub(super) fn wake(tx: &mut Tx<'_>, catalog: &Catalog, id: RunId, wait: u32, now: Timestamp) -> Result<(), TxError> {
    let Some(mut row) = tx.get::<RunRow>(&(tx.workspace(), id))? else { return Ok(()) };
    if let RunState::WaitingForReply { due_at, timer, .. } = &row.run.state
        && *timer == wait
        && reply::may_come(tx, catalog, *due_at)?
    {
        // A reply that was acknowledged in time is not overtaken by the end of the wait.
        row.timer = Some(arm(tx, &row.run, wait, now.plus_ms(UNREAD_PAUSE_MS)));
        tx.put(row);
        return Ok(());
    }
    let contact = tx.contact(row.run.contact)?.unwrap_or_else(|| Contact::new(row.run.contact, now));
    go_on(tx, catalog, row, &Input::Timer { wait }, &contact, now)
}

/// A run's contact wrote. A run that does not wait for it does nothing.
///
/// # Errors
/// The store's.
pub(super) fn hear(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    id: RunId,
    input: &Input,
    contact: &Contact,
    now: Timestamp,
) -> Result<(), TxError> {
    match tx.get::<RunRow>(&(tx.workspace(), id))? {
        Some(row) => go_on(tx, catalog, row, input, contact, now),
        None => reply::end(tx, contact.id, id),
    }
}

/// Moves a stored run.
fn go_on(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    row: RunRow,
    input: &Input,
    contact: &Contact,
    now: Timestamp,
) -> Result<(), TxError> {
    let Some(flow) = version(tx, catalog, &row.run)? else {
        let meter = catalog.flow_meter(tx.workspace(), &row.run.flow);
        tx.count(meter.ended(RunEnd::Failed).clone());
        let reason = "the version of the flow that this run entered is not stored any more".to_owned();
        return stop(tx, row, RunState::Failed { step: None, reason }, now);
    };
    let timer = row.timer.filter(|_| matches!(input, Input::Reply { .. }));
    if move_on(tx, catalog, &flow, row.run, input, contact, now)?
        && let Some(timer) = timer
    {
        tx.cancel(timer);
    }
    Ok(())
}

/// The flow in the version that the run entered.
fn version(tx: &mut Tx<'_>, catalog: &Catalog, run: &Run) -> Result<Option<Arc<Flow>>, TxError> {
    let workspace = tx.workspace();
    let newest = catalog.flows(workspace).and_then(|flows| flows.get(&run.flow)).cloned();
    if let Some(flow) = newest
        && flow.version() == run.version
    {
        return Ok(Some(flow));
    }
    let version = run.version.to_string();
    if let Some(flow) = catalog.old_flow(workspace, &version) {
        return Ok(Some(flow));
    }
    let Some(row) = tx.get::<FlowRow>(&(workspace, run.flow.clone(), version.clone()))? else { return Ok(None) };
    match Flow::load(&row.definition) {
        Ok(flow) => Ok(Some(catalog.keep_old_flow(workspace, version, flow))),
        Err(error) => {
            tracing::error!(flow = run.flow, version, error = %error, "a stored flow can't be loaded");
            Ok(None)
        }
    }
}

/// Ends a run from outside of its flow.
///
/// # Errors
/// The store's.
pub(crate) fn stop(tx: &mut Tx<'_>, mut row: RunRow, state: RunState, at: Timestamp) -> Result<(), TxError> {
    if matches!(row.run.state, RunState::WaitingForReply { .. }) {
        reply::end(tx, row.run.contact, row.run.id)?;
    }
    row.run.state = state;
    row.run.updated_at = at;
    row.timer = None;
    tx.put(row);
    Ok(())
}

/// Moves a run, and says whether it moved.
fn move_on(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    flow: &Flow,
    run: Run,
    input: &Input,
    contact: &Contact,
    now: Timestamp,
) -> Result<bool, TxError> {
    let _span = tracing::info_span!("advance", root = %Root(run.id.raw()), run.id = %run.id, flow = run.flow).entered();
    let workspace = tx.workspace();
    let fields = view(contact);
    let context = Context {
        contact: &fields,
        contact_language: contact.field("language"),
        default_sender: catalog.default_sender(workspace),
        default_sms_sender: catalog.default_sms_sender(workspace),
    };
    let waited = matches!(run.state, RunState::WaitingForReply { .. });
    let (run, effects) = step(flow, catalog.templates(workspace), run, input, &context, now);
    if effects.is_empty() && run.state != RunState::NotEntered {
        // A timer or a reply that the run does not wait for (any more).
        return Ok(false);
    }
    let mut timer = None;
    for effect in effects {
        match effect {
            Effect::Send { step, channel, sender, category, content } => {
                let planned = Planned { step, channel, sender, category, content };
                send(tx, catalog, &run, contact, planned, now)
            }
            Effect::SendFailed { step, reason } => refuse(tx, &run, contact, step, reason, now),
            Effect::Wait { wait, due_at } => timer = Some(arm(tx, &run, wait, due_at)),
            _ => {}
        }
    }
    if let RunState::Failed { step, reason } = &run.state {
        tracing::warn!(run.id = %run.id, flow = run.flow, step = step.as_deref(), reason = %Scrubbed(reason), "run failed");
    }
    if let Some(end) = end_of(&run.state) {
        tx.count(catalog.flow_meter(workspace, &run.flow).ended(end).clone());
    }
    match (waited, matches!(run.state, RunState::WaitingForReply { .. })) {
        (false, true) => reply::begin(tx, contact.id, run.id)?,
        (true, false) => reply::end(tx, contact.id, run.id)?,
        _ => {}
    }
    if run.state != RunState::NotEntered {
        tx.put(RunRow { workspace, run, timer });
    }
    Ok(true)
}

const fn end_of(state: &RunState) -> Option<RunEnd> {
    match state {
        RunState::Completed => Some(RunEnd::Completed),
        RunState::NotEntered => Some(RunEnd::NotEntered),
        RunState::Failed { .. } => Some(RunEnd::Failed),
        RunState::Stopped => Some(RunEnd::Stopped),
        _ => None,
    }
}

fn arm(tx: &mut Tx<'_>, run: &Run, wait: u32, due_at: Timestamp) -> TimerKey {
    let lane = Lane::new(tx.workspace(), 0, shard(run.contact));
    tx.defer(due_at, Queue::Pure, lane, Work::Timer { run: run.id, wait }.row())
}

/// A message that a step wants sent.
struct Planned {
    step: String,
    channel: ChannelKind,
    sender: Option<String>,
    category: Category,
    content: Content,
}

fn send(tx: &mut Tx<'_>, catalog: &Catalog, run: &Run, contact: &Contact, planned: Planned, now: Timestamp) {
    let workspace = tx.workspace();
    let Planned { step, channel, sender, category, content } = planned;
    let sender = sender.and_then(|name| catalog.sender(workspace, &name)).filter(|held| held.kind == channel);
    let Some(sender) = sender else {
        let default = if channel == ChannelKind::Sms { "default_sms_sender" } else { "default_sender" };
        let reason = format!("no sender for {channel}: name one in the step, or give the workspace a {default}");
        return refuse(tx, run, contact, step, reason, now);
    };
    let draft = draft(run, contact, sender.name.clone(), step, (category, content), now);
    let draft = Draft { channel, address: address(channel, run, contact), ..draft };
    let message = Message::queued(draft, catalog.sending().life_ms(category));
    tracing::info!(run.id = %run.id, message.id = %message.id, step = message.step.as_deref(), "message queued");
    queue(tx, &sender, message);
}

/// A message that can't be made is kept with the reason: it is not lost without a word.
fn refuse(tx: &mut Tx<'_>, run: &Run, contact: &Contact, step: String, reason: String, now: Timestamp) {
    let workspace = tx.workspace();
    let content = Content::Text { text: String::new() };
    let draft = draft(run, contact, String::new(), step, (Category::Utility, content), now);
    let mut message = Message::queued(draft, 0);
    message.state = State::Refused;
    message.history = vec![Step { state: State::Refused, at: now, note: Some(reason.clone()) }];
    message.gate = vec![GateDecision { at: now, verdict: Verdict::Refused, check: "content".to_owned(), reason }];
    tracing::warn!(run.id = %run.id, message.id = %message.id, step = message.step.as_deref(), "message not made");
    tx.put(MessageRow { workspace, message });
}

fn draft(
    run: &Run,
    contact: &Contact,
    sender: String,
    step: String,
    (category, content): (Category, Content),
    now: Timestamp,
) -> Draft {
    let visit = run.trail.iter().filter(|visit| visit.step == step).count().to_be_bytes();
    let id = MessageId::derive(run.id.root_ms(), &[run.id.raw(), b"message", step.as_bytes(), &visit]);
    Draft {
        id,
        channel: ChannelKind::Whatsapp,
        sender,
        contact: contact.id,
        address: address(ChannelKind::Whatsapp, run, contact),
        category,
        content,
        event: Some(run.event),
        step: Some((run.id, step)),
        at: now,
    }
}

/// Where a run's messages go: to the phone that its event named, while it is the contact's, else to the contact's first address.
fn address(channel: ChannelKind, run: &Run, contact: &Contact) -> Option<WhatsappAddress> {
    let keys = run.vars.event.get("contact").and_then(|contact| contact.get("keys"));
    let keys = keys.and_then(|keys| Vec::<ContactKey>::deserialize(keys).ok()).unwrap_or_default();
    let named = keys.into_iter().find_map(|key| match &key {
        ContactKey::Phone(phone) if contact.keys.contains(&key) => Some(WhatsappAddress::Phone(phone.clone())),
        _ => None,
    });
    named.or_else(|| match channel {
        ChannelKind::Whatsapp => contact.whatsapp_address(),
        ChannelKind::Sms => contact.sms_address(),
    })
}

/// The part of a resource's work that a contact's is done in, in order.
pub(crate) fn shard(contact: ContactId) -> u16 {
    let [.., high, low] = *contact.raw();
    u16::from_be_bytes([high, low]) % SHARDS
}

/// A contact as conditions and texts see it: fields by name, with `phone`, `email` and `tags`.
fn view(contact: &Contact) -> Value {
    let mut fields: Map<String, Value> = Map::new();
    for (name, field) in &contact.fields {
        fields.insert(name.clone(), field.value.clone().map_or(Value::Null, Value::String));
    }
    for key in &contact.keys {
        let (name, value) = match key {
            ContactKey::Phone(phone) => ("phone", phone.as_str()),
            ContactKey::Email(email) => ("email", email.as_str()),
            ContactKey::WhatsappId(_) | ContactKey::WhatsappUserId(_) | ContactKey::ExternalId(_) => continue,
        };
        fields.entry(name).or_insert_with(|| Value::String(value.to_owned()));
    }
    fields.insert("tags".to_owned(), contact.tags.iter().cloned().map(Value::String).collect());
    Value::Object(fields)
}
