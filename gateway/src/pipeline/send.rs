//! Send: a queued message passes the gate, is marked as being attempted, goes out, and its outcome is settled. The halves before and after the provider are here; the call itself is the worker's.

use super::record::addresses;
use crate::{
    catalog::{Catalog, Sender},
    records::{MessageRow, ProviderIdRow, SuppressionRow, WindowRow},
    tx::{Tx, TxError},
    work::Work,
};
use std::sync::Arc;
use tidegate_channels::{Action, Outgoing, ProviderRefusal, SendResult};
use tidegate_model::{
    MessageId, Timestamp,
    contact::Contact,
    gate::{self, GateInput, Suppression},
    message::{Category, Content, GateDecision, Message, State, Step, Verdict},
};
use tidegate_store::{Lane, Queue};

/// Attempts before a message that could be tried again is given up.
pub(super) const MAX_ATTEMPTS: u16 = 6;
/// First pause between attempts; it doubles.
const FIRST_PAUSE_MS: i64 = 2_000;
/// Longest pause between attempts.
const LONGEST_PAUSE_MS: i64 = 5 * 60_000;
/// How long a marketing message waits for inbound messages that are stored and not yet interpreted.
const UNREAD_PAUSE_MS: i64 = 1_000;

/// What to do with a claimed message.
pub(crate) enum Prepared {
    /// It may go: after the commit, call the provider.
    Attempt(Box<Outgoing>, Arc<Sender>),
    /// The commit is all there is to do.
    Settled,
}

/// Decides about one claimed message. The caller commits `tx`: with the lane's token unless it must attempt.
///
/// # Errors
/// The store's.
pub(crate) fn prepare(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    id: MessageId,
    lane: Lane,
    now: Timestamp,
) -> Result<Prepared, TxError> {
    let Some(MessageRow { mut message, workspace }) = tx.get::<MessageRow>(&(tx.workspace(), id))? else {
        return Ok(Prepared::Settled);
    };
    match message.state {
        State::Queued => {}
        State::Attempting => {
            // The process ended between the attempt and its outcome.
            let note = "the gateway stopped before the provider's answer was recorded; a status of the provider will resolve it";
            message.report(Step { state: State::Unknown, at: now, note: Some(note.to_owned()) });
            tx.put(MessageRow { workspace, message });
            return Ok(Prepared::Settled);
        }
        _ => return Ok(Prepared::Settled),
    }
    let sender = catalog.sender(tx.workspace(), &message.sender);
    let decision = decide(tx, catalog, &message, sender.as_deref(), now)?;
    note(&mut message, &decision);
    tx.count(catalog.metrics().gate(&decision));
    match (decision.verdict, sender, message.address.clone()) {
        (Verdict::Sent, Some(sender), Some(to)) => {
            message.attempts += 1;
            message.report(Step { state: State::Attempting, at: now, note: None });
            let outgoing = Outgoing { id, to, content: message.content.clone() };
            tx.put(MessageRow { workspace, message });
            Ok(Prepared::Attempt(Box::new(outgoing), sender))
        }
        (Verdict::DeferredUntil(until), ..) => {
            tx.put(MessageRow { workspace, message });
            tx.defer(until, Queue::Io, lane, Work::Send { id }.row());
            Ok(Prepared::Settled)
        }
        _ => {
            message.report(Step { state: State::Refused, at: now, note: Some(decision.reason) });
            tx.put(MessageRow { workspace, message });
            Ok(Prepared::Settled)
        }
    }
}

/// Keeps a decision. One that is put off again for the same reason replaces the last, so that a long wait does not outgrow the row.
fn note(message: &mut Message, decision: &GateDecision) {
    let deferred = |held: &GateDecision| matches!(held.verdict, Verdict::DeferredUntil(_));
    match message.gate.last_mut() {
        Some(last) if deferred(last) && deferred(decision) && last.reason == decision.reason => {
            last.clone_from(decision);
        }
        _ => message.gate.push(decision.clone()),
    }
}

