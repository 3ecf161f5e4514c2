//! A double from start to stop: its tasks are the HTTP face, one timer, and the lanes of webhooks.

use std::sync::Arc;

use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    config::{DoubleConfig, StartError},
    schedule,
    script::Script,
    server,
    state::Shared,
    webhook,
};

/// A running provider double. Dropping it stops it.
pub struct Double {
    url: String,
    script: Script,
    tasks: JoinSet<()>,
}

impl Double {
    /// Starts a double on the current tokio runtime.
    ///
    /// # Errors
    /// [`StartError`] names the entry that is wrong, or the address that is taken.
    pub async fn start(config: DoubleConfig) -> Result<Self, StartError> {
        config.check()?;
        let address = config.listen;
        let failed = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let url = format!("http://{}", listener.local_addr().map_err(failed)?);
        let client = webhook::client().map_err(StartError::Client)?;
        let batch = config.batch;
        let (entrances, lanes) = webhook::lanes(config.lanes);
        let shared = Arc::new(Shared::new(config, entrances));
        let script = Script { shared: shared.clone() };
        let mut tasks = JoinSet::new();
        tasks.spawn(server::serve(listener, server::router(script.clone())));
        tasks.spawn(schedule::run(shared.clone()));
        for lane in lanes {
            tasks.spawn(webhook::run(shared.clone(), client.clone(), lane, batch));
        }
        Ok(Self { url, script, tasks })
    }

    /// Where it listens, as `http://127.0.0.1:40123`: the base URL for senders.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What can be done to it while it runs.
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// Stops it: connections are closed, what was due later never comes.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}
