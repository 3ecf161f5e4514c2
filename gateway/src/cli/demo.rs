//! `tidegate demo`: a gateway, a double of Meta's Graph API, and sample orders: every real part of the path, with no account anywhere.

mod house;
mod scenes;
mod watch;

use super::{Failure, output, serve};
use crate::{app::Running, config::LogFormat, telemetry};
use clap::Args;
use house::House;
use std::path::PathBuf;
use tidegate_clock::{ClockMode, DomainClock};

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Where the demo keeps its data between runs.
    #[arg(long, value_name = "DIR", default_value = "tidegate-demo")]
    data: PathBuf,
    /// Address to listen on; 127.0.0.1:8080, or a free port when that is taken.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Begin with an empty data directory.
    #[arg(long)]
    fresh: bool,
    /// Let the domain clock run so many times as fast.
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    speed: f64,
    /// End when every message was read: exit code 0, or 1 when one was not.
    #[arg(long)]
    once: bool,
    /// Print JSON, one object a line; the first says where everything is.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: DemoArgs) -> Result<u8, Failure> {
    let log = crate::config::Log { filter: "warn".to_owned(), format: LogFormat::Text };
    telemetry::start(&log).map_err(Failure::Usage)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from)?;
    runtime.block_on(demo(args))
}

async fn demo(args: DemoArgs) -> Result<u8, Failure> {
    let mut signals = serve::Signals::listen()?;
    let clock = clock(args.speed)?;
    let mut house = House::open(&args.data, args.fresh, clock.clone()).await?;
    let listen = house::free_address(args.listen.as_deref()).map_err(Failure::Work)?;
    let config = house.config(&listen)?;
    let running = Running::start(&config, Some(clock)).await.map_err(serve::refused)?;
    house.connect(&running)?;
    let doors = house.doors(&running);
    let mut watch = watch::Watch::new(args.json, &house);
    watch.opening(&running, &doors);
    let played = tokio::select! {
        played = scenes::play(&running, &house, &mut watch) => Some(played?),
        () = signals.asked() => None,
    };
    match played {
        Some(all_read) if args.once => watch.closing(all_read),
        Some(_) => {
            watch.next_steps(&doors);
            tokio::select! {
                failed = watch.follow(&running) => match failed? {},
                () = signals.asked() => {}
            }
        }
        None => {}
    }
    running.stop().await;
    house.close().await;
    Ok(u8::from(args.once && played != Some(true)))
}

fn clock(speed: f64) -> Result<DomainClock, Failure> {
    let mode = if (speed - 1.0).abs() < f64::EPSILON {
        ClockMode::System
    } else {
        ClockMode::Scaled { speed, start_ms: None }
    };
    DomainClock::new(mode).map_err(|error| Failure::Usage(format!("--speed: {error}")))
}

fn say(text: impl std::fmt::Display) {
    output::line(text);
}
