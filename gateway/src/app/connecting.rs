//! What connections share in a running gateway: one at a time is dealt with at its provider, a person's authorization that was begun is waited for, and an endpoint is
//! made anew when a secret was made for it.

use super::App;
use crate::catalog::CatalogFault;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tidegate_fetch::Attempt;
use tokio::sync::OwnedMutexGuard;

/// Whose turn it is at each connection's provider: a command's or the watchdog's. Two at once would both make what is missing.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    turns: Mutex<HashMap<u32, Arc<tokio::sync::Mutex<()>>>>,
    /// Authorizations that were begun, the last one of each connection. A restart forgets them: a person begins again.
    attempts: Mutex<HashMap<u32, Attempt>>,
}

impl Turns {
    /// Waits until nobody else deals with the connection of this number.
    pub(crate) async fn turn(&self, connection: u32) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(connection).or_default())
        };
        turn.lock_owned().await
    }

    /// Notes that an authorization was begun. One that was begun before is not waited for any more.
    pub(crate) fn begin(&self, connection: u32, attempt: Attempt) {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).insert(connection, attempt);
    }

    /// The authorization that is waited for.
    pub(crate) fn begun(&self, connection: u32) -> Option<Attempt> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).get(&connection).cloned()
    }

    /// Nothing is waited for any more, when it is still this one.
    pub(crate) fn end(&self, connection: u32, attempt: &Attempt) {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.retain(|number, held| *number != connection || held != attempt);
    }
}

impl App {
    /// Whose turn it is at providers.
    pub(crate) const fn connecting(&self) -> &Turns {
        &self.connecting
    }

    /// The address that providers call, without a slash at its end. The port may have been chosen at the start.
    pub(crate) fn public_url(&self) -> String {
        match self.catalog().config().server.public_url.trim_end_matches('/') {
            "" => format!("http://{}", self.listening),
            url => url.to_owned(),
        }
    }

    /// Makes an endpoint anew with the same plugin, because a secret was made for it. Waits for the store.
    ///
    /// # Errors
    /// Why everything is as it was.
    pub(crate) fn renew_endpoint(&self, name: &str) -> Result<(), CatalogFault> {
        let held = self.hold();
        let old = self.catalog();
        if let Some(endpoint) = old.endpoint(name) {
            self.exchange(&held, old.with_plugin(self.store(), name, endpoint.plugin.clone())?);
        }
        Ok(())
    }
}
