//! The sled store under fire: power cuts, kills, full disks, damage. A driver process (`driver.rs`) writes what `plan.rs` says; afterwards every
//! row that it was told is durable must be there, nothing half, and nothing more than it had under way.
//!
//! `TIDEGATE_ROUNDS` multiplies the rounds (1 when not set), `TIDEGATE_SEED` sets the seed, which every run prints.
#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]
#![expect(clippy::print_stdout, reason = "the test harness shows it with the test that failed")]

mod damage;
mod disk;
mod plan;
mod power;
mod process;
mod recording;
mod space;

use plan::Random;
use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;
use tidegate_store::{
    Engine, KeyRange, OpenError, Order,
    disk::disk_free,
    sled::{SledOptions, open},
};

/// The program that writes.
const DRIVER: &str = env!("CARGO_BIN_EXE_store-driver");

/// How many rounds a test makes when it makes so many by default.
fn rounds(usual: u64) -> u64 {
    usual * std::env::var("TIDEGATE_ROUNDS").map_or(1, |times| times.parse().expect("TIDEGATE_ROUNDS is a number"))
}

/// Numbers of a seed of this run's own, or of the one that is asked for.
fn random() -> Random {
    let fresh = || RandomState::new().hash_one("seed") >> 16;
    let seed = std::env::var("TIDEGATE_SEED").map_or_else(|_| fresh(), |seed| seed.parse().expect("a number"));
    println!("TIDEGATE_SEED={seed}");
    Random::new(seed)
}

/// An empty directory and its only path: in memory where there is room, because what a disk may lose is worked out here, and its slowness is no part of it.
fn scratch() -> (TempDir, PathBuf) {
    let memory = Path::new("/dev/shm");
    let has_room = disk_free(memory).is_ok_and(|space| space.free_bytes > 2 << 30);
    let dir = if has_room { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    let path = dir.path().canonicalize().unwrap();
    (dir, path)
}

fn open_store(dir: &Path) -> Result<Arc<dyn Engine>, OpenError> {
    open(&SledOptions::new(dir).cache_bytes(8 << 20))
}

/// The last batch of each writer that was acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Acks([u64; plan::WRITERS as usize]);

impl Acks {
    /// Takes over what the driver said. What it says of its quiet time is passed to `quiet`.
    fn hear(&mut self, said: &[u8], mut quiet: impl FnMut(bool)) {
        for line in said.chunks_exact(9) {
            match line[0] {
                b'q' => quiet(true),
                b'e' => quiet(false),
                writer => self.0[usize::from(writer)] = plan::count(Some(&line[1..])),
            }
        }
    }

    /// Holds a store against what was acknowledged: each writer's rows are those of a whole number of batches, and of no fewer than that.
    fn check(&self, engine: &dyn Engine) -> Result<(), String> {
        (0..plan::WRITERS).try_for_each(|writer| self.check_writer(engine, writer))
    }

    fn check_writer(&self, engine: &dyn Engine, writer: u8) -> Result<(), String> {
        let acknowledged = self.0[usize::from(writer)];
        let counter = engine.get(&plan::counter(writer)).map_err(|error| error.to_string())?;
        let last = plan::count(counter.as_ref().map(|row| &*row.value));
        if last < acknowledged {
            return Err(format!("writer {writer} has {last} batches, {acknowledged} were acknowledged"));
        }
        let range = KeyRange::prefix(&plan::rows(writer));
        let mut found = engine.range(&range, Order::Forward, 1_000).map_err(|error| error.to_string())?.into_iter();
        for (slot, (batch, step)) in rows_after(writer, last) {
            let Some((key, row)) = found.next() else { return Err(format!("row {slot} of batch {batch} is missing")) };
            if key != *plan::key(writer, slot) || row.value != plan::value(writer, batch, step) {
                return Err(format!("writer {writer} after batch {last}: {key:?} is not row {slot} of batch {batch}"));
            }
        }
        match found.next() {
            None => Ok(()),
            Some((key, _)) => Err(format!("writer {writer} after batch {last}: {key:?} was deleted")),
        }
    }
}

/// The rows of a writer after so many batches: the batch and step that wrote each.
fn rows_after(writer: u8, batches: u64) -> BTreeMap<u16, (u64, plan::Step)> {
    let mut rows = BTreeMap::new();
    for batch in 1..=batches {
        for step in plan::steps(writer, batch) {
            match step.len {
                Some(_) => drop(rows.insert(step.slot, (batch, step))),
                None => drop(rows.remove(&step.slot)),
            }
        }
    }
    rows
}
