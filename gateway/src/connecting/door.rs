//! What was read at a provider comes in by the door that webhooks come in by: it becomes deliveries of the connection's endpoint, cut, de-duplicated and interpreted
//! as any other.

use super::Subject;
use crate::{
    app::App,
    pipeline::{Accepted, Incoming, ReceiveFault, receive_read},
    tx::TxError,
};
use std::collections::HashSet;
use tidegate_model::connector::FoundItem;
use tidegate_signature::Target;
use tidegate_store::{Commit, CommitError};

/// What became of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Admitted {
    /// New deliveries.
    pub new: u64,
    /// Items that would be another connection's, or nobody's: a store tells only of itself.
    pub astray: u64,
}

/// Stores what is not stored yet, and waits until it is on disk. Done twice it does nothing the second time.
///
/// # Errors
/// The store's.
pub(crate) fn admit(app: &App, subject: &Subject, items: &[FoundItem]) -> Result<Admitted, TxError> {
    let (mut admitted, mut seen, mut commits) = (Admitted::default(), HashSet::new(), Vec::new());
    for item in items {
        if !is_own(subject, item) {
            admitted.astray += 1;
            continue;
        }
        if !seen.insert(item.body.as_str()) {
            continue;
        }
        commits.extend(store(app, subject, item)?);
    }
    for commit in commits {
        match commit.wait() {
            Ok(_) => admitted.new += 1,
            // It came a moment ago.
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(admitted)
}

fn store(app: &App, subject: &Subject, item: &FoundItem) -> Result<Option<Commit>, TxError> {
    let headers: Vec<(String, Vec<u8>)> =
        item.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
    let incoming = Incoming {
        target: Target { method: "POST", url: &subject.url },
        headers: &headers,
        body: item.body.as_bytes(),
        received_at: app.now(),
    };
    let accepted = receive_read(&subject.endpoint, &incoming, app.store().seq()).map_err(|fault| match fault {
        ReceiveFault::Record(error) => TxError::Record(error),
        ReceiveFault::Body(error) => TxError::Body(error),
        // Nothing is verified.
        ReceiveFault::Refused(refusal) => TxError::Unwritable(refusal.to_string()),
    })?;
    let Accepted { mark, ahead, changes, .. } = accepted;
    if let Some(mark) = mark
        && mark.first(app.store())?.is_some()
    {
        return Ok(None);
    }
    for batch in ahead {
        app.store().commit(batch).wait()?;
    }
    Ok(Some(app.store().commit(changes.into_batch())))
}

/// Whether an item would be routed to the connection whose account it was read from.
fn is_own(subject: &Subject, item: &FoundItem) -> bool {
    let manifest = &subject.endpoint.manifest;
    let Ok(parts) = tidegate_plugin_host::split(manifest, &item.headers, item.body.as_bytes()) else {
        // What can't be cut is nobody's, and is parked where people see it.
        return true;
    };
    parts.iter().all(|part| {
        let owner = subject.endpoint.connection_for(part.route.as_deref());
        owner.is_some_and(|owner| owner.number == subject.connection.number)
    })
}
