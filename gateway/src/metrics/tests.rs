//! Names, kinds and the page that documents them.

use super::*;
use std::path::Path;

#[test]
fn names_follow_prometheus_rules() {
    for Described { name, kind, labels, help } in Metrics::new().list() {
        let plain =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        assert!(plain(name) && labels.iter().all(|label| plain(label)), "{name}");
        assert!(name.starts_with("tidegate_") || name.starts_with("process_"), "{name}");
        assert_eq!(name.ends_with("_total"), *kind == "counter", "{name}: counters end with _total, and only they");
        for unit in ["_ms", "_milliseconds", "_minutes", "_kib", "_mib", "_percent"] {
            assert!(!name.contains(unit), "{name}: base units only");
        }
        for suffix in ["_count", "_sum", "_bucket"] {
            assert!(!name.ends_with(suffix), "{name}: kept for histograms");
        }
        assert!(!help.is_empty() && !help.ends_with('.'), "{name}: {help:?}");
        for label in *labels {
            assert!(
                !["id", "le", "phone", "email", "contact", "delivery", "message", "run"].contains(label),
                "{name}: {label}"
            );
        }
    }
}

#[test]
fn every_family_is_documented_and_every_documented_one_is_there() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operation.md");
    let page = std::fs::read_to_string(page).unwrap();
    let kinds = ["counter", "gauge", "histogram"];
    let is_row = |line: &&str| kinds.iter().any(|kind| line.contains(&format!("` | {kind} |")));
    let documented: Vec<&str> = page.lines().filter(is_row).collect();
    let metrics = Metrics::new();
    let expected: Vec<String> = metrics
        .list()
        .iter()
        .map(|Described { name, kind, labels, help }| {
            let labels = labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
            format!("| `{name}` | {kind} | {labels} | {help} |").replace("|  |", "| |")
        })
        .collect();
    assert_eq!(documented, expected, "the table of docs/operation.md is\n{}", expected.join("\n"));
}

#[test]
fn what_is_counted_is_shown() {
    let metrics = Metrics::new();
    let endpoint = metrics.endpoint("shop");
    endpoint.webhooks(Taken::Accepted).inc();
    endpoint.refused(RefusedFor::Mismatch).inc();
    endpoint.receive.observe(0.002);
    metrics.plugin("shopify").items(Interpreted::Duplicate).inc();
    let text = metrics.render();
    for line in [
        "tidegate_webhooks_total{endpoint=\"shop\",outcome=\"accepted\"} 1",
        "tidegate_webhooks_total{endpoint=\"shop\",outcome=\"repeat\"} 0",
        "tidegate_webhooks_refused_total{endpoint=\"shop\",reason=\"mismatch\"} 1",
        "tidegate_webhook_receive_seconds_bucket{le=\"0.0025\",endpoint=\"shop\"} 1",
        "tidegate_items_total{plugin=\"shopify\",outcome=\"duplicate\"} 1",
        "# TYPE tidegate_build_info gauge",
    ] {
        assert!(text.lines().any(|held| held == line), "{line} is not in\n{text}");
    }
    let resident = text.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes ")).unwrap();
    assert!(resident.parse::<f64>().unwrap() > 1e6, "{resident}");
}
