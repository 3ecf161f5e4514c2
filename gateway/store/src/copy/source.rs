//! What is copied from: rows in slices, each with where to go on.

use super::{CopyError, SLICE_BYTES, SLICE_ROWS, Stopped};
use crate::{
    engine::{Engine, KeyRange, Order, Row},
    keys::Key,
    records::readable_rows,
};

/// Some rows in the order of their keys.
#[derive(Debug, Default)]
pub struct Slice {
    /// Rows whose checksum fits.
    pub rows: Vec<(Key, Row)>,
    /// Keys of those whose does not.
    pub damaged: Vec<Key>,
    /// Where to go on; `None` at the end.
    pub next: Option<Key>,
}

/// All rows of a store, slice by slice.
pub trait Slices {
    /// The slice behind this key; the first without one.
    ///
    /// # Errors
    /// The store can't be read.
    fn slice(&self, after: Option<&Key>) -> Result<Slice, CopyError>;
}

/// A store that works.
pub(super) struct Live<'a>(pub(super) &'a dyn Engine);

impl Slices for Live<'_> {
    fn slice(&self, after: Option<&Key>) -> Result<Slice, CopyError> {
        let (rows, damaged) = readable_rows(self.0, behind(after), Order::Forward, SLICE_ROWS)?;
        let next = if rows.len() < SLICE_ROWS { None } else { rows.last().map(|(key, _)| key.clone()) };
        Ok(Slice { rows, damaged, next })
    }
}

impl Slices for &dyn Engine {
    fn slice(&self, after: Option<&Key>) -> Result<Slice, CopyError> {
        Live(*self).slice(after)
    }
}

impl Slices for Stopped {
    fn slice(&self, after: Option<&Key>) -> Result<Slice, CopyError> {
        let found = self.rows(&behind(after), SLICE_ROWS, SLICE_BYTES);
        let found = found.map_err(|fault| CopyError::Unreadable(fault.to_string()))?;
        Ok(Slice { rows: found.rows, damaged: found.damaged, next: found.last })
    }
}

/// Everything behind a key.
fn behind(after: Option<&Key>) -> KeyRange {
    let all = KeyRange::prefix(&[]);
    match after {
        Some(key) => all.after(key),
        None => all,
    }
}
