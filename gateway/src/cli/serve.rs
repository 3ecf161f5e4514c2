//! `tidegate serve`: runs the gateway until it is told to stop.

use super::{Failure, config};
use crate::{
    app::{Running, Source, StartFault, Stopped},
    telemetry,
};
use anyhow::Context;
use clap::Args;
use std::{path::PathBuf, sync::Arc};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Exit code when the end of the process cut what was under way.
const CUT: u8 = 1;

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

pub(super) fn run(args: &ServeArgs) -> Result<u8, Failure> {
    let environment = config::environment();
    let loaded = config::load(Some(&args.config), &environment)?;
    let log = telemetry::start(&loaded.config.log).map_err(Failure::Usage)?;
    for warning in crate::config::warnings(&loaded.config, &loaded.origins) {
        tracing::warn!("{warning}");
    }
    let file = std::path::absolute(&args.config).map_err(anyhow::Error::from)?;
    let source = Source { file, environment, log };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from)?;
    let ended = runtime.block_on(serve(&loaded.config, source));
    // What still waits for the disk or a provider after the drain is not waited for.
    runtime.shutdown_background();
    ended
}

async fn serve(config: &crate::config::Config, source: Source) -> Result<u8, Failure> {
    let (mut signals, mut hangup) = (Signals::listen()?, listen(SignalKind::hangup())?);
    let running = Running::start_from(config, None, Some(source)).await.map_err(refused)?;
    let app = Arc::clone(&running.app);
    let failure = loop {
        tokio::select! {
            failure = running.failed() => break failure,
            () = signals.asked() => break None,
            _ = hangup.recv() => {
                let app = Arc::clone(&app);
                // It says itself how it went.
                let _ = tokio::task::spawn_blocking(move || app.reload().map(|_| ())).await;
            }
        }
    };
    let before = app.flights().landed();
    let stopped = tokio::select! {
        stopped = running.stop() => stopped,
        () = signals.asked() => {
            let stopped = Stopped::of(&app, before);
            stopped.log("ended at once by a second signal");
            return Ok(CUT);
        }
    };
    match failure {
        Some(reason) => Err(Failure::Work(anyhow::anyhow!(reason))),
        None => Ok(if stopped.is_clean() { 0 } else { CUT }),
    }
}

/// What the operator must change is usage; what the machine refuses is work that failed.
pub(super) fn refused(fault: StartFault) -> Failure {
    match fault {
        StartFault::Catalog(_) | StartFault::Clock(_) => Failure::Usage(fault.to_string()),
        StartFault::Open(_) | StartFault::Listen { .. } | StartFault::Io(_) => Failure::Work(fault.into()),
    }
}

/// SIGTERM and SIGINT. Listened to from the start of a process on: one that comes while the gateway starts, or between two waits, is not lost.
pub(super) struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    /// Listens from now on. Needs a runtime.
    pub(super) fn listen() -> Result<Self, Failure> {
        Ok(Self { term: listen(SignalKind::terminate())?, int: listen(SignalKind::interrupt())? })
    }

    /// Waits until the process is asked to stop.
    pub(super) async fn asked(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

fn listen(kind: SignalKind) -> Result<Signal, Failure> {
    Ok(signal(kind).context("the system's signals can't be listened to")?)
}
