//! A loaded plugin, and one call of it: a fresh instance under a deadline and budgets.

use crate::{
    error::CallError,
    guest::Guest,
    host::{Shared, hex},
    limits::OUTPUT_BYTES,
    manifest::Manifest,
    worlds::{Failed, World},
};
use std::{fmt, sync::Arc, time::Duration};
use tidegate_model::outcome::{ConnectionInfo, Item, Outcome};
use wasmtime::{Store, Trap};

/// A loaded plugin. Clones are cheap and share it.
#[derive(Clone)]
pub struct Plugin {
    inner: Arc<Inner>,
}

/// What a plugin is, apart from its code.
pub(crate) struct Identity {
    pub(crate) manifest: Manifest,
    pub(crate) digest: [u8; 32],
}

struct Inner {
    identity: Identity,
    // Before the host, so that the code goes before its engine.
    world: Box<dyn World>,
    host: Arc<Shared>,
}

impl Plugin {
    pub(crate) fn new(host: Arc<Shared>, identity: Identity, world: Box<dyn World>) -> Self {
        Self { inner: Arc::new(Inner { identity, world, host }) }
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
        let Inner { identity, world, host } = &*self.inner;
        // The semaphore is never closed; a call without a permit would at worst find the pool full.
        let _slot = host.slots.acquire().await.ok();
        let _running = host.ticker.enter();
        let mut store = self.store(first, items.len());
        let deadline = Duration::from_millis(identity.manifest.limits.deadline_ms.into());
        let call = world.interpret(&mut store, identity, connection, items);
        let ended = tokio::time::timeout(deadline, call).await;
        store.data().log_stderr();
        match ended {
            Ok(Ok(outcomes)) => Ok(outcomes),
            Ok(Err(Failed::Answer(error))) => Err(error),
            Ok(Err(Failed::Engine(error))) => Err(self.explain(store.data(), &error)),
            Err(_elapsed) => Err(CallError::Deadline { plugin: self.id().to_owned(), deadline }),
        }
    }

    fn store(&self, first: &Item, items: usize) -> Store<Guest> {
        let memory_bytes = self.manifest().limits.memory_bytes as usize;
        let mut store = Store::new(&self.inner.host.engine, Guest::new(self.id(), first, items, memory_bytes));
        store.limiter(|guest| &mut guest.budgets);
        store.set_hostcall_fuel(OUTPUT_BYTES);
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
        let root = error.root_cause().to_string();
        // The engine gives this error no type of its own.
        if root.contains("fuel allocated for hostcalls has been exhausted") {
            return CallError::TooMuchOutput { plugin, limit_bytes: OUTPUT_BYTES };
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
