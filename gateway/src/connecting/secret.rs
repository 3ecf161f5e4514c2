//! The signing secret of a connection: made, sealed and on disk, and known to the endpoint, before the provider is told of it.

use super::Subject;
use crate::{
    app::App,
    catalog::{CatalogFault, secrets_of},
    records::SecretRow,
    tx::{Tx, TxError},
    vault::{VaultFault, new_secret},
};
use tidegate_fetch::Hidden;

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretFault {
    /// It can't be sealed or opened.
    #[error(transparent)]
    Vault(#[from] VaultFault),
    /// The store.
    #[error(transparent)]
    Store(#[from] TxError),
    /// The endpoint can't be made anew with it.
    #[error(transparent)]
    Catalog(#[from] CatalogFault),
}

/// The secret that the provider is to be told, when the gateway makes it. `rotate` makes another one. At the end it is on disk, and webhooks that are signed with it
/// are taken. Waits for the disk.
///
/// # Errors
/// Why there is none. The provider was told nothing.
pub(super) fn ready(app: &App, subject: &Subject, rotate: bool) -> Result<Option<Hidden>, SecretFault> {
    let connection = &subject.connection;
    if !connection.interpreter.plugin.manifest().generates_secret() {
        return Ok(None);
    }
    let catalog = app.catalog();
    let vault = catalog.vault();
    let key = (connection.workspace, connection.number);
    let mut tx = Tx::new(app.store(), connection.workspace);
    let row = tx.get::<SecretRow>(&key)?;
    // One that does not open any more serves nobody.
    let is_lost = rotate && newest(app, subject).is_err();
    if is_lost || SecretRow::needs_another(row.as_ref(), rotate) {
        let sealed = vault.seal(&SecretRow::purpose(key.0, key.1), &new_secret()?)?;
        let mut row = row.unwrap_or(SecretRow { workspace: key.0, connection: key.1, generations: Vec::new() });
        row.add(sealed, app.now());
        tx.put(row);
        tx.commit(None)?;
    }
    // Also when it was there: the row may have been committed by somebody who was cut before this.
    app.renew_endpoint(&subject.endpoint.name)?;
    let newest = secrets_of(app.store(), vault, key.0, key.1).map_err(TxError::from)?.into_iter().next();
    newest.transpose().map(|text| text.map(Hidden::new)).map_err(SecretFault::from)
}

/// The secret that the provider is to be told, when there is one.
///
/// # Errors
/// The store's, or it does not open.
pub(super) fn newest(app: &App, subject: &Subject) -> Result<Option<Hidden>, SecretFault> {
    let connection = &subject.connection;
    let catalog = app.catalog();
    let found = secrets_of(app.store(), catalog.vault(), connection.workspace, connection.number);
    let newest = found.map_err(TxError::from)?.into_iter().next();
    newest.transpose().map(|text| text.map(Hidden::new)).map_err(SecretFault::from)
}

/// Whether there is a secret that the provider may not have taken for every subscription.
///
/// # Errors
/// The store's.
pub(super) fn is_untold(app: &App, subject: &Subject) -> Result<bool, TxError> {
    let key = (subject.connection.workspace, subject.connection.number);
    let row = tidegate_store::records::get::<SecretRow>(app.store(), &key)?.map(|(row, _)| row);
    Ok(row.and_then(|row| row.generations.last().map(|last| last.told_at.is_none())).unwrap_or(false))
}

/// The provider was told the newest secret for every subscription.
///
/// # Errors
/// The store's.
pub(super) fn told(tx: &mut Tx<'_>, app: &App, subject: &Subject) -> Result<(), TxError> {
    let key = (subject.connection.workspace, subject.connection.number);
    if let Some(mut row) = tx.get::<SecretRow>(&key)?
        && let Some(last) = row.generations.last_mut().filter(|last| last.told_at.is_none())
    {
        last.told_at = Some(app.now());
        tx.put(row);
    }
    Ok(())
}
