//! `tidegate event replay`: what a plugin would make of stored deliveries now, as a difference to what was made of them; and, when it is asked for, the writing of it.

use crate::{
    cli::{Failure, Target, control::Control, output, progress::Bar, queue::since_instant},
    depot::Reference,
};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use tidegate_model::Timestamp;

/// Longest value that is shown to people, in characters.
const SHOWN_CHARS: usize = 120;
/// Differences that are shown of many deliveries.
const SHOWN_DIFFERENCES: usize = 10;

#[derive(Debug, Args)]
pub(in crate::cli) struct ReplayArgs {
    #[command(flatten)]
    target: Target,
    /// An event, item or delivery: evt_…, itm_… or dlv_….
    #[arg(required_unless_present = "since", conflicts_with = "since")]
    id: Option<String>,
    /// A packed plugin to try instead of the one that is active, which is not installed by it; or a version that is here, such as shopify@0.2.0.
    #[arg(long, value_name = "FILE|ID@VERSION")]
    plugin: Option<PathBuf>,
    /// By the version that interpreted it then, when that is still here.
    #[arg(long, conflicts_with_all = ["plugin", "since"])]
    as_then: bool,
    /// Write down what is new: new events are recorded and may start flows, parked items are tried again.
    #[arg(long)]
    apply: bool,
    /// Read anew what the plugin needs from its provider, in place of the answers that were stored.
    #[arg(long, conflicts_with = "since")]
    refetch: bool,
    /// Compare everything that an endpoint received in the last 30m, 24h, 7d, … and write nothing.
    #[arg(long, value_name = "TIME", requires = "endpoint", conflicts_with = "apply")]
    since: Option<String>,
    /// The endpoint to compare.
    #[arg(long, value_name = "NAME", requires = "since")]
    endpoint: Option<String>,
}

pub(in crate::cli) fn run(args: &ReplayArgs) -> Result<u8, Failure> {
    let control = Control::new(&args.target.data)?;
    let plugin = load(&control, args)?;
    match (&args.id, &args.since, &args.endpoint) {
        (Some(id), ..) => one(&control, args, id, plugin.as_ref()),
        (None, Some(since), Some(endpoint)) => many(&control, args, since, endpoint, plugin.as_ref()),
        _ => Err(Failure::Usage("name what to replay: an id, or --since and --endpoint".to_owned())),
    }
}

/// Gives the gateway the plugin to try; its digest names it from then on.
fn load(control: &Control, args: &ReplayArgs) -> Result<Option<Value>, Failure> {
    let Some(file) = &args.plugin else { return Ok(None) };
    let name = file.to_str().unwrap_or_default();
    if let Ok(Reference::Version { .. }) = Reference::parse(name) {
        return Ok(Some(json!(name)));
    }
    let component = std::fs::read(file)
        .map_err(|error| Failure::Usage(format!("--plugin: {} can't be read: {error}", file.display())))?;
    Ok(Some(control.post_bytes("/v1/plugins/aside", component)?["digest"].clone()))
}

fn one(control: &Control, args: &ReplayArgs, id: &str, plugin: Option<&Value>) -> Result<u8, Failure> {
    let report = control.post(
        "/v1/replay",
        json!({"id": id, "plugin": plugin, "as_then": args.as_then, "apply": args.apply, "refetch": args.refetch}),
    )?;
    if args.target.json {
        output::json(&report);
        return Ok(0);
    }
    output::line(format!("{} as {} reads it", text(&report["delivery"]), text(&report["plugin"])));
    for item in report["items"].as_array().into_iter().flatten() {
        tell(item);
    }
    if report["same"] == true {
        output::line("no difference");
    } else if !args.apply {
        output::line("nothing was written; --apply writes down what is new");
    }
    Ok(0)
}

/// One item with its changes, for people.
pub(in crate::cli) fn tell(item: &Value) {
    let (was, now) = (item["was"]["result"].as_str().unwrap_or("not interpreted yet"), text(&item["now"]));
    let by = item["was"]["plugin"].as_str().map(|plugin| format!(" by {plugin}")).unwrap_or_default();
    let same = if item["same"] == true { ", no difference" } else { "" };
    output::line(format!("{} {}: was {was}{by}, now {now}{same}", text(&item["item"]), text(&item["topic"])));
    for change in item["changes"].as_array().into_iter().flatten() {
        output::line(format!("  {}", line(change)));
    }
    match item["applied"]["result"].as_str() {
        Some("written") => {
            let count = |key: &str| item["applied"][key].as_array().map_or(0, Vec::len);
            output::line(format!("  written: {} new events, {} flows started", count("new_events"), count("runs")));
        }
        Some("parked") => output::line("  parked again"),
        Some("asked") => output::line("  the delivery is taken up again"),
        Some(_) => output::line(format!("  nothing written: {}", text(&item["applied"]["why"]))),
        None => {}
    }
}