fn decide(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    message: &Message,
    sender: Option<&Sender>,
    now: Timestamp,
) -> Result<GateDecision, TxError> {
    let Some(sender) = sender else {
        let reason = format!("the configuration has no sender {:?} in this workspace any more", message.sender);
        return Ok(GateDecision { at: now, verdict: Verdict::Refused, check: "sender".to_owned(), reason });
    };
    if message.category == Category::Marketing && catalog.unread_since(tx.store())?.is_some_and(|since| since <= now) {
        let verdict = Verdict::DeferredUntil(now.plus_ms(UNREAD_PAUSE_MS));
        let reason = "inbound messages are not interpreted yet: one of them may be an opt-out".to_owned();
        return Ok(GateDecision { at: now, verdict, check: "unread".to_owned(), reason });
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
    Ok(gate::decide(
        &GateInput {
            channel: message.channel,
            category: message.category,
            content: &message.content,
            addressed: message.address.is_some(),
            suppressions: &suppressions,
            consents: contact.as_ref().map_or(&[], |contact| contact.consents.as_slice()),
            window: window.map(|row| row.window),
            template_known,
            expires_at: message.expires_at,
        },
        now,
    ))
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

/// Writes what became of an attempt.
///
/// # Errors
/// The store's.
pub(crate) fn settle(
    tx: &mut Tx<'_>,
    sender: &Sender,
    id: MessageId,
    lane: Lane,
    result: &SendResult,
    now: Timestamp,
) -> Result<(), TxError> {
    let Some(MessageRow { mut message, workspace }) = tx.get::<MessageRow>(&(tx.workspace(), id))? else {
        return Ok(());
    };
    match result {
        SendResult::Accepted { provider_id, held, .. } => {
            let note = held.as_ref().map(|word| format!("held by the provider: {word}"));
            message.report(Step { state: State::Accepted, at: now, note });
            message.provider_id = Some(provider_id.clone());
            tx.put(ProviderIdRow { workspace, sender: sender.number, provider_id: provider_id.clone(), message: id });
        }
        SendResult::Unknown { reason } => {
            message.report(Step { state: State::Unknown, at: now, note: Some(reason.clone()) });
        }
        SendResult::Refused(refusal) => {
            message.errors = vec![refusal.error()];
            match next_attempt(refusal, message.attempts, id, now) {
                Some(at) if message.state == State::Attempting => {
                    let note = format!("{}; attempt {} follows at {at}", words(refusal), message.attempts + 1);
                    message.report(Step { state: State::Queued, at: now, note: Some(note) });
                    tx.defer(at, Queue::Io, lane, Work::Send { id }.row());
                }
                _ => {
                    message.report(Step { state: State::Failed, at: now, note: Some(words(refusal)) });
                }
            }
        }
    }
    tx.put(MessageRow { workspace, message });
    Ok(())
}

fn words(refusal: &ProviderRefusal) -> String {
    match &refusal.details {
        Some(details) => format!("{}: {} ({details})", refusal.code, refusal.title),
        None => format!("{}: {}", refusal.code, refusal.title),
    }
}

/// When a refused message is tried again; `None` when it is given up. The pause doubles, and is spread by the message's id so that messages refused together do not come back together.
fn next_attempt(refusal: &ProviderRefusal, attempts: u16, id: MessageId, now: Timestamp) -> Option<Timestamp> {
    if attempts >= MAX_ATTEMPTS {
        return None;
    }
    let asked = match refusal.action {
        Action::Retry { after } => after,
        Action::Defer { after } => Some(after),
        Action::Template | Action::Sms | Action::Suppress | Action::Pause | Action::Fail => return None,
    };
    let doubled = FIRST_PAUSE_MS.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(LONGEST_PAUSE_MS);
    let spread = doubled * i64::from(id.raw()[15]) / 1_024;
    let asked_ms = asked.map_or(0, |pause| i64::try_from(pause.as_millis()).unwrap_or(LONGEST_PAUSE_MS));
    Some(now.plus_ms(asked_ms.max(doubled) + spread))
}

#[cfg(test)]
mod stage_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tidegate_channels::Scope;

    fn pause_s(action: Action, attempts: u16) -> Option<i64> {
        let refusal = ProviderRefusal {
            code: "130429".to_owned(),
            title: "Rate limit hit".to_owned(),
            details: None,
            http_status: Some(429),
            action,
            scope: Scope::Sender,
        };
        let now = Timestamp::from_ms(0);
        next_attempt(&refusal, attempts, MessageId::from_raw([0; 16]), now).map(|at| at.ms() / 1_000)
    }

    #[test]
    fn pauses_double_and_the_provider_s_wish_is_kept() {
        let retry = Action::Retry { after: None };
        assert_eq!([1, 2, 3, 4].map(|attempts| pause_s(retry, attempts)), [Some(2), Some(4), Some(8), Some(16)]);
        assert_eq!(pause_s(Action::Retry { after: Some(Duration::from_secs(60)) }, 1), Some(60));
        assert_eq!(pause_s(Action::Defer { after: Duration::from_secs(86_400) }, 1), Some(86_400));
    }

    #[test]
    fn what_can_not_help_is_not_tried_again() {
        for action in [Action::Fail, Action::Pause, Action::Suppress, Action::Template, Action::Sms] {
            assert_eq!(pause_s(action, 1), None);
        }
        assert_eq!(pause_s(Action::Retry { after: None }, MAX_ATTEMPTS), None);
    }
}
