//! Figures: read by a scraper after a story that is known.

use crate::{PROGRAM, bare, shop};
use std::{collections::HashMap, time::Duration};
use tidegate_double::Failure;
use tidegate_test_support::{Customer, Figures, shopify};

#[tokio::test(flavor = "multi_thread")]
async fn a_story_is_in_the_figures() {
    let mut gateway = shop().max_body_bytes("meta", 100_000).start().await;
    gateway.set("TIDEGATE_SERVER__METRICS_LISTEN", "127.0.0.1:0");
    gateway.restart().await;
    let first = gateway.order_webhook(1, &Customer::nth(1));
    gateway.post("shopify", &first).await.stored();
    gateway.post("shopify", &first).await.stored();
    gateway.post("shopify", &shopify("orders/create", "x", "{}", "another secret")).await;
    gateway.post("shopify", &first.clone().without("x-shopify-hmac-sha256")).await;
    gateway.post("meta", &shopify("orders/create", "x", vec![b' '; 100_001], "s")).await;
    gateway.post("nowhere", &first).await;
    gateway.settle().await;
    gateway.script().fail_next(1, Failure::Code { code: 131026 });
    gateway.orders(2, &Customer::nth(2)).await;
    gateway
        .post("shopify", &shopify("orders/create", "bad", "no JSON", tidegate_test_support::SHOPIFY_SECRET))
        .await
        .stored();
    gateway.settle().await;
    gateway.writes(&Customer::nth(1), "STOP").await;
    gateway.orders(3, &Customer::nth(1)).await;
    gateway.settle().await;

    let figures = gateway.figures().await;
    let expected = [
        ("tidegate_webhooks_total{endpoint=\"shopify\",outcome=\"accepted\"}", 4.0),
        ("tidegate_webhooks_total{endpoint=\"shopify\",outcome=\"repeat\"}", 1.0),
        ("tidegate_webhooks_total{endpoint=\"shopify\",outcome=\"refused\"}", 2.0),
        ("tidegate_webhooks_total{endpoint=\"meta\",outcome=\"too_large\"}", 1.0),
        ("tidegate_webhooks_total{endpoint=\"\",outcome=\"unknown_endpoint\"}", 1.0),
        ("tidegate_webhooks_refused_total{endpoint=\"shopify\",reason=\"mismatch\"}", 1.0),
        ("tidegate_webhooks_refused_total{endpoint=\"shopify\",reason=\"missing\"}", 1.0),
        ("tidegate_webhook_receive_seconds_count{endpoint=\"shopify\"}", 5.0),
        ("tidegate_items_total{plugin=\"shopify\",outcome=\"done\"}", 3.0),
        ("tidegate_flows_started_total{workspace=\"main\",flow=\"order-confirmation\"}", 3.0),
        ("tidegate_runs_ended_total{workspace=\"main\",flow=\"order-confirmation\",state=\"completed\"}", 3.0),
        ("tidegate_gate_decisions_total{check=\"all\",verdict=\"sent\"}", 2.0),
        ("tidegate_gate_decisions_total{check=\"suppression\",verdict=\"refused\"}", 1.0),
        ("tidegate_send_attempts_total{sender=\"shop\",result=\"accepted\"}", 1.0),
        ("tidegate_send_attempts_total{sender=\"shop\",result=\"refused\"}", 1.0),
        ("tidegate_send_seconds_count{sender=\"shop\"}", 2.0),
        ("tidegate_sender_paused{sender=\"shop\"}", 0.0),
        ("tidegate_plugin_paused{plugin=\"shopify\"}", 0.0),
        ("tidegate_receiving_bytes", 0.0),
        ("tidegate_receiving_waits", 0.0),
        ("tidegate_sends_in_flight", 0.0),
        ("tidegate_ready_rows{queue=\"pure\"}", 0.0),
        ("tidegate_oldest_ready_age_seconds{queue=\"pure\"}", 0.0),
        ("tidegate_oldest_due_age_seconds", 0.0),
        ("tidegate_store_damaged_rows_total", 0.0),
        ("tidegate_store_healthy", 1.0),
        ("tidegate_accepting", 1.0),
    ];
    for (series, value) in expected {
        assert_eq!(figures.value(series), value, "{series}\n{}", figures.text());
    }
    let unreadable = figures.value("tidegate_items_total{plugin=\"shopify\",outcome=\"failed\"}")
        + figures.value("tidegate_items_total{plugin=\"shopify\",outcome=\"parked\"}");
    assert_eq!(unreadable, 1.0);
    for series in [
        "tidegate_store_commits_total",
        "tidegate_store_commit_seconds_count",
        "tidegate_store_group_batches_count",
        "tidegate_disk_free_bytes",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_open_fds",
    ] {
        assert!(figures.value(series) > 0.0, "{series}\n{}", figures.text());
    }
    lint(figures.text());
    gateway.ask(&["sender", "pause", "shop"]).await;
    assert_eq!(gateway.figures().await.value("tidegate_sender_paused{sender=\"shop\"}"), 1.0);
    assert!(
        !figures.text().contains(Customer::nth(1).digits())
            && !figures.text().contains("evt_")
            && !figures.text().contains("msg_")
    );

    let log = gateway.log_text();
    let address = log
        .lines()
        .rev()
        .find_map(|line| line.split_once("serves figures at /metrics address="))
        .expect("it is logged")
        .1;
    let url = format!("http://{}/metrics", address.trim());
    let answer = gateway.client().get(&url).send().await.expect("an answer");
    assert!(answer.headers()["content-type"].to_str().expect("text").starts_with("text/plain; version=0.0.4"));
    let outside = Figures::read(&answer.text().await.expect("a text"));
    assert_eq!(outside.value("tidegate_items_total{plugin=\"shopify\",outcome=\"done\"}"), 3.0);
    let elsewhere = gateway.url("x").replace("/in/x", "/metrics");
    assert_eq!(
        gateway.client().get(elsewhere).send().await.expect("an answer").status(),
        404,
        "the world is not shown figures"
    );
    gateway.expect_parked(1);
    gateway.expect_undelivered(2);
}

