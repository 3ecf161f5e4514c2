//! What a commit holds.

use super::{CommitError, LaneToken, Op};
use crate::keys::Key;
use std::fmt;

/// The longest value: longer ones would leave sled's log for files that nobody syncs.
pub const MAX_VALUE_BYTES: usize = 48 * 1024;
/// The longest key.
pub const MAX_KEY_BYTES: usize = 1_024;
/// The most row operations of one batch; a group of batches has no more either, so that no two syncs are far apart in the log.
pub const MAX_BATCH_OPS: usize = 448;
/// The most bytes (keys and values) of one batch, and of a group.
pub const MAX_BATCH_BYTES: usize = 2 * 1024 * 1024;

/// What must hold of a row for the batch to be committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// There is no such row.
    Absent,
    /// The row is there, with this version.
    Version(u64),
}

/// One atomic change. Expectations and operations are looked at first; deletes are done before puts, the last put of a key counts.
///
/// Its debug form shows figures only: values may be personal.
#[derive(Default)]
pub struct Batch {
    /// What must hold.
    pub expect: Vec<(Key, Expect)>,
    /// Rows to write.
    pub put: Vec<(Key, Vec<u8>)>,
    /// Rows to remove; a missing one is no error.
    pub delete: Vec<Key>,
    /// Guarded operations, each allowed or refused inside the commit.
    pub ops: Vec<Op>,
    /// The lane that this batch finishes; its lease ends when the batch succeeds.
    pub token: Option<LaneToken>,
}

impl Batch {
    /// Row operations that it counts as, at most.
    pub fn row_ops(&self) -> usize {
        self.put.len() + self.delete.len() + self.ops.iter().map(Op::row_ops).sum::<usize>()
    }

    /// Bytes of its keys and values.
    pub fn bytes(&self) -> usize {
        let put: usize = self.put.iter().map(|(key, value)| key.len() + value.len()).sum();
        put + self.delete.iter().map(|key| key.len()).sum::<usize>()
    }

    /// Checks the limits, so that a batch is refused before it is queued.
    pub(crate) fn check_limits(&self) -> Result<(), CommitError> {
        let too_large = |what, size, limit| Err(CommitError::TooLarge { what, size, limit });
        let keys = self.put.iter().map(|(key, _)| key).chain(&self.delete);
        if let Some(key) = keys.into_iter().find(|key| key.len() > MAX_KEY_BYTES) {
            return too_large("key", key.len(), MAX_KEY_BYTES);
        }
        if let Some((_, value)) = self.put.iter().find(|(_, value)| value.len() > MAX_VALUE_BYTES) {
            return too_large("value", value.len(), MAX_VALUE_BYTES);
        }
        match (self.row_ops(), self.bytes()) {
            (ops, _) if ops > MAX_BATCH_OPS => too_large("number of row operations", ops, MAX_BATCH_OPS),
            (_, bytes) if bytes > MAX_BATCH_BYTES => too_large("batch", bytes, MAX_BATCH_BYTES),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("expect", &self.expect.len())
            .field("put", &self.put.len())
            .field("delete", &self.delete.len())
            .field("ops", &self.ops.len())
            .field("token", &self.token)
            .field("bytes", &self.bytes())
            .finish()
    }
}
