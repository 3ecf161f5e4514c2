//! What handlers and workers of a gateway share. Its parts: how it runs, is read again, and ends.

mod connecting;
mod figures;
mod flights;
mod reload;
mod running;
mod swap;
mod switch;

pub(crate) use flights::{Flights, Stopped};
pub(crate) use reload::{ReloadFault, Reloaded, Source};
pub(crate) use running::{Running, StartFault};
pub(crate) use swap::{SwapFault, Swapped};
pub(crate) use switch::Held;

use crate::{
    admission::Admission,
    breaker::Board,
    catalog::Catalog,
    metrics::{Ages, Metrics},
    pulse::Pulses,
    telemetry::PluginLines,
    upkeep::Underway,
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};
use tidegate_clock::DomainClock;
use tidegate_model::Timestamp;
use tidegate_plugin_host::Plugin;
use tidegate_store::{Engine, Health, disk};

/// The control socket, in the data directory.
pub(crate) const CONTROL_SOCKET: &str = "control.sock";
/// The clock socket, in the data directory, with a stepped clock.
pub(crate) const CLOCK_SOCKET: &str = "clock.sock";

/// What handlers and workers share.
pub(crate) struct App {
    store: Arc<dyn Engine>,
    catalog: RwLock<Arc<Catalog>>,
    /// Where the configuration is read again, and what was in force at the start. Locked for the length of a reload.
    source: Mutex<Option<Source>>,
    clock: DomainClock,
    admission: Arc<Admission>,
    metrics: Arc<Metrics>,
    ages: Ages,
    flights: Arc<Flights>,
    breakers: Board,
    aside: Mutex<Option<Plugin>>,
    pulses: Pulses,
    draining: AtomicBool,
    disk_is_low: AtomicBool,
    reserve_bytes: u64,
    data: PathBuf,
    listening: SocketAddr,
    backup: Underway,
    connecting: connecting::Turns,
}

impl App {
    /// Over this store, listening nowhere.
    #[cfg(test)]
    pub(crate) fn over(store: Arc<dyn Engine>, catalog: Catalog, clock: DomainClock) -> Arc<Self> {
        let listening = SocketAddr::from(([127, 0, 0, 1], 0));
        Arc::new(Self::new(
            store,
            catalog,
            clock,
            Place { source: None, reserve_bytes: 0, body_bytes: usize::MAX, data: PathBuf::new(), listening },
        ))
    }

    fn new(store: Arc<dyn Engine>, catalog: Catalog, clock: DomainClock, place: Place) -> Self {
        let metrics = catalog.shared_metrics();
        store.set_meter(Arc::clone(&metrics) as Arc<dyn tidegate_store::engine::Meter>);
        Self {
            store,
            catalog: RwLock::new(Arc::new(catalog)),
            source: Mutex::new(place.source),
            clock,
            admission: Admission::new(place.body_bytes),
            metrics,
            ages: Ages::default(),
            flights: Arc::default(),
            breakers: Board::default(),
            aside: Mutex::default(),
            pulses: Pulses::default(),
            draining: AtomicBool::new(false),
            disk_is_low: AtomicBool::new(false),
            backup: Underway::default(),
            connecting: connecting::Turns::default(),
            reserve_bytes: place.reserve_bytes,
            data: place.data,
            listening: place.listening,
        }
    }

    /// Its data directory.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// What is on its way.
    pub(crate) fn flights(&self) -> &Arc<Flights> {
        &self.flights
    }

    /// The address webhooks are taken at.
    pub(crate) const fn listening(&self) -> SocketAddr {
        self.listening
    }

    /// Free bytes of the disk below which no webhooks are taken; 0 for the default.
    pub(crate) const fn reserve_bytes(&self) -> u64 {
        self.reserve_bytes
    }

    /// The backup that is being made.
    pub(crate) fn backup(&self) -> &Underway {
        &self.backup
    }

    /// Whether the gateway is shutting down.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// The store.
    pub(crate) fn store(&self) -> &dyn Engine {
        &*self.store
    }

    /// What is configured, ready for use. A reload puts another one in its place: a unit of work takes one, and keeps it to its end.
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Which plugins are paused.
    pub(crate) const fn breakers(&self) -> &Board {
        &self.breakers
    }

    /// The plugin that was loaded last to be tried, and is not installed.
    pub(crate) fn aside(&self) -> Option<Plugin> {
        self.aside.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps a plugin that is to be tried, in place of the last one.
    pub(crate) fn set_aside(&self, plugin: Plugin) {
        *self.aside.lock().unwrap_or_else(PoisonError::into_inner) = Some(plugin);
    }

    /// What plugins wrote to the log lately.
    pub(crate) fn plugin_lines(&self) -> PluginLines {
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        source.as_ref().map(|source| source.log.plugin_lines()).unwrap_or_default()
    }

    /// What senders did since the start.
    pub(crate) const fn pulses(&self) -> &Pulses {
        &self.pulses
    }

    /// The domain clock.
    pub(crate) fn clock(&self) -> &DomainClock {
        &self.clock
    }

    /// Now, by the domain clock.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.clock.now_ms())
    }

    /// The room for webhooks on their way into the store.
    pub(crate) fn admission(&self) -> &Arc<Admission> {
        &self.admission
    }

    /// Whether webhooks are taken.
    ///
    /// # Errors
    /// Why not, for a caller.
    pub(crate) fn accepting(&self) -> Result<(), &'static str> {
        if self.draining.load(Ordering::Relaxed) {
            Err("the gateway is shutting down")
        } else if self.store.health() != Health::Ok {
            Err("the gateway's store has failed")
        } else if self.disk_is_low.load(Ordering::Relaxed) {
            Err("the gateway's disk is nearly full")
        } else {
            Ok(())
        }
    }

    /// Looks at the disk again, and notes the time for the age of rows. Called now and then by the waker.
    pub(crate) fn watch_disk(&self) {
        self.ages.mark(self.store.next_seq(), self.now());
        match disk::disk_free(&self.data) {
            Ok(space) => {
                let low = if self.reserve_bytes == 0 {
                    disk::below_watermark(space.free_bytes, space.total_bytes)
                } else {
                    space.free_bytes < self.reserve_bytes
                };
                if low && !self.disk_is_low.load(Ordering::Relaxed) {
                    tracing::error!(free_bytes = space.free_bytes, "the disk is nearly full: no webhooks are taken");
                }
                self.disk_is_low.store(low, Ordering::Relaxed);
            }
            Err(error) => tracing::warn!(error = %error, "the disk's free space is not known"),
        }
    }
}

/// Where an [`App`] is.
struct Place {
    source: Option<Source>,
    reserve_bytes: u64,
    body_bytes: usize,
    data: PathBuf,
    listening: SocketAddr,
}
