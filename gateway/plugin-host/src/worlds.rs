//! The versions of the contract with plugins: one module each, and one trait that the rest of the package calls.

use crate::{error::CallError, guest::Guest, plugin::Identity};
use std::pin::Pin;
use tidegate_model::outcome::{ConnectionInfo, Item, Outcome};
use wasmtime::Store;

pub(crate) mod v0_1;

/// A call that runs.
pub(crate) type Call<'c> = Pin<Box<dyn Future<Output = Result<Vec<Outcome>, Failed>> + Send + 'c>>;

/// An instance that is being made.
pub(crate) type Made<'c> = Pin<Box<dyn Future<Output = wasmtime::Result<()>> + Send + 'c>>;

/// Why a call failed: in the engine, where the store knows more, or by its answer.
pub(crate) enum Failed {
    /// The plugin crashed or was stopped.
    Engine(wasmtime::Error),
    /// The plugin answered something impossible.
    Answer(CallError),
}

/// A plugin that was made for one version of the contract.
pub(crate) trait World: Send + Sync {
    /// Makes an instance in the store, and calls nothing: for measuring.
    fn instantiate<'c>(&'c self, store: &'c mut Store<Guest>) -> Made<'c>;

    /// Makes an instance in the store and lets it interpret the items.
    fn interpret<'c>(
        &'c self,
        store: &'c mut Store<Guest>,
        identity: &'c Identity,
        connection: &'c ConnectionInfo,
        items: &'c [Item],
    ) -> Call<'c>;
}
