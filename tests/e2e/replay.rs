//! Replay: what a plugin would make of stored deliveries now, as a difference to what was made of them; and the writing of what is new.

use crate::{
    bare,
    plugin::{booked, booking, texts},
    text,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, path::PathBuf, time::Duration};
use tidegate_test_support::{Brittle, Customer, Gateway, Played};

const MOVED: &str = "
flow: moved
on: appointment.rescheduled
steps:
  - id: tell
    send:
      template: booked
      parameters: { number: \"{{ event.appointment.id }}\" }
";

/// A booking that was moved; only the mended plugin reads that, and the name.
fn moved(gateway: &Gateway, n: u32) -> Played {
    let body =
        json!({"id": format!("B{n}"), "phone": Customer::nth(n).phone, "name": format!("Robin{n}"), "moved": true});
    gateway.webhook("booking/made", &body)
}

/// The mended plugin as a file beside the gateway's configuration.
fn mended(gateway: &Gateway) -> String {
    let file: PathBuf = gateway.config().with_file_name("mended.wasm");
    std::fs::write(&file, Brittle::Mended.packed(crate::PROGRAM.as_ref())).expect("the plugin can be written");
    file.to_str().expect("a temporary folder is text").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_plugin_s_difference_is_shown_and_written_only_when_that_is_asked_for() {
    let gateway = bare().brittle().template(booked()).flow(MOVED).start().await;
    let delivery = gateway.post("brittle", &moved(&gateway, 1)).await.stored();
    gateway.settle().await;
    let events = gateway.events().await;
    assert_eq!(events.len(), 1);
    let event = text(&events[0], "id").to_owned();
    for id in [&delivery, &event] {
        let same = gateway.ask(&["event", "replay", id]).await;
        assert!(same.good().ends_with("no difference\n"), "{}", same.out);
    }

    let file = mended(&gateway);
    let before = gateway.stats().await["rows_put"].clone();
    let shown = gateway.ask(&["event", "replay", &event, "--plugin", &file]).await;
    for words in [
        "as brittle@0.1.1 reads it".to_owned(),
        "was interpreted by brittle@0.1.0, now interpreted".to_owned(),
        format!("+ event appointment.booked {event} /contact/fields"),
        "+ event appointment.rescheduled evt_".to_owned(),
        "--apply".to_owned(),
    ] {
        assert!(shown.good().contains(&words), "{words}: {}", shown.out);
    }
    let report = gateway.ask(&["event", "replay", &delivery, "--plugin", &file, "--json"]).await.json().remove(0);
    assert_eq!((&report["same"], &report["applied"]), (&json!(false), &json!(false)));
    let changes = report["items"][0]["changes"].as_array().expect("a list");
    let new: BTreeSet<&str> =
        changes.iter().filter(|change| change.get("field").is_none()).map(|change| text(change, "what")).collect();
    assert_eq!(new, BTreeSet::from(["event"]), "{report:#}");
    assert_eq!(gateway.stats().await["rows_put"], before, "nothing is written");
    assert!(texts(&gateway).is_empty());

    let applied =
        gateway.ask(&["event", "replay", &delivery, "--plugin", &file, "--apply", "--json"]).await.json().remove(0);
    let done = &applied["items"][0]["applied"];
    assert_eq!(
        (&done["result"], done["new_events"].as_array().map(Vec::len), done["runs"].as_array().map(Vec::len)),
        (&json!("written"), Some(1), Some(1))
    );
    gateway.settle().await;
    assert_eq!(texts(&gateway), ["Your booking B1 is made. See you."]);
    assert_eq!(gateway.events().await.len(), 2);
    let shown = gateway.show(&event).await.expect("the event is kept");
    assert_eq!(shown["plugin"], "brittle@0.1.1");
    let item: Value = gateway.show(text(&shown, "item")).await.expect("the item is kept");
    let earlier = &item["item"]["earlier"];
    assert_eq!(
        (text(&earlier[0], "plugin"), text(&earlier[0], "result")),
        ("brittle@0.1.0", "1 events: appointment.booked")
    );

    // Once more is no difference, and starts nothing.
    let again = gateway.ask(&["event", "replay", &delivery, "--plugin", &file, "--apply"]).await;
    assert!(again.good().ends_with("no difference\n"), "{}", again.out);
    // The plugin that is loaded would take the event away: that is shown, and nothing is undone.
    let back = gateway.ask(&["event", "replay", &delivery]).await;
    assert!(back.good().contains("- event appointment.rescheduled"), "{}", back.out);
    gateway.settle().await;
    assert_eq!((texts(&gateway).len(), gateway.events().await.len()), (1, 2));
    assert!(gateway.plugins().await.iter().all(|plugin| plugin["version"] != "0.1.1"), "it is not installed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_come_of_a_parked_item_is_shown_before_it_is_tried() {
    let gateway = bare().brittle().template(booked()).start().await;
    let delivery = gateway.post("brittle", &booking(&gateway, 1, None)).await.stored();
    gateway.settle().await;
    let file = mended(&gateway);
    let same = gateway.ask(&["event", "replay", &delivery]).await;
    assert!(same.good().contains("was parked by brittle@0.1.0, now parked, no difference"), "{}", same.out);
    let shown = gateway.ask(&["event", "replay", &delivery, "--plugin", &file]).await;
    assert!(shown.good().contains("was parked by brittle@0.1.0, now interpreted"), "{}", shown.out);
    assert!(shown.out.contains("+ event appointment.booked"), "{}", shown.out);
    assert_eq!(gateway.parked().await[0]["attempts"], 1, "looking is no try");
    let failed = gateway.ask(&["event", "replay", &delivery, "--apply"]).await;
    assert!(failed.good().contains("parked again"), "{}", failed.out);
    assert_eq!(gateway.parked().await[0]["attempts"], 2);
    let done = gateway.ask(&["event", "replay", &delivery, "--plugin", &file, "--apply"]).await;
    assert!(done.good().contains("written: 1 new events"), "{}", done.out);
    assert!(gateway.parked().await.is_empty());
    assert_eq!(gateway.events().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_a_time_is_compared_at_once() {
    let gateway = bare().brittle().start().await;
    gateway.post("brittle", &moved(&gateway, 0)).await.stored();
    gateway.settle().await;
    gateway.advance(Duration::from_secs(7_200)).await;
    for n in 1..60 {
        let played = if n % 10 == 0 { moved(&gateway, n) } else { booking(&gateway, n, Some("Ann")) };
        gateway.post("brittle", &played).await.stored();
    }
    gateway.orders(1, &Customer::nth(99)).await;
    gateway.settle().await;
    let file = mended(&gateway);
    let compare = async |more: &[&str]| {
        let all = [&["event", "replay", "--endpoint", "brittle", "--json"], more].concat();
        gateway.ask(&all).await.json().remove(0)
    };
    let same = compare(&["--since", "1h"]).await;
    assert_eq!((&same["deliveries"], &same["unchanged"], &same["different"]), (&json!(59), &json!(59), &json!(0)));
    let other = compare(&["--since", "1h", "--plugin", &file]).await;
    assert_eq!((&other["deliveries"], &other["different"]), (&json!(59), &json!(5)), "{other:#}");
    assert_eq!(other["differences"].as_array().map(Vec::len), Some(5));
    assert_eq!(compare(&["--since", "1d"]).await["deliveries"], 60);
    let shown = gateway.ask(&["event", "replay", "--since", "1h", "--endpoint", "brittle", "--plugin", &file]).await;
    assert!(
        shown.good().contains("59 deliveries of brittle as brittle@0.1.1 reads them: 54 items unchanged, 5 different"),
        "{}",
        shown.out
    );
    assert!(shown.out.contains("+ event appointment.rescheduled"), "{}", shown.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_replayed_is_said() {
    let gateway = bare().brittle().start().await;
    let delivery = gateway.post("brittle", &booking(&gateway, 1, Some("Ann"))).await.stored();
    gateway.settle().await;
    let config = gateway.config().to_str().expect("a temporary folder is text");
    for (arguments, code, words) in [
        (&["event", "replay", "evt_00000000000000000000000000"][..], 1, "there is no evt_0"),
        (&["event", "replay", "msg_00000000000000000000000000"], 1, "evt_, itm_ or dlv_"),
        (&["event", "replay", &delivery, "--plugin", "nowhere.wasm"], 2, "nowhere.wasm can't be read"),
        (&["event", "replay", &delivery, "--plugin", config], 1, "WebAssembly component"),
        (&["event", "replay"], 2, "ID"),
        (&["event", "replay", "--since", "1h"], 2, "--endpoint"),
        (&["event", "replay", "--since", "1h", "--endpoint", "brittle", "--apply"], 2, "--apply"),
        (&["event", "replay", "--since", "1h", "--endpoint", "none"], 1, "\"none\" is not configured"),
    ] {
        let printed = gateway.ask(arguments).await;
        assert_eq!(printed.code, Some(code), "{arguments:?}: {printed:?}");
        assert!(printed.err.contains(words), "{arguments:?}: {}", printed.err);
    }
}
