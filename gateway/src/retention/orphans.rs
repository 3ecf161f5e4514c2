//! Parts whose whole is missing: chunks of a body whose delivery never came or went in part, interpretations without a delivery, provider
//! ids without a message. Each is removed only if the whole is still missing in the same commit.

use super::{
    removals::Removal,
    rules::Limits,
    slices::{self, Slice},
};
use crate::{
    pipeline::answers_key,
    records::{AnswersRow, Delivery, Interpretation, MessageRow, ProviderIdRow},
};
use tidegate_model::{DeliveryId, Timestamp};
use tidegate_store::{
    Engine, Expect, Key, KeyRange, Order, Space, StoreError, keys,
    records::{self, Record, readable_rows},
};

/// Owners of chunks that are looked at in a slice.
const OWNERS: usize = 64;
/// Rows of a slice.
const SLICE: usize = 200;
/// Chunk rows of one owner that are read at once: each may have 48 KiB.
const CHUNKS: usize = 32;

/// Chunks of bodies.
///
/// # Errors
/// The store's.
pub(super) fn chunks(
    store: &dyn Engine,
    after: Option<&Key>,
    limits: &Limits,
) -> Result<(Removal, Option<Key>), StoreError> {
    let mut removal = Removal::default();
    let mut after = after.cloned();
    for _ in 0..OWNERS {
        let Slice { rows, .. } = slices::all(store, Space::Bodies, after.as_ref(), 1)?;
        let Some((first, _)) = rows.into_iter().next() else { return Ok((removal, None)) };
        let workspace = first.workspace();
        let Some(owner) = first.get(5..21).and_then(|id| <[u8; 16]>::try_from(id).ok()) else {
            after = Some(first);
            continue;
        };
        let delivery = keys::delivery(workspace, &owner);
        let is_old = DeliveryId::from_raw(owner).root_ms() < limits.orphans.ms();
        let answers = answers_key(workspace, &owner);
        if !is_old || exists(store, &delivery)? || exists(store, &answers)? {
            after = Some(keys::body(workspace, &owner, u16::MAX));
            continue;
        }
        let range = keys::body_range(workspace, &owner);
        let (rows, _) = readable_rows(store, range, Order::Forward, CHUNKS)?;
        removal.expect(delivery, Expect::Absent);
        removal.expect(answers, Expect::Absent);
        rows.into_iter().for_each(|(key, _)| removal.remove(key));
        // The rest of them is seen in the next slice.
        return Ok((removal, Some(first)));
    }
    Ok((removal, after))
}

/// Interpretations.
///
/// # Errors
/// The store's.
pub(super) fn interpretations(
    store: &dyn Engine,
    after: Option<&Key>,
    before: Timestamp,
) -> Result<(Removal, Option<Key>), StoreError> {
    let slice = slices::older(store, Space::Interpretations, after, before, SLICE)?;
    let whole = |row: &Interpretation| Delivery::row_key(&(row.workspace, row.delivery));
    Ok((without::<Interpretation>(store, &slice, whole)?, slice.next))
}

/// Answers that plugins were given: they go after their delivery, and their chunks after them.
///
/// # Errors
/// The store's.
pub(super) fn answers(
    store: &dyn Engine,
    after: Option<&Key>,
    before: Timestamp,
) -> Result<(Removal, Option<Key>), StoreError> {
    let slice = slices::older(store, Space::Answers, after, before, SLICE)?;
    let whole = |row: &AnswersRow| Delivery::row_key(&(row.workspace, row.delivery));
    Ok((without::<AnswersRow>(store, &slice, whole)?, slice.next))
}

/// Provider ids.
///
/// # Errors
/// The store's.
pub(super) fn provider_ids(store: &dyn Engine, after: Option<&Key>) -> Result<(Removal, Option<Key>), StoreError> {
    let slice = slices::all(store, Space::ProviderIds, after, SLICE)?;
    let whole = |row: &ProviderIdRow| MessageRow::row_key(&(row.workspace, row.message));
    Ok((without::<ProviderIdRow>(store, &slice, whole)?, slice.next))
}

/// Removes the rows of a slice whose whole is missing.
fn without<R: Record>(store: &dyn Engine, slice: &Slice, whole: impl Fn(&R) -> Key) -> Result<Removal, StoreError> {
    let mut removal = Removal::default();
    for (key, row) in &slice.rows {
        let Ok(record) = records::decode::<R>(key, &row.value) else { continue };
        let whole = whole(&record);
        if !exists(store, &whole)? {
            removal.expect(whole, Expect::Absent);
            removal.remove(key.clone());
        }
    }
    Ok(removal)
}

/// Whether there is such a row. A damaged one is there.
fn exists(store: &dyn Engine, key: &Key) -> Result<bool, StoreError> {
    match store.range(&KeyRange::prefix(key), Order::Forward, 1) {
        Ok(rows) => Ok(!rows.is_empty()),
        Err(StoreError::Corrupt { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}
