//! The format of a store, and the bounded steps from an older format to this one.
//!
//! A step works through its rows slice by slice; each slice is committed together with the place to go on from, so that
//! an interruption costs one slice. What a format means is written down here; engines only store its number.

use crate::{
    embedded,
    engine::{Batch, CommitError, Engine, OpenError, StoreError},
    keys::{self, Key},
};

/// The format that this version writes.
pub const FORMAT: u32 = 1;

/// The steps from every older format, in order. Format 1 is the first.
pub const STEPS: &[Step] = &[];

const PLACE: &str = "migration";

/// The way from one format to the next.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// The format before; after it the store has `from + 1`.
    pub from: u32,
    /// What people call it.
    pub name: &'static str,
    /// Works on one slice, from the place where the last one ended. Must be repeatable: it only reads.
    pub slice: SliceFn,
}

/// Works on one slice, from the place where the last one ended.
pub type SliceFn = fn(engine: &dyn Engine, place: Option<&[u8]>) -> Result<Slice, StoreError>;

/// What one slice of a step does.
#[derive(Debug, Default)]
pub struct Slice {
    /// The rows of this slice; with the place it must keep to the limits of a batch.
    pub batch: Batch,
    /// Where to go on; `None` ends the step.
    pub next: Option<Vec<u8>>,
}

/// Whether a stored format can be opened here.
///
/// # Errors
/// A newer one cannot.
pub fn check_format(found: Option<u32>) -> Result<(), OpenError> {
    match found {
        Some(found) if found > FORMAT => Err(OpenError::NewerFormat { found, known: FORMAT }),
        Some(_) | None => Ok(()),
    }
}

/// Brings a store from `current` through all steps that begin there or later.
///
/// # Errors
/// The step and why it stopped; the next call goes on where it stopped.
pub fn migrate(engine: &dyn Engine, current: u32, steps: &[Step]) -> Result<(), OpenError> {
    for step in steps.iter().filter(|step| step.from >= current) {
        tracing::info!(
            migration.from = step.from,
            migration.name = step.name,
            "the store's format is brought up to date"
        );
        run(engine, step).map_err(|source| OpenError::Migration {
            from: step.from,
            to: step.from + 1,
            step: step.name,
            source,
        })?;
    }
    Ok(())
}

fn run(engine: &dyn Engine, step: &Step) -> Result<(), CommitError> {
    let mut place = engine.get(&place_key())?.map(|row| row.value);
    loop {
        let Slice { mut batch, next } = (step.slice)(engine, place.as_deref())?;
        match &next {
            Some(next) => batch.put.push((place_key(), next.clone())),
            None => {
                batch.delete.push(place_key());
                batch.put.push(embedded::format_row(step.from + 1));
            }
        }
        engine.commit(batch).wait()?;
        if next.is_none() {
            return Ok(());
        }
        place = next;
    }
}

fn place_key() -> Key {
    keys::meta(PLACE)
}

#[cfg(test)]
mod tests;
