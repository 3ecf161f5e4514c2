//! Senders: how each fares, and an operator's hand on it: pause, so that its messages wait; resume, so that they go on at once.

use crate::{
    app::App,
    catalog::Sender,
    http::{Code, Problem},
    pipeline::{close, concerns, put},
    records::CircuitRow,
    tx::Tx,
    work::Work,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{ops::ControlFlow, sync::Arc};
use tidegate_model::{
    Timestamp,
    circuit::{Cause, Circuit, CircuitScope, LONGEST_PAUSE_MS, Trip},
};
use tidegate_store::{
    KeyRange, Order, Queue, Space, StoreError,
    keys::{Key, NO_WORKSPACE},
    records::{self, Deferred, count_timers, hasten},
};

/// Longest reason that an operator may give, in characters.
const MAX_REASON_CHARS: usize = 200;
/// Messages that are counted at most: past that the answer is "at least so many".
const MOST_COUNTED: usize = 100_000;
/// Rows read at once.
const SLICE: usize = 1_000;
/// How far ahead the work of messages that wait for a circuit may lie: the longest pause, and what it is spread by.
const AHEAD_MS: i64 = LONGEST_PAUSE_MS + 15 * 60_000;

/// Why a sender is to be paused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pause {
    /// For others to see.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Every sender, by the configuration's order.
///
/// # Errors
/// The store's.
pub(crate) fn senders(app: &App) -> Result<Vec<Value>, StoreError> {
    app.catalog().all_senders().map(|sender| shown(app, sender)).collect()
}

/// Whether nothing at all is sent by a sender now.
///
/// # Errors
/// The store's.
pub(crate) fn is_paused(app: &App, sender: &Sender) -> Result<bool, StoreError> {
    Ok(circuits(app, sender)?.iter().any(|circuit| !is_narrow(circuit) && !circuit.marketing_only))
}

/// Pauses a sender until it is resumed: its messages wait, and are refused when they become too old.
///
/// # Errors
/// 404 for an unknown sender, 400 for a reason that is too long.
pub(crate) fn pause(app: &App, name: &str, pause: &Pause) -> Result<Value, Problem> {
    let sender = named(app, name)?;
    let reason = pause.reason.as_deref().map_or("no reason was given", str::trim);
    if reason.is_empty() || reason.chars().count() > MAX_REASON_CHARS || reason.contains(char::is_control) {
        let problem = format!("reason: expected one line of 1 to {MAX_REASON_CHARS} characters");
        return Err(Problem::new(Code::ParameterInvalid, problem));
    }
    let trip = Trip {
        cause: Cause::Operator,
        code: "operator".to_owned(),
        reason: reason.to_owned(),
        marketing_only: false,
        pause_ms: None,
    };
    let scope = CircuitScope::Sender { sender: sender.number };
    let mut tx = Tx::new(app.store(), sender.workspace);
    put(&mut tx, Circuit::open(scope, &trip, app.now()));
    tx.commit(None)?;
    tracing::warn!(sender = name, reason, "paused by an operator");
    Ok(shown(app, &sender)?)
}

/// Resumes a sender: closes everything that holds its messages, and takes them to the gate now.
///
/// # Errors
/// 404 for an unknown sender, 409 when nothing holds it.
pub(crate) fn resume(app: &App, name: &str) -> Result<Value, Problem> {
    let sender = named(app, name)?;
    let open = circuits(app, &sender)?;
    if open.is_empty() {
        return Err(Problem::new(Code::Conflict, format!("the sender {name} is not paused")));
    }
    let mut tx = Tx::new(app.store(), sender.workspace);
    for circuit in &open {
        close(&mut tx, &circuit.scope)?;
    }
    tx.commit(None)?;
    // An account's circuit held its other senders too.
    for of in app.catalog().all_senders().filter(|of| open.iter().any(|circuit| concerns(&circuit.scope, of))) {
        app.pulses().forget_failures(of.number);
        let before_ms = app.now().plus_ms(AHEAD_MS).ms();
        hasten(app.store(), before_ms, |held| is_of(held, of)).map_err(crate::tx::TxError::from)?;
    }
    Ok(shown(app, &sender)?)
}

fn named(app: &App, name: &str) -> Result<Arc<Sender>, Problem> {
    let found = app.catalog().all_senders().find(|sender| sender.name == name).cloned();
    found.ok_or_else(|| Problem::new(Code::NotFound, format!("there is no sender {name:?} in the configuration")))
}

/// The open circuits that hold messages of a sender.
fn circuits(app: &App, sender: &Sender) -> Result<Vec<Circuit>, StoreError> {
    let mut found = Vec::new();
    for workspace in [NO_WORKSPACE, sender.workspace] {
        let range = KeyRange::prefix(&Key::new(Space::Circuits, workspace));
        records::walk(app.store(), &range, Order::Forward, |row: CircuitRow| {
            if concerns(&row.circuit.scope, sender) {
                found.push(row.circuit);
            }
            ControlFlow::<()>::Continue(())
        })?;
    }
    // What holds most comes first.
    found.sort_by_key(|circuit| (is_narrow(circuit), circuit.marketing_only, circuit.since));
    Ok(found)
}

/// Whether a circuit holds only some of a sender's messages by what they say or to whom.
const fn is_narrow(circuit: &Circuit) -> bool {
    matches!(circuit.scope, CircuitScope::Template { .. } | CircuitScope::Pair { .. })
}

fn shown(app: &App, sender: &Sender) -> Result<Value, StoreError> {
    let open = circuits(app, sender)?;
    let first = open.first().filter(|circuit| !is_narrow(circuit));
    let pulse = app.pulses().of(sender.number);
    let (waiting, more) = waiting(app, sender)?;
    Ok(json!({
        "name": sender.name,
        "workspace": app.catalog().workspaces().find(|(number, _)| *number == sender.workspace).map(|(_, name)| name),
        "channel": sender.kind,
        "state": state(&open),
        "since": first.map(|circuit| circuit.since),
        "reason": first.map(|circuit| format!("{}: {}", circuit.code, circuit.reason)),
        "next_probe_at": first.and_then(|circuit| circuit.next_probe_at),
        "waiting": waiting,
        "waiting_more": more,
        "last_success_at": pulse.last_success_at,
        "last_failure_at": pulse.last_failure_at,
        "last_failure": pulse.last_failure,
        "pauses": open.iter().map(line).collect::<Vec<_>>(),
    }))
}

fn line(circuit: &Circuit) -> Value {
    json!({
        "what": circuit.scope.to_string(),
        "cause": circuit.cause,
        "code": circuit.code,
        "reason": circuit.reason,
        "marketing_only": circuit.marketing_only,
        "since": circuit.since,
        "failed_probes": circuit.failed_probes,
        "probing": circuit.probe.map(|probe| probe.message),
        "next_probe_at": circuit.next_probe_at,
    })
}

/// How a sender fares, in words.
fn state(open: &[Circuit]) -> String {
    let Some(first) = open.first() else { return "sends".to_owned() };
    match (is_narrow(first), first.cause, first.marketing_only) {
        (true, ..) => format!("sends, but for {} templates or contacts that wait", open.len()),
        (_, Cause::Operator, _) => "paused by an operator".to_owned(),
        (_, _, true) => "marketing paused".to_owned(),
        (_, Cause::Limit, _) => format!("waits for a limit of {}", first.scope),
        (_, Cause::Trouble, _) => "paused: the provider gives no good answer".to_owned(),
        (_, Cause::Refusal, _) => format!("paused: the provider refuses {}", first.scope),
    }
}

/// Messages in the sender's queue, and those that look again within the longest pause; and whether there are more.
fn waiting(app: &App, sender: &Sender) -> Result<(usize, bool), StoreError> {
    let before: Timestamp = app.now().plus_ms(AHEAD_MS);
    let later = count_timers(app.store(), before.ms(), MOST_COUNTED, |held| is_of(held, sender))?;
    let mut range = KeyRange::prefix(&Key::new(Space::Io, sender.workspace).u32(sender.number));
    let mut count = later;
    while count < MOST_COUNTED {
        let rows = app.store().range(&range, Order::Forward, SLICE)?;
        count += rows.len();
        match rows.last() {
            Some((last, _)) if rows.len() >= SLICE => range = range.after(last),
            _ => return Ok((count, false)),
        }
    }
    Ok((MOST_COUNTED, true))
}

/// Whether work is a message of this sender.
fn is_of(held: &Deferred, sender: &Sender) -> bool {
    held.queue == Queue::Io
        && (held.lane.workspace, held.lane.resource) == (sender.workspace, sender.number)
        && matches!(Work::read(&held.work), Some(Work::Send { .. }))
}
