//! What one call of a plugin sees of the world: a clock that stands still, randomness that repeats, and nothing else.

use crate::limits::{Budgets, HANDLES, RANDOM_BYTES};
use sha2::{Digest, Sha256};
use std::{convert::Infallible, time::Duration};
use tidegate_model::ItemId;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};

mod stderr;

use stderr::Stderr;

/// The state of one call.
pub(crate) struct Guest {
    pub(crate) plugin: String,
    pub(crate) first_item: ItemId,
    pub(crate) items: usize,
    pub(crate) budgets: Budgets,
    wasi: WasiCtx,
    table: ResourceTable,
    stderr: Option<Stderr>,
}

impl Guest {
    /// For a call with so many items; `seed` gives the time and the randomness.
    pub(crate) fn new(plugin: &str, seed: &ItemId, items: usize, memory_bytes: usize) -> Self {
        // What a plugin writes there may hold personal data: it is kept only for a log at debug level.
        let stderr = tracing::enabled!(target: "plugin", tracing::Level::DEBUG).then(Stderr::default);
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES);
        Self {
            plugin: plugin.to_owned(),
            first_item: *seed,
            items,
            budgets: Budgets::new(memory_bytes),
            wasi: empty_wasi(seed, stderr.clone()),
            table,
            stderr,
        }
    }

    /// Logs what the plugin wrote to its standard error, such as the message of a panic.
    pub(crate) fn log_stderr(&self) {
        let text = self.stderr.as_ref().map(Stderr::text).unwrap_or_default();
        if !text.is_empty() {
            tracing::debug!(target: "plugin", { plugin.id = self.plugin, item.id = %self.first_item, items = self.items }, "stderr: {}", tidegate_model::mask::Scrubbed(text.trim_end()));
        }
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// WASI without environment, arguments, files, network and names.
fn empty_wasi(item: &ItemId, stderr: Option<Stderr>) -> WasiCtx {
    let since_epoch = Duration::from_millis(u64::try_from(item.root_ms()).unwrap_or(0));
    let seed = Seed::new(item);
    let mut builder = WasiCtx::builder();
    builder
        .wall_clock(Still(since_epoch))
        .monotonic_clock(Still(since_epoch))
        .insecure_random_seed(u128::from_le_bytes(seed.stream(b"hash").block16()))
        .secure_random(seed.stream(b"secure"))
        .insecure_random(seed.stream(b"insecure"))
        .max_random_size(RANDOM_BYTES)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false);
    if let Some(stderr) = stderr {
        builder.stderr(stderr);
    }
    builder.build()
}

/// A clock that stands still: what a plugin makes of an item must not hang on when it runs.
struct Still(Duration);

impl HostWallClock for Still {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}

impl HostMonotonicClock for Still {
    fn resolution(&self) -> u64 {
        1_000_000
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Where a call's random streams come from.
struct Seed([u8; 32]);

impl Seed {
    fn new(item: &ItemId) -> Self {
        Self(Sha256::digest(item.raw()).into())
    }

    fn stream(&self, name: &[u8]) -> Random {
        let mut hash = Sha256::new_with_prefix(self.0);
        hash.update(name);
        Random { key: hash.finalize().into(), counter: 0, block: [0; 32], left: 0 }
    }
}

/// SHA-256 in counter mode: the same numbers for the same item, on every machine and in every version.
struct Random {
    key: [u8; 32],
    counter: u64,
    block: [u8; 32],
    left: usize,
}

impl Random {
    fn block16(mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        bytes
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.left == 0 {
                let mut hash = Sha256::new_with_prefix(self.key);
                hash.update(self.counter.to_le_bytes());
                self.block = hash.finalize().into();
                self.counter += 1;
                self.left = self.block.len();
            }
            *byte = self.block[self.block.len() - self.left];
            self.left -= 1;
        }
    }
}

impl rand_core::TryRng for Random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_numbers_are_the_items_and_differ_between_streams() {
        let item = |part: &[u8]| Seed::new(&ItemId::derive(0, &[part]));
        let first = |seed: Seed, name: &[u8]| seed.stream(name).block16();
        assert_eq!(first(item(b"a"), b"secure"), first(item(b"a"), b"secure"));
        assert_ne!(first(item(b"a"), b"secure"), first(item(b"a"), b"insecure"));
        assert_ne!(first(item(b"a"), b"secure"), first(item(b"b"), b"secure"));
    }

    #[test]
    fn a_stream_does_not_hang_on_how_it_is_read() {
        let seed = Seed::new(&ItemId::derive(0, &[]));
        let (mut whole, mut parts) = ([0; 100], [0; 100]);
        seed.stream(b"x").fill(&mut whole);
        let mut stream = seed.stream(b"x");
        parts.chunks_mut(7).for_each(|part| stream.fill(part));
        assert_eq!(whole, parts);
    }
}
