//! Reading rows for a sweep: a space's rows from the oldest on, workspace by workspace, as far as they are old.

use tidegate_model::Timestamp;
use tidegate_store::{
    Engine, Key, KeyRange, Order, Row, Space, StoreError, keys::NO_WORKSPACE, records::readable_rows,
};

/// Some rows, and where to go on; none at the end.
pub(super) struct Slice {
    pub rows: Vec<(Key, Row)>,
    pub next: Option<Key>,
}

/// Rows of a space whose keys have ids behind the workspace: at most so many, and only those whose id begins before a moment.
///
/// # Errors
/// The store's.
pub(super) fn older(
    store: &dyn Engine,
    space: Space,
    after: Option<&Key>,
    before: Timestamp,
    limit: usize,
) -> Result<Slice, StoreError> {
    let mut after = after.cloned();
    loop {
        let rest = behind(space, after.as_ref());
        let Some((first, _)) = readable_rows(store, rest.clone(), Order::Forward, 1)?.0.into_iter().next() else {
            return Ok(Slice { rows: Vec::new(), next: None });
        };
        let workspace = first.workspace();
        let end = Key::new(space, workspace).bytes(&place_of(before));
        let (rows, _) = readable_rows(store, rest.clone().before(&end), Order::Forward, limit)?;
        let next = if rows.len() < limit { last_of(space, workspace) } else { rows.last().map(|(key, _)| key.clone()) };
        if !rows.is_empty() {
            return Ok(Slice { rows, next });
        }
        after = next;
        if after.is_none() {
            return Ok(Slice { rows, next: None });
        }
    }
}

/// Rows of a space, at most so many.
///
/// # Errors
/// The store's.
pub(super) fn all(store: &dyn Engine, space: Space, after: Option<&Key>, limit: usize) -> Result<Slice, StoreError> {
    let (rows, _) = readable_rows(store, behind(space, after), Order::Forward, limit)?;
    let next = if rows.len() < limit { None } else { rows.last().map(|(key, _)| key.clone()) };
    Ok(Slice { rows, next })
}

fn behind(space: Space, after: Option<&Key>) -> KeyRange {
    let whole = KeyRange::prefix(&Key::new(space, NO_WORKSPACE)[..1]);
    match after {
        Some(key) => whole.after(key),
        None => whole,
    }
}

/// A key behind all of a workspace.
fn last_of(space: Space, workspace: u32) -> Option<Key> {
    // No row has this key: ids and names are longer, or begin lower.
    Some(Key::new(space, workspace).bytes(&[u8::MAX; 40]))
}

/// The first bytes of ids of a moment.
fn place_of(at: Timestamp) -> [u8; 6] {
    let [_, _, place @ ..] = at.ms().max(0).to_be_bytes();
    place
}
