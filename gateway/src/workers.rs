//! The loops of a running gateway: threads that interpret and advance, the thread that sends and reads, and the waker. Each is a `tick` that does one thing and a loop that waits.

mod connect;
mod fetch;
mod plugins;
mod retention;
mod send;
mod slots;
mod waker;

use crate::{
    app::App,
    config::{Retention, Workers},
    pipeline,
    supervisor::Supervisor,
};
use std::{sync::Arc, time::Duration};
use tidegate_store::Queue;

/// How long a worker waits for work before it looks whether it is time to stop.
const LOOK_UP: Duration = Duration::from_millis(250);
/// Most threads that are taken when the configuration leaves it open.
const MOST_THREADS: usize = 8;
/// Fewest, also on one core: a plugin that uses its time to the end holds one.
const FEWEST_THREADS: usize = 2;

/// Starts the one that removes what is old.
pub(crate) fn start_retention(app: &Arc<App>, supervisor: &Supervisor, settings: &Retention) {
    supervisor.service("retention", retention::run(Arc::clone(app), settings.clone(), supervisor.shutdown()));
}

/// Starts the one that looks for new plugins.
pub(crate) fn start_plugins(app: &Arc<App>, supervisor: &Supervisor) {
    supervisor.service("plugins", plugins::run(Arc::clone(app), supervisor.shutdown()));
}

/// Starts the others.
///
/// # Errors
/// The system gives no thread.
pub(crate) fn start(app: &Arc<App>, supervisor: &Supervisor, config: &Workers) -> std::io::Result<()> {
    supervisor.service("waker", waker::run(Arc::clone(app), supervisor.shutdown()));
    if config.paused {
        tracing::warn!("workers.paused is set: webhooks are stored and not interpreted");
        return Ok(());
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if config.threads == 0 { cores.clamp(FEWEST_THREADS, MOST_THREADS) } else { config.threads };
    for number in 0..threads {
        let runner = pipeline::Runner::new(Arc::clone(app), supervisor.runtime().clone());
        let shutdown = supervisor.shutdown();
        supervisor.thread(format!("pure-{number}"), move || {
            while !shutdown.is_asked() {
                match runner.tick() {
                    Ok(pipeline::Progress::Done) => {}
                    Ok(pipeline::Progress::Idle) => {
                        runner.app().store().wait_ready(Queue::Pure, LOOK_UP);
                    }
                    Err(error) => return Err(error.to_string()),
                }
            }
            Ok(())
        })?;
    }
    send::start(app, supervisor, config)
}
