//! `tidegate bench`: measures this machine with a gateway of its own in another process, a load, and a double. Figures, not judgements.

mod child;
mod load;
mod plugins;
mod soak;

use super::{Failure, output};
use crate::{config::Config, play::Script};
use anyhow::{Context, anyhow};
use child::{Child, Usage};
use clap::{Args, ValueEnum};
use load::{Load, Measured};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tidegate_clock::DomainClock;
use tidegate_double::{Category, Delays, Double, DoubleConfig, Number, Parameters, Template};
use tidegate_model::Timestamp;

const SECRET: &str = "bench-secret";
const TOKEN: &str = "bench-token";
const PHONE_NUMBER_ID: &str = "106540352242922";
/// Different customers: enough that their messages do not wait for each other.
const CUSTOMERS: u32 = 512;
/// Longest wait for the last message after the last webhook.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// What to measure.
    #[arg(long, value_enum, default_value_t = What::All)]
    what: What,
    /// Webhooks to send.
    #[arg(long, default_value_t = 20_000)]
    count: usize,
    /// Connections that send them.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Webhooks a second; as fast as they are answered when absent.
    #[arg(long)]
    rate: Option<u32>,
    /// Minutes that a soak takes.
    #[arg(long, default_value_t = 30)]
    minutes: u32,
    /// A packed plugin to measure, with the `fixtures` beside it; may be given more than once. The bundled plugins when absent.
    #[arg(long = "plugin", value_name = "FILE")]
    plugins: Vec<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Serve the same handler without storage (used by the bench itself).
    #[arg(long, hide = true)]
    baseline: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Everything below.
    All,
    /// Verify, store durably, answer; interpretation paused.
    Ingest,
    /// The same handler without storage.
    Baseline,
    /// Webhook to message accepted by the provider.
    Path,
    /// As `path`, with the three statuses of each message recorded.
    Statuses,
    /// As `statuses` for a long time, 300 webhooks a second when `--rate` names no other; a figure for each minute.
    Soak,
    /// Plugins by themselves: loading, an instance, an item, two threads, fifty plugins.
    Plugins,
}

pub(super) fn run(args: &BenchArgs) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from)?;
    runtime.block_on(async {
        if args.baseline {
            return child::serve_baseline(SECRET).await.map(|()| 0);
        }
        let chosen = match args.what {
            What::All => vec![What::Baseline, What::Ingest, What::Path, What::Statuses],
            one => vec![one],
        };
        for what in chosen {
            let figures = match what {
                What::Baseline => baseline(args).await?,
                What::Ingest => ingest(args).await?,
                What::Path | What::All => path(args, false).await?,
                What::Statuses => path(args, true).await?,
                What::Plugins => {
                    // Its calls run on threads of their own, as the gateway's do.
                    let figures = tokio::task::block_in_place(|| plugins::run(args))?;
                    figures.iter().for_each(|figures| show(args, figures));
                    continue;
                }
                What::Soak => {
                    soak::run(args).await?;
                    continue;
                }
            };
            show(args, &figures);
        }
        Ok(0)
    })
}

