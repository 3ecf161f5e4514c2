//! What every engine offers: reads, one kind of atomic commit, leases on lanes of ready work, and the next due timer.
//!
//! The contract is written here, once; engines only say how they keep it.

mod batch;
mod claim;
mod commit;
mod error;
mod follow;
mod meter;
pub mod ops;
mod range;
mod seq;

pub use batch::{Batch, Expect, MAX_BATCH_BYTES, MAX_BATCH_OPS, MAX_KEY_BYTES, MAX_VALUE_BYTES};
pub use claim::{Claim, LaneToken, ReadySignal, ReleaseLane};
pub(crate) use commit::Resolver;
pub use commit::{Commit, Committed};
pub use error::{CommitError, OpenError, Retry, StoreError};
pub(crate) use follow::Line;
pub use follow::{Follow, FollowError, Followed};
pub use meter::Meter;
pub use ops::{Op, Refusal};
pub use range::{KeyRange, Order};
pub use seq::Seq;

use crate::keys::Queue;
use std::{fmt, sync::Arc, time::Duration};

/// The most rows that one [`Engine::range`] gives, whatever was asked for: long reads go in slices, so that none holds the engine for long.
pub const MAX_RANGE: usize = 1_000;

/// A row as it was stored.
///
/// Its debug form does not show the value: that may be personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// The number of the commit that wrote it; what [`Expect::Version`] compares.
    pub version: u64,
    /// What was put.
    pub value: Vec<u8>,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, value } = self;
        write!(f, "Row(version {version}, {} bytes, checksum {:08x})", value.len(), crc32c::crc32c(value))
    }
}

/// An ordered key-value engine with durable, grouped commits and leases on ready work.
///
/// Reads are synchronous and may wait for the disk: from async code call them on a blocking thread.
/// A read may see a row shortly before it is durable; [`Engine::claim`] never gives such a row out.
pub trait Engine: Send + Sync + 'static {
    /// The row of this key.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the row is damaged; else the engine has failed or is closed.
    fn get(&self, key: &[u8]) -> Result<Option<Row>, StoreError>;

    /// Rows of a range in key order, at most `limit` and at most [`MAX_RANGE`].
    ///
    /// # Errors
    /// As [`Engine::get`]; a damaged row is named, and the read can go on behind it.
    fn range(&self, range: &KeyRange, order: Order, limit: usize) -> Result<Vec<(Vec<u8>, Row)>, StoreError>;

    /// Commits a batch: all of it or nothing.
    ///
    /// Returns at once; the [`Commit`] resolves when the batch is on disk (or refused). Batches of several callers share
    /// one disk write; each succeeds or fails alone, and later ones see the earlier ones' rows.
    fn commit(&self, batch: Batch) -> Commit;

    /// Leases the next ready lane, workspaces in turn, and gives its first rows in order.
    ///
    /// Nobody else gets the lane until a commit with the claim's token succeeds, or the claim is released or dropped.
    /// A damaged row is left out (and logged), so that the rest of the lane goes on.
    ///
    /// # Errors
    /// The engine has failed or is closed.
    fn claim(&self, queue: Queue, max_rows: usize) -> Result<Option<Claim>, StoreError>;

    /// Gives a lane back without having finished. A token that was used or released before is ignored.
    fn release(&self, token: LaneToken);

    /// When the earliest durable timer is due (milliseconds since 1970).
    ///
    /// # Errors
    /// The engine has failed or is closed.
    fn next_due(&self) -> Result<Option<i64>, StoreError>;

    /// Where unique, growing numbers come from; they grow across restarts.
    fn seq(&self) -> Seq;

    /// The next unique number.
    fn next_seq(&self) -> u64 {
        self.seq().next()
    }

    /// Waits on a plain thread until a lane is ready; false when the time has passed or the engine has stopped.
    fn wait_ready(&self, queue: Queue, timeout: Duration) -> bool;

    /// What async workers wait on: woken when a lane becomes ready.
    fn ready_signal(&self, queue: Queue) -> ReadySignal;

    /// Woken when a timer became durable that is due before everything [`Engine::next_due`] has told of.
    fn timer_signal(&self) -> ReadySignal;

    /// Whether the engine works. A failure stays until the store is opened anew.
    fn health(&self) -> Health;

    /// Follows every write from now on: whatever is read after this call, and changed after it was read, is in the [`Follow`]. For
    /// copies of a store that goes on working. Waits for the disk.
    ///
    /// # Errors
    /// As [`Engine::commit`]: the engine has failed, is closed or is too busy.
    fn follow(&self) -> Result<Follow, CommitError>;

    /// Figures for metrics.
    fn stats(&self) -> Stats;

    /// Has commits measured from now on. The first meter stays.
    fn set_meter(&self, meter: Arc<dyn Meter>);

    /// Stops taking commits, finishes those taken, wakes who waits. Files are released when the engine is dropped.
    fn shutdown(&self);
}

/// Whether an engine works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It works.
    Ok,
    /// An I/O error or a panic stopped it; it must be opened anew. Acknowledged rows are safe.
    Failed(String),
}

/// Figures of an engine since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Rows written.
    pub rows_put: u64,
    /// Rows removed.
    pub rows_deleted: u64,
    /// Batches that succeeded.
    pub commits: u64,
    /// Disk writes that made them durable.
    pub groups: u64,
    /// How often a damaged row of work or a damaged timer was met and left out.
    pub damaged: u64,
    /// Ready rows per queue, by [`Queue::index`], with those that are being made durable now: a due timer is in one figure or the other, also while it is moved.
    pub ready: [u64; 2],
    /// Lanes now leased per queue.
    pub leased: [u64; 2],
    /// Timer rows.
    pub timers: u64,
    /// When the earliest timer is due (milliseconds since 1970).
    pub oldest_due_ms: Option<i64>,
    /// Batches that wait for the next disk write.
    pub waiting: u64,
}
