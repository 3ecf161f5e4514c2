//! Replies: which runs wait for a contact's message, and whether one may still come. What the run does with it is the flow engine's decision.

use super::{advance, record::channel_kind};
use crate::{
    catalog::Catalog,
    records::{ContactRow, RepliesRow},
    tx::{Tx, TxError},
};
use tidegate_flows::Input;
use tidegate_model::{
    ContactId, RunId, Timestamp,
    contact::Contact,
    event::{ChannelMessage, Direction, Event, Payload},
    opt_out::Keyword,
};
use tidegate_store::StoreError;

/// Notes that a run waits for a contact's reply. A merge of the contact in between has the commit done again.
///
/// # Errors
/// The store's.
pub(super) fn begin(tx: &mut Tx<'_>, contact: ContactId, run: RunId) -> Result<(), TxError> {
    let workspace = tx.workspace();
    tx.watch::<ContactRow>(&(workspace, contact))?;
    let held = tx.get::<RepliesRow>(&(workspace, contact))?;
    let mut row = held.unwrap_or(RepliesRow { workspace, contact, runs: Vec::new() });
    if !row.runs.contains(&run) {
        row.runs.push(run);
        tx.put(row);
    }
    Ok(())
}

/// Notes that a run does not wait for a contact's reply any more.
///
/// # Errors
/// The store's.
pub(super) fn end(tx: &mut Tx<'_>, contact: ContactId, run: RunId) -> Result<(), TxError> {
    let contact = tx.contact(contact)?.map_or(contact, |contact| contact.id);
    let key = (tx.workspace(), contact);
    let Some(mut row) = tx.get::<RepliesRow>(&key)? else { return Ok(()) };
    row.runs.retain(|held| *held != run);
    if row.runs.is_empty() {
        tx.remove::<RepliesRow>(&key);
    } else {
        tx.put(row);
    }
    Ok(())
}

/// What waits for a contact that turned out to be another one waits for that one.
///
/// # Errors
/// The store's.
pub(super) fn take_over(tx: &mut Tx<'_>, from: ContactId, to: ContactId) -> Result<(), TxError> {
    let workspace = tx.workspace();
    // Watched: no wait may begin meanwhile for who is gone.
    let Some(theirs) = tx.watch::<RepliesRow>(&(workspace, from))? else { return Ok(()) };
    tx.remove::<RepliesRow>(&(workspace, from));
    let held = tx.get::<RepliesRow>(&(workspace, to))?;
    let mut row = held.unwrap_or(RepliesRow { workspace, contact: to, runs: Vec::new() });
    row.runs.extend(theirs.runs);
    tx.put(row);
    Ok(())
}

/// Hands a person's message to every run that waits for one. An opt-out word is an answer to none.
///
/// # Errors
/// The store's.
pub(super) fn hear(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    event: &Event,
    contact: &Contact,
    received_at: Timestamp,
    now: Timestamp,
) -> Result<(), TxError> {
    let Payload::Message(message) = &event.payload else { return Ok(()) };
    let Some(channel) = channel_kind(&message.channel) else { return Ok(()) };
    if message.direction != Direction::Inbound || is_opt_out(tx, catalog, message) {
        return Ok(());
    }
    let Some(row) = tx.get::<RepliesRow>(&(tx.workspace(), contact.id))? else { return Ok(()) };
    let json = serde_json::to_value(message).map_err(|error| TxError::Unwritable(error.to_string()))?;
    let input = Input::Reply { received_at, channel, message: json };
    for run in row.runs {
        advance::hear(tx, catalog, run, &input, contact, now)?;
    }
    Ok(())
}

fn is_opt_out(tx: &Tx<'_>, catalog: &Catalog, message: &ChannelMessage) -> bool {
    let word = message.text.as_deref().and_then(|text| catalog.keywords(tx.workspace()).find(text));
    word == Some(Keyword::OptOut)
}

/// Whether a message that was received by then may not be interpreted yet.
///
/// # Errors
/// The store's.
pub(super) fn may_come(tx: &Tx<'_>, catalog: &Catalog, by: Timestamp) -> Result<bool, StoreError> {
    Ok(catalog.unread_since(tx.store())?.is_some_and(|since| since <= by))
}

#[cfg(test)]
mod tests;
