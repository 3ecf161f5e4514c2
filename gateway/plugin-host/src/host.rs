//! The host: one engine for all plugins, and the loading of them.

use crate::{
    cache::Cache,
    error::{HostError, LoadError},
    guest::Guest,
    limits::{CORE_INSTANCES, MEMORIES, TABLES},
    manifest::{Limits, Manifest, read_manifest},
    plugin::{Identity, Plugin},
    ticker::Ticker,
    worlds::v0_1,
};
use sha2::{Digest, Sha256};
use std::{path::PathBuf, sync::Arc};
use tokio::sync::Semaphore;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
    component::{Component, Linker},
};

/// Largest component: Python's runtime has 18 MiB.
const COMPONENT_BYTES: usize = 64 << 20;
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
    linker: Linker<Guest>,
    cache: Option<Cache>,
}

impl PluginHost {
    /// Starts an engine and its interrupting thread.
    ///
    /// # Errors
    /// When the engine does not start, or the cache directory can't be made private.
    pub fn new(config: &HostConfig) -> Result<Self, HostError> {
        let refused = |error: &dyn std::fmt::Display| HostError::Engine { reason: error.to_string() };
        let engine = Engine::new(&engine_config(config.concurrent_calls.max(1)))
            .map_err(|error| refused(&format!("{error:#}")))?;
        let ticking = engine.weak();
        let ticker = Ticker::start(move || {
            if let Some(engine) = ticking.upgrade() {
                engine.increment_epoch();
            }
        });
        let shared = Shared {
            linker: linker(&engine).map_err(|error| refused(&format!("{error:#}")))?,
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
        let digest: [u8; 32] = Sha256::digest(component).into();
        let plugin = manifest.id.clone();
        let compiled = self.compile(cache, &hex(&digest), component);
        let compiled =
            compiled.map_err(|error| LoadError::Compile { plugin: plugin.clone(), reason: format!("{error:#}") })?;
        self.check_imports(&manifest, &compiled)?;
        let misfit = |error: wasmtime::Error| LoadError::World { plugin: plugin.clone(), reason: format!("{error:#}") };
        let world = v0_1::world(self.shared.linker.instantiate_pre(&compiled).map_err(misfit)?).map_err(misfit)?;
        Ok(Plugin::new(Arc::clone(&self.shared), Identity { manifest, digest }, world))
    }

    fn compile(&self, cache: Option<&Cache>, digest: &str, component: &[u8]) -> wasmtime::Result<Component> {
        match cache {
            Some(cache) => cache.component(&self.shared.engine, digest, component),
            None => Component::from_binary(&self.shared.engine, component),
        }
    }

    fn check_imports(&self, manifest: &Manifest, component: &Component) -> Result<(), LoadError> {
        let types = component.component_type();
        let mut imports = types.imports(&self.shared.engine);
        match imports.find(|(name, _)| !is_given(name)) {
            Some((name, _)) => Err(LoadError::ForbiddenImport { plugin: manifest.id.clone(), import: name.to_owned() }),
            None => Ok(()),
        }
    }
}

impl std::fmt::Debug for PluginHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginHost").field("cache", &self.shared.cache).finish_non_exhaustive()
    }
}

/// Whether plugins are given this import.
pub(crate) fn is_given(import: &str) -> bool {
    let wasi = WASI_PACKAGES.iter().any(|package| import.starts_with(package)) && import.contains("@0.2.");
    // The contract's types are an interface without functions, which a component imports to name them.
    let types = import.starts_with(v0_1::TYPES_IMPORT);
    wasi || types || import.starts_with(v0_1::HOST_IMPORT)
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    v0_1::add_to_linker(&mut linker)?;
    Ok(linker)
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
