//! The versions of the contract with plugins: one module each, and one trait that the rest of the package calls. A new version is a module and a line in
//! [`CONTRACTS`]; which one a component was made for is seen by the names of its exports, before anything of it runs.

use crate::{
    error::{CallError, LoadError},
    guest::Guest,
    plugin::Identity,
};
use semver::Version;
use std::pin::Pin;
use tidegate_model::{
    connector::{Step, Task},
    outcome::{Answer, ConnectionInfo, Item, Outcome},
};
use wasmtime::{
    Engine, Store,
    component::{InstancePre, Linker},
};

pub(crate) mod shape;
#[cfg(test)]
mod tests;
pub(crate) mod v0_1;

/// The versions that this gateway speaks, oldest first.
pub(crate) const CONTRACTS: &[Contract] = &[v0_1::CONTRACT];

/// The interface that every plugin exports, without its version.
pub(crate) const NORMALIZER: &str = "tidegate:plugin/normalizer";

/// The optional interface of plugins that look after their connections, without its version.
pub(crate) const CONNECTOR: &str = "tidegate:plugin/connector";

/// A version of the contract, as the host offers it.
#[derive(Clone, Copy)]
pub(crate) struct Contract {
    /// What decides whether a component fits: `0.1` for 0.1.x, `1` for 1.x.
    pub(crate) version: &'static str,
    /// The SDK that speaks it.
    pub(crate) sdk: &'static str,
    /// Its text, for messages: packages, each of its files; the last one holds the world `plugin`.
    pub(crate) wit: &'static [&'static [&'static str]],
    /// The same with the world `connecting`, where the version has a connector.
    pub(crate) connecting: Option<&'static [&'static [&'static str]]>,
    /// Imports that its plugins may have beside WASI, up to the patch number.
    pub(crate) imports: &'static [&'static str],
    /// Offers the host's functions of this version.
    pub(crate) link: fn(&mut Linker<Guest>) -> wasmtime::Result<()>,
    /// A plugin of this version.
    pub(crate) bind: fn(InstancePre<Guest>) -> wasmtime::Result<Box<dyn World>>,
}

/// A call that runs.
pub(crate) type Call<'c> = Pin<Box<dyn Future<Output = Result<Vec<Outcome>, Failed>> + Send + 'c>>;

/// A call of the connector that runs.
pub(crate) type Advance<'c> = Pin<Box<dyn Future<Output = Result<Step, Failed>> + Send + 'c>>;

/// An instance that is made, and thrown away.
pub(crate) type Making<'c> = Pin<Box<dyn Future<Output = wasmtime::Result<()>> + Send + 'c>>;

/// Why a call failed: in the engine, where the store knows more, or by its answer.
pub(crate) enum Failed {
    /// The plugin crashed or was stopped.
    Engine(wasmtime::Error),
    /// The plugin answered something impossible.
    Answer(CallError),
}

/// A plugin that was made for one version of the contract.
pub(crate) trait World: Send + Sync {
    /// Makes an instance in the store and lets it interpret the items.
    fn interpret<'c>(
        &'c self,
        store: &'c mut Store<Guest>,
        identity: &'c Identity,
        connection: &'c ConnectionInfo,
        items: &'c [Item],
    ) -> Call<'c>;

    /// Makes an instance in the store, and calls nothing: for measuring.
    fn instantiate<'c>(&'c self, store: &'c mut Store<Guest>) -> Making<'c>;

    /// Whether it exports a connector.
    fn connects(&self) -> bool {
        false
    }

    /// Makes an instance in the store and takes a task of its connector one step on.
    fn advance<'c>(
        &'c self,
        _store: &'c mut Store<Guest>,
        identity: &'c Identity,
        _connection: &'c ConnectionInfo,
        _task: &'c Task,
        _answers: &'c [Answer],
    ) -> Advance<'c> {
        Box::pin(async move { Err(no_connector(identity)) })
    }
}

/// Nobody calls the connector of a plugin that has none.
pub(crate) fn no_connector(identity: &Identity) -> Failed {
    let reason = "it exports no tidegate:plugin/connector".to_owned();
    Failed::Answer(CallError::BadOutcome { plugin: identity.manifest.id.clone(), reason })
}

/// A contract with its linker.
pub(crate) struct Linked {
    pub(crate) contract: Contract,
    pub(crate) linker: Linker<Guest>,
}

impl Linked {
    pub(crate) fn new(engine: &Engine, contract: Contract) -> wasmtime::Result<Self> {
        let mut linker = Linker::new(engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        (contract.link)(&mut linker)?;
        Ok(Self { contract, linker })
    }
}

/// The contract that a component with these exports was made for: the newest that both speak.
///
/// # Errors
/// It is no plugin, or one of versions that are not spoken here; `plugin` is its id.
pub(crate) fn choose<'l, 'e>(
    linked: &'l [Linked],
    plugin: &str,
    exports: impl Iterator<Item = &'e str>,
) -> Result<&'l Linked, LoadError> {
    let (mut found, mut others) = (Vec::new(), Vec::new());
    for name in exports {
        match name.split_once('@').filter(|(interface, _)| *interface == NORMALIZER) {
            Some((_, version)) => found.push(version),
            None => others.push(name),
        }
    }
    let spoken_by =
        |version: &str| linked.iter().position(|one| Some(one.contract.version) == track(version).as_deref());
    let best = found.iter().filter_map(|version| spoken_by(version)).max();
    if let Some(contract) = best.and_then(|place| linked.get(place)) {
        return Ok(contract);
    }
    let spoken = spoken(linked);
    let sdk = linked.last().map_or("", |newest| newest.contract.sdk);
    if found.is_empty() {
        let exports = if others.is_empty() { "nothing".to_owned() } else { listed(&others) };
        return Err(LoadError::NoPlugin { plugin: plugin.to_owned(), exports, spoken, sdk });
    }
    Err(LoadError::OtherContract { plugin: plugin.to_owned(), found: found.join(", "), spoken, sdk })
}

/// The versions in words: `0.1, 0.2`.
pub(crate) fn spoken(linked: &[Linked]) -> String {
    let versions: Vec<&str> = linked.iter().map(|one| one.contract.version).collect();
    versions.join(", ")
}

/// A few names in backticks; a component may have many.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 4;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{}`", short(name))).collect();
    let rest = names.len().saturating_sub(SHOWN);
    if rest == 0 { shown.join(", ") } else { format!("{} and {rest} more", shown.join(", ")) }
}

/// The start of a name that somebody else chose.
pub(crate) fn short(name: &str) -> String {
    name.chars().take(120).collect()
}

/// Versions with the same track are compatible: `0.1` for 0.1.x, `1` for 1.x.
fn track(version: &str) -> Option<String> {
    let Version { major, minor, .. } = Version::parse(version).ok()?;
    Some(if major == 0 { format!("0.{minor}") } else { major.to_string() })
}
