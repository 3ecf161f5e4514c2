//! The customer service windows in storage.

use crate::{
    catalog::Sender,
    records::WindowRow,
    tx::{Tx, TxError},
};
use tidegate_model::{ContactId, Timestamp};

/// The provider says that a window is closed. A contact that was merged is followed to who it is.
///
/// # Errors
/// The store's.
pub(super) fn close(tx: &mut Tx<'_>, sender: &Sender, contact: ContactId, at: Timestamp) -> Result<(), TxError> {
    let contact = tx.contact(contact)?.map_or(contact, |contact| contact.id);
    let Some(row) = tx.get::<WindowRow>(&(tx.workspace(), contact, sender.number))? else { return Ok(()) };
    tx.put(WindowRow { window: row.window.after_closing(at), ..row });
    Ok(())
}
