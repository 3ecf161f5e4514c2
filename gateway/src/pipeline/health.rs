//! Health: the circuits that a message's way hangs on, read and written in the commit of whatever tells of them.
//!
//! When one opens and closes is the model's (`tidegate_model::circuit`).

use crate::{
    catalog::Sender,
    records::CircuitRow,
    tx::{Tx, TxError},
};
use tidegate_channels::Scope;
use tidegate_model::{
    MessageId, Timestamp,
    circuit::{Cause, Circuit, CircuitScope, Trip},
    message::{Content, Message},
};
use tidegate_store::{keys::NO_WORKSPACE, records::Record};

/// What a message would fail alike with, in the words of storage; `None` where the refusal is about this message or person only.
pub(super) fn scope_of(sender: &Sender, message: &Message, scope: Scope) -> Option<CircuitScope> {
    Some(match scope {
        Scope::App => CircuitScope::App { app: sender.app.clone() },
        Scope::Account => CircuitScope::Account { account: sender.account.clone() },
        Scope::Sender => CircuitScope::Sender { sender: sender.number },
        Scope::Pair => CircuitScope::Pair { sender: sender.number, contact: message.contact },
        // A WhatsApp Flow is sent by a template.
        Scope::Template | Scope::Flow => match &message.content {
            Content::Template { name, language, .. } => CircuitScope::Template {
                account: sender.account.clone(),
                name: name.clone(),
                language: language.clone(),
            },
            Content::Text { .. } | Content::Received { .. } => return None,
        },
        Scope::Message | Scope::Recipient => return None,
    })
}

/// Whether a circuit of this scope holds messages of the sender, whatever they say and to whom.
pub(crate) fn concerns(scope: &CircuitScope, of: &Sender) -> bool {
    match scope {
        CircuitScope::App { app } => *app == of.app,
        CircuitScope::Account { account } | CircuitScope::Template { account, .. } => *account == of.account,
        CircuitScope::Sender { sender } | CircuitScope::Pair { sender, .. } => *sender == of.number,
    }
}

/// Where a circuit lies: accounts and apps may be shared by workspaces.
pub(super) fn row_key(workspace: u32, scope: &CircuitScope) -> (u32, String) {
    let workspace = match scope {
        CircuitScope::App { .. } | CircuitScope::Account { .. } => NO_WORKSPACE,
        CircuitScope::Sender { .. } | CircuitScope::Template { .. } | CircuitScope::Pair { .. } => workspace,
    };
    (workspace, scope.key())
}

/// The open circuits that a message hangs on.
///
/// # Errors
/// The store's.
pub(super) fn circuits(tx: &mut Tx<'_>, sender: &Sender, message: &Message) -> Result<Vec<Circuit>, TxError> {
    let mut found = Vec::new();
    for scope in [Scope::App, Scope::Account, Scope::Sender, Scope::Template, Scope::Pair] {
        let Some(scope) = scope_of(sender, message, scope) else { continue };
        let row = tx.get::<CircuitRow>(&row_key(tx.workspace(), &scope))?;
        found.extend(row.map(|row| row.circuit));
    }
    Ok(found)
}

/// A message goes out to try whether these work again. Of two that want to, one commit succeeds.
pub(super) fn begin_probe(tx: &mut Tx<'_>, circuits: Vec<Circuit>, message: MessageId, now: Timestamp) {
    for mut circuit in circuits {
        circuit.begin_probe(message, now);
        put(tx, circuit);
    }
}

/// What a probe told.
pub(super) enum Told<'a> {
    /// The provider took the message.
    Works,
    /// The provider was not reached, did not answer, or failed.
    Trouble,
    /// It refused the message, because of this if anything wider.
    Refused(Option<&'a (CircuitScope, Trip)>),
}

/// The attempt that tried is over.
///
/// # Errors
/// The store's.
pub(super) fn end_probe(
    tx: &mut Tx<'_>,
    sender: &Sender,
    message: &Message,
    told: &Told<'_>,
    now: Timestamp,
) -> Result<(), TxError> {
    for mut circuit in circuits(tx, sender, message)? {
        if !circuit.is_probed_by(message.id) {
            continue;
        }
        match told {
            Told::Works => close(tx, &circuit.scope)?,
            Told::Trouble => {
                circuit.probe_failed(None, now);
                put(tx, circuit);
            }
            Told::Refused(Some((scope, trip))) if *scope == circuit.scope => {
                circuit.probe_failed(Some(trip), now);
                put(tx, circuit);
            }
            // It answers, and that was in question.
            Told::Refused(_) if circuit.cause == Cause::Trouble => close(tx, &circuit.scope)?,
            Told::Refused(_) => {
                circuit.probe_told_nothing(now);
                put(tx, circuit);
            }
        }
    }
    Ok(())
}

/// Opens a circuit, unless it is open: then only its probe changes it.
///
/// # Errors
/// The store's.
pub(super) fn open(tx: &mut Tx<'_>, scope: &CircuitScope, trip: &Trip, now: Timestamp) -> Result<(), TxError> {
    let key = row_key(tx.workspace(), scope);
    let held = tx.get::<CircuitRow>(&key)?.map(|row| row.circuit);
    // A pause of marketing alone gives way to one of everything.
    if held.is_some_and(|held| !held.marketing_only || trip.marketing_only) {
        return Ok(());
    }
    let circuit = Circuit::open(scope.clone(), trip, now);
    tracing::warn!(scope = %circuit.scope, code = circuit.code, reason = circuit.reason, "paused: messages wait");
    put(tx, circuit);
    Ok(())
}

/// Puts a circuit in place of whatever is there.
pub(crate) fn put(tx: &mut Tx<'_>, circuit: Circuit) {
    let (workspace, _) = row_key(tx.workspace(), &circuit.scope);
    tx.put(CircuitRow { workspace, circuit });
}

/// Closes a circuit.
///
/// # Errors
/// The store's.
pub(crate) fn close(tx: &mut Tx<'_>, scope: &CircuitScope) -> Result<(), TxError> {
    let key = row_key(tx.workspace(), scope);
    if tx.watch::<CircuitRow>(&key)?.is_some() {
        tracing::info!(%scope, "resumed");
        tx.delete(&CircuitRow::row_key(&key));
    }
    Ok(())
}
