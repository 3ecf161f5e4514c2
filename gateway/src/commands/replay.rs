//! Replay: a delivery's parked items are interpreted again, with the plugin that is loaded now.

use crate::{
    app::App,
    http::{Code, Problem},
    pipeline::interpretations_of,
    records::{Delivery, ItemResult},
    tx::Tx,
    views,
    work::Work,
};
use tidegate_model::DeliveryId;
use tidegate_store::Queue;

/// Puts the delivery back to work. Returns how many items are parked in it. Items that are done stay as they are; ids derive, so nothing is doubled.
///
/// # Errors
/// 404 for an unknown delivery, 409 when nothing of it is parked.
pub(crate) fn replay(app: &App, id: DeliveryId) -> Result<usize, Problem> {
    let gone = || Problem::new(Code::NotFound, format!("there is no {id} here (any more)"));
    let delivery = views::find_delivery(app, id)?.ok_or_else(gone)?;
    let endpoint = app.catalog().endpoint(&delivery.endpoint).ok_or_else(|| {
        Problem::new(Code::Conflict, format!("its endpoint {:?} is not configured any more", delivery.endpoint))
    })?;
    let rows = interpretations_of(app, delivery.workspace, id)?;
    let parked =
        rows.iter().flat_map(|row| &row.items).filter(|item| matches!(item.result, ItemResult::Parked { .. })).count();
    if parked == 0 {
        return Err(Problem::new(Code::Conflict, format!("nothing of {id} is parked")));
    }
    let mut tx = Tx::new(app.store(), delivery.workspace);
    // Written along, so that it is not removed by its age while it waits.
    let stored = tx.get::<Delivery>(&(delivery.workspace, id))?;
    tx.put(Delivery { replayed_at: Some(app.now()), ..stored.ok_or_else(gone)? });
    tx.enqueue(Queue::Pure, endpoint.lane(), &Work::Replay { id, from: 0 }.row());
    match tx.commit(None) {
        Err(error) if error.is_conflict() => {
            return Err(Problem::new(Code::Conflict, format!("somebody else replays {id} at this moment")));
        }
        done => done?,
    }
    Ok(parked)
}
