//! What a store knows about itself, and how it comes up: format, identity, progress, lanes.

use super::{Backend, Fault, Flow, envelope, ready::Ready};
use crate::{
    engine::{Batch, KeyRange, Order, StoreError},
    keys::{self, Key, NO_WORKSPACE, Queue, ReadyKey},
    migrate,
};
use std::collections::HashMap;

const FORMAT: &str = "format";
const STORE_ID: &str = "store";
const COMMIT: &str = "commit";
const OPENINGS: &str = "openings";

/// How far the commits are: written with every group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// The last commit.
    pub(super) commit: u64,
    /// Timer rows.
    pub(super) timers: u64,
}

impl Progress {
    pub(super) fn key() -> Key {
        keys::meta(COMMIT)
    }

    pub(super) fn encode(self) -> [u8; 16] {
        (u128::from(self.commit) << 64 | u128::from(self.timers)).to_be_bytes()
    }

    fn decode(value: &[u8]) -> Option<Self> {
        let both = u128::from_be_bytes(value.try_into().ok()?);
        Some(Self { commit: (both >> 64) as u64, timers: both as u64 })
    }
}

/// What the rows of the meta space say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// The stored format; none in a new store.
    pub(crate) format: Option<u32>,
    /// The store's identity.
    pub(crate) store_id: Option<u64>,
    pub(super) progress: Progress,
    openings: u64,
}

/// Why the meta rows cannot be used.
#[derive(Debug)]
pub(crate) enum Unknown {
    /// The backend broke.
    Fault(Fault),
    /// A row is damaged.
    Damaged(StoreError),
}

impl From<Fault> for Unknown {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Known {
    /// Reads the meta rows.
    pub(crate) fn read<B: Backend>(backend: &B) -> Result<Self, Unknown> {
        let number = |value: &[u8]| value.try_into().ok().map(u64::from_be_bytes);
        Ok(Self {
            format: meta(backend, FORMAT, |value| value.try_into().ok().map(u32::from_be_bytes))?,
            store_id: meta(backend, STORE_ID, number)?,
            progress: meta(backend, COMMIT, Progress::decode)?.unwrap_or_default(),
            openings: meta(backend, OPENINGS, number)?.unwrap_or_default(),
        })
    }

    /// The last commit.
    pub(crate) fn commit(&self) -> u64 {
        self.progress.commit
    }

    /// How often it was opened.
    pub(crate) fn openings(&self) -> u64 {
        self.openings
    }

    /// The number of the opening that begins now.
    pub(super) fn opening(&self) -> u64 {
        self.openings + 1
    }

    /// The first commit of an opening: counts it, and in a new store says what the store is.
    pub(super) fn first_batch(&self, store_id: u64) -> Batch {
        let mut put = vec![(keys::meta(OPENINGS), self.opening().to_be_bytes().to_vec())];
        if self.format.is_none() {
            put.push((keys::meta(FORMAT), migrate::FORMAT.to_be_bytes().to_vec()));
            put.push((keys::meta(STORE_ID), store_id.to_be_bytes().to_vec()));
        }
        Batch { put, ..Batch::default() }
    }
}

/// Whether a row says which store this is and how far it is: of each store its own, never copied.
pub(crate) fn is_own_row(key: &Key) -> bool {
    *key == keys::meta(STORE_ID) || *key == Progress::key()
}

/// The rows that say which store this is, and how far it is.
pub(crate) fn own_rows(store_id: u64, commit: u64, timers: u64) -> [(Key, Vec<u8>); 2] {
    let progress = Progress { commit, timers };
    [(keys::meta(STORE_ID), store_id.to_be_bytes().to_vec()), (Progress::key(), progress.encode().to_vec())]
}

/// The row that counts the openings of a store.
pub(crate) fn openings_row(openings: u64) -> (Key, Vec<u8>) {
    (keys::meta(OPENINGS), openings.to_be_bytes().to_vec())
}

/// The row that says which format the store has.
pub(crate) fn format_row(format: u32) -> (Key, Vec<u8>) {
    (keys::meta(FORMAT), format.to_be_bytes().to_vec())
}

fn meta<B: Backend, T>(backend: &B, name: &str, read: impl FnOnce(&[u8]) -> Option<T>) -> Result<Option<T>, Unknown> {
    let key = keys::meta(name);
    let Some(bytes) = backend.get(&key)? else { return Ok(None) };
    match envelope::open(&key, &bytes).and_then(|(_, value)| read(value)) {
        Some(value) => Ok(Some(value)),
        None => Err(Unknown::Damaged(StoreError::Corrupt { key })),
    }
}

/// Counts the rows of every lane.
pub(super) fn count_lanes<B: Backend>(backend: &B, ready: &Ready) -> Result<(), Fault> {
    for queue in Queue::ALL {
        let mut lanes = HashMap::new();
        // All workspaces: the space's byte is the whole prefix.
        let whole = KeyRange::prefix(&Key::new(queue.space(), NO_WORKSPACE)[..1]);
        backend.scan(&whole, Order::Forward, &mut |key, _| {
            if let Some(row) = ReadyKey::parse(key) {
                *lanes.entry(row.lane).or_insert(0) += 1;
            }
            Flow::More
        })?;
        let mut deltas: Vec<_> = lanes.into_iter().map(|(lane, rows)| (queue, lane, rows)).collect();
        deltas.sort_unstable();
        ready.publish(&deltas, &[]);
    }
    Ok(())
}
