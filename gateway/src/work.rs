//! The kinds of work that rows of the queues stand for.

use tidegate_model::{DeliveryId, MessageId, RunId};
use tidegate_store::WorkRow;

/// One piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Interpret a delivery's items, from this one on.
    Delivery {
        /// The delivery.
        id: DeliveryId,
        /// Position of the first item that is left.
        from: u32,
    },
    /// Interpret those of a delivery's parked items again that are to be tried.
    Replay {
        /// The delivery.
        id: DeliveryId,
        /// Position of the first item that is left.
        from: u32,
    },
    /// A run's wait has ended.
    Timer {
        /// The run.
        run: RunId,
        /// Which of its waits.
        wait: u32,
    },
    /// Send a message.
    Send {
        /// The message.
        id: MessageId,
    },
    /// Do the work of a dead letter again.
    Letter {
        /// Its number; the workspace is the lane's.
        seq: u64,
    },
    /// An endpoint's plugin may be tried again, and what waits for it with it.
    Resume {
        /// The endpoint's number.
        endpoint: u32,
        /// Which of the endpoint's turns; only the last one counts.
        turn: u32,
    },
    /// Read what an item needs.
    Fetch {
        /// Its delivery.
        id: DeliveryId,
        /// Its position there.
        index: u32,
    },
    /// Interpret an item with the answers that came.
    Answered {
        /// Its delivery.
        id: DeliveryId,
        /// Its position there.
        index: u32,
    },
    /// Look after a connection at its provider.
    Connect {
        /// The connection's number.
        connection: u32,
        /// Which of the connection's turns; only the last one counts.
        turn: u32,
    },
    /// A message was unknown for long enough.
    Unknown {
        /// The message.
        id: MessageId,
        /// Which of its attempts.
        attempt: u32,
    },
}

impl Work {
    const DELIVERY: u8 = 1;
    const REPLAY: u8 = 2;
    const TIMER: u8 = 3;
    const SEND: u8 = 4;
    const LETTER: u8 = 5;
    const RESUME: u8 = 6;
    const UNKNOWN: u8 = 7;
    const FETCH: u8 = 8;
    const ANSWERED: u8 = 9;
    const CONNECT: u8 = 10;

    /// As a row.
    pub(crate) fn row(self) -> WorkRow {
        let (kind, id, arg) = match self {
            Self::Delivery { id, from } => (Self::DELIVERY, *id.raw(), from),
            Self::Replay { id, from } => (Self::REPLAY, *id.raw(), from),
            Self::Timer { run, wait } => (Self::TIMER, *run.raw(), wait),
            Self::Send { id } => (Self::SEND, *id.raw(), 0),
            Self::Letter { seq } => (Self::LETTER, u128::from(seq).to_be_bytes(), 0),
            Self::Resume { endpoint, turn } => (Self::RESUME, u128::from(endpoint).to_be_bytes(), turn),
            Self::Unknown { id, attempt } => (Self::UNKNOWN, *id.raw(), attempt),
            Self::Fetch { id, index } => (Self::FETCH, *id.raw(), index),
            Self::Answered { id, index } => (Self::ANSWERED, *id.raw(), index),
            Self::Connect { connection, turn } => (Self::CONNECT, u128::from(connection).to_be_bytes(), turn),
        };
        WorkRow { kind, id, attempt: 0, arg }
    }

    /// The delivery that it is about.
    pub(crate) const fn delivery(self) -> Option<DeliveryId> {
        match self {
            Self::Delivery { id, .. }
            | Self::Replay { id, .. }
            | Self::Fetch { id, .. }
            | Self::Answered { id, .. } => Some(id),
            Self::Timer { .. }
            | Self::Send { .. }
            | Self::Letter { .. }
            | Self::Resume { .. }
            | Self::Connect { .. }
            | Self::Unknown { .. } => None,
        }
    }

    /// From a row; `None` for a kind of a newer version.
    pub(crate) fn read(row: &WorkRow) -> Option<Self> {
        Some(match row.kind {
            Self::DELIVERY => Self::Delivery { id: DeliveryId::from_raw(row.id), from: row.arg },
            Self::REPLAY => Self::Replay { id: DeliveryId::from_raw(row.id), from: row.arg },
            Self::TIMER => Self::Timer { run: RunId::from_raw(row.id), wait: row.arg },
            Self::SEND => Self::Send { id: MessageId::from_raw(row.id) },
            Self::LETTER => Self::Letter { seq: u64::try_from(u128::from_be_bytes(row.id)).ok()? },
            Self::RESUME => Self::Resume { endpoint: u32::try_from(u128::from_be_bytes(row.id)).ok()?, turn: row.arg },
            Self::UNKNOWN => Self::Unknown { id: MessageId::from_raw(row.id), attempt: row.arg },
            Self::FETCH => Self::Fetch { id: DeliveryId::from_raw(row.id), index: row.arg },
            Self::ANSWERED => Self::Answered { id: DeliveryId::from_raw(row.id), index: row.arg },
            Self::CONNECT => {
                Self::Connect { connection: u32::try_from(u128::from_be_bytes(row.id)).ok()?, turn: row.arg }
            }
            _ => return None,
        })
    }
}

/// The same row, from another item on.
#[must_use]
pub(crate) const fn with_arg(mut row: WorkRow, arg: u32) -> WorkRow {
    row.arg = arg;
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_survives_its_row_and_unknown_kinds_are_told() {
        let id = [7; 16];
        for work in [
            Work::Delivery { id: DeliveryId::from_raw(id), from: 3 },
            Work::Replay { id: DeliveryId::from_raw(id), from: 0 },
            Work::Timer { run: RunId::from_raw(id), wait: 2 },
            Work::Send { id: MessageId::from_raw(id) },
            Work::Letter { seq: 1 << 40 },
            Work::Resume { endpoint: 7, turn: 3 },
            Work::Unknown { id: MessageId::from_raw(id), attempt: 2 },
            Work::Fetch { id: DeliveryId::from_raw(id), index: 3 },
            Work::Answered { id: DeliveryId::from_raw(id), index: 4 },
            Work::Connect { connection: 3, turn: 9 },
        ] {
            assert_eq!(Work::read(&work.row()), Some(work));
        }
        assert_eq!(Work::read(&WorkRow { kind: 200, id, attempt: 0, arg: 0 }), None);
    }
}
