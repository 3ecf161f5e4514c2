//! Following: everything that is written from a moment on, for who copies the store while it works.

use super::{Row, StoreError};
use crate::keys::Key;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The most bytes that wait to be taken. A follower that is slower than that has lost the thread: the store does not wait for it.
const MAX_WAITING_BYTES: usize = 128 * 1024 * 1024;
/// What a removed row counts as, beside its key.
const ROW_OVERHEAD_BYTES: usize = 64;

/// A follower of all writes (see [`super::Engine::follow`]). Dropping it ends the following.
pub struct Follow {
    line: Arc<Line>,
}

/// What was written since the last look: the newest write of each key.
pub struct Followed {
    /// The commit of the last write; 0 when nothing was ever written.
    pub commit: u64,
    /// What each key became; `None` where the row was removed.
    pub writes: Vec<(Key, Option<Row>)>,
}

/// Why a follower can't go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// It was too slow.
    #[error(
        "the store is written faster than it is copied: {bytes} bytes wait; try again when less is going on, or copy to a faster disk"
    )]
    Overrun {
        /// Bytes that waited.
        bytes: usize,
    },
    /// A row that was written is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Between the committer, who writes down, and the follower, who takes.
#[derive(Default)]
pub(crate) struct Line(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    writes: HashMap<Key, Option<Vec<u8>>>,
    bytes: usize,
    commit: u64,
    overrun: Option<usize>,
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a group down, before it can be seen. `writes` are sealed rows.
    pub(crate) fn record<'a>(&self, commit: u64, writes: impl Iterator<Item = (&'a Key, Option<&'a [u8]>)>) {
        let mut waiting = self.lock();
        waiting.commit = commit;
        if waiting.overrun.is_some() {
            return;
        }
        for (key, value) in writes {
            let size = |value: Option<&[u8]>| key.len() + ROW_OVERHEAD_BYTES + value.map_or(0, <[u8]>::len);
            waiting.bytes += size(value);
            if let Some(before) = waiting.writes.insert(key.clone(), value.map(<[u8]>::to_vec)) {
                waiting.bytes -= size(before.as_deref());
            }
        }
        if waiting.bytes > MAX_WAITING_BYTES {
            waiting.overrun = Some(waiting.bytes);
            waiting.writes = HashMap::new();
        }
    }
}

impl Follow {
    pub(crate) fn new(line: Arc<Line>) -> Self {
        Self { line }
    }

    /// Takes what was written since the last look. All of it up to `commit` is in here or was taken before; it may not be durable yet.
    ///
    /// # Errors
    /// The follower was too slow: nothing can be said about the rows any more.
    pub fn take(&self) -> Result<Followed, FollowError> {
        let (writes, commit) = {
            let mut waiting = self.line.lock();
            if let Some(bytes) = waiting.overrun {
                return Err(FollowError::Overrun { bytes });
            }
            waiting.bytes = 0;
            (std::mem::take(&mut waiting.writes), waiting.commit)
        };
        let opened = writes.into_iter().map(|(key, value)| {
            let row = match value {
                Some(bytes) => match crate::embedded::open_row(&key, &bytes) {
                    Some(row) => Some(row),
                    None => return Err(StoreError::Corrupt { key }),
                },
                None => None,
            };
            Ok((key, row))
        });
        Ok(Followed { commit, writes: opened.collect::<Result<_, _>>()? })
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.line.lock();
        write!(f, "Follow({} rows, {} bytes wait)", waiting.writes.len(), waiting.bytes)
    }
}

impl fmt::Debug for Followed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Followed({} rows up to commit {})", self.writes.len(), self.commit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::meta;

    #[test]
    fn a_follower_that_is_too_slow_is_told_and_costs_no_more_memory() {
        let line = Arc::new(Line::default());
        let follow = Follow::new(Arc::clone(&line));
        let value = vec![0; 48 * 1024];
        for n in 0..3_000 {
            line.record(n, [(&meta(&n.to_string()), Some(&*value))].into_iter());
        }
        assert!(matches!(follow.take(), Err(FollowError::Overrun { bytes }) if bytes > MAX_WAITING_BYTES));
        assert!(line.lock().writes.is_empty());
    }

    #[test]
    fn a_row_that_is_written_again_and_again_waits_once() {
        let line = Arc::new(Line::default());
        let follow = Follow::new(Arc::clone(&line));
        for n in 0..10_000 {
            line.record(n, [(&meta("a"), Some(&[0; 40_000][..]))].into_iter());
        }
        assert!(line.lock().bytes < 50_000);
        line.record(10_000, [(&meta("a"), None)].into_iter());
        let followed = follow.take().unwrap();
        assert_eq!((followed.commit, followed.writes), (10_000, vec![(meta("a"), None)]));
        assert!(follow.take().unwrap().writes.is_empty());
    }
}
