//! Reads of records: one by its key, and lists in pages with a cursor.

use super::{ReadError, Record, RecordError, record};
use crate::{
    engine::{Engine, KeyRange, Order, Row, StoreError},
    keys::Key,
};
use std::ops::ControlFlow;

/// Rows that [`walk`] reads at once.
const WALK_SLICE: usize = 100;

/// A record and the version of its row; `None` when there is none.
///
/// # Errors
/// The engine, or the row.
pub fn get<R: Record>(engine: &dyn Engine, key: &R::Key) -> Result<Option<(R, u64)>, ReadError> {
    let key = R::row_key(key);
    match engine.get(&key)? {
        None => Ok(None),
        Some(row) => Ok(Some((record::decode(&key, &row.value)?, row.version))),
    }
}

/// Where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(Key);

impl Cursor {
    /// From the bytes that [`Cursor::as_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(Key::from_bytes(bytes))
    }

    /// Bytes for whoever keeps the cursor; the next page begins behind this key.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// One record of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<R> {
    /// Its row.
    pub key: Key,
    /// The record.
    pub record: R,
    /// The version of its row.
    pub version: u64,
}

/// A row that is not in the page because it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DamagedRow {
    /// Its checksum is wrong.
    Corrupt(Key),
    /// It is not what the record looks like.
    Record(RecordError),
}

/// Some records in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<R> {
    /// The records.
    pub items: Vec<Listed<R>>,
    /// Rows in between that cannot be read: one bad row does not hide the rest.
    pub damaged: Vec<DamagedRow>,
    /// Where to go on; `None` at the end.
    pub next: Option<Cursor>,
}

/// Records of a range in pages.
///
/// # Errors
/// The engine.
pub fn list<R: Record>(
    engine: &dyn Engine,
    range: KeyRange,
    order: Order,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page<R>, StoreError> {
    let range = match (after, order) {
        (None, _) => range,
        (Some(Cursor(key)), Order::Forward) => range.after(key),
        (Some(Cursor(key)), Order::Backward) => range.before(key),
    };
    let limit = limit.clamp(1, crate::engine::MAX_RANGE);
    let (rows, corrupt) = readable_rows(engine, range, order, limit)?;
    let next = if rows.len() < limit { None } else { rows.last().map(|(key, _)| Cursor(key.clone())) };
    let mut page = Page { items: Vec::new(), damaged: corrupt.into_iter().map(DamagedRow::Corrupt).collect(), next };
    for (key, Row { version, value }) in rows {
        match record::decode(&key, &value) {
            Ok(record) => page.items.push(Listed { key, record, version }),
            Err(error) => page.damaged.push(DamagedRow::Record(error)),
        }
    }
    Ok(page)
}

/// Looks at the readable records of a range one after the other, until `look` breaks with what was sought.
///
/// # Errors
/// The engine.
pub fn walk<R: Record, T>(
    engine: &dyn Engine,
    range: &KeyRange,
    order: Order,
    mut look: impl FnMut(R) -> ControlFlow<T>,
) -> Result<Option<T>, StoreError> {
    let mut after = None;
    loop {
        let page = list::<R>(engine, range.clone(), order, after.as_ref(), WALK_SLICE)?;
        for row in page.items {
            if let ControlFlow::Break(found) = look(row.record) {
                return Ok(Some(found));
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(None),
        }
    }
}

/// The readable rows of a range, at most `limit`, and the keys of the damaged ones among them.
///
/// # Errors
/// The engine has failed or is closed.
#[expect(clippy::type_complexity, reason = "rows, and keys that are none")]
pub fn readable_rows(
    engine: &dyn Engine,
    mut range: KeyRange,
    order: Order,
    limit: usize,
) -> Result<(Vec<(Key, Row)>, Vec<Key>), StoreError> {
    let (mut rows, mut damaged) = (Vec::new(), Vec::new());
    let keyed = |(key, row): (Vec<u8>, Row)| (Key::from_bytes(key), row);
    while rows.len() < limit {
        let wanted = limit - rows.len();
        match engine.range(&range, order, wanted) {
            Ok(more) => {
                rows.extend(more.into_iter().map(keyed));
                break;
            }
            Err(StoreError::Corrupt { key }) => {
                let (whole, rest) = match order {
                    Order::Forward => (range.clone().before(&key), range.after(&key)),
                    Order::Backward => (range.clone().after(&key), range.before(&key)),
                };
                rows.extend(engine.range(&whole, order, wanted)?.into_iter().map(keyed));
                range = rest;
                damaged.push(key);
            }
            Err(error) => return Err(error),
        }
    }
    Ok((rows, damaged))
}
