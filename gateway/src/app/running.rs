//! Wiring: a configuration becomes a running gateway, and a running gateway ends.

use super::{App, CLOCK_SOCKET, CONTROL_SOCKET, Place, Source, Stopped};
use crate::{
    catalog::{Catalog, CatalogFault, Sources, TokenPlace},
    config::Config,
    depot::{Depot, Shelf},
    http,
    metrics::Metrics,
    notify,
    supervisor::{Closing, Supervisor},
    workers,
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tidegate_clock::{ClockMode, DomainClock};
use tidegate_store::{Health, OpenError, sled::SledOptions};
use tokio::net::{TcpListener, UnixListener};

/// Connections at once to the listener for figures.
const MOST_SCRAPERS: usize = 16;

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
        workers::start_plugins(&running.app, &running.supervisor);
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
        // First: who is answered may move the clock.
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
        let public = http::public(Arc::clone(&self.app));
        let closing = self.supervisor.closing();
        self.supervisor.face("listener", http::listener::serve(listener, public, most_connections, closing));
        let control = http::control(Arc::clone(&self.app));
        let socket = bind(self.app.data.join(CONTROL_SOCKET))?;
        self.supervisor.face("control", serve_unix(socket, control, self.supervisor.closing()));
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
    let shelf = Shelf::load(&*store).map_err(|error| CatalogFault::Store(error.into()))?;
    Depot::new(&plugins).tidy(&shelf);
    let tokens = TokenPlace { store: Arc::clone(&store), clock: clock.clone() };
    let sources = Sources {
        store: &*store,
        plugin_cache: Some(&plugins),
        metrics: &metrics,
        tokens: Some(&tokens),
        previous: None,
    };
    let catalog = Catalog::load(config, &sources)?;
    let reserve_bytes = config.data.reserve_mib.saturating_mul(1 << 20);
    let body_bytes = config.server.body_memory_mib.saturating_mul(1 << 20);
    let app = App::new(store, catalog, clock, Place { source, reserve_bytes, body_bytes, data, listening });
    app.watch_disk();
    crate::pipeline::resume_all(&app).map_err(std::io::Error::other)?;
    crate::connecting::arm_all(&app).map_err(std::io::Error::other)?;
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
