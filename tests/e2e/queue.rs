//! What is put aside: a plugin that fails costs nothing but its own items, and those are seen, tried again, or thrown away.

use crate::{
    bare, order_confirmation,
    plugin::{WELCOME, booked, booking, texts},
    shop, text,
};
use serde_json::{Value, json};
use std::time::Duration;
use tidegate_test_support::{Brittle, Customer, Gateway, Played, SHOPIFY_SECRET, shopify};

const SECOND: Duration = Duration::from_secs(1);

/// A booking that asks for trouble.
fn trouble(gateway: &Gateway, n: u32, what: &str) -> Played {
    let body = json!({"id": format!("B{n}"), "phone": Customer::nth(n).phone, "name": "Ann", "trouble": what});
    gateway.webhook("booking/made", &body)
}

/// The brittle plugin, as it is listed.
async fn brittle(gateway: &Gateway) -> Value {
    let found = gateway.plugins().await.into_iter().find(|plugin| plugin["id"] == "brittle");
    found.expect("the plugin is listed")
}

async fn states(gateway: &Gateway) -> Vec<String> {
    let mut states: Vec<String> = gateway.parked().await.iter().map(|row| text(row, "state").to_owned()).collect();
    states.sort();
    states
}

async fn pause_workers(gateway: &mut Gateway, paused: bool) {
    gateway.set("TIDEGATE_WORKERS__PAUSED", if paused { "true" } else { "false" });
    gateway.restart().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_fails_on_everything_is_paused_and_holds_up_no_other() {
    let mut gateway = bare().brittle().template(booked()).flow(WELCOME).start().await;
    // One worker: what the failing plugin takes, the others would miss.
    gateway.set("TIDEGATE_WORKERS__THREADS", "1");
    pause_workers(&mut gateway, true).await;
    for n in 0..40 {
        gateway.post("brittle", &booking(&gateway, n, None)).await.stored();
    }
    let order = gateway.orders(1, &Customer::nth(100)).await;
    pause_workers(&mut gateway, false).await;
    gateway.settle().await;

    assert_eq!(gateway.events_of("order.placed").await[0]["delivery"], order.as_str());
    let plugin = brittle(&gateway).await;
    // The first 24 together, then one by one until it is paused; the other 16 are never tried.
    assert_eq!((&plugin["calls"], &plugin["failures"], &plugin["state"]), (&json!(6), &json!(6), &json!("paused")));
    let parked = gateway.parked().await;
    let of = |state: &str| parked.iter().filter(|row| row["state"] == state).collect::<Vec<_>>();
    assert_eq!((of("parked").len(), of("paused").len()), (5, 35), "{parked:#?}");
    assert!(of("parked").iter().all(|row| text(row, "reason").contains("crashed") && row["attempts"] == 1));
    let reason = text(of("paused")[0], "reason");
    assert!(
        reason.starts_with("the plugin brittle@0.1.0 is paused since ") && reason.contains("after 5 failures"),
        "{reason}"
    );
    assert_eq!(of("paused")[0]["attempts"], 0);

    let shown = gateway.ask(&["plugin", "list"]).await;
    let line = shown.good().lines().find(|line| line.contains("brittle")).expect("it is listed");
    assert!(line.contains("0.1.0") && line.contains("paused since") && line.contains("16 MiB"), "{}", shown.out);
    let shopify = gateway.plugins().await.into_iter().find(|plugin| plugin["id"] == "shopify").expect("it is listed");
    assert_eq!((&shopify["state"], &shopify["calls"], &shopify["failures"]), (&json!("working"), &json!(1), &json!(0)));
    assert_eq!(shopify["digest"].as_str().map(str::len), Some(64));
    assert!(shopify["mean_us"].as_u64().is_some_and(|mean| mean > 0), "{shopify:#}");

    // Each try that fails costs one item, and makes the pause longer.
    gateway.advance(9 * SECOND).await;
    assert_eq!(brittle(&gateway).await["calls"], 6);
    gateway.advance(SECOND).await;
    assert_eq!(brittle(&gateway).await["calls"], 7);
    gateway.advance(10 * SECOND).await;
    assert_eq!(brittle(&gateway).await["calls"], 7);
    gateway.advance(10 * SECOND).await;
    assert_eq!(brittle(&gateway).await["calls"], 8);

    // A mended plugin reads what waited by itself, and what failed when it is asked to.
    gateway.install(Brittle::Mended);
    gateway.restart().await;
    gateway.settle().await;
    assert_eq!(states(&gateway).await, vec!["parked"; 7]);
    assert_eq!(gateway.events_of("appointment.booked").await.len(), 33);
    let answer = gateway.ask(&["queue", "retry", "--all", "--json"]).await.json();
    assert_eq!(answer, [json!({"done": 7, "skipped": 0})]);
    gateway.settle().await;
    assert_eq!(gateway.events_of("appointment.booked").await.len(), 40);
    assert_eq!(texts(&gateway).len(), 40, "one message for each booking");
    assert_eq!(gateway.ask(&["queue", "list"]).await.good().trim(), "nothing is put aside");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_paused_plugin_goes_on_by_itself_also_after_a_kill() {
    for killed in [false, true] {
        let mut gateway = bare().brittle().start().await;
        pause_workers(&mut gateway, true).await;
        for n in 0..5 {
            gateway.post("brittle", &booking(&gateway, n, None)).await.stored();
        }
        for n in 5..12 {
            gateway.post("brittle", &booking(&gateway, n, Some("Ann"))).await.stored();
        }
        pause_workers(&mut gateway, false).await;
        gateway.settle().await;
        assert_eq!(gateway.parked().await.len(), 12, "{:#?}", gateway.parked().await);
        if killed {
            gateway.kill9();
            gateway.start_again().await;
            gateway.settle().await;
        } else {
            gateway.advance(10 * SECOND).await;
        }
        assert_eq!(gateway.events().await.len(), 7, "killed: {killed}");
        assert_eq!(states(&gateway).await, vec!["parked"; 5], "killed: {killed}");
        assert_eq!(brittle(&gateway).await["state"], "working");
        gateway.expect_parked(5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_whose_plugin_says_later_is_tried_again_by_itself_and_left_in_the_end() {
    let mut gateway = bare().brittle().start().await;
    gateway.post("brittle", &trouble(&gateway, 1, "busy")).await.stored();
    gateway.settle().await;
    let mut pauses = Vec::new();
    for tries in 1..6 {
        let row = gateway.parked().await.remove(0);
        assert_eq!((text(&row, "state"), &row["attempts"]), ("waiting", &json!(tries)), "{row:#}");
        assert_eq!(text(&row, "reason"), "the booking tool is busy");
        if tries == 3 {
            gateway.kill9();
            gateway.start_again().await;
        }
        let mut waited = 0;
        while gateway.parked().await[0]["attempts"] == tries {
            gateway.advance(5 * SECOND * 4u32.pow(tries - 1)).await;
            waited += 1;
        }
        pauses.push(waited);
    }
    assert!(pauses.iter().all(|waited| (2..=3).contains(waited)), "pauses grow by four: {pauses:?}");
    let row = gateway.parked().await.remove(0);
    assert_eq!((text(&row, "state"), &row["attempts"]), ("parked", &json!(6)));
    gateway.advance(24 * 3_600 * SECOND).await;
    assert_eq!(gateway.parked().await[0]["attempts"], 6, "it waits for a person");
    assert_eq!(brittle(&gateway).await["failures"], 0, "the plugin itself did not fail");
    gateway.expect_parked(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limits_of_a_manifest_are_in_force() {
    let limits = "memory_bytes = 4194304, deadline_ms = 400, outcome_bytes = 65536, body_bytes = 4096";
    let mut gateway = bare().brittle_with(limits).start().await;
    for (what, reason, state) in [
        ("hang", "the plugin brittle did not answer within 400 ms", "waiting"),
        ("hoard", "the plugin brittle needs more than the 4096 KiB of memory that it may have", "parked"),
        ("dig", "endless recursion", "parked"),
        ("talk", "the plugin brittle returned more than the 64 KiB that one call may return", "parked"),
    ] {
        gateway.post("brittle", &trouble(&gateway, 1, what)).await.stored();
        gateway.settle().await;
        let row = gateway.parked().await.remove(0);
        assert!(text(&row, "reason").contains(reason), "{what}: {row:#}");
        assert_eq!(text(&row, "state"), state, "{what}");
    }
    let long = gateway.webhook("booking/made", &json!({"id": "x".repeat(5_000)}));
    assert_eq!(gateway.post("brittle", &long).await.status, 413);
    gateway.post("brittle", &booking(&gateway, 2, Some("Ann"))).await.stored();
    gateway.settle().await;
    assert_eq!(gateway.events().await.len(), 1, "an ordinary booking is read");
    let listed = brittle(&gateway).await;
    assert_eq!(listed["limits"]["outcome_bytes"], 65_536);
    assert_eq!(listed["limits"]["chunk_items"], 32);
    gateway.expect_parked(4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_has_as_many_items_as_the_manifest_allows() {
    for (most, calls) in [("32", 1), ("2", 3)] {
        let limits = format!("memory_bytes = 16777216, deadline_ms = 10000, chunk_items = {most}");
        let mut gateway = bare().brittle_with(&limits).start().await;
        pause_workers(&mut gateway, true).await;
        for n in 0..5 {
            gateway.post("brittle", &booking(&gateway, n, Some("Ann"))).await.stored();
        }
        pause_workers(&mut gateway, false).await;
        gateway.settle().await;
        assert_eq!((gateway.events().await.len(), &brittle(&gateway).await["calls"]), (5, &json!(calls)), "{most}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_over_the_host_s_own_are_refused_at_the_start_with_the_key_and_the_most() {
    for (limit, most) in [
        ("memory_bytes = 5000000000", "67108864"),
        ("deadline_ms = 10001", "10000"),
        ("chunk_items = 1001", "1000"),
        ("body_bytes = 67108865", "67108864"),
        ("outcome_bytes = 16777217", "16777216"),
    ] {
        let gateway = bare().brittle().start().await;
        gateway.install_with(Brittle::Defective, limit);
        let config = gateway.config().to_str().expect("a temporary folder is text").to_owned();
        // Another data directory, since this one is in use: the plugin is refused before anything listens.
        let printed = gateway.run(&["serve", "--config", &with_data(&config, "other-data")]).await;
        assert_eq!(printed.code, Some(2), "{printed:?}");
        let key = limit.split(' ').next().expect("there is a key");
        assert!(printed.err.contains(&format!("limits.{key}")) && printed.err.contains(most), "{}", printed.err);
    }
}

/// A copy of a configuration with another data directory, beside it.
fn with_data(config: &str, data: &str) -> String {
    let text = std::fs::read_to_string(config).expect("the configuration can be read");
    let copy = config.replace("tidegate.toml", "other.toml");
    std::fs::write(&copy, text.replace("dir = \"data\"", &format!("dir = {data:?}"))).expect("it can be written");
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_is_listed_by_what_is_sought_and_shown_with_its_history() {
    let mut gateway = shop().brittle().start().await;
    gateway.post("brittle", &booking(&gateway, 1, None)).await.stored();
    gateway.settle().await;
    gateway.advance(3_600 * SECOND).await;
    let body = json!({"id": 7, "line_items": 7});
    let order = gateway.post("shopify", &gateway.webhook("orders/create", &body)).await.stored();
    gateway.settle().await;

    let list = async |filter: &[&str]| {
        let rows = gateway.ask(&[&["queue", "list", "--json"], filter].concat()).await.json();
        rows.iter().map(|row| text(row, "endpoint").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list(&[]).await, ["shopify", "brittle"], "newest first");
    assert_eq!(list(&["--plugin", "brittle"]).await, ["brittle"]);
    assert_eq!(list(&["--plugin", "brittle@0.1.0"]).await, ["brittle"]);
    assert_eq!(list(&["--endpoint", "shopify"]).await, ["shopify"]);
    assert_eq!(list(&["--reason", "CRASHED"]).await, ["brittle"]);
    assert_eq!(list(&["--since", "30m"]).await, ["shopify"]);
    assert_eq!(list(&["--since", "2h"]).await.len(), 2);
    assert_eq!(list(&["--workspace", "main"]).await.len(), 2);
    assert_eq!(list(&["--workspace", "other"]).await, [""; 0]);
    assert_eq!(list(&["--kind", "message"]).await, [""; 0]);
    assert_eq!(list(&["--kind", "item", "--limit", "1"]).await, ["shopify"]);
    let wrong = gateway.ask(&["queue", "list", "--since", "yesterday"]).await;
    assert!(wrong.code == Some(2) && wrong.err.contains("--since"), "{wrong:?}");

    let table = gateway.ask(&["queue", "list"]).await;
    assert!(table.good().contains("REASON") && table.out.contains("orders/create"), "{}", table.out);
    let row = gateway.ask(&["queue", "list", "--json", "--plugin", "shopify"]).await.json().remove(0);
    assert!(text(&row, "id").starts_with("dlq_") && text(&row, "delivery") == order, "{row:#}");
    let item = gateway.show(text(&row, "item")).await.expect("the item is kept");
    assert_eq!(item["item"]["result"]["parked"]["letter"], row["id"], "{item:#}");

    gateway.advance(SECOND).await;
    let id = text(&row, "id");
    gateway.ask(&["queue", "retry", id]).await.good();
    gateway.settle().await;
    let shown = gateway.ask(&["queue", "show", id, "--json"]).await.json().remove(0);
    assert_eq!((&shown["attempts"], &shown["state"]), (&json!(2), &json!("parked")), "{shown:#}");
    assert_eq!(shown["first_reason"], shown["reason"]);
    assert!(text(&shown, "first_parked_at") < text(&shown, "parked_at"), "{shown:#}");
    assert_eq!(gateway.parked().await.len(), 2, "what fails again is the same letter");

    for (arguments, code, words) in [
        (&["queue", "show", "dlq_00000000000000000000000000"][..], 1, "there is no dlq_00000000000000000000000000"),
        (&["queue", "show", "evt_1"], 1, "dlq_"),
        (&["queue", "retry", "dlq_00000000000000000000000000"], 1, "there is no dlq_0"),
        (&["queue", "retry"], 2, "IDS"),
        (&["queue", "discard", id], 2, "--yes"),
    ] {
        let printed = gateway.ask(arguments).await;
        assert_eq!(printed.code, Some(code), "{arguments:?}: {printed:?}");
        assert!(printed.err.contains(words), "{arguments:?}: {}", printed.err);
    }
    gateway.expect_parked(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_discarded_leaves_a_trace_and_is_never_tried_again() {
    let mut gateway = bare().brittle().start().await;
    let ids = [
        gateway.post("brittle", &booking(&gateway, 1, None)).await.stored(),
        gateway.post("brittle", &booking(&gateway, 2, None)).await.stored(),
    ];
    gateway.settle().await;
    let rows = gateway.parked().await;
    let first = text(&rows[1], "id").to_owned();
    let discard = ["queue", "discard", &first, "--yes", "--by", "ann", "--why", "a test of ours"];
    assert_eq!(gateway.ask(&discard).await.good().trim(), "1 discarded");
    assert!(gateway.ask(&discard).await.good().starts_with("0 discarded"), "once is enough");

    assert_eq!(gateway.parked().await.len(), 1);
    let traces = gateway.ask(&["queue", "list", "--discarded", "--json"]).await.json();
    assert_eq!(traces.len(), 1);
    assert_eq!((text(&traces[0]["discarded"], "by"), text(&traces[0]["discarded"], "why")), ("ann", "a test of ours"));
    let table = gateway.ask(&["queue", "list", "--discarded"]).await;
    assert!(table.good().contains("by ann: a test of ours"), "{}", table.out);
    assert_eq!(gateway.ask(&["queue", "retry", &first, "--json"]).await.json()[0]["done"], 0);
    assert!(gateway.show(&ids[0]).await.expect("the delivery is kept")["body"]["id"] == "B1");

    gateway.install(Brittle::Mended);
    gateway.restart().await;
    let answer = gateway.ask(&["queue", "retry", "--all", "--json"]).await.json();
    assert_eq!(answer[0]["done"], 1, "the discarded one is not among all");
    gateway.settle().await;
    let events = gateway.events().await;
    assert_eq!((events.len(), text(&events[0], "delivery")), (1, ids[1].as_str()));
    let all = ["queue", "discard", "--all", "--yes", "--json"];
    assert_eq!(gateway.ask(&all).await.json()[0]["done"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_can_not_be_cut_is_put_aside_whole_and_tried_whole() {
    let mut gateway = bare().brittle().start().await;
    let id = gateway.post("brittle", &shopify("booking/made", "raw", vec![0xff, 0xfe], SHOPIFY_SECRET)).await.stored();
    gateway.settle().await;
    let row = gateway.parked().await.remove(0);
    assert_eq!((text(&row, "kind"), text(&row, "delivery")), ("delivery", id.as_str()), "{row:#}");
    assert!(text(&row, "reason").contains("not UTF-8"), "{row:#}");
    assert_eq!(gateway.ask(&["queue", "list", "--kind", "delivery", "--json"]).await.json().len(), 1);
    for attempts in 2..4 {
        let ask = ["queue", "retry", text(&row, "id"), text(&row, "id"), "--json"];
        assert_eq!(gateway.ask(&ask).await.json()[0]["done"], 1);
        gateway.settle().await;
        let rows = gateway.parked().await;
        assert_eq!((rows.len(), &rows[0]["attempts"], &rows[0]["id"]), (1, &json!(attempts), &row["id"]), "{rows:#?}");
    }
    let shown = gateway.ask(&["event", "replay", &id]).await;
    assert!(shown.good().ends_with("no difference\n"), "{}", shown.out);
    let applied = gateway.ask(&["event", "replay", &id, "--apply"]).await;
    assert!(applied.good().contains("the delivery is taken up again"), "{}", applied.out);
    gateway.settle().await;
    assert_eq!(gateway.parked().await[0]["attempts"], 4);
    gateway.expect_parked(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_letters_are_tried_in_bounded_pieces_each_once() {
    const MANY: u32 = 130;
    let mut gateway = bare().template(order_confirmation()).brittle().start().await;
    pause_workers(&mut gateway, true).await;
    for n in 0..MANY {
        // Two of three are read; so the plugin is not paused.
        gateway.post("brittle", &booking(&gateway, n, (n % 3 != 0).then_some("Ann"))).await.stored();
    }
    pause_workers(&mut gateway, false).await;
    gateway.settle().await;
    let left = gateway.parked().await.len();
    assert_eq!(left as u32, MANY.div_ceil(3));
    gateway.install(Brittle::Mended);
    gateway.restart().await;
    let two = tokio::join!(
        gateway.ask(&["queue", "retry", "--all", "--json"]),
        gateway.ask(&["queue", "retry", "--all", "--json"])
    );
    let done =
        [two.0.json(), two.1.json()].iter().map(|lines| lines[0]["done"].as_u64().expect("a number")).sum::<u64>();
    assert_eq!(done, left as u64, "two people who press the button at once act once");
    gateway.settle().await;
    assert!(gateway.parked().await.is_empty());
    assert_eq!(gateway.events().await.len() as u32, MANY);
}
