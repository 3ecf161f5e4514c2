//! Trigger: which flows an event starts. A redo finds the runs that the first time made, and starts nothing anew.

use crate::{
    catalog::Catalog,
    records::RunRow,
    tx::{Tx, TxError},
};
use std::sync::Arc;
use tidegate_flows::{Flow, Run, match_event, run_id};
use tidegate_model::{Timestamp, contact::Contact, event::Event, outcome::Trigger};

/// Makes the runs that an event starts, each with its flow, ready to be advanced.
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
) -> Result<Vec<(Arc<Flow>, Run)>, TxError> {
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
            let run = Run::new(&found.flow, contact.id, event.id, json.clone(), found.trigger, now);
            runs.push((found.flow, run));
        }
    }
    Ok(runs)
}
