//! The live secrets of an endpoint: those of the configuration, and those that the gateway made for its connections.

use super::{
    CatalogFault, Connection, LookAfter,
    load::{Loader, fault, secret},
};
use crate::{
    config::{self, SecretText},
    records::SecretRow,
    vault::{Vault, VaultFault},
};
use std::sync::Arc;
use tidegate_plugin_host::Manifest;
use tidegate_store::{
    Engine,
    records::{ReadError, get},
};

/// How often a connection is looked after.
pub(super) fn look_after(section: &config::Connection) -> Result<LookAfter, CatalogFault> {
    let Some(reconcile) = &section.reconcile else { return Ok(LookAfter::Usual) };
    let key = || format!("connections.{}.reconcile.every", section.name);
    let period = reconcile.period_ms().map_err(|problem| fault(key(), problem))?;
    Ok(period.map_or(LookAfter::Never, LookAfter::Every))
}

impl Loader<'_> {
    /// The texts of all live secrets. One of the gateway's that does not open is left out, and told: what is signed with others goes on coming in.
    pub(super) fn secret_texts(
        &self,
        section: &config::Endpoint,
        manifest: &Manifest,
        connections: &[Arc<Connection>],
    ) -> Result<Vec<String>, CatalogFault> {
        let key = format!("endpoints.{}", section.name);
        if section.secrets.iter().any(SecretText::is_generated) && !manifest.generates_secret() {
            let problem = format!(
                "the gateway makes no secrets for the plugin {}: its provider has one of its own; give it here",
                manifest.id
            );
            return Err(fault(format!("{key}.secrets"), problem));
        }
        let configured = section.secrets.iter().filter(|text| !text.is_generated());
        let mut texts = configured.map(|text| secret(&key, "secrets", text)).collect::<Result<Vec<_>, _>>()?;
        for connection in connections {
            for opened in secrets_of(self.store, &self.vault, connection.workspace, connection.number)? {
                match opened {
                    Ok(text) => texts.push(text),
                    Err(problem) => tracing::error!(
                        connection = connection.name,
                        "a signing secret that the gateway made can't be used: {problem}; or make a new one with `tidegate connection subscribe {} --rotate`",
                        connection.name
                    ),
                }
            }
        }
        Ok(texts)
    }
}

/// The secrets that the gateway made for a connection, newest first.
///
/// # Errors
/// The store's.
pub(crate) fn secrets_of(
    store: &dyn Engine,
    vault: &Vault,
    workspace: u32,
    connection: u32,
) -> Result<Vec<Result<String, VaultFault>>, ReadError> {
    let row = get::<SecretRow>(store, &(workspace, connection))?.map(|(row, _)| row);
    let purpose = SecretRow::purpose(workspace, connection);
    let generations = row.into_iter().flat_map(|row| row.generations).rev();
    Ok(generations.map(|generation| vault.open(&purpose, &generation.sealed)).collect())
}
