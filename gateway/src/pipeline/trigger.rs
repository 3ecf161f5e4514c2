//! Trigger: which flows an event starts. A redo finds the runs that the first time made, and starts nothing anew.

use crate::{
    catalog::Catalog,
    records::RunRow,
    tx::{Tx, TxError},
};
use tidegate_flows::{Run, match_event, run_id};
use tidegate_model::{Timestamp, contact::Contact, event::Event, outcome::Trigger};

/// Makes the runs that an event starts, ready to be advanced.
///
/// # Errors
/// The store's.
pub(super) fn trigger(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    event: &Event,
    triggers: &[&Trigger],
    contact: &Contact,
    now: Timestamp,
) -> Result<Vec<Run>, TxError> {
    let Some(flows) = catalog.flows(tx.workspace()) else { return Ok(Vec::new()) };
    let found = match_event(flows, event, triggers.iter().copied());
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let json = serde_json::to_value(event).map_err(|error| TxError::Unwritable(error.to_string()))?;
    let mut runs = Vec::new();
    for found in found {
        let id = run_id(event.id, found.flow.name());
        if tx.get::<RunRow>(&(tx.workspace(), id))?.is_none() {
            runs.push(Run::new(&found.flow, contact.id, event.id, json.clone(), found.trigger, now));
        }
    }
    Ok(runs)
}
