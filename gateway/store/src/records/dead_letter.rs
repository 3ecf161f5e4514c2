//! Work that was given up: why, and how it goes back.

use super::{Changes, Deferred, Record};
use crate::keys::{self, Key, Space};
use serde::{Deserialize, Serialize};

/// Names a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeadLetterKey {
    /// Its workspace.
    pub workspace: u32,
    /// Its place, in the order of giving up.
    pub seq: u64,
}

/// Work that was given up, in words for an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Its name.
    #[serde(flatten)]
    pub key: DeadLetterKey,
    /// The work and its lane, for another try.
    #[serde(flatten)]
    pub deferred: Deferred,
    /// Why it was given up, as a sentence.
    pub reason: String,
    /// The field that is to blame, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// When (milliseconds since 1970).
    pub at_ms: i64,
    /// The stage or plugin that gave it up.
    pub source: String,
}

impl Record for DeadLetter {
    const SPACE: Space = Space::DeadLetters;
    const VERSION: u16 = 1;
    type Key = DeadLetterKey;

    fn key(&self) -> DeadLetterKey {
        self.key
    }

    fn row_key(key: &DeadLetterKey) -> Key {
        keys::dead_letter(key.workspace, key.seq)
    }
}

impl DeadLetter {
    /// Puts the work back at the end of its lane, as a first attempt. `version` is that of the row as it was read: of two
    /// people who retry it, one succeeds.
    pub fn retry(&self, version: u64, changes: &mut Changes) {
        changes.expect_version::<Self>(&self.key, version);
        changes.delete::<Self>(&self.key);
        let Deferred { queue, lane, mut work } = self.deferred;
        work.attempt = 0;
        changes.enqueue(queue, lane, &work);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::{KeyRange, Order},
        keys::{Lane, Queue},
        memory::Memory,
        records::{WorkRow, encode, list},
    };

    fn letter(seq: u64) -> DeadLetter {
        let work = WorkRow { attempt: 5, ..WorkRow::new(2, [1; 16]) };
        DeadLetter {
            key: DeadLetterKey { workspace: 3, seq },
            deferred: Deferred { queue: Queue::Io, lane: Lane::new(3, 4, 5), work },
            reason: "The body is no JSON.".to_owned(),
            field: Some("body".to_owned()),
            at_ms: 1_780_000_000_000,
            source: "interpret".to_owned(),
        }
    }

    fn store(letters: u64) -> Memory {
        let memory = Memory::new();
        let mut changes = Changes::new(memory.engine().seq());
        (1..=letters).for_each(|seq| changes.dead_letter(&letter(seq)).unwrap());
        memory.engine().commit(changes.into_batch()).wait().unwrap();
        memory
    }

    #[test]
    fn a_dead_letter_can_be_read_by_eye() {
        let (_, row) = encode(&letter(7)).unwrap();
        let expected = concat!(
            r#"{"v":1,"workspace":3,"seq":7,"queue":"io","lane":{"workspace":3,"resource":4,"shard":5},"#,
            r#""work":{"kind":2,"id":"01010101010101010101010101010101","attempt":5,"arg":0},"#,
            r#""reason":"The body is no JSON.","field":"body","at_ms":1780000000000,"source":"interpret"}"#
        );
        assert_eq!(String::from_utf8(row).unwrap(), expected);
    }

    #[test]
    fn a_retried_letter_is_work_again_and_only_once() {
        let memory = store(1);
        let engine = memory.engine();
        let (read, version) = crate::records::get::<DeadLetter>(&*engine, &letter(1).key).unwrap().unwrap();
        assert_eq!(read, letter(1));
        let retry = || {
            let mut changes = Changes::new(engine.seq());
            read.retry(version, &mut changes);
            engine.commit(changes.into_batch()).wait()
        };
        assert!(retry().is_ok() && retry().is_err());
        let claim = engine.claim(Queue::Io, 9).unwrap().unwrap();
        let work = WorkRow::decode(&claim.rows()[0].1.value).unwrap();
        assert_eq!((claim.lane(), claim.rows().len(), work.attempt), (Lane::new(3, 4, 5), 1, 0));
    }

    #[test]
    fn letters_are_listed_page_by_page_both_ways() {
        let memory = store(5);
        let engine = memory.engine();
        let all = KeyRange::prefix(&Key::new(Space::DeadLetters, 3));
        let check = |order, expected: &[&[u64]]| {
            let (mut cursor, mut pages) = (None, Vec::new());
            loop {
                let page = list::<DeadLetter>(&*engine, all.clone(), order, cursor.as_ref(), 2).unwrap();
                pages.push(page.items.iter().map(|item| item.record.key.seq).collect::<Vec<_>>());
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(pages, expected);
        };
        check(Order::Forward, &[&[1, 2], &[3, 4], &[5]]);
        check(Order::Backward, &[&[5, 4], &[3, 2], &[1]]);
    }
}
