//! Status: what a provider tells about a message that it took.
//!
//! Reports come in any order, twice, and contradict each other; what they say is the ladder's to judge (`Message::report_of_provider`). A failure leads to what
//! the same code leads to as an answer, once.

use super::{
    reach,
    record::channel_kind,
    refused::{self, By, Case, Fate},
    send,
};
use crate::{
    catalog::{Catalog, Sender},
    records::{MessageRow, ProviderIdRow},
    tx::{Tx, TxError},
};
use tidegate_channels::refusal_on;
use tidegate_model::{
    MessageId, Timestamp,
    event::{Event, Status},
    message::{ChannelKind, Message, Reported, State, Step},
};

/// Moves the message that a status is about: by our id, which came back with it, else by the provider's id. A status that is nobody's stays an event, and moves nothing.
///
/// # Errors
/// The store's.
pub(super) fn record(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    event: &Event,
    status: &Status,
    received_at: Timestamp,
) -> Result<(), TxError> {
    let (Some(channel), Some(state)) = (channel_kind(&status.channel), State::from_provider(&status.state)) else {
        return Ok(());
    };
    let workspace = tx.workspace();
    let found = match message_of(tx, catalog, channel, status)? {
        Some(id) => tx.get::<MessageRow>(&(workspace, id))?,
        None => None,
    };
    let Some(MessageRow { mut message, .. }) = found else {
        tracing::debug!(event.id = %event.id, "a status of a message that is not stored here: it is kept as an event only");
        return Ok(());
    };
    let sender = catalog.sender(workspace, &message.sender);
    if sender.as_ref().is_some_and(|sender| !sender.answers_to(&status.sender)) {
        tracing::warn!(event.id = %event.id, message.id = %message.id, "a status by another sender than the message's: it is kept as an event only");
        return Ok(());
    }
    let before = message.clone();
    let reported =
        message.report_of_provider(&status.message_id, Step { state, at: event.occurred_at, note: note_of(status) });
    if status.pricing.is_some() {
        message.pricing.clone_from(&status.pricing);
    }
    if reported == Reported::Moved {
        match message.state {
            State::Failed => {
                if !status.errors.is_empty() {
                    message.errors.clone_from(&status.errors);
                }
                if let (Some(sender), false) = (sender, before.state == State::Failed) {
                    return failed(tx, catalog, &sender, message, event.occurred_at, received_at);
                }
            }
            // It arrived after it had failed: what the failure told of the address was wrong.
            State::Delivered | State::Read if !message.errors.is_empty() => reach::arrived(tx, &message)?,
            _ => {}
        }
    }
    if message != before {
        tx.put(MessageRow { workspace, message });
    }
    Ok(())
}

fn note_of(status: &Status) -> Option<String> {
    status.errors.first().map(|error| match &error.title {
        Some(title) => format!("{}: {title}", error.code),
        None => error.code.clone(),
    })
}

/// The message was taken and will not arrive. Only a refusal that asks for a long wait leads to another attempt: in that time a status that contradicts it would
/// have come.
fn failed(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    sender: &Sender,
    mut message: Message,
    at: Timestamp,
    now: Timestamp,
) -> Result<(), TxError> {
    let workspace = tx.workspace();
    let Some(error) = message.errors.first() else {
        tx.put(MessageRow { workspace, message });
        return Ok(());
    };
    let refusal = refusal_on(message.channel, error);
    let case =
        Case { message: &message, refusal: &refusal, by: By::Status, in_a_row: 0, sending: catalog.sending(), now };
    let follow = refused::follow(&case);
    refused::apply(tx, catalog, sender, &message, &refusal, &follow, at)?;
    match follow.fate {
        Fate::Again { at, words } | Fate::Waits { until: at, words } => {
            message.retries += 1;
            message.not_before = Some(at);
            message.requeue(now, words);
            send::queue_at(tx, sender, message, at);
        }
        Fate::Fails { words } => {
            if let Some(step) = message.history.last_mut() {
                step.note = Some(words);
            }
            tx.put(MessageRow { workspace, message });
        }
    }
    Ok(())
}

fn message_of(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    channel: ChannelKind,
    status: &Status,
) -> Result<Option<MessageId>, TxError> {
    if let Some(id) = status.callback_data.as_deref().and_then(|data| data.parse::<MessageId>().ok()) {
        return Ok(Some(id));
    }
    let Some(sender) = catalog.sender_by_provider_id(tx.workspace(), channel, &status.sender) else { return Ok(None) };
    let row = tx.get::<ProviderIdRow>(&(tx.workspace(), sender.number, status.message_id.clone()))?;
    Ok(row.map(|row| row.message))
}

#[cfg(test)]
mod tests;
