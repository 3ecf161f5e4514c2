//! `tidegate plugin bench`: what calls of a plugin cost on this machine, and how far its limits are.

use super::{check::cases, output, project::packed, size, test::load};
use crate::cli::{Failure, progress::Line};
use anyhow::Context;
use clap::Args;
use serde::Serialize;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tidegate_plugin_host::{Measured, Plugin};
use tidegate_plugin_testing::{Answers, Fixture, interpret};
use tokio::runtime::Runtime;

/// Calls before those that count: caches are warm in a gateway too.
const WARM_UP: u32 = 10;

#[derive(Debug, Args)]
pub(in crate::cli) struct BenchArgs {
    /// A packed plugin with `fixtures` beside it, or the folder of one, which is built.
    #[arg(value_name = "FILE|DIR", default_value = ".")]
    given: PathBuf,
    /// Measure with this webhook (in the form of a fixture's webhook.json) instead of all fixtures.
    #[arg(long, value_name = "FILE")]
    webhook: Option<PathBuf>,
    /// Calls for each webhook.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    calls: u32,
    /// Print JSON, one object a line.
    #[arg(long)]
    json: bool,
}

/// What calls with one webhook cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Cost {
    case: String,
    items: usize,
    /// Of a call with a fresh instance, for each item.
    median_us: f64,
    p99_us: f64,
    /// Of the making of an instance alone.
    instantiate_us: f64,
    memory_bytes: u64,
    memory_limit: u64,
    /// The least `outcome_bytes` that would do.
    outcome_bytes: u64,
    outcome_limit: u64,
}

pub(super) fn run(args: &BenchArgs) -> Result<u8, Failure> {
    let folders = webhooks(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(anyhow::Error::from)?;
    let costs = {
        let _line = Line::new("building and measuring", None);
        let plugin = load(&packed(&args.given)?)?;
        let costs = folders.iter().map(|webhook| measure(&runtime, &plugin, webhook, args.calls));
        costs.collect::<Result<Vec<Cost>, Failure>>()?
    };
    if args.json {
        costs.iter().for_each(output::json);
        return Ok(0);
    }
    let header = ["CASE", "ITEMS", "MEDIAN µs", "P99 µs", "INSTANCE µs", "MEMORY", "OUTCOME"];
    output::table(&header, costs.iter().map(cells).collect(), "nothing was measured");
    output::line(format!("times are for one item, with a fresh instance for each of {} calls", args.calls));
    Ok(0)
}

fn cells(cost: &Cost) -> Vec<String> {
    vec![
        cost.case.clone(),
        cost.items.to_string(),
        format!("{:.0}", cost.median_us),
        format!("{:.0}", cost.p99_us),
        format!("{:.0}", cost.instantiate_us),
        share(cost.memory_bytes, cost.memory_limit),
        share(cost.outcome_bytes, cost.outcome_limit),
    ]
}

/// `1 MiB of 16 MiB`.
fn share(used: u64, limit: u64) -> String {
    format!("{} of {}", size(used), size(limit))
}

/// The files to measure with.
fn webhooks(args: &BenchArgs) -> Result<Vec<PathBuf>, Failure> {
    if let Some(file) = &args.webhook {
        return Ok(vec![file.clone()]);
    }
    let beside = if args.given.is_dir() {
        args.given.clone()
    } else {
        args.given.parent().map(Path::to_owned).unwrap_or_default()
    };
    let fixtures = beside.join("fixtures");
    let found: Vec<PathBuf> = cases(&fixtures).iter().map(|case| case.join("webhook.json")).collect();
    if found.is_empty() {
        let words = "holds no cases: name a webhook with --webhook";
        return Err(Failure::Usage(format!("{} {words}", fixtures.display())));
    }
    Ok(found)
}

fn measure(runtime: &Runtime, plugin: &Plugin, webhook: &Path, calls: u32) -> Result<Cost, Failure> {
    let folder = webhook.parent().unwrap_or(Path::new("."));
    let case = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let about = || webhook.display().to_string();
    let text = fs::read_to_string(webhook).with_context(about)?;
    let fixture = Fixture::parse(&text).with_context(about)?;
    let mut answers = Answers::of_case(folder).with_context(about)?;
    let called = runtime.block_on(interpret(plugin, &case, &fixture, &mut answers)).with_context(about)?;
    let most = usize::try_from(plugin.manifest().limits.chunk_items).unwrap_or(usize::MAX);
    let items = &called.items[..called.items.len().min(most)];
    let mut measured = Vec::with_capacity(calls as usize);
    for call in 0..WARM_UP + calls {
        let one = runtime.block_on(plugin.measure(&called.connection, items)).with_context(about)?;
        measured.extend(one.filter(|_| call >= WARM_UP));
    }
    let outcome_bytes = runtime.block_on(plugin.outcome_bytes(&called.connection, items));
    let limits = &plugin.manifest().limits;
    let call = |one: &Measured| one.call / u32::try_from(items.len()).unwrap_or(u32::MAX).max(1);
    Ok(Cost {
        case,
        items: items.len(),
        median_us: part(&measured, call, 0.5),
        p99_us: part(&measured, call, 0.99),
        instantiate_us: part(&measured, |one| one.instantiate, 0.5),
        memory_bytes: measured.iter().map(|one| one.memory_bytes).max().unwrap_or_default(),
        memory_limit: limits.memory_bytes,
        outcome_bytes: outcome_bytes.unwrap_or_default(),
        outcome_limit: limits.outcome_bytes,
    })
}

/// The time, in microseconds, below which this part of the calls lies.
fn part(measured: &[Measured], time: impl Fn(&Measured) -> Duration, part: f64) -> f64 {
    let mut times: Vec<Duration> = measured.iter().map(time).collect();
    times.sort_unstable();
    let place = ((times.len() as f64 * part).ceil() as usize).saturating_sub(1);
    times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_by_rank() {
        let measured: Vec<Measured> = (1..=100)
            .rev()
            .map(|us| Measured { instantiate: Duration::ZERO, call: Duration::from_micros(us), memory_bytes: 0 })
            .collect();
        assert_eq!(part(&measured, |one| one.call, 0.5), 50.0);
        assert_eq!(part(&measured, |one| one.call, 0.99), 99.0);
        assert_eq!(part(&measured[..1], |one| one.call, 0.99), 100.0);
        assert_eq!(part(&[], |one| one.call, 0.5), 0.0);
    }
}
