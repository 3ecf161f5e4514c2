//! Wiring: a configuration becomes a running gateway, and a running gateway ends.

mod figures;
mod flights;
mod reload;

pub(crate) use flights::{Flights, Stopped};
pub(crate) use reload::{ReloadFault, Reloaded, Source};

use crate::{
    admission::Admission,
    breaker::Board,
    catalog::{Catalog, CatalogFault, Sources},
    config::Config,
    http,
    metrics::{Ages, Metrics},
    notify,
    pulse::Pulses,
    supervisor::{Closing, Supervisor},
    upkeep::Underway,
    workers,
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tidegate_clock::{ClockMode, DomainClock};
use tidegate_model::Timestamp;
use tidegate_plugin_host::Plugin;
use tidegate_store::{Engine, Health, OpenError, disk, sled::SledOptions};
use tokio::net::{TcpListener, UnixListener};

/// The control socket, in the data directory.
pub(crate) const CONTROL_SOCKET: &str = "control.sock";
/// The clock socket, in the data directory, with a stepped clock.
pub(crate) const CLOCK_SOCKET: &str = "clock.sock";
/// Connections at once to the listener for figures.
const MOST_SCRAPERS: usize = 16;

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

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartFault {
    /// The configuration names what is not there, or does not fit together.
    #[error(transparent)]
    Catalog(#[from] CatalogFault),
    /// The clock can't run so.
    #[error("clock.mode: {0}")]
    Clock(String),
    /// The data directory can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// An address or socket can't be listened on.
    #[error("{what} can't be listened on: {reason}")]
    Listen {
        /// Which.
        what: String,
        /// Why.
        reason: String,
    },
    /// The system refuses something.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A gateway that runs.
pub(crate) struct Running {
    /// What it shares.
    pub app: Arc<App>,
    /// The address webhooks are taken at.
    pub address: SocketAddr,
    supervisor: Supervisor,
    grace: Duration,
}

impl Running {
    /// Starts a gateway that reads its configuration once. `clock` replaces the configured one, for a process that shares its clock with a double.
    ///
    /// # Errors
    /// What is wrong, for the operator.
    pub(crate) async fn start(config: &Config, clock: Option<DomainClock>) -> Result<Self, StartFault> {
        Self::start_from(config, clock, None).await
    }

    /// As [`Running::start`], with where the configuration is read again.
    ///
    /// # Errors
    /// As there.
    pub(crate) async fn start_from(
        config: &Config,
        clock: Option<DomainClock>,
        source: Option<Source>,
    ) -> Result<Self, StartFault> {
        let clock = match clock {
            Some(clock) => clock,
            None => clock_of(&config.clock.mode)?,
        };
        let listener = TcpListener::bind(&config.server.listen)
            .await
            .map_err(|error| listen_fault(format!("server.listen = {:?}", config.server.listen), &error))?;
        let address = listener.local_addr()?;
        let app = {
            let (config, clock) = (config.clone(), clock.clone());
            let opened = tokio::task::spawn_blocking(move || open(&config, clock, address, source));
            opened.await.map_err(std::io::Error::other)??
        };
        let supervisor = Supervisor::new(tokio::runtime::Handle::current());
        let grace = Duration::from_secs(config.server.drain_s);
        let running = Self { app, address, supervisor, grace };
        running.serve(listener, config.server.max_connections)?;
        running.serve_figures(&config.server.metrics_listen).await?;
        workers::start(&running.app, &running.supervisor, &config.workers)?;
        workers::start_retention(&running.app, &running.supervisor, &config.retention);
        // The port may have been chosen only now.
        let public =
            if config.server.public_url.is_empty() { format!("http://{address}") } else { config.public_url() };
        for endpoint in &config.endpoints {
            tracing::info!(endpoint = %endpoint.name, plugin = %endpoint.plugin, url = %format!("{public}/in/{}", endpoint.name), "takes webhooks");
        }
        tracing::info!(%address, clock = %running.app.clock.mode(), "ready");
        notify::tell("READY=1");
        if let Some(every) = notify::watchdog_interval() {
            running
                .supervisor
                .service("watchdog", watchdog(Arc::clone(&running.app), every, running.supervisor.shutdown()));
        }
        Ok(running)
    }

    async fn serve_figures(&self, listen: &str) -> Result<(), StartFault> {
        if listen.is_empty() {
            return Ok(());
        }
        let refused = |error: std::io::Error| listen_fault(format!("server.metrics_listen = {listen:?}"), &error);
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        tracing::info!(address = %listener.local_addr()?, "serves figures at /metrics");
        let (figures, closing) = (http::figures(Arc::clone(&self.app)), self.supervisor.closing());
        self.supervisor.face("metrics", http::listener::serve(listener, figures, MOST_SCRAPERS, closing));
        Ok(())
    }

    fn serve(&self, listener: TcpListener, most_connections: usize) -> Result<(), StartFault> {
        let bind = |path: PathBuf| {
            tidegate_clock::bind(&path).map_err(|error| listen_fault(path.display().to_string(), &error))
        };
        let public = http::public(Arc::clone(&self.app));
        let closing = self.supervisor.closing();
        self.supervisor.face("listener", http::listener::serve(listener, public, most_connections, closing));
        let control = http::control(Arc::clone(&self.app));
        let socket = bind(self.app.data.join(CONTROL_SOCKET))?;
        self.supervisor.face("control", serve_unix(socket, control, self.supervisor.closing()));
        if matches!(self.app.clock.mode(), ClockMode::Stepped { .. }) {
            let socket = bind(self.app.data.join(CLOCK_SOCKET))?;
            let (clock, mut shutdown) = (self.app.clock.clone(), self.supervisor.shutdown());
            self.supervisor.service("clock", async move {
                tokio::select! {
                    error = tidegate_clock::serve(clock, socket) => Err(error.to_string()),
                    () = shutdown.asked() => Ok(()),
                }
            });
        }
        Ok(())
    }

    /// Waits until it must stop by itself.
    pub(crate) async fn failed(&self) -> Option<String> {
        let mut shutdown = self.supervisor.shutdown();
        shutdown.asked().await;
        shutdown.failure()
    }

    /// Stops: takes no more, finishes what is under way, says what was finished, cut and left.
    pub(crate) async fn stop(self) -> Stopped {
        notify::tell("STOPPING=1");
        self.app.draining.store(true, Ordering::Relaxed);
        let before = self.app.flights.landed();
        self.supervisor.stop();
        self.supervisor.drain(self.grace).await;
        let stopped = Stopped::of(&self.app, before);
        self.app.store.shutdown();
        for socket in [CONTROL_SOCKET, CLOCK_SOCKET] {
            // A socket that is gone already is what we want.
            let _ = std::fs::remove_file(self.app.data.join(socket));
        }
        stopped.log("stopped");
        stopped
    }
}

/// Tells the system's service manager that the gateway is alive, as long as its store is.
async fn watchdog(app: Arc<App>, every: Duration, mut shutdown: crate::supervisor::Shutdown) -> Result<(), String> {
    loop {
        if app.store().health() == Health::Ok {
            notify::tell("WATCHDOG=1");
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = shutdown.asked() => return Ok(()),
        }
    }
}

fn open(
    config: &Config,
    clock: DomainClock,
    listening: SocketAddr,
    source: Option<Source>,
) -> Result<Arc<App>, StartFault> {
    let data = std::path::absolute(&config.data.dir)?;
    let options = SledOptions::new(data.join("store")).cache_bytes(config.data.cache_mib.saturating_mul(1 << 20));
    let store = tidegate_store::sled::open(&options)?;
    warn_of_readers(&data);
    let plugins = data.join("plugins");
    let metrics = Arc::new(Metrics::new());
    let sources = Sources { store: &*store, plugin_cache: Some(&plugins), metrics: &metrics, previous: None };
    let catalog = Catalog::load(config, &sources)?;
    let reserve_bytes = config.data.reserve_mib.saturating_mul(1 << 20);
    let body_bytes = config.server.body_memory_mib.saturating_mul(1 << 20);
    let app = App::new(store, catalog, clock, Place { source, reserve_bytes, body_bytes, data, listening });
    app.watch_disk();
    crate::pipeline::resume_all(&app).map_err(std::io::Error::other)?;
    Ok(Arc::new(app))
}

/// What is stored is personal data: nobody else on the machine should read it.
fn warn_of_readers(data: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(data).map_or(0, |held| held.permissions().mode());
    if mode & 0o007 != 0 {
        tracing::warn!(dir = %data.display(), "every user of this machine may look into data.dir: it holds personal data; `chmod o= DIR`");
    }
}

fn clock_of(mode: &str) -> Result<DomainClock, StartFault> {
    let mode: ClockMode =
        mode.parse().map_err(|error: tidegate_clock::ModeError| StartFault::Clock(error.to_string()))?;
    DomainClock::new(mode).map_err(|error| StartFault::Clock(error.to_string()))
}

fn listen_fault(what: String, error: &std::io::Error) -> StartFault {
    StartFault::Listen { what, reason: error.to_string() }
}

async fn serve_unix(listener: UnixListener, router: axum::Router, mut closing: Closing) -> Result<(), String> {
    let serve = axum::serve(listener, router).with_graceful_shutdown(async move { closing.asked().await });
    serve.await.map_err(|error| error.to_string())
}
