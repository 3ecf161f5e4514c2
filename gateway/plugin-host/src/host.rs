//! The host: one engine for all plugins, and the loading of them.

use crate::{
    cache::Cache,
    error::{HostError, LoadError},
    inspect::inspect,
    limits::{CORE_INSTANCES, MEMORIES, TABLES, cut},
    manifest::{Limits, read_manifest},
    own_kinds::OwnKinds,
    plugin::{Identity, Plugin},
    ticker::Ticker,
    worlds::{CONNECTOR, CONTRACTS, Contract, Linked, World, choose, shape::Shape, short, spoken},
};
use sha2::{Digest, Sha256};
use std::{path::PathBuf, sync::Arc};
use tokio::sync::Semaphore;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, component::Component};

/// Largest component: Python's runtime has 18 MiB.
const COMPONENT_BYTES: usize = 64 << 20;
/// Most that is kept of the compiler's words.
const COMPILER_BYTES: usize = 1 << 10;
/// Interfaces of WASI 0.2 that the host has; `wasi:http` is not among them, plugins perform no I/O.
const WASI_PACKAGES: &[&str] =
    &["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];

/// How a host is made.
#[derive(Debug, Clone)]
pub struct HostConfig {
    /// Where compiled plugins are kept (made if need be, for its owner only); `None` compiles at every load.
    pub cache_dir: Option<PathBuf>,
    /// Most calls at once; further ones wait. Each reserves address space, not memory.
    pub concurrent_calls: u32,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self { cache_dir: None, concurrent_calls: 32 }
    }
}

/// Loads plugins. Clones share one engine, which stops when the last clone and the last plugin are gone.
#[derive(Clone)]
pub struct PluginHost {
    shared: Arc<Shared>,
}

/// What all plugins of a host share.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) ticker: Ticker,
    pub(crate) slots: Semaphore,
    contracts: Vec<Linked>,
    cache: Option<Cache>,
}

impl PluginHost {
    /// Starts an engine and its interrupting thread.
    ///
    /// # Errors
    /// When the engine does not start, or the cache directory can't be made private.
    pub fn new(config: &HostConfig) -> Result<Self, HostError> {
        Self::speaking(config, CONTRACTS)
    }