fn show(args: &BenchArgs, figures: &Value) {
    if args.json {
        return output::json(figures);
    }
    for (name, value) in figures.as_object().into_iter().flatten() {
        output::line(format!("{name:>28}  {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    }
    output::line("");
}

async fn baseline(args: &BenchArgs) -> Result<Value, Failure> {
    let child = Child::baseline()?;
    let load = Load {
        address: child.address,
        connections: args.connections,
        first: 0,
        count: args.count,
        rate: args.rate,
        requests: orders("/", 1)?,
    };
    let measured = load.run().await?;
    Ok(figures("baseline: verify, no storage", &measured, &child.usage()?))
}

async fn ingest(args: &BenchArgs) -> Result<Value, Failure> {
    let dir = tempfile::tempdir().map_err(anyhow::Error::from)?;
    let mut config = config(dir.path(), "http://127.0.0.1:9", "")?;
    config.workers.paused = true;
    let child = Child::gateway(dir.path(), &config).await?;
    let requests = orders("/in/shopify", 1)?;
    let load = Load {
        address: child.address,
        connections: args.connections,
        first: 0,
        count: args.count,
        rate: args.rate,
        requests,
    };
    let measured = load.run().await?;
    let mut shown = figures("ingest: verify, store, answer", &measured, &child.usage()?);
    let stats = child.stats().await?;
    shown["groups"] = stats["groups"].clone();
    Ok(shown)
}

async fn path(args: &BenchArgs, statuses: bool) -> Result<Value, Failure> {
    let dir = tempfile::tempdir().map_err(anyhow::Error::from)?;
    let double = double(statuses).await?;
    let config = config(dir.path(), double.url(), "")?;
    let child = Child::gateway(dir.path(), &config).await?;
    if statuses {
        let url = format!("http://{}/in/meta", child.address);
        double.script().set_webhook_url(PHONE_NUMBER_ID, Some(&url)).map_err(|error| anyhow!("{error}"))?;
    }
    let requests = orders("/in/shopify", CUSTOMERS)?;
    let before = (child.usage()?, child.stats().await?);
    let load = Load {
        address: child.address,
        connections: args.connections,
        first: 0,
        count: args.count,
        rate: args.rate,
        requests,
    };
    let started = tokio::time::Instant::now();
    let measured = load.run().await?;
    let count = args.count;
    let all_sent = double.script().wait_for(|record| (record.sent.len() >= count).then_some(()));
    tokio::time::timeout(PATIENCE, all_sent).await.context("not every message arrived")?;
    let sent_in = started.elapsed();
    if statuses {
        tokio::time::timeout(PATIENCE, double.script().settle()).await.context("not every status was delivered")?;
    }
    child.idle().await?;
    let (usage, stats) = (child.usage()?, child.stats().await?);
    let each = |value: f64| (value / count as f64 * 1_000.0).round() / 1_000.0;
    let rows =
        |stats: &Value| stats["rows_put"].as_f64().unwrap_or(0.0) + stats["rows_deleted"].as_f64().unwrap_or(0.0);
    let name = if statuses { "path with three statuses" } else { "path: webhook to accepted" };
    let mut shown = figures(name, &measured, &usage);
    shown["messages_per_s"] = json!((count as f64 / sent_in.as_secs_f64()).round());
    shown["row_operations_per_message"] = json!(each(rows(&stats) - rows(&before.1)));
    shown["gateway_cpu_ms_per_message"] = json!(each((usage.cpu - before.0.cpu).as_secs_f64() * 1_000.0));
    double.stop().await;
    Ok(shown)
}

fn figures(name: &str, measured: &Measured, usage: &Usage) -> Value {
    json!({
        "measured": name,
        "webhooks": measured.count,
        "not_200": measured.refused,
        "webhooks_per_s": measured.rate().round(),
        "p50_ms": measured.percentile_ms(0.50),
        "p99_ms": measured.percentile_ms(0.99),
        "gateway_cpu_s": (usage.cpu.as_secs_f64() * 100.0).round() / 100.0,
        "gateway_peak_memory_mb": usage.peak_bytes / 1_000_000,
    })
}

/// Signed orders of so many customers, as bytes of a request; `{id}` in them is each request's own.
fn orders(path: &str, customers: u32) -> Result<Vec<load::Request>, Failure> {
    let now = Timestamp::from_ms(DomainClock::system().now_ms());
    (0..customers)
        .map(|customer| {
            let mut script = Script::sample("shopify", "demo_order_placed").map_err(anyhow::Error::from)?;
            let phone = format!("+1202555{customer:04}");
            for place in [
                "/phone",
                "/customer/phone",
                "/shipping_address/phone",
                "/billing_address/phone",
                "/customer/default_address/phone",
            ] {
                // A sample need not have every place.
                let _ = script.set(place, &json!(phone).to_string());
            }
            let email = json!(format!("customer-{customer}@example.com")).to_string();
            for place in ["/email", "/contact_email", "/customer/email"] {
                let _ = script.set(place, &email);
            }
            let id = 1_000_000 + customer;
            script.set("/customer/id", &id.to_string()).map_err(anyhow::Error::from)?;
            // Orders of one id would wait for each other: they share what the plugin remembers.
            script.set("/id", &id.to_string()).map_err(anyhow::Error::from)?;
            script
                .set("/customer/admin_graphql_api_id", &format!("gid://shopify/Customer/{id}"))
                .map_err(anyhow::Error::from)?;
            script.freshen("shopify", load::ID_PLACE, now);
            let played = script.sign("shopify", SECRET, load::ID_PLACE, now).map_err(anyhow::Error::from)?;
            Ok(load::Request::new(path, &played))
        })
        .collect()
}

/// Writes the configuration of the gateway under test, with `more` sections, and reads it.
fn config(dir: &Path, graph: &str, more: &str) -> Result<Config, Failure> {
    let text = format!(
        r#"
[server]
listen = "127.0.0.1:0"
[data]
reserve_mib = 64
[log]
filter = "error"
[workspaces.bench]
flows = "flows"
templates = "templates"
default_sender = "bench"
[[endpoints]]
name = "shopify"
plugin = "shopify"
secrets = ["{SECRET}"]
[[endpoints]]
name = "meta"
plugin = "meta"
secrets = ["{SECRET}"]
[[connections]]
name = "shop"
endpoint = "shopify"
workspace = "bench"
[[connections]]
name = "whatsapp"
endpoint = "meta"
workspace = "bench"
[[senders]]
name = "bench"
workspace = "bench"
channel = "whatsapp"
phone_number_id = "{PHONE_NUMBER_ID}"
access_token = "{TOKEN}"
base_url = "{graph}"
{more}
"#
    );
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(dir.join("flows"))?;
        std::fs::create_dir_all(dir.join("templates"))?;
        std::fs::write(dir.join("flows/bench.yaml"), FLOW)?;
        std::fs::write(dir.join("templates/bench.yaml"), TEMPLATE)?;
        std::fs::write(dir.join("tidegate.toml"), &text)
    };
    write().map_err(anyhow::Error::from)?;
    Config::load(Some(&dir.join("tidegate.toml")), &[]).map_err(|fault| Failure::Work(anyhow!("{fault}")))
}

const FLOW: &str = r#"
flow: bench
on: order.placed
steps:
  - id: confirm
    send:
      template: order_confirmation
      parameters:
        first_name: "{{ contact.first_name | default('there') }}"
        number: "{{ event.order.number }}"
"#;

const TEMPLATE: &str = r#"
template: order_confirmation
category: utility
parameters: [first_name, number]
default_language: en
languages:
  en: { code: en, body: "Hi {{first_name}}, thank you for order {{number}}. We are on it." }
"#;

async fn double(statuses: bool) -> Result<Double, Failure> {
    let mut config = DoubleConfig::new(DomainClock::system());
    config.delays = Delays { sent_ms: 100, delivered_ms: Some(300), read_ms: Some(600) };
    config.lanes = if statuses { 64 } else { 1 };
    config.numbers = vec![Number {
        phone_number_id: PHONE_NUMBER_ID.to_owned(),
        waba_id: "102290129340398".to_owned(),
        display_phone_number: "15550783881".to_owned(),
        access_token: TOKEN.to_owned(),
        app_secret: SECRET.to_owned(),
        webhook_url: None,
    }];
    config.templates = vec![Template {
        name: "order_confirmation".to_owned(),
        language: "en".to_owned(),
        parameters: Parameters::Positional(2),
        category: Category::Utility,
        body: "Hi {{1}}, thank you for order {{2}}. We are on it.".to_owned(),
    }];
    Double::start(config).await.map_err(|error| Failure::Work(anyhow!("the double does not start: {error}")))
}
