//! `tidegate serve`: runs the gateway until it is told to stop.

use super::{Failure, config};
use crate::{
    app::{Running, StartFault},
    telemetry,
};
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;
use tokio::signal::unix::{Signal, SignalKind, signal};

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

pub(super) fn run(args: &ServeArgs) -> Result<u8, Failure> {
    let config = config::load(Some(&args.config))?;
    telemetry::start(&config.log).map_err(Failure::Usage)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from)?;
    runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let running = Running::start(&config, None).await.map_err(refused)?;
        let failure = tokio::select! {
            failure = running.failed() => failure,
            () = signals.asked() => None,
        };
        running.stop().await;
        match failure {
            Some(reason) => Err(Failure::Work(anyhow::anyhow!(reason))),
            None => Ok(0),
        }
    })
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
        let listen = |kind| signal(kind).context("the system's signals can't be listened to");
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
