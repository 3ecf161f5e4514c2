//! Wiring: a configuration becomes a running gateway, and a running gateway ends.

use crate::{
    catalog::{Catalog, CatalogFault},
    config::Config,
    http,
    supervisor::{Closing, Supervisor},
    upkeep::Underway,
    workers,
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tidegate_clock::{ClockMode, DomainClock};
use tidegate_model::Timestamp;
use tidegate_store::{Engine, Health, OpenError, disk, sled::SledOptions};
use tokio::net::{TcpListener, UnixListener};

/// The control socket, in the data directory.
pub(crate) const CONTROL_SOCKET: &str = "control.sock";
/// The clock socket, in the data directory, with a stepped clock.
pub(crate) const CLOCK_SOCKET: &str = "clock.sock";

/// What handlers and workers share.
pub(crate) struct App {
    store: Arc<dyn Engine>,
    catalog: Catalog,
    clock: DomainClock,
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
        Arc::new(Self {
            store,
            catalog,
            clock,
            draining: AtomicBool::new(false),
            disk_is_low: AtomicBool::new(false),
            reserve_bytes: 0,
            data: PathBuf::new(),
            listening: SocketAddr::from(([127, 0, 0, 1], 0)),
            backup: Underway::default(),
        })
    }

    /// The address webhooks are taken at.
    pub(crate) const fn listening(&self) -> SocketAddr {
        self.listening
    }

    /// The data directory.
    pub(crate) fn data(&self) -> &Path {
        &self.data
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

    /// What is configured, ready for use.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The domain clock.
    pub(crate) fn clock(&self) -> &DomainClock {
        &self.clock
    }

    /// Now, by the domain clock.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.clock.now_ms())
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

    /// Looks at the disk again. Called now and then by the waker.
    pub(crate) fn watch_disk(&self) {
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
    /// Starts a gateway. `clock` replaces the configured one, for a process that shares its clock with a double.
    ///
    /// # Errors
    /// What is wrong, for the operator.
    pub(crate) async fn start(config: &Config, clock: Option<DomainClock>) -> Result<Self, StartFault> {
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
            let opened = tokio::task::spawn_blocking(move || open(&config, clock, address));
            opened.await.map_err(std::io::Error::other)??
        };
        let supervisor = Supervisor::new(tokio::runtime::Handle::current());
        let grace = Duration::from_secs(config.server.drain_s);
        let running = Self { app, address, supervisor, grace };
        running.serve(listener)?;
        workers::start(&running.app, &running.supervisor, &config.workers)?;
        workers::start_retention(&running.app, &running.supervisor, &config.retention);
        // The port may have been chosen only now.
        let public =
            if config.server.public_url.is_empty() { format!("http://{address}") } else { config.public_url() };
        for endpoint in &config.endpoints {
            tracing::info!(endpoint = %endpoint.name, plugin = %endpoint.plugin, url = %format!("{public}/in/{}", endpoint.name), "takes webhooks");
        }
        tracing::info!(%address, clock = %running.app.clock.mode(), "ready");
        Ok(running)
    }

    fn serve(&self, listener: TcpListener) -> Result<(), StartFault> {
        let bind = |path: PathBuf| {
            tidegate_clock::bind(&path).map_err(|error| listen_fault(path.display().to_string(), &error))
        };
        let public = http::public(Arc::clone(&self.app));
        self.supervisor.face("listener", serve_tcp(listener, public, self.supervisor.closing()));
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

    /// Stops: takes no more, finishes what is under way, says what was cut. Returns whether nothing was.
    pub(crate) async fn stop(self) -> bool {
        self.app.draining.store(true, Ordering::Relaxed);
        self.supervisor.stop();
        let cut = self.supervisor.drain(self.grace).await;
        self.app.store.shutdown();
        for socket in [CONTROL_SOCKET, CLOCK_SOCKET] {
            // A socket that is gone already is what we want.
            let _ = std::fs::remove_file(self.app.data.join(socket));
        }
        if cut > 0 {
            tracing::warn!(
                cut,
                grace_s = self.grace.as_secs(),
                "requests or messages were cut; messages among them are unknown until a status comes"
            );
        }
        tracing::info!("stopped");
        cut == 0
    }
}

fn open(config: &Config, clock: DomainClock, listening: SocketAddr) -> Result<Arc<App>, StartFault> {
    let data = std::path::absolute(&config.data.dir)?;
    let options = SledOptions::new(data.join("store")).cache_bytes(config.data.cache_mib.saturating_mul(1 << 20));
    let store = tidegate_store::sled::open(&options)?;
    let catalog = Catalog::load(config, &*store, &data.join("plugins"))?;
    let app = App {
        store,
        catalog,
        clock,
        draining: AtomicBool::new(false),
        disk_is_low: AtomicBool::new(false),
        reserve_bytes: config.data.reserve_mib.saturating_mul(1 << 20),
        data,
        listening,
        backup: Underway::default(),
    };
    app.watch_disk();
    Ok(Arc::new(app))
}

fn clock_of(mode: &str) -> Result<DomainClock, StartFault> {
    let mode: ClockMode =
        mode.parse().map_err(|error: tidegate_clock::ModeError| StartFault::Clock(error.to_string()))?;
    DomainClock::new(mode).map_err(|error| StartFault::Clock(error.to_string()))
}

fn listen_fault(what: String, error: &std::io::Error) -> StartFault {
    StartFault::Listen { what, reason: error.to_string() }
}

async fn serve_tcp(listener: TcpListener, router: axum::Router, mut closing: Closing) -> Result<(), String> {
    let serve = axum::serve(listener, router).with_graceful_shutdown(async move { closing.asked().await });
    serve.await.map_err(|error| error.to_string())
}

async fn serve_unix(listener: UnixListener, router: axum::Router, mut closing: Closing) -> Result<(), String> {
    let serve = axum::serve(listener, router).with_graceful_shutdown(async move { closing.asked().await });
    serve.await.map_err(|error| error.to_string())
}