/// The rules that `promtool check metrics` has for the text.
fn lint(text: &str) {
    let mut kinds: HashMap<&str, &str> = HashMap::new();
    let mut series = HashMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            assert!(kinds.insert(name, kind).is_none(), "{name} is described twice");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
        } else if let Some(rest) = line.strip_prefix("# HELP ") {
            assert!(rest.split_once(' ').is_some_and(|(_, help)| !help.is_empty()), "{line}");
        } else {
            let (name, value) = line.rsplit_once(' ').expect("a sample");
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(series.insert(name, value).is_none(), "{name} comes twice");
            let family = name.split('{').next().unwrap_or_default();
            let bare = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| family.strip_suffix(suffix));
            let described =
                kinds.contains_key(family) || bare.is_some_and(|bare| kinds.get(bare) == Some(&"histogram"));
            assert!(described, "{line} has no description before it");
        }
    }
    assert!(kinds.len() > 30, "{}", kinds.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_waits_has_an_age() {
    let mut gateway = shop().start().await;
    gateway.set("TIDEGATE_WORKERS__PAUSED", "true");
    gateway.restart().await;
    gateway.orders(1, &Customer::nth(1)).await;
    let figures = gateway.figures().await;
    assert_eq!(figures.value("tidegate_ready_rows{queue=\"pure\"}"), 1.0);
    // No timer is due, so nothing but the clock moves.
    gateway.step_clock(Duration::from_secs(90)).await;
    let age = gateway.figures().await.value("tidegate_oldest_ready_age_seconds{queue=\"pure\"}");
    assert!((85.0..=90.0).contains(&age), "{age}");
    gateway.set("TIDEGATE_WORKERS__PAUSED", "false");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_by_a_command() {
    let gateway = bare().start().await;
    assert_eq!(gateway.ask(&["health"]).await.good().trim(), "ready");
    let nobody =
        std::process::Command::new(PROGRAM).args(["health", "--data", "/nowhere/at/all"]).output().expect("it runs");
    assert_eq!(nobody.status.code(), Some(2));
}
