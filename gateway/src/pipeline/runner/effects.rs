//! What an interpreted item leads to: its events are recorded, and start flows.

use crate::{
    app::App,
    catalog::{Catalog, Connection},
    pipeline::{advance, record, reply, trigger},
    tx::{Tx, TxError},
};
use tidegate_model::{
    DeliveryId, EventId, RunId, Timestamp,
    outcome::{Done, Trigger},
};

/// Where events come from.
pub(super) struct Origin<'a> {
    /// The delivery.
    pub delivery: DeliveryId,
    /// When it was received.
    pub received_at: Timestamp,
    /// The connection.
    pub connection: &'a Connection,
}

/// Takes an outcome's events through record, trigger and advance, but for those that `had` it before. Gives the runs that they started.
///
/// # Errors
/// The store's.
pub(super) fn effects(
    (app, catalog): (&App, &Catalog),
    tx: &mut Tx<'_>,
    origin: &Origin<'_>,
    done: &Done,
    had: &[EventId],
) -> Result<Vec<RunId>, TxError> {
    tx.enter(origin.connection.workspace);
    let now = app.now();
    let mut runs = Vec::new();
    for (place, event) in done.events.iter().enumerate().filter(|(_, event)| !had.contains(&event.id)) {
        let _span = tracing::info_span!("record", event.id = %event.id).entered();
        let contact = record::record(tx, catalog, event, origin.received_at)?;
        tracing::info!(delivery.id = %origin.delivery, event.id = %event.id, kind = %event.kind, connection = origin.connection.name, "event");
        let Some(contact) = contact else { continue };
        reply::hear(tx, catalog, event, &contact, origin.received_at, now)?;
        let triggers: Vec<&Trigger> = done.triggers.iter().filter(|trigger| trigger.event == place).collect();
        for (flow, run) in trigger::trigger(tx, catalog, event, &triggers, &contact, now)? {
            tracing::info!(event.id = %event.id, run.id = %run.id, flow = run.flow, "flow started");
            tx.count(catalog.flow_meter(origin.connection.workspace, &run.flow).started);
            runs.push(run.id);
            advance::start(tx, catalog, &flow, run, &contact, now)?;
        }
    }
    Ok(runs)
}
