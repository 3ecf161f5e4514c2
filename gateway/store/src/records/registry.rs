//! Names and their small numbers, assigned durably and once: keys hold four bytes instead of a name.

use super::{ReadError, Record, list, read};
use crate::{
    engine::{Batch, CommitError, Engine, Expect, KeyRange, Order},
    keys::{self, Key, NO_WORKSPACE, Space},
    records::record,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

/// What has a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Named {
    /// A business.
    Workspace = 1,
    /// A URL that receives.
    Endpoint = 2,
    /// A WhatsApp or SMS number.
    Sender = 3,
    /// An account at a provider.
    Connection = 4,
}

/// All names that have a number, kept in memory.
#[derive(Debug, Default)]
pub struct Registry(RwLock<Names>);

#[derive(Debug, Default)]
struct Names {
    numbers: HashMap<(Named, String), u32>,
    names: HashMap<(Named, u32), String>,
}

impl Names {
    fn add(&mut self, entry: Entry) {
        self.numbers.insert((entry.kind, entry.name.clone()), entry.number);
        self.names.insert((entry.kind, entry.number), entry.name);
    }
}

/// A name's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    kind: Named,
    name: String,
    number: u32,
}

impl Record for Entry {
    const SPACE: Space = Space::Registry;
    const VERSION: u16 = 1;
    type Key = (Named, String);

    fn key(&self) -> (Named, String) {
        (self.kind, self.name.clone())
    }

    fn row_key((kind, name): &(Named, String)) -> Key {
        keys::registry(*kind as u8, name)
    }
}

/// The last number of a kind: the row of kind 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Last {
    kind: Named,
    number: u32,
}

impl Record for Last {
    const SPACE: Space = Space::Registry;
    const VERSION: u16 = 1;
    type Key = Named;

    fn key(&self) -> Named {
        self.kind
    }

    fn row_key(kind: &Named) -> Key {
        Key::new(Space::Registry, NO_WORKSPACE).u8(0).u8(*kind as u8)
    }
}

impl Registry {
    /// Reads all names.
    ///
    /// # Errors
    /// The engine, or a row: a name without its number would get a second one.
    pub fn load(engine: &dyn Engine) -> Result<Self, ReadError> {
        let mut names = Names::default();
        let all = KeyRange::prefix(&Key::new(Space::Registry, NO_WORKSPACE));
        let mut range = all.clone().after(&Key::new(Space::Registry, NO_WORKSPACE).u8(0).u8(u8::MAX));
        loop {
            let page = list::<Entry>(engine, range.clone(), Order::Forward, None, crate::engine::MAX_RANGE)?;
            match page.damaged.into_iter().next() {
                Some(read::DamagedRow::Corrupt(key)) => return Err(crate::engine::StoreError::Corrupt { key }.into()),
                Some(read::DamagedRow::Record(error)) => return Err(error.into()),
                None => {}
            }
            page.items.into_iter().for_each(|item| names.add(item.record));
            match page.next {
                Some(cursor) => range = range.after(cursor.as_bytes()),
                None => return Ok(Self(RwLock::new(names))),
            }
        }
    }

    /// A name's number, if it has one.
    pub fn number(&self, kind: Named, name: &str) -> Option<u32> {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        names.numbers.get(&(kind, name.to_owned())).copied()
    }

    /// A number's name, if it was assigned.
    pub fn name(&self, kind: Named, number: u32) -> Option<String> {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        names.names.get(&(kind, number)).cloned()
    }

    /// A name's number; a new name gets the next one, durably. Numbers begin with 1. Waits for the disk.
    ///
    /// # Errors
    /// The engine, or a row.
    pub fn assign(&self, engine: &dyn Engine, kind: Named, name: &str) -> Result<u32, ReadError> {
        loop {
            if let Some(number) = self.number(kind, name) {
                return Ok(number);
            }
            let stored = read::get::<Entry>(engine, &(kind, name.to_owned()))?;
            let entry = match stored {
                Some((entry, _)) => entry,
                None => match assign_next(engine, kind, name) {
                    Ok(entry) => entry,
                    Err(ReadError::Commit(CommitError::Conflict { .. })) => continue,
                    Err(error) => return Err(error),
                },
            };
            self.0.write().unwrap_or_else(PoisonError::into_inner).add(entry);
        }
    }
}

fn assign_next(engine: &dyn Engine, kind: Named, name: &str) -> Result<Entry, ReadError> {
    let last = read::get::<Last>(engine, &kind)?;
    let number = last.as_ref().map_or(0, |(last, _)| last.number) + 1;
    let expect_last = last.map_or(Expect::Absent, |(_, version)| Expect::Version(version));
    let entry = Entry { kind, name: name.to_owned(), number };
    let (entry_key, entry_row) = record::encode(&entry)?;
    let (last_key, last_row) = record::encode(&Last { kind, number })?;
    let batch = Batch {
        expect: vec![(last_key.clone(), expect_last), (entry_key.clone(), Expect::Absent)],
        put: vec![(last_key, last_row), (entry_key, entry_row)],
        ..Batch::default()
    };
    engine.commit(batch).wait()?;
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;

    #[test]
    fn names_keep_their_numbers_across_a_restart() {
        let memory = Memory::new();
        let engine = memory.engine();
        let registry = Registry::load(&*engine).unwrap();
        let assign = |kind, name| registry.assign(&*engine, kind, name).unwrap();
        assert_eq!([assign(Named::Workspace, "acme"), assign(Named::Workspace, "beta")], [1, 2]);
        assert_eq!([assign(Named::Endpoint, "acme"), assign(Named::Workspace, "acme")], [1, 1]);
        drop(engine);
        let memory = memory.reopen();
        let registry = Registry::load(&*memory.engine()).unwrap();
        assert_eq!(registry.number(Named::Workspace, "beta"), Some(2));
        assert_eq!(registry.name(Named::Endpoint, 1).as_deref(), Some("acme"));
        assert_eq!(registry.assign(&*memory.engine(), Named::Workspace, "gamma").unwrap(), 3);
    }

    #[test]
    fn two_registries_that_assign_at_once_agree() {
        let memory = Memory::new();
        let engine = memory.engine();
        let (one, two) = (Registry::load(&*engine).unwrap(), Registry::load(&*engine).unwrap());
        std::thread::scope(|scope| {
            for registry in [&one, &two] {
                let engine = &engine;
                scope.spawn(move || {
                    (0..50).for_each(|n| drop(registry.assign(&**engine, Named::Sender, &n.to_string())))
                });
            }
        });
        let loaded = Registry::load(&*engine).unwrap();
        for n in 0..50 {
            let name = n.to_string();
            let number = loaded.number(Named::Sender, &name);
            assert!(number.is_some());
            assert_eq!((one.number(Named::Sender, &name), two.number(Named::Sender, &name)), (number, number));
        }
        assert_eq!(loaded.assign(&*engine, Named::Sender, "next").unwrap(), 51);
    }
}
