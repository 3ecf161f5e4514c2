//! Work that was given up: why, how often, and what is to become of it.

use super::{Deferred, Record};
use crate::keys::{self, Key, Space};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// When it was last given up (milliseconds since 1970).
    pub at_ms: i64,
    /// The stage or plugin that gave it up.
    pub source: String,
    /// What the application wants to find it by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What is to become of it.
    #[serde(default, skip_serializing_if = "Standing::is_left")]
    pub standing: Standing,
    /// How often it was tried.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub attempts: u32,
    /// The first failure, when the last is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<FirstFailure>,
}

/// Why something was given up at first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstFailure {
    /// When (milliseconds since 1970).
    pub at_ms: i64,
    /// Why, as a sentence.
    pub reason: String,
}

/// What is to become of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It waits for a person.
    #[default]
    Left,
    /// Somebody asked for another try, which is under way.
    Asked,
    /// It was not tried: what should do it is paused. It is tried when that goes on.
    Paused,
    /// It is tried again by itself.
    Waiting {
        /// When (milliseconds since 1970).
        until_ms: i64,
    },
    /// A person threw it away; the letter is the trace of it.
    Discarded(Discard),
}

impl Standing {
    const fn is_left(&self) -> bool {
        matches!(self, Self::Left)
    }
}

/// Who threw something away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discard {
    /// When (milliseconds since 1970).
    pub at_ms: i64,
    /// Who.
    pub by: String,
    /// Why, if they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

const fn once() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_once(attempts: &u32) -> bool {
    *attempts == 1
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
    /// It was tried, and failed again. The first failure is kept beside the last.
    pub fn failed_again(&mut self, reason: String, field: Option<String>, at_ms: i64) {
        let before = std::mem::replace(&mut self.reason, reason);
        self.first.get_or_insert(FirstFailure { at_ms: self.at_ms, reason: before });
        self.field = field;
        self.at_ms = at_ms;
        self.attempts = self.attempts.saturating_add(1);
        self.standing = Standing::Left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::{KeyRange, Order},
        keys::{Lane, Queue},
        memory::Memory,
        records::{Changes, WorkRow, decode, encode, list},
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
            labels: BTreeMap::new(),
            standing: Standing::Left,
            attempts: 1,
            first: None,
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
    fn a_letter_that_fails_again_keeps_its_first_failure_beside_the_last() {
        let mut letter = letter(7);
        for n in 1..=3 {
            letter.standing = Standing::Asked;
            letter.failed_again(format!("Reason {n}."), None, 1_780_000_000_000 + n);
        }
        assert_eq!((letter.attempts, letter.reason.as_str(), &letter.standing), (4, "Reason 3.", &Standing::Left));
        let first = FirstFailure { at_ms: 1_780_000_000_000, reason: "The body is no JSON.".to_owned() };
        assert_eq!(letter.first, Some(first));
        let (key, row) = encode(&letter).unwrap();
        assert_eq!(decode::<DeadLetter>(&key, &row).unwrap(), letter);
    }

    #[test]
    fn a_letter_says_what_is_to_become_of_it() {
        let check = |standing: Standing, expected: &str| {
            let (_, row) = encode(&DeadLetter { standing, ..letter(7) }).unwrap();
            assert!(String::from_utf8(row).unwrap().contains(expected), "{expected}");
        };
        check(Standing::Waiting { until_ms: 5 }, r#""standing":{"waiting":{"until_ms":5}}"#);
        check(Standing::Paused, r#""standing":"paused""#);
        let discard = Discard { at_ms: 5, by: "ann".to_owned(), why: None };
        check(Standing::Discarded(discard), r#""standing":{"discarded":{"at_ms":5,"by":"ann"}}"#);
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