    /// A host that speaks these versions of the contract.
    pub(crate) fn speaking(config: &HostConfig, contracts: &[Contract]) -> Result<Self, HostError> {
        let refused = |error: &dyn std::fmt::Display| HostError::Engine { reason: error.to_string() };
        let engine = Engine::new(&engine_config(config.concurrent_calls.max(1)))
            .map_err(|error| refused(&format!("{error:#}")))?;
        let ticking = engine.weak();
        let ticker = Ticker::start(move || {
            if let Some(engine) = ticking.upgrade() {
                engine.increment_epoch();
            }
        });
        let linked = contracts.iter().map(|contract| Linked::new(&engine, *contract)).collect::<wasmtime::Result<_>>();
        let shared = Shared {
            contracts: linked.map_err(|error| refused(&format!("{error:#}")))?,
            ticker: ticker.map_err(|error| refused(&error))?,
            slots: Semaphore::new(config.concurrent_calls.max(1) as usize),
            cache: config.cache_dir.as_deref().map(Cache::open).transpose()?,
            engine,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Loads a packed plugin: reads its manifest, compiles it (or takes the compiled form from the cache), and checks that it asks for nothing that plugins are
    /// not given. No code of the plugin runs. Takes up to seconds for a large plugin that is not in the cache: call it where blocking is fine.
    ///
    /// # Errors
    /// A sentence for the plugin's author.
    pub fn load(&self, component: &[u8]) -> Result<Plugin, LoadError> {
        self.load_with(component, self.shared.cache.as_ref())
    }

    /// As [`PluginHost::load`], for a plugin that is tried and not installed: nothing of it is kept on disk.
    ///
    /// # Errors
    /// As [`PluginHost::load`].
    pub fn load_aside(&self, component: &[u8]) -> Result<Plugin, LoadError> {
        self.load_with(component, None)
    }

    fn load_with(&self, component: &[u8], cache: Option<&Cache>) -> Result<Plugin, LoadError> {
        if component.len() > COMPONENT_BYTES {
            return Err(LoadError::TooLarge { found: component.len(), most: COMPONENT_BYTES });
        }
        let manifest = read_manifest(component)?;
        let plugin = manifest.id.clone();
        let digest: [u8; 32] = Sha256::digest(component).into();
        let compiled = self.compile(cache, &plugin, &hex(&digest), component)?;
        let world = self.world(&plugin, &compiled)?;
        if manifest.connector.is_some() && !world.connects() {
            return Err(LoadError::NoConnector { plugin });
        }
        // The manifest was checked with its schemas.
        let own_kinds = OwnKinds::new(&manifest.events).unwrap_or_default();
        Ok(Plugin::new(Arc::clone(&self.shared), Identity { manifest, digest, own_kinds }, world))
    }

    /// Binds a component to the contract that it was made for. Its types are compared here: the engine would do so at the first call.
    fn world(&self, plugin: &str, compiled: &Component) -> Result<Box<dyn World>, LoadError> {
        let Shared { engine, contracts, .. } = &*self.shared;
        let component = compiled.component_type();
        if let Some((import, _)) = component.imports(engine).find(|(name, _)| !is_of_a_contract(name) && !is_wasi(name))
        {
            return Err(LoadError::ForbiddenImport {
                plugin: plugin.to_owned(),
                import: short(import),
                spoken: spoken(contracts),
            });
        }
        let Linked { contract, linker } = choose(contracts, plugin, component.exports(engine).map(|(name, _)| name))?;
        let given = |name: &str| is_wasi(name) || contract.imports.iter().any(|import| name.starts_with(import));
        if let Some((import, _)) = component.imports(engine).find(|(name, _)| !given(name)) {
            return Err(LoadError::ForbiddenImport {
                plugin: plugin.to_owned(),
                import: short(import),
                spoken: contract.version.to_owned(),
            });
        }
        let other = |reason: String| LoadError::World { plugin: plugin.to_owned(), version: contract.version, reason };
        let mut shapes = vec![Shape::parse(contract.wit).map_err(other)?];
        if let Some(wit) = contract.connecting
            && component.exports(engine).any(|(name, _)| name.split('@').next() == Some(CONNECTOR))
        {
            shapes.push(Shape::parse_world(wit, "connecting").map_err(other)?);
        }
        if let Some(misfit) = shapes.iter().find_map(|shape| shape.misfit(engine, &component)) {
            let (version, sdk, spoken, misfit) = (contract.version, contract.sdk, spoken(contracts), Box::new(misfit));
            return Err(LoadError::OtherShape { plugin: plugin.to_owned(), version, misfit, spoken, sdk });
        }
        let unfit = |error: wasmtime::Error| other(format!("{error:#}"));
        (contract.bind)(linker.instantiate_pre(compiled).map_err(unfit)?).map_err(unfit)
    }

    /// Code out of the cache was within bounds when it was compiled.
    fn compile(
        &self,
        cache: Option<&Cache>,
        plugin: &str,
        digest: &str,
        component: &[u8],
    ) -> Result<Component, LoadError> {
        let engine = &self.shared.engine;
        if let Some(found) = cache.and_then(|cache| cache.find(engine, digest)) {
            return Ok(found);
        }
        inspect(component).map_err(|reason| LoadError::Oversized { plugin: plugin.to_owned(), reason })?;
        let compiled = match cache {
            Some(cache) => cache.compile(engine, digest, component),
            None => Component::from_binary(engine, component),
        };
        // A stranger's names are in the compiler's words.
        let words = |error: wasmtime::Error| cut(&format!("{error:#}"), COMPILER_BYTES).to_owned();
        compiled.map_err(|error| LoadError::Compile { plugin: plugin.to_owned(), reason: words(error) })
    }
}

impl std::fmt::Debug for PluginHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginHost").field("cache", &self.shared.cache).finish_non_exhaustive()
    }
}

/// Whether this is an interface of WASI that plugins are given.
fn is_wasi(import: &str) -> bool {
    WASI_PACKAGES.iter().any(|package| import.starts_with(package)) && import.contains("@0.2.")
}

/// Whether plugins of any version of the contract are given this import.
pub(crate) fn is_given(import: &str) -> bool {
    is_wasi(import) || CONTRACTS.iter().flat_map(|contract| contract.imports).any(|given| import.starts_with(given))
}

/// Whether this names an interface of the contract, of any version.
fn is_of_a_contract(import: &str) -> bool {
    ["tidegate:plugin/host@", "tidegate:plugin/types@"].iter().any(|interface| import.starts_with(interface))
}

/// Instances from a pool whose memories are given back clean, interrupted by epoch, on stacks of their own.
fn engine_config(calls: u32) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls * CORE_INSTANCES)
        .total_memories(calls * MEMORIES)
        .total_tables(calls * TABLES)
        .total_stacks(calls)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_core_instance_size(1 << 20)
        .max_component_instance_size(1 << 20)
        .max_memory_size(2 * *Limits::MEMORY_BYTES.end() as usize)
        .table_elements(20_000)
        // What an order needs stays mapped between calls; more would be cleaned with every call for nothing.
        .linear_memory_keep_resident(256 << 10)
        .table_keep_resident(4 << 10)
        .async_stack_keep_resident(16 << 10)
        // Cleans only the pages that a call wrote to, where Linux (6.7) can tell them.
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .wasm_component_model(true)
        .memory_init_cow(true)
        .epoch_interruption(true)
        .max_wasm_stack(512 << 10)
        .async_stack_size(1 << 20);
    config
}

/// Bytes as lower-case hexadecimal text.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
