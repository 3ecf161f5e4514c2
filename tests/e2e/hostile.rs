//! A plugin that attacks, in a gateway that others use: each attack ends in its own item, the other shops are served all the while, and what it says of others changes
//! nothing of theirs.

use crate::{bare, shop, text};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tidegate_test_support::{Customer, Gateway, Played};

const MIB: usize = 1 << 20;

/// A webhook that has the plugin do this.
fn attack(gateway: &Gateway, topic: &str) -> Played {
    gateway.webhook(topic, &json!({"at": "once"}))
}

/// The hostile plugin, as it is listed.
async fn plugin(gateway: &Gateway) -> Value {
    let found = gateway.plugins().await.into_iter().find(|plugin| plugin["id"] == "hostile");
    found.expect("the plugin is listed")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attack_ends_in_its_own_item_with_its_reason_and_the_plugin_goes_on() {
    /// What ends a call, and what makes an outcome that is not taken.
    const ATTACKS: &[(&str, &str)] = &[
        ("attack/loop", "did not answer within 1000 ms"),
        ("attack/calls", "did not answer within 1000 ms"),
        ("attack/poll", "did not answer within 1000 ms"),
        ("attack/sleep", "did not answer within 1000 ms"),
        ("attack/prints", "did not answer within 1000 ms"),
        ("attack/random-flood", "did not answer within 1000 ms"),
        ("attack/memory", "needs more than the 16384 KiB of memory that it may have"),
        ("attack/stack", "it reached outside its memory (endless recursion?)"),
        ("attack/panic", "it gave up (a panic or an uncaught exception)"),
        ("attack/trap", "it gave up (a panic or an uncaught exception)"),
        ("attack/exit", "crashed"),
        ("attack/log-flood", "used up its log lines"),
        ("attack/handles", "used up its handles"),
        ("attack/not-utf8", "utf-8"),
        ("attack/outside", "out of bounds"),
        ("answer/duplicate-key", "is the key of event 0 already"),
        ("answer/empty-key", "expected 1 to 128 bytes, found 0"),
        ("answer/huge-key", "expected 1 to 128 bytes, found 1048576"),
        ("answer/deep-extra", "recursion limit exceeded"),
        ("answer/other-custom", "it is not as the schema of warranty.registered in plugin.toml says"),
        ("answer/undeclared-kind", "warranty.expired is no kind of the canonical model"),
        ("answer/large-state", "65537 bytes, and 65536 is the most"),
        ("answer/people", "257 of them, and 256 is the most"),
        ("answer/crowd", "1001 of them, and 1000 is the most"),
        ("answer/many-requests", "101 of them, and 100 is the most"),
        ("answer/huge-request", "bytes of URL, headers and body, and 65536 is the most"),
        ("answer/need-elsewhere", "the plugin may not read from evil.example.org"),
    ];
    let mut gateway = bare().hostile().start().await;
    for (parked, (topic, reason)) in ATTACKS.iter().enumerate() {
        let delivery = gateway.post("hostile", &attack(&gateway, topic)).await.stored();
        // Calls that work keep the plugin from being paused.
        for _ in 0..2 {
            gateway.settle().await;
            gateway.post("hostile", &attack(&gateway, "nothing")).await.stored();
        }
        gateway.settle().await;
        let found = gateway.parked().await;
        assert_eq!(found.len(), parked + 1, "{topic}: {found:#?}");
        let row = found.iter().find(|row| row["delivery"] == delivery.as_str());
        let row = row.unwrap_or_else(|| panic!("{topic}: its item is not among {found:#?}"));
        assert!(text(row, "reason").contains(reason), "{topic}: {row:#}");
    }
    assert!(gateway.events().await.is_empty(), "nothing of it came through");
    assert_eq!(plugin(&gateway).await["state"], "working");
    gateway.expect_parked(ATTACKS.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_as_large_as_may_be_are_stored_or_parked() {
    let mut gateway = bare().hostile().start().await;
    // A state of 64 KiB, each character six in JSON, again and again under the same key and under others.
    for key in ["a", "a", "b", "c"] {
        let webhook = gateway.webhook("answer/control-state", &json!({"key": key}));
        gateway.post("hostile", &webhook).await.stored();
    }
    // A thousand events of a thousand people: more than one commit may have.
    let crowd = gateway.post("hostile", &attack(&gateway, "answer/strangers")).await.stored();
    // An event of four mebibytes that can't be made smaller: more than a row may have.
    let noise = gateway.post("hostile", &attack(&gateway, "answer/noise")).await.stored();
    gateway.post("hostile", &attack(&gateway, "answer/good")).await.stored();
    gateway.settle().await;
    assert_eq!(gateway.events_of("cart.updated").await.len(), 10, "two of each delivery but those two");
    let parked = gateway.parked().await;
    let mut deliveries: Vec<&str> = parked.iter().map(|row| text(row, "delivery")).collect();
    deliveries.sort_unstable();
    let mut expected = [crowd.as_str(), noise.as_str()];
    expected.sort_unstable();
    assert_eq!(deliveries, expected, "{parked:#?}");
    gateway.expect_parked(2);
}

/// An order of the other shop: how long it took to be acknowledged, and until its message was with the provider.
async fn order(gateway: &Gateway, number: u32) -> (Duration, Duration) {
    let customer = Customer::nth(number);
    let webhook = gateway.order_webhook(number, &customer);
    let begun = now();
    gateway.post("shopify", &webhook).await.stored();
    let acknowledged = begun.elapsed();
    let sent = |gateway: &Gateway| gateway.sent().iter().any(|message| message.to == customer.digits());
    gateway.wait_until("the order's message", async |gateway| sent(gateway).then_some(())).await;
    (acknowledged, begun.elapsed())
}

#[expect(clippy::disallowed_methods, reason = "what is measured here is real time")]
fn now() -> Instant {
    Instant::now()
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_plugin_attacks_the_other_shops_are_served_in_time_and_in_bounded_memory() {
    /// Bounds for a machine that does other things: alone, an order takes some milliseconds.
    const ACKNOWLEDGED: Duration = Duration::from_secs(5);
    const SENT: Duration = Duration::from_secs(15);
    /// Of the whole process: the store's cache, compiled plugins, and what calls may hold.
    const MOST_MIB: usize = 512;
    const FLOODS: u32 = 30;
    /// Orders go on until it attacked so often.
    const ATTACKS: u64 = 5;
    /// More orders than a fast machine takes meanwhile.
    const MOST_ORDERS: u32 = 5_000;
    /// Every third webhook of the flood attacks; the others keep the plugin from being paused, so that it attacks all the while.
    const FLOOD: [&str; 12] = [
        "attack/loop",
        "nothing",
        "nothing",
        "attack/memory",
        "nothing",
        "nothing",
        "attack/handles",
        "nothing",
        "nothing",
        "attack/prints",
        "nothing",
        "nothing",
    ];
    let mut gateway = shop().hostile().start().await;
    gateway.set("TIDEGATE_WORKERS__THREADS", "2");
    gateway.restart().await;
    let before = gateway.peak_memory_bytes() / MIB;
    let mut taken = Vec::new();
    for number in 0..FLOODS {
        let flood: Vec<Played> = FLOOD.iter().map(|topic| attack(&gateway, topic)).collect();
        let answers = gateway.burst("hostile", &flood);
        taken.push(order(&gateway, number).await);
        for (_, answer) in answers.join_all().await {
            answer.expect("an answer").stored();
        }
    }
    for number in FLOODS..MOST_ORDERS {
        if plugin(&gateway).await["failures"].as_u64() > Some(ATTACKS) {
            break;
        }
        taken.push(order(&gateway, number).await);
    }
    let orders = taken.len();
    let (acknowledged, sent): (Vec<_>, Vec<_>) = taken.into_iter().unzip();
    let (acknowledged, sent) = (acknowledged.into_iter().max(), sent.into_iter().max());
    let calls = plugin(&gateway).await;
    assert!(calls["failures"].as_u64() > Some(ATTACKS), "it attacked while they ordered: {calls:#}");
    assert!(acknowledged < Some(ACKNOWLEDGED), "{acknowledged:?} until a webhook was answered");
    assert!(sent < Some(SENT), "{sent:?} until a message was sent");
    assert_eq!(gateway.sent().len(), orders);
    let after = gateway.peak_memory_bytes() / MIB;
    assert!(after < MOST_MIB, "{before} MiB at first, {after} after {orders} orders");
    // What is left of the flood need not be waited for: the next start would go on with it.
    gateway.kill9();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_fails_all_the_time_is_paused_and_the_others_are_not() {
    let mut gateway = shop().hostile().start().await;
    let flood: Vec<Played> = (0..30).map(|_| attack(&gateway, "attack/panic")).collect();
    for (_, answer) in gateway.burst("hostile", &flood).join_all().await {
        answer.expect("an answer").stored();
    }
    gateway.settle().await;
    let listed = plugin(&gateway).await;
    assert_eq!(listed["state"], "paused", "{listed:#}");
    order(&gateway, 1).await;
    gateway.settle().await;
    assert_eq!(gateway.sent().len(), 1);
    gateway.expect_parked(30);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_says_of_others_changes_nothing_of_theirs() {
    let mut gateway = shop().hostile().start().await;
    order(&gateway, 1).await;
    gateway.settle().await;
    let before = gateway.only_message().await;
    // It knows both ids of another business's message, and of that business's account.
    let ids = format!("{} {}", text(&before, "provider_id"), text(&before, "id"));
    gateway.post("hostile", &gateway.webhook("answer/forged-status", &json!(ids))).await.stored();
    gateway.post("hostile", &attack(&gateway, "answer/forged-connection")).await.stored();
    gateway.settle().await;
    assert_eq!(gateway.only_message().await, before, "the message is as it was");
    for kind in ["message.status_changed", "connection.disabled"] {
        let mut events = gateway.events_of(kind).await;
        events.retain(|event| event["connection"] == "hostile");
        assert_eq!(events.len(), 1, "{kind}: it is an event of the plugin's own connection, whatever it says");
    }
    order(&gateway, 2).await;
    gateway.settle().await;
    assert_eq!(gateway.sent().len(), 2, "and the other shop goes on");
    gateway.expect_parked(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_would_cost_much_to_compile_is_refused_and_the_gateway_goes_on() {
    let gateway = shop().hostile().start().await;
    gateway.install_bomb();
    let told = gateway.ask(&["reload"]).await;
    assert!(told.err.contains("and 500000 is the most"), "{told:?}");
    order(&gateway, 1).await;
    gateway.post("hostile", &attack(&gateway, "nothing")).await.stored();
    gateway.settle().await;
    assert!(gateway.parked().await.is_empty(), "the plugin that was loaded before is in force");
}
