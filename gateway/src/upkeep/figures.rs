//! What is in a store: rows and bytes by kind, and the oldest of each.

use serde::Serialize;
use std::collections::BTreeMap;
use tidegate_model::{DeliveryId, Timestamp};
use tidegate_store::{
    Key, Space, TimerKey,
    copy::{CopyError, Progress, Slices, Tell},
    records::{self, DeadLetter},
};

const DAY_MS: i64 = 86_400_000;
/// What rows of a newer version's kinds are called.
const UNKNOWN: &str = "unknown";

/// Rows of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct KindFigures {
    /// How many.
    pub rows: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// The oldest one's moment, where a key tells: when the delivery at its root was received, the day of a mark, when a timer is due.
    pub oldest: Option<Timestamp>,
}

/// What is in a store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Figures {
    /// By kind of row.
    pub kinds: BTreeMap<&'static str, KindFigures>,
    /// All kinds together.
    pub rows: u64,
    /// Bytes of all keys and values.
    pub bytes: u64,
    /// Bytes on disk.
    pub disk_bytes: u64,
    /// Damaged rows, by the text form of their keys.
    pub damaged: Vec<String>,
}

/// Counts a store, slice by slice. Reads every row.
///
/// # Errors
/// The store can't be read.
pub(crate) fn figures(from: &dyn Slices, disk_bytes: u64, tell: Tell<'_>) -> Result<Figures, CopyError> {
    let mut figures = Figures { disk_bytes, ..Figures::default() };
    let mut after = None;
    loop {
        let slice = from.slice(after.as_ref())?;
        after = slice.next;
        for (key, row) in &slice.rows {
            figures.add(key, &row.value);
        }
        figures.damaged.extend(slice.damaged.iter().map(Key::to_string));
        let (rows, bytes, damaged) = (figures.rows, figures.bytes, figures.damaged.len() as u64);
        if tell(&Progress { rows, bytes, damaged }).is_break() {
            return Err(CopyError::Stopped);
        }
        if after.is_none() {
            figures.damaged.sort();
            figures.damaged.dedup();
            return Ok(figures);
        }
    }
}

impl Figures {
    fn add(&mut self, key: &Key, value: &[u8]) {
        let bytes = (key.len() + value.len()) as u64;
        self.rows += 1;
        self.bytes += bytes;
        let kind = self.kinds.entry(key.space().map_or(UNKNOWN, Space::label)).or_default();
        kind.rows += 1;
        kind.bytes += bytes;
        if let Some(moment) = moment(key, value) {
            kind.oldest = Some(kind.oldest.map_or(moment, |oldest| oldest.min(moment)));
        }
    }
}

/// The moment that a row tells of itself.
fn moment(key: &Key, value: &[u8]) -> Option<Timestamp> {
    let rest = key.get(5..)?;
    let of_id = |id: &[u8]| Some(DeliveryId::from_raw(*id.first_chunk::<16>()?).root_ms());
    let ms = match key.space()? {
        Space::Deliveries
        | Space::Bodies
        | Space::Interpretations
        | Space::Contacts
        | Space::Runs
        | Space::Messages => of_id(rest)?,
        // The kind of work is one byte, then the id of what it is about.
        Space::Ready | Space::Io => of_id(value.get(1..)?)?,
        Space::Timers => TimerKey::parse(key)?.due_ms,
        Space::Dedupe => i64::from(u16::from_be_bytes(*rest.get(4..)?.first_chunk()?)) * DAY_MS,
        Space::DeadLetters => records::decode::<DeadLetter>(key, value).ok()?.at_ms,
        _ => return None,
    };
    Some(Timestamp::from_ms(ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::ControlFlow;
    use tidegate_store::{
        Batch, Engine, Lane, Queue, WorkRow,
        keys::{self, ReadyKey},
        memory::Memory,
    };

    #[test]
    fn rows_are_counted_by_kind_with_the_oldest_of_each() {
        let memory = Memory::new();
        let store = memory.engine();
        let id = |ms: i64| *DeliveryId::derive(ms, &[b"test"]).raw();
        let ready = ReadyKey { queue: Queue::Pure, lane: Lane::new(1, 0, 0), seq: 9 };
        let put = vec![
            (keys::delivery(1, &id(7_000)), vec![0; 50]),
            (keys::delivery(2, &id(5_000)), vec![0; 50]),
            (keys::body(1, &id(7_000), 0), vec![0; 10]),
            (keys::dedupe(1, 2, 20_000, &[1; 16]), vec![0; 16]),
            (TimerKey { due_ms: 9_000, seq: 1 }.key(), vec![0; 34]),
            (ready.key(), WorkRow::new(1, id(7_000)).encode().to_vec()),
            (keys::suppression(1, 0, "+391234"), b"{}".to_vec()),
        ];
        store.commit(Batch { put, ..Batch::default() }).wait().unwrap();
        let store: &dyn Engine = &*store;
        let found = figures(&store, 77, &mut |_| ControlFlow::Continue(())).unwrap();
        let check = |kind: &str, rows, oldest: Option<i64>| {
            let figures = found.kinds[kind];
            assert_eq!((figures.rows, figures.oldest), (rows, oldest.map(Timestamp::from_ms)), "{kind}");
        };
        check("delivery", 2, Some(5_000));
        check("body chunk", 1, Some(7_000));
        check("de-duplication", 1, Some(20_000 * DAY_MS));
        check("timer", 1, Some(9_000));
        check("ready work", 1, Some(7_000));
        check("suppression", 1, None);
        assert_eq!((found.disk_bytes, found.damaged.len()), (77, 0));
    }
}
