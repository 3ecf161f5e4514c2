//! Deliveries that work or parked items are about.

use super::slices;
use crate::{records::FetchRow, work::Work};
use std::collections::HashSet;
use tidegate_model::{DeliveryId, Timestamp};
use tidegate_store::{
    Engine, Key, Space, StoreError, WorkRow,
    records::{self, DeadLetter},
};

/// Rows of a slice: they are small.
const SLICE: usize = 1_000;

/// Old deliveries that must stay. Work for a delivery is queued when it is received, so what is collected before deliveries are looked at
/// is never too little; a delivery that a person takes up again says so itself.
#[derive(Debug, Default)]
pub(super) struct Needed(HashSet<DeliveryId>);

impl Needed {
    pub(super) fn contains(&self, id: DeliveryId) -> bool {
        self.0.contains(&id)
    }

    /// Takes in a slice of dead letters, of ready work or of waiting items; gives where to go on. Only what may otherwise go is of interest.
    ///
    /// # Errors
    /// The store's.
    pub(super) fn collect(
        &mut self,
        store: &dyn Engine,
        space: Space,
        after: Option<&Key>,
        before: Timestamp,
    ) -> Result<Option<Key>, StoreError> {
        let slice = slices::all(store, space, after, SLICE)?;
        for (key, row) in &slice.rows {
            let work = match space {
                Space::DeadLetters => {
                    records::decode::<DeadLetter>(key, &row.value).ok().map(|letter| letter.deferred.work)
                }
                _ => WorkRow::decode(&row.value),
            };
            let about = match space {
                Space::Fetches => records::decode::<FetchRow>(key, &row.value).ok().map(|row| row.delivery),
                _ => work.as_ref().and_then(Work::read).and_then(Work::delivery),
            };
            if let Some(id) = about
                && id.root_ms() < before.ms()
            {
                self.0.insert(id);
            }
        }
        Ok(slice.next)
    }
}
