//! Reach: which addresses a channel does not reach. A mark of the provider's holds for a time, and goes as soon as there is a sign of life.

use super::record::{self, addresses};
use crate::{
    catalog::Catalog,
    records::{SuppressionRow, UnreachableRow},
    tx::{Tx, TxError},
};
use tidegate_model::{
    Timestamp,
    contact::Contact,
    gate::{SuppressionScope, Unreachable},
    message::{ChannelKind, Message},
};
use tidegate_store::records::Record;

/// The provider says that a message's address is not on the channel.
///
/// # Errors
/// The store's.
pub(super) fn mark(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    message: &Message,
    reason: &str,
    since: Timestamp,
) -> Result<(), TxError> {
    let Some(address) = message.address.as_ref().map(tidegate_model::contact::WhatsappAddress::lookup) else {
        return Ok(());
    };
    let (workspace, channel) = (tx.workspace(), message.channel);
    let key = (workspace, channel, address.clone());
    // An older word does not shorten a newer mark.
    if tx.get::<UnreachableRow>(&key)?.is_some_and(|held| held.mark.since >= since) {
        return Ok(());
    }
    let until = since.plus_ms(catalog.sending().no_whatsapp_ms());
    let mark = Unreachable { since, until, reason: reason.to_owned() };
    tx.put(UnreachableRow { workspace, channel, address, mark });
    Ok(())
}

/// What is known against a message's address.
///
/// # Errors
/// The store's.
pub(super) fn known(tx: &mut Tx<'_>, message: &Message) -> Result<Option<Unreachable>, TxError> {
    let Some(address) = &message.address else { return Ok(None) };
    let row = tx.get::<UnreachableRow>(&(tx.workspace(), message.channel, address.lookup()))?;
    Ok(row.map(|row| row.mark))
}

/// A message reached its address after all.
///
/// # Errors
/// The store's.
pub(super) fn arrived(tx: &mut Tx<'_>, message: &Message) -> Result<(), TxError> {
    let Some(address) = &message.address else { return Ok(()) };
    lift(tx, message.channel, address.lookup(), None)
}

/// The person wrote: they are on the channel, and do not block us (any more).
///
/// # Errors
/// The store's.
pub(super) fn wrote(tx: &mut Tx<'_>, channel: ChannelKind, contact: &Contact, at: Timestamp) -> Result<(), TxError> {
    let mut blocked = false;
    for address in addresses(channel, contact) {
        lift(tx, channel, address.clone(), Some(at))?;
        let row = tx.get::<SuppressionRow>(&(tx.workspace(), channel, address))?;
        blocked |= row.and_then(|row| row.blocked).is_some_and(|decision| decision.suppression.is_some());
    }
    if blocked { record::allow(tx, channel, contact, SuppressionScope::Blocked, at) } else { Ok(()) }
}

/// Takes a mark away, unless it is newer than the sign.
fn lift(tx: &mut Tx<'_>, channel: ChannelKind, address: String, at: Option<Timestamp>) -> Result<(), TxError> {
    let key = (tx.workspace(), channel, address);
    let Some(held) = tx.get::<UnreachableRow>(&key)? else { return Ok(()) };
    if at.is_none_or(|at| held.mark.since <= at) {
        tx.watch::<UnreachableRow>(&key)?;
        tx.delete(&UnreachableRow::row_key(&key));
    }
    Ok(())
}
