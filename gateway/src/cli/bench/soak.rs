//! The soak: the same load for a long time, and what each minute of it was like. What grows without end shows here.
//!
//! The gateway's days pass in a minute and a half, so that all that is kept by age reaches the size that it keeps before the middle of half an hour.

use super::{BenchArgs, CUSTOMERS, Failure, PHONE_NUMBER_ID, child::Child, config, double, load::Load, orders, show};
use anyhow::anyhow;
use serde_json::{Value, json};

/// Webhooks a second when nothing is asked for; each has a message and three statuses. A machine of two cores keeps this up beside its load.
const RATE: u32 = 300;
/// A day is 86 seconds; what is older goes but for marks against repeats, which stay for nine.
const FAST_DAYS: &str = "[clock]\nmode = \"scaled:1000\"\n[retention]\nmax_rows = 1000\n";
/// Seconds of one line.
const LINE_S: u32 = 60;

/// Runs for so many minutes; shows a line for each, and at the end how memory went.
pub(super) async fn run(args: &BenchArgs) -> Result<(), Failure> {
    let rate = args.rate.unwrap_or(RATE);
    let dir = tempfile::tempdir().map_err(anyhow::Error::from)?;
    let double = double(true).await?;
    let config = config(dir.path(), double.url(), FAST_DAYS)?;
    let child = Child::gateway(dir.path(), &config).await?;
    let url = format!("http://{}/in/meta", child.address);
    double.script().set_webhook_url(PHONE_NUMBER_ID, Some(&url)).map_err(|error| anyhow!("{error}"))?;
    let requests = orders("/in/shopify", CUSTOMERS)?;
    let log = config.data.dir.join("store/db");
    let mut memory = Vec::new();
    let (mut cpu, count) = (child.usage()?.cpu, (rate * LINE_S) as usize);
    for minute in 0..args.minutes {
        let load = Load {
            address: child.address,
            connections: args.connections,
            first: minute as usize * count,
            count,
            rate: Some(rate),
            requests: requests.clone(),
        };
        let measured = load.run().await?;
        let (usage, stats) = (child.usage()?, child.stats().await?);
        memory.push(usage.resident_bytes);
        show(
            args,
            &json!({
                "minute": minute + 1,
                "webhooks": measured.count,
                "not_200": measured.refused,
                "p50_ms": measured.percentile_ms(0.50),
                "p99_ms": measured.percentile_ms(0.99),
                "memory_mb": usage.resident_bytes / 1_000_000,
                "cpu_s": (usage.cpu - cpu).as_secs_f64(),
                "ready": stats["ready"],
                "timers": stats["timers"],
                "store_mb": std::fs::metadata(&log).map_or(0, |log| log.len() / 1_000_000),
            }),
        );
        cpu = usage.cpu;
    }
    child.idle().await?;
    show(args, &summary(&memory, child.usage()?.peak_bytes));
    double.stop().await;
    Ok(())
}

/// The median memory of the second third, and of the last: the first third is for warming up.
fn summary(memory: &[u64], peak: u64) -> Value {
    let third = memory.len() / 3;
    let median = |part: &[u64]| {
        let mut part = part.to_vec();
        part.sort_unstable();
        part.get(part.len() / 2).copied().unwrap_or(0) / 1_000_000
    };
    let second = memory.get(third..2 * third).unwrap_or_default();
    let last = memory.get(2 * third..).unwrap_or_default();
    json!({
        "measured": "soak: memory",
        "memory_second_third_mb": median(second),
        "memory_last_third_mb": median(last),
        "peak_memory_mb": peak / 1_000_000,
    })
}
