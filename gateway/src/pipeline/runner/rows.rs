//! Interpretation rows of a delivery, and rows of a moment: ids derive, so what comes of a delivery lies under its moment.

use crate::{app::App, records::Interpretation, tx::TxError};
use std::ops::ControlFlow;
use tidegate_model::{DeliveryId, ItemId};
use tidegate_store::{
    Engine, KeyRange, Order,
    records::{self, Record},
};

/// Bytes of an id behind its moment.
const HASH_BYTES: usize = 10;

/// As [`interpretations_in`], of a running gateway.
pub(crate) fn interpretations_of(app: &App, workspace: u32, id: DeliveryId) -> Result<Vec<Interpretation>, TxError> {
    interpretations_in(app.store(), workspace, id)
}

/// Every interpretation row of a delivery. Ids derive, so they lie together under the delivery's moment.
pub(crate) fn interpretations_in(
    store: &dyn Engine,
    workspace: u32,
    id: DeliveryId,
) -> Result<Vec<Interpretation>, TxError> {
    let mut found = Vec::new();
    let range = of_the_moment::<Interpretation>(&(workspace, ItemId::from_raw(*id.raw())));
    records::walk(store, &range, Order::Forward, |row: Interpretation| {
        if row.delivery == id {
            found.push(row);
        }
        ControlFlow::<()>::Continue(())
    })?;
    found.sort_by_key(|row| row.items.first().map(|item| item.index));
    Ok(found)
}

/// All rows of the moment that a key's id carries, for records whose keys end with an id.
pub(crate) fn of_the_moment<R: Record>(key: &R::Key) -> KeyRange {
    let key = R::row_key(key);
    KeyRange::prefix(&key[..key.len() - HASH_BYTES])
}
