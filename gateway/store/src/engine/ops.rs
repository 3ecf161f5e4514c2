//! Guarded operations for hot rows: rates, counters and rolling sets, decided inside the commit.
//!
//! They commute, so that many batches of one group may touch the same row without a conflict. The decisions are pure
//! functions of (state, input, now); where the state lies is the committer's matter.

use crate::keys::GuardName;
use std::fmt;

/// One guarded operation. If it is refused, its whole batch is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Takes one from a rate (generic cell rate algorithm).
    Gcra {
        /// Whose rate.
        guard: GuardName,
        /// The rate.
        rate: Rate,
        /// Milliseconds since 1970.
        now_ms: i64,
    },
    /// Adds to a figure, unless that would take it below the floor. A new figure is 0.
    Add {
        /// Whose figure.
        guard: GuardName,
        /// What to add; negative takes away.
        delta: i64,
        /// The least that may be left. Only looked at when something is taken away.
        floor: i64,
    },
    /// Keeps a member in a set of limited size until it expires; a member that is in it may stay, and stays longer.
    Member {
        /// Which set.
        guard: GuardName,
        /// The member.
        id: [u8; 16],
        /// Until when it counts (milliseconds since 1970).
        expires_at_ms: i64,
        /// How many members there may be.
        limit: u64,
        /// Milliseconds since 1970.
        now_ms: i64,
    },
}

impl Op {
    /// Rows that it writes at most, not counting the clearing of expired members.
    pub(crate) fn row_ops(&self) -> usize {
        match self {
            Self::Gcra { .. } | Self::Add { .. } => 1,
            Self::Member { .. } => 3,
        }
    }
}

/// So many in a period, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many in a period; 0 allows nothing.
    pub limit: u32,
    /// The period in milliseconds.
    pub period_ms: u64,
    /// How many at once after a pause; counts as 1 at least.
    pub burst: u32,
}

/// Why a guarded operation was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The rate is used up.
    Rate {
        /// From when on it may be allowed (milliseconds since 1970); `i64::MAX` is never.
        retry_at_ms: i64,
    },
    /// The figure would fall below its floor.
    Floor {
        /// The figure as it is.
        value: i64,
    },
    /// The set is full.
    Full {
        /// Members that count now.
        members: u64,
        /// From when on a place may be free (milliseconds since 1970).
        retry_at_ms: i64,
    },
}

impl Refusal {
    /// From when on the operation may be allowed (milliseconds since 1970); `None` where only an event helps.
    pub fn retry_at_ms(&self) -> Option<i64> {
        match *self {
            Self::Rate { retry_at_ms } | Self::Full { retry_at_ms, .. } => {
                Some(retry_at_ms).filter(|at| *at < i64::MAX)
            }
            Self::Floor { .. } => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate { retry_at_ms: i64::MAX } => f.write_str("the rate is zero"),
            Self::Rate { retry_at_ms } => write!(f, "the rate is used up until {retry_at_ms} (ms since 1970)"),
            Self::Floor { value } => write!(f, "the figure is {value} and would fall below its floor"),
            Self::Full { members, retry_at_ms } => {
                write!(f, "the set is full with {members} members until {retry_at_ms} (ms since 1970)")
            }
        }
    }
}

/// Takes one from a rate. `tat_us` is the state: the theoretical arrival time in microseconds since 1970.
///
/// Gives the new state, or refuses and says from when on it would be allowed.
pub fn gcra(tat_us: Option<i64>, rate: Rate, now_ms: i64) -> Result<i64, Refusal> {
    if rate.limit == 0 {
        return Err(Refusal::Rate { retry_at_ms: i64::MAX });
    }
    let now = i128::from(now_ms) * 1_000;
    // Rounded up, so that the rate is never exceeded.
    let interval = (i128::from(rate.period_ms) * 1_000 + i128::from(rate.limit) - 1) / i128::from(rate.limit);
    // All that may be ahead of now. A state further ahead comes from a clock that was set back, or from a slower rate.
    let horizon = interval * i128::from(rate.burst.max(1));
    let start = tat_us.map_or(now, |tat| i128::from(tat).clamp(now, now + horizon));
    let next = start + interval;
    let allowed_at = next - horizon;
    if allowed_at > now {
        return Err(Refusal::Rate { retry_at_ms: narrow((allowed_at + 999).div_euclid(1_000)) });
    }
    Ok(narrow(next))
}

fn narrow(wide: i128) -> i64 {
    i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX })
}

/// Adds to a figure; gives the new figure.
pub fn add(value: Option<i64>, delta: i64, floor: i64) -> Result<i64, Refusal> {
    let value = value.unwrap_or(0);
    match value.checked_add(delta) {
        Some(sum) if delta >= 0 || sum >= floor => Ok(sum),
        Some(_) | None => Err(Refusal::Floor { value }),
    }
}

/// What becomes of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// It is in the set for long enough: nothing to write.
    Stays,
    /// It is in the set, and stays longer.
    Extended,
    /// It is new.
    Enters,
    /// There is no place.
    Full,
}

/// Decides on a member. `counted` is how many members the set counts (expired ones that were not cleared yet included),
/// `known_until` until when this one was to stay.
pub fn member(counted: u64, known_until: Option<i64>, expires_at_ms: i64, limit: u64, now_ms: i64) -> Membership {
    match known_until {
        Some(until) if until > now_ms && until >= expires_at_ms => Membership::Stays,
        Some(until) if until > now_ms || counted <= limit => Membership::Extended,
        None if counted < limit => Membership::Enters,
        Some(_) | None => Membership::Full,
    }
}

/// The fixed binary rows of guards: a tag and a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardRow {
    /// State of a rate: theoretical arrival time, microseconds since 1970.
    Rate(i64),
    /// A figure.
    Figure(i64),
    /// Members that a set counts.
    Count(u64),
    /// Until when a member counts, milliseconds since 1970.
    Until(i64),
    /// When a member's place is to be looked at; the moment is in the key.
    Expiry,
}

impl GuardRow {
    /// The row's value.
    pub fn encode(self) -> Vec<u8> {
        let (tag, bytes) = match self {
            Self::Rate(tat) => (b'r', tat.to_be_bytes()),
            Self::Figure(value) => (b'f', value.to_be_bytes()),
            Self::Count(count) => (b'c', count.to_be_bytes()),
            Self::Until(until) => (b'u', until.to_be_bytes()),
            Self::Expiry => return vec![b'e'],
        };
        let mut row = Vec::with_capacity(9);
        row.push(tag);
        row.extend_from_slice(&bytes);
        row
    }

    /// Reads a row's value; `None` when it is none of these.
    pub fn decode(value: &[u8]) -> Option<Self> {
        let (tag, rest) = value.split_first()?;
        if (*tag, rest) == (b'e', &[]) {
            return Some(Self::Expiry);
        }
        let bytes = <[u8; 8]>::try_from(rest).ok()?;
        match tag {
            b'r' => Some(Self::Rate(i64::from_be_bytes(bytes))),
            b'f' => Some(Self::Figure(i64::from_be_bytes(bytes))),
            b'c' => Some(Self::Count(u64::from_be_bytes(bytes))),
            b'u' => Some(Self::Until(i64::from_be_bytes(bytes))),
            _ => None,
        }
    }

    /// Whether the row says no more than a missing one would, and may be removed: a rate that has recovered.
    pub fn is_idle(self, now_ms: i64) -> bool {
        matches!(self, Self::Rate(tat_us) if tat_us.div_euclid(1_000) < now_ms)
    }
}

#[cfg(test)]
mod tests;
