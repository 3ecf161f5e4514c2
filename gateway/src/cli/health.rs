//! `tidegate health`: whether a running gateway takes webhooks, for health checks of containers.

use super::{Failure, Target, control::Control, output};
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct HealthArgs {
    #[command(flatten)]
    target: Target,
}

/// 0 when webhooks are taken, 1 when not, 2 when no gateway runs there.
pub(super) fn run(args: &HealthArgs) -> Result<u8, Failure> {
    let ready = Control::new(&args.target.data)?.get("/readyz")?;
    if args.target.json {
        output::json(&ready);
    } else {
        output::line("ready");
    }
    Ok(0)
}
