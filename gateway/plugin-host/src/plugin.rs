//! A loaded plugin, and one call of it: a fresh instance under a deadline and budgets.

use crate::{
    error::CallError,
    guest::Guest,
    host::{Shared, hex},
    manifest::Manifest,
    own_kinds::OwnKinds,
    worlds::{Failed, World},
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tidegate_model::{
    ItemId,
    outcome::{ConnectionInfo, Item, Outcome},
};
use wasmtime::{Store, Trap, component::ResourceTableError};

mod connect;
mod measure;

pub use measure::Measured;

/// A loaded plugin. Clones are cheap and share it.
#[derive(Clone)]
pub struct Plugin {
    inner: Arc<Inner>,
}

/// What a plugin is, apart from its code.
pub(crate) struct Identity {
    pub(crate) manifest: Manifest,
    pub(crate) digest: [u8; 32],
    pub(crate) own_kinds: OwnKinds,
}

struct Inner {
    identity: Identity,
    // Before the host, so that the code goes before its engine.
    world: Box<dyn World>,
    host: Arc<Shared>,
    figures: Counters,
}

/// What became of the calls of a plugin since it was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Calls that ended, well or not.
    pub calls: u64,
    /// Calls that gave no outcomes.
    pub failures: u64,
    /// Time that all calls took, in microseconds, with the making of their instances.
    pub busy_us: u64,
}

#[derive(Default)]
struct Counters {
    calls: AtomicU64,
    failures: AtomicU64,
    busy_us: AtomicU64,
}

impl Plugin {
    pub(crate) fn new(host: Arc<Shared>, identity: Identity, world: Box<dyn World>) -> Self {
        Self { inner: Arc::new(Inner { identity, world, host, figures: Counters::default() }) }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.manifest().id
    }

    /// Whether this is the other one, not merely a second loading of the same bytes.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// What it says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.inner.identity.manifest
    }

    /// SHA-256 of the packed component, in lower-case hexadecimal: tells this build from every other.
    pub fn digest(&self) -> String {
        hex(&self.inner.identity.digest)
    }

    /// Lets the plugin interpret items of one connection: one outcome for each, in their order.
    ///
    /// A fresh instance is made for the call and thrown away after it, so nothing is left behind; the same arguments give the same outcomes. An outcome that breaks
    /// the contract becomes [`Outcome::Failed`] for its item. Must run inside a tokio runtime with time enabled.
    ///
    /// # Errors
    /// When the call gave no outcomes at all: the chunk failed as a whole.
    pub async fn interpret(&self, connection: &ConnectionInfo, items: &[Item]) -> Result<Vec<Outcome>, CallError> {
        let Some(first) = items.first() else { return Ok(Vec::new()) };
        self.interpret_as(&first.id, connection, items).await
    }

    /// As [`Plugin::interpret`], with the clock and the randomness of this item: for doing again what was once done in the call of others. The first item of a call
    /// gives them otherwise.
    ///
    /// # Errors
    /// As [`Plugin::interpret`].
    pub async fn interpret_as(
        &self,
        seed: &ItemId,
        connection: &ConnectionInfo,
        items: &[Item],
    ) -> Result<Vec<Outcome>, CallError> {
        // Time of the machine, for a figure; no decision reads it.
        let started = tokio::time::Instant::now();
        let ended = self.call(seed, connection, items).await;
        let Counters { calls, failures, busy_us } = &self.inner.figures;
        calls.fetch_add(1, Ordering::Relaxed);
        failures.fetch_add(u64::from(ended.is_err()), Ordering::Relaxed);
        busy_us.fetch_add(u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        ended
    }

    /// What became of its calls since it was loaded.
    pub fn figures(&self) -> Figures {
        let Counters { calls, failures, busy_us } = &self.inner.figures;
        Figures {
            calls: calls.load(Ordering::Relaxed),
            failures: failures.load(Ordering::Relaxed),
            busy_us: busy_us.load(Ordering::Relaxed),
        }
    }

    async fn call(
        &self,
        seed: &ItemId,
        connection: &ConnectionInfo,
        items: &[Item],
    ) -> Result<Vec<Outcome>, CallError> {
        let mut store = self.store(seed, items.len());
        self.call_in(&mut store, connection, items).await
    }

    async fn call_in(
        &self,
        store: &mut Store<Guest>,
        connection: &ConnectionInfo,
        items: &[Item],
    ) -> Result<Vec<Outcome>, CallError> {
        let Inner { identity, world, host, .. } = &*self.inner;
        // The semaphore is never closed; a call without a permit would at worst find the pool full.
        let _slot = host.slots.acquire().await.ok();
        let _running = host.ticker.enter();
        let deadline = Duration::from_millis(identity.manifest.limits.deadline_ms);
        let call = world.interpret(store, identity, connection, items);
        let ended = tokio::time::timeout(deadline, call).await;
        store.data().log_stderr();
        match ended {
            Ok(Ok(outcomes)) => Ok(outcomes),
            Ok(Err(Failed::Answer(error))) => Err(error),
            Ok(Err(Failed::Engine(error))) => Err(self.explain(store.data(), &error)),
            Err(_elapsed) => Err(CallError::Deadline { plugin: self.id().to_owned(), deadline }),
        }
    }

    fn store(&self, seed: &ItemId, items: usize) -> Store<Guest> {
        let memory_bytes = self.manifest().limits.memory_bytes as usize;
        let mut store = Store::new(&self.inner.host.engine, Guest::new(self.id(), seed, items, memory_bytes));
        store.limiter(|guest| &mut guest.budgets);
        store.set_hostcall_fuel(self.manifest().limits.outcome_bytes as usize);
        // At each tick the call lets others run, and the deadline is looked at.
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        store
    }

    /// The reason behind an error of the engine.
    fn explain(&self, guest: &Guest, error: &wasmtime::Error) -> CallError {
        let plugin = self.id().to_owned();
        if let Some(budget) = guest.budgets.broken() {
            return CallError::HostBudget { plugin, budget };
        }
        if guest.budgets.memory_denied() {
            return CallError::Memory { plugin, limit_bytes: self.manifest().limits.memory_bytes as usize };
        }
        if let Some(ResourceTableError::Full) = error.downcast_ref() {
            return CallError::HostBudget { plugin, budget: "handles" };
        }
        let root = error.root_cause().to_string();
        // The engine gives this error no type of its own.
        if root.contains("fuel allocated for hostcalls has been exhausted") {
            return CallError::TooMuchOutput { plugin, limit_bytes: self.manifest().limits.outcome_bytes as usize };
        }
        let reason = error.downcast_ref::<Trap>().map_or(root, |trap| trap_sentence(*trap));
        CallError::Trap { plugin, reason }
    }
}

/// What a trap means to somebody who does not know WebAssembly.
fn trap_sentence(trap: Trap) -> String {
    match trap {
        Trap::UnreachableCodeReached => "it gave up (a panic or an uncaught exception)".to_owned(),
        Trap::StackOverflow => "it ran out of stack (endless recursion?)".to_owned(),
        Trap::IntegerDivisionByZero => "it divided by zero".to_owned(),
        Trap::MemoryOutOfBounds => "it reached outside its memory (endless recursion?)".to_owned(),
        other => other.to_string(),
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").field("id", &self.id()).field("digest", &self.digest()).finish_non_exhaustive()
    }
}
