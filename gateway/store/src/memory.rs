//! The engine in memory: for tests and for trying things out. It models what a disk does: visible is not durable, a crash
//! loses what is not durable, an I/O error stays.

use crate::{
    embedded::{Backend, Core, Fault, Flow, Known, Writes},
    engine::{Engine, KeyRange, Order},
    keys::Key,
};
use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

type Rows = BTreeMap<Key, Arc<[u8]>>;

/// An engine in memory, and the switches of its "disk".
///
/// Dropping this lets go a held sync with an error, so that nobody waits for ever.
pub struct Memory {
    core: Arc<Core<MemoryBackend>>,
}

impl Memory {
    /// A new, empty store.
    pub fn new() -> Self {
        Self::over(Rows::new())
    }

    #[expect(clippy::expect_used, reason = "rows in memory are whole, and its first commit meets no disk")]
    fn over(rows: Rows) -> Self {
        let backend = MemoryBackend::new(rows);
        let known = Known::read(&backend).expect("meta rows in memory are whole");
        let core = Core::start(backend, &known, MEMORY_STORE_ID).expect("a store in memory comes up");
        Self { core: Arc::new(core) }
    }

    /// The engine.
    pub fn engine(&self) -> Arc<dyn Engine> {
        Arc::clone(&self.core) as Arc<dyn Engine>
    }

    /// From here on groups become visible but not durable: the next sync waits.
    pub fn hold_sync(&self) {
        self.disk().lock_gate().held = true;
    }

    /// Lets syncs go on.
    pub fn release_sync(&self) {
        self.disk().lock_gate().held = false;
        self.disk().moved.notify_all();
    }

    /// Waits until a group is visible and its sync is held.
    pub fn wait_until_held(&self) {
        let gate = self.disk().lock_gate();
        drop(self.disk().moved.wait_while(gate, |gate| !gate.waiting && gate.broken.is_none()));
    }

    /// From here on every write fails, as after an I/O error.
    pub fn fail_io(&self, reason: &str) {
        self.disk().break_with(reason);
    }

    /// Pulls the plug: what is not durable is gone, open commits fail. Gives the store as it is after the next start.
    #[must_use]
    pub fn crash(self) -> Self {
        self.disk().break_with("the machine was switched off");
        let durable = self.disk().read_rows().durable.clone();
        Self::over(durable)
    }

    /// Stops orderly and opens anew.
    #[must_use]
    pub fn reopen(self) -> Self {
        self.release_sync();
        self.core.shutdown();
        let durable = self.disk().read_rows().durable.clone();
        Self::over(durable)
    }

    fn disk(&self) -> &MemoryBackend {
        self.core.backend()
    }
}

/// Stores in memory need no identity.
const MEMORY_STORE_ID: u64 = 1;

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.disk().lock_gate().held {
            self.disk().break_with("dropped while its sync was held");
        }
    }
}

/// Rows as a reader sees them, and as a restart would.
struct State {
    visible: Rows,
    durable: Rows,
    unsynced: Vec<(Key, Option<Arc<[u8]>>)>,
}

#[derive(Default)]
struct Gate {
    held: bool,
    waiting: bool,
    broken: Option<String>,
}

struct MemoryBackend {
    rows: RwLock<State>,
    gate: Mutex<Gate>,
    moved: Condvar,
}

impl MemoryBackend {
    fn new(rows: Rows) -> Self {
        let state = State { visible: rows.clone(), durable: rows, unsynced: Vec::new() };
        Self { rows: RwLock::new(state), gate: Mutex::default(), moved: Condvar::new() }
    }

    fn read_rows(&self) -> RwLockReadGuard<'_, State> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_rows(&self) -> RwLockWriteGuard<'_, State> {
        self.rows.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn break_with(&self, reason: &str) {
        self.lock_gate().broken.get_or_insert_with(|| reason.to_owned());
        self.moved.notify_all();
    }

    /// Passes when syncs go on; an error when the disk is broken.
    fn pass_gate(&self) -> Result<(), Fault> {
        let mut gate = self.lock_gate();
        gate.waiting = gate.held;
        self.moved.notify_all();
        let passed = self.moved.wait_while(gate, |gate| gate.held && gate.broken.is_none());
        let mut gate = passed.unwrap_or_else(PoisonError::into_inner);
        gate.waiting = false;
        gate.broken.clone().map_or(Ok(()), |reason| Err(Fault(reason)))
    }
}

impl Backend for MemoryBackend {
    type Value = Arc<[u8]>;

    fn get(&self, key: &[u8]) -> Result<Option<Arc<[u8]>>, Fault> {
        Ok(self.read_rows().visible.get(key).cloned())
    }

    fn scan(&self, range: &KeyRange, order: Order, row: &mut dyn FnMut(&[u8], &[u8]) -> Flow) -> Result<(), Fault> {
        if range.is_empty() {
            return Ok(());
        }
        let state = self.read_rows();
        let end = range.end().map_or(Bound::Unbounded, Bound::Excluded);
        let mut rows = state.visible.range::<[u8], _>((Bound::Included(range.start()), end));
        while let Some((key, value)) = match order {
            Order::Forward => rows.next(),
            Order::Backward => rows.next_back(),
        } {
            if row(key, value) == Flow::Stop {
                break;
            }
        }
        Ok(())
    }

    fn apply(&self, writes: Writes) -> Result<(), Fault> {
        if let Some(reason) = &self.lock_gate().broken {
            return Err(Fault(reason.clone()));
        }
        let mut state = self.write_rows();
        for (key, value) in writes {
            let value: Option<Arc<[u8]>> = value.map(Arc::from);
            put(&mut state.visible, key.clone(), value.clone());
            state.unsynced.push((key, value));
        }
        Ok(())
    }

    fn sync(&self, _commit: u64, _row_ops: usize) -> Result<(), Fault> {
        self.pass_gate()?;
        let mut state = self.write_rows();
        let State { durable, unsynced, .. } = &mut *state;
        for (key, value) in unsynced.drain(..) {
            put(durable, key, value);
        }
        Ok(())
    }
}

fn put(rows: &mut Rows, key: Key, value: Option<Arc<[u8]>>) {
    match value {
        Some(value) => drop(rows.insert(key, value)),
        None => drop(rows.remove(&*key)),
    }
}

#[cfg(test)]
mod tests;
