//! Keys of work: the queues, their lanes, and timers.

use super::{Key, NO_WORKSPACE, Space};
use serde::{Deserialize, Serialize};

/// The two queues of ready work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Queue {
    /// Work without I/O, for plain worker threads.
    Pure,
    /// Work that talks to the outside: fetch, send, sync.
    Io,
}

impl Queue {
    /// Both queues.
    pub const ALL: [Self; 2] = [Self::Pure, Self::Io];

    /// Where its rows lie.
    pub const fn space(self) -> Space {
        match self {
            Self::Pure => Space::Ready,
            Self::Io => Space::Io,
        }
    }

    /// 0 or 1.
    pub const fn index(self) -> usize {
        self as usize
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            b'q' => Some(Self::Pure),
            b'w' => Some(Self::Io),
            _ => None,
        }
    }
}

/// What is worked on in order, and by one worker at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lane {
    /// The workspace that the work is of. Workspaces take turns.
    pub workspace: u32,
    /// What the work needs: an endpoint, a sender, a connection; 0 where nothing is needed.
    pub resource: u32,
    /// A part of the resource's work; the top bit says that the lane goes ahead.
    pub shard: u16,
}

impl Lane {
    /// Set in `shard`: this lane goes ahead of those without.
    pub const PRIORITY: u16 = 0x8000;
    const LEN: usize = 10;

    /// A lane without priority; the shard's top bit is cleared.
    pub const fn new(workspace: u32, resource: u32, shard: u16) -> Self {
        Self { workspace, resource, shard: shard & !Self::PRIORITY }
    }

    /// The same lane, ahead of others.
    #[must_use]
    pub const fn ahead(mut self) -> Self {
        self.shard |= Self::PRIORITY;
        self
    }

    /// Whether this lane goes ahead of those without priority.
    pub const fn is_ahead(self) -> bool {
        self.shard & Self::PRIORITY != 0
    }

    /// The start of all keys of this lane.
    pub fn prefix(self, queue: Queue) -> Key {
        Key::new(queue.space(), self.workspace).u32(self.resource).u16(self.shard)
    }

    /// Fixed binary form, as timer rows keep it.
    pub(crate) fn encode(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..4].copy_from_slice(&self.workspace.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.resource.to_be_bytes());
        bytes[8..].copy_from_slice(&self.shard.to_be_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (workspace, rest) = bytes.split_first_chunk()?;
        let (resource, rest) = rest.split_first_chunk()?;
        Some(Self {
            workspace: u32::from_be_bytes(*workspace),
            resource: u32::from_be_bytes(*resource),
            shard: u16::from_be_bytes(rest.try_into().ok()?),
        })
    }
}

/// The key of a ready row: `[q|w][workspace u32][resource u32][shard u16][seq u64]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadyKey {
    /// Which queue.
    pub queue: Queue,
    /// Which lane of it.
    pub lane: Lane,
    /// The place in the lane.
    pub seq: u64,
}

impl ReadyKey {
    /// The key's bytes.
    pub fn key(&self) -> Key {
        self.lane.prefix(self.queue).u64(self.seq)
    }

    /// Reads a ready row's key; `None` for any other.
    pub fn parse(key: &[u8]) -> Option<Self> {
        let (space, rest) = key.split_first()?;
        let (lane, seq) = rest.split_at_checked(Lane::LEN)?;
        Some(Self {
            queue: Queue::from_byte(*space)?,
            lane: Lane::decode(lane)?,
            seq: u64::from_be_bytes(seq.try_into().ok()?),
        })
    }
}

/// The key of a timer row: `[t][0 u32][due_ms u64][seq u64]`, due first so that the earliest of all workspaces is the first row.
///
/// Who arms a timer keeps this to take it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TimerKey {
    /// When it is due: milliseconds since 1970, UTC. Earlier moments count as 0.
    pub due_ms: i64,
    /// Tells timers of the same moment apart.
    pub seq: u64,
}

impl TimerKey {
    /// The key's bytes.
    pub fn key(&self) -> Key {
        Key::new(Space::Timers, NO_WORKSPACE).u64(due_place(self.due_ms)).u64(self.seq)
    }

    /// The first key that is due after this moment: the end of what is due now.
    pub fn end_of_due(now_ms: i64) -> Key {
        Key::new(Space::Timers, NO_WORKSPACE).u64(due_place(now_ms).saturating_add(1))
    }

    /// Reads a timer row's key; `None` for any other.
    pub fn parse(key: &[u8]) -> Option<Self> {
        let rest = key.strip_prefix(&[Space::Timers as u8, 0, 0, 0, 0])?;
        let (due, seq) = rest.split_first_chunk()?;
        Some(Self {
            due_ms: i64::try_from(u64::from_be_bytes(*due)).ok()?,
            seq: u64::from_be_bytes(seq.try_into().ok()?),
        })
    }
}

fn due_place(due_ms: i64) -> u64 {
    u64::try_from(due_ms).unwrap_or(0)
}
