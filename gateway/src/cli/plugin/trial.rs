//! The dry run of an upgrade: what was received lately, through the active version and the other one, and where they differ.

use super::switch::{UpgradeArgs, wants};
use crate::cli::{Failure, control::Control, event, output, progress::Bar, queue::since_instant};
use serde_json::{Map, Value, json};

/// Differences that are shown.
const SHOWN: usize = 10;
/// Figures that are added up over the pages of a comparison.
const COUNTED: [&str; 8] =
    ["deliveries", "unchanged", "different", "failing", "newly_failing", "mended", "now_us", "before_us"];

pub(super) fn run(control: &Control, args: &UpgradeArgs, plan: &Value) -> Result<u8, Failure> {
    if plan["from"].is_null() {
        return Err(Failure::Usage(format!(
            "no version of {} is active: there is nothing to hold it against",
            args.id
        )));
    }
    let since = since_instant(control, &args.since)?;
    let mut sums: Map<String, Value> = COUNTED.iter().map(|key| ((*key).to_owned(), json!(0))).collect();
    let mut shown: Vec<Value> = Vec::new();
    let bar = Bar::new();
    for endpoint in plan["endpoints"].as_array().into_iter().flatten() {
        let mut after = Value::Null;
        loop {
            let mut page = control.post(
                "/v1/replay/compare",
                json!({
                    "endpoint": endpoint, "since": since, "after": after, "connection": args.connection,
                    "plugin": plan["to"]["digest"], "against": plan["from"]["digest"],
                }),
            )?;
            for key in COUNTED {
                let sum = sums[key].as_u64().unwrap_or_default() + page[key].as_u64().unwrap_or_default();
                sums[key] = json!(sum);
            }
            let told = page["differences"].take();
            shown.extend(told.as_array().into_iter().flatten().take(SHOWN - shown.len().min(SHOWN)).cloned());
            bar.at(0.0, &format!("{} deliveries, {} items differ", sums["deliveries"], sums["different"]));
            after = page["next"].take();
            if after.is_null() {
                break;
            }
        }
    }
    drop(bar);
    let count = |key: &str| sums[key].as_u64().unwrap_or_default();
    let items = count("unchanged") + count("different");
    let mean = |key: &str| count(key).checked_div(items);
    let mut report = plan.clone();
    report["trial"] = json!({
        "since": since, "items": items, "deliveries": count("deliveries"), "unchanged": count("unchanged"),
        "different": count("different"), "failing": count("failing"), "newly_failing": count("newly_failing"),
        "mended": count("mended"), "mean_us": mean("now_us"), "mean_us_active": mean("before_us"), "differences": shown,
    });
    if args.target.json {
        output::json(&report);
    } else {
        tell(plan, &report["trial"]);
    }
    Ok(0)
}

fn tell(plan: &Value, trial: &Value) {
    let version = |which: &str| plan[which]["version"].as_str().unwrap_or("-");
    let (from, to) = (version("from"), version("to"));
    output::line(format!(
        "{} deliveries through {from} and {to}: {} items are read alike, {} otherwise",
        trial["deliveries"], trial["unchanged"], trial["different"]
    ));
    output::line(format!(
        "{} items would fail with {to}, of which {} do not with {from}; {} that fail with {from} would not",
        trial["failing"], trial["newly_failing"], trial["mended"]
    ));
    if let (Some(now), Some(active)) = (trial["mean_us"].as_u64(), trial["mean_us_active"].as_u64()) {
        output::line(format!("{now} µs an item, {active} µs with {from}"));
    }
    for item in trial["differences"].as_array().into_iter().flatten() {
        event::tell_item(item);
    }
    wants(plan);
    output::line("nothing was switched");
}