/// A change as a line: `~ event order.placed evt_…/order/total: "10" → "12"`.
fn line(change: &Value) -> String {
    let of = match (change["of"].as_str(), change["field"].as_str()) {
        (Some(of), Some(field)) => format!(" {of} {field}"),
        (Some(of), None) => format!(" {of}"),
        _ => String::new(),
    };
    let what = text(&change["what"]);
    let value = |key: &str| short(&change[key].to_string());
    // What is null is there; what is absent is not.
    match (change.get("was"), change.get("now")) {
        (Some(_), Some(_)) => format!("~ {what}{of}: {} → {}", value("was"), value("now")),
        (None, _) => format!("+ {what}{of}: {}", value("now")),
        (Some(_), None) => format!("- {what}{of}: {}", value("was")),
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

fn many(
    control: &Control,
    args: &ReplayArgs,
    since: &str,
    endpoint: &str,
    plugin: Option<&Value>,
) -> Result<u8, Failure> {
    let since = since_instant(control, since)?;
    let mut after = Value::Null;
    let (mut deliveries, mut unchanged, mut different, mut shown) = (0, 0, 0, Vec::new());
    let bar = Bar::new();
    loop {
        let asked = json!({"endpoint": endpoint, "since": since, "plugin": plugin, "after": after});
        let mut answer = control.post("/v1/replay/compare", asked)?;
        let count = |key: &str| answer[key].as_u64().unwrap_or_default();
        deliveries += count("deliveries");
        unchanged += count("unchanged");
        different += count("different");
        let told = answer["differences"].take();
        shown.extend(told.as_array().into_iter().flatten().take(SHOWN_DIFFERENCES - shown.len()).cloned());
        if answer["next"].is_null() {
            drop(bar);
            let summary = json!({"endpoint": endpoint, "plugin": answer["plugin"], "deliveries": deliveries, "unchanged": unchanged, "different": different, "differences": shown});
            return summarise(args, &summary);
        }
        let part = part(since, &answer["at"], &answer["now"]);
        bar.at(part, &format!("{deliveries} deliveries, {different} items differ"));
        after = answer["next"].take();
    }
}

/// How far a moment lies between the begin and now.
fn part(since: Timestamp, at: &Value, now: &Value) -> f64 {
    let ms = |value: &Value| value.as_str().and_then(|text| Timestamp::parse(text).ok()).map_or(0, Timestamp::ms);
    let whole = (ms(now) - since.ms()).max(1);
    (ms(at) - since.ms()) as f64 / whole as f64
}

fn summarise(args: &ReplayArgs, summary: &Value) -> Result<u8, Failure> {
    if args.target.json {
        output::json(summary);
        return Ok(0);
    }
    let (unchanged, different) = (&summary["unchanged"], &summary["different"]);
    output::line(format!(
        "{} deliveries of {} as {} reads them: {unchanged} items unchanged, {different} different",
        summary["deliveries"],
        text(&summary["endpoint"]),
        text(&summary["plugin"]),
    ));
    for item in summary["differences"].as_array().into_iter().flatten() {
        tell(item);
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_a_line_that_says_what_came_went_or_is_another() {
        let check = |change: Value, expected: &str| assert_eq!(line(&change), expected);
        check(
            json!({"what": "event", "of": "order.placed evt_1", "field": "/order/total", "was": "10", "now": "12"}),
            "~ event order.placed evt_1 /order/total: \"10\" → \"12\"",
        );
        check(json!({"what": "event", "of": "order.paid evt_2", "now": {}}), "+ event order.paid evt_2: {}");
        check(json!({"what": "trigger", "of": "first-order of x", "was": null}), "- trigger first-order of x: null");
        check(json!({"what": "state", "was": "a", "now": "b"}), "~ state: \"a\" → \"b\"");
        assert_eq!(line(&json!({"what": "state", "now": "é".repeat(300)})).chars().filter(|c| *c == 'é').count(), 119);
    }

    #[test]
    fn how_far_it_is_goes_by_time() {
        let since = Timestamp::from_ms(0);
        let at = |ms: i64| json!(Timestamp::from_ms(ms));
        assert_eq!(part(since, &at(5_000), &at(10_000)), 0.5);
        assert_eq!(part(since, &Value::Null, &at(0)), 0.0);
    }
}
