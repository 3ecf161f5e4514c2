//! A store that is connected: its webhooks are made, signed with a secret that only the two know; and what is lost in a bad hour is made good, once.

use crate::{shop, text};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};
use tidegate_test_support::{AccountFailure, Gateway, HookStatus, Setup, WooStore, fixture};

const KEY: &str = "ck_5d1c9e77aa4d23b6f0c8de91";
const SECRET: &str = "cs_0b5c9e1f77aa4d23b6f0c8de";
/// Topics that the plugin reads.
const TOPICS: usize = 7;

fn connected(store: &WooStore) -> Setup {
    let connection = format!(
        "settings = {{ store = {authority:?}, tls = false }}\ncredentials = {{ consumer_key = {KEY:?}, consumer_secret = {SECRET:?} }}\n",
        authority = store.authority()
    );
    let config = format!("[plugins.woocommerce]\nprivate_hosts = [{:?}]\n", store.authority());
    shop().provider_with("woocommerce", &["generated"], &connection, &config)
}

async fn open() -> (Gateway, WooStore) {
    let clock = tidegate_test_support::stepped();
    let store = WooStore::start(clock.clone(), KEY, SECRET).await.expect("the store opens");
    let gateway = connected(&store).on(clock).start().await;
    (gateway, store)
}

fn order(n: u32) -> Value {
    let mut order = fixture("woocommerce", "demo_order_created");
    order["billing"]["phone"] = json!(format!("+39 340 123 {n:04}"));
    order["billing"]["email"] = json!(format!("customer{n}@example.com"));
    order["status"] = json!("processing");
    order["date_paid_gmt"] = Value::Null;
    order
}

/// Whether a file below a folder has this text in it.
fn holds(folder: &Path, text: &str) -> bool {
    let entries = std::fs::read_dir(folder).expect("the folder can be read").flatten().map(|entry| entry.path());
    entries.into_iter().any(|path| match path.is_dir() {
        true => holds(&path, text),
        false => std::fs::read(&path).is_ok_and(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes())),
    })
}

async fn settle(gateway: &Gateway, store: &WooStore) {
    store.settle().await;
    gateway.settle().await;
}

async fn check(gateway: &Gateway) -> Value {
    let asked = gateway.ask(&["connection", "check", "woocommerce", "--json"]).await;
    serde_json::from_str(asked.out.trim()).unwrap_or_else(|error| panic!("{error}: {}{}", asked.out, asked.err))
}

fn findings(shown: &Value) -> Vec<&str> {
    shown["findings"].as_array().into_iter().flatten().map(|finding| text(finding, "problem")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscribed_store_sends_webhooks_that_are_signed_with_the_generated_secret() {
    let (gateway, store) = open().await;
    let before = check(&gateway).await;
    assert_eq!(text(&before, "state"), "not subscribed", "{before:#}");
    let done = gateway.ask(&["connection", "subscribe", "woocommerce"]).await;
    assert!(done.good().contains("order.created active"), "{}", done.out);
    let hooks = store.webhooks();
    assert_eq!(hooks.len(), TOPICS);
    assert!(hooks.iter().all(|hook| hook.secret.len() == 64 && hook.secret == hooks[0].secret), "one secret for all");
    store.place(&order(1));
    settle(&gateway, &store).await;
    assert_eq!(gateway.sent().len(), 1, "the order is confirmed");
    assert_eq!(gateway.events_of("order.placed").await.len(), 1);

    // Nothing that an operator sees, and nothing that is stored, holds the secret.
    let shown = check(&gateway).await;
    assert!(!shown.to_string().contains(&hooks[0].secret) && !done.out.contains(&hooks[0].secret));
    assert!(!gateway.log_text().contains(&hooks[0].secret));
    assert!(!holds(&gateway.data(), &hooks[0].secret), "the store's files hold it sealed only");

    gateway.ask(&["connection", "unsubscribe", "woocommerce"]).await.good();
    assert!(store.webhooks().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribing_again_makes_nothing_twice_and_a_rotation_keeps_both_secrets_live() {
    let (gateway, store) = open().await;
    gateway.ask(&["connection", "subscribe", "woocommerce"]).await.good();
    let first = store.webhooks();
    gateway.ask(&["connection", "subscribe", "woocommerce"]).await.good();
    assert_eq!(store.webhooks(), first, "the same webhooks with the same secret");
    gateway.ask(&["connection", "subscribe", "woocommerce", "--rotate"]).await.good();
    let second = store.webhooks();
    assert_eq!(second.len(), TOPICS);
    assert!(second.iter().all(|hook| hook.secret != first[0].secret));
    for (n, secret) in [(1, &first[0].secret), (2, &second[0].secret)] {
        let body = order(n);
        let played = tidegate_test_support::woocommerce("order.created", &format!("d{n}"), body.to_string(), secret);
        assert_eq!(gateway.post("woocommerce", &played).await.status, 200, "the secret {n} is live");
    }
    // Fewer topics: what else went there would be signed with a secret that is forgotten one day.
    gateway.ask(&["connection", "subscribe", "woocommerce", "--topic", "order.created"]).await.good();
    assert_eq!(store.webhooks().len(), 1);
    gateway.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_hour_is_made_good_and_each_event_is_told_once() {
    let (gateway, store) = open().await;
    gateway.ask(&["connection", "subscribe", "woocommerce"]).await.good();
    let old = store.place(&order(1));
    settle(&gateway, &store).await;
    assert_eq!(gateway.sent().len(), 1);

    // The store can't reach the gateway: its webhooks are lost, and then switched off.
    store.cut_off(true);
    gateway.step_clock(Duration::from_secs(120)).await;
    let lost = (2..10).map(|n| store.place(&order(n))).collect::<Vec<_>>();
    store.change(old, &json!({"status": "completed", "date_completed_gmt": "2026-03-01T10:02:30", "date_paid_gmt": "2026-03-01T10:02:30"}));
    settle(&gateway, &store).await;
    store.cut_off(false);
    let off = store.webhooks().into_iter().filter(|hook| hook.status == HookStatus::Disabled).count();
    assert_eq!((gateway.sent().len(), off), (1, 1), "nothing came, and the store has given up on order.created");
    let shown = check(&gateway).await;
    assert_eq!(text(&shown, "state"), "problem", "{shown:#}");
    assert!(findings(&shown)[0].contains("switched its webhook for order.created off"), "{shown:#}");

    gateway.advance(Duration::from_secs(15 * 60)).await;
    settle(&gateway, &store).await;
    assert!(store.webhooks().iter().all(|hook| hook.status == HookStatus::Active), "the watchdog switched it on again");
    assert_eq!(gateway.sent().len(), 1 + lost.len(), "each lost order is confirmed");
    assert_eq!(gateway.events_of("order.placed").await.len(), 1 + lost.len());
    assert_eq!(gateway.events_of("order.fulfilled").await.len(), 1);
    let mended = check(&gateway).await;
    assert!(mended["mended_at"].is_string() && mended["items_read"].as_u64() >= Some(9), "{mended:#}");

    // The next rounds read the same again, and new webhooks come: nothing is told twice.
    store.place(&order(20));
    settle(&gateway, &store).await;
    for _ in 0..3 {
        gateway.advance(Duration::from_secs(15 * 60)).await;
        settle(&gateway, &store).await;
    }
    assert_eq!(gateway.events_of("order.placed").await.len(), 2 + lost.len());
    assert_eq!(gateway.sent().len(), 2 + lost.len());
    let figures = gateway.figures().await;
    assert_eq!(figures.value("tidegate_connection_mended_total{connection=\"woocommerce\"}"), 1.0);
    assert_eq!(figures.value("tidegate_connection_health{connection=\"woocommerce\"}"), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_point_of_subscribing_leaves_no_secret_that_the_gateway_does_not_know() {
    // The store answers the list, then so many writes; then the gateway is killed while it waits for an answer.
    for answered in [0, 1, 2, 5] {
        let (mut gateway, store) = open().await;
        let address = gateway.url("x").trim_start_matches("http://").trim_end_matches("/in/x").to_owned();
        gateway.set("TIDEGATE_SERVER__LISTEN", &address);
        store.hang_after(answered);
        let asked = tokio::select! {
            asked = gateway.ask(&["connection", "subscribe", "woocommerce"]) => Some(asked),
            () = store.hangs() => None,
        };
        assert!(asked.is_none(), "{asked:?}");
        gateway.kill9();
        store.go_on();
        gateway.start_again().await;
        // What the store was told by then is known already, before anything is mended.
        for hook in store.webhooks() {
            let body = order(1).to_string();
            let played =
                tidegate_test_support::woocommerce("product.updated", &hook.id.to_string(), body, &hook.secret);
            assert_eq!(gateway.post("woocommerce", &played).await.status, 200, "after {answered} writes");
        }
        // And the rest is seen through without an operator.
        gateway
            .wait_until("all topics are subscribed", async |_| (store.webhooks().len() == TOPICS).then_some(()))
            .await;
        settle(&gateway, &store).await;
        let secret = store.webhooks()[0].secret.clone();
        assert!(store.webhooks().iter().all(|hook| hook.secret == secret), "one secret for all");
        store.place(&order(2));
        settle(&gateway, &store).await;
        assert_eq!(gateway.events_of("order.placed").await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_refuses_is_told_with_what_to_do() {
    let (gateway, store) = open().await;
    store.fail_next(9, AccountFailure::Status(401, None));
    let refused = gateway.ask(&["connection", "subscribe", "woocommerce"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("the store answered 401") && refused.err.contains("Read/Write"), "{}", refused.err);
    let listed = gateway.ask(&["connection", "list"]).await;
    assert!(listed.good().contains("woocommerce"), "{}", listed.out);
    // Busy for a moment, and an answer that is lost: somebody waits, so it is tried again, and nothing is made twice.
    let (gateway, store) = open().await;
    store.fail_next(1, AccountFailure::Status(503, Some("1")));
    gateway.ask(&["connection", "subscribe", "woocommerce"]).await.good();
    store.fail_next(1, AccountFailure::LostAnswer);
    gateway.ask(&["connection", "subscribe", "woocommerce"]).await.good();
    assert_eq!(store.webhooks().len(), TOPICS);
    let unknown = gateway.ask(&["connection", "subscribe", "woocommerce", "--topic", "order.paid"]).await;
    assert!(unknown.err.contains("knows no \"order.paid\"; it knows order.created"), "{}", unknown.err);
    let other = gateway.ask(&["connection", "subscribe", "shopify"]).await;
    assert_eq!(other.code, Some(1), "{other:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_created_connection_is_subscribed_in_the_same_command() {
    let clock = tidegate_test_support::stepped();
    let store = WooStore::start(clock.clone(), KEY, SECRET).await.expect("the store opens");
    let gateway = shop().on(clock).start().await;
    for (name, secret) in [("key", KEY), ("secret", SECRET)] {
        std::fs::write(gateway.config().with_file_name(name), secret).expect("the secret can be written");
    }
    let config = gateway.config().to_str().expect("a temporary folder is text");
    let mut before = std::fs::read_to_string(config).expect("the configuration can be read");
    before.push_str(&format!("\n[plugins.woocommerce]\nprivate_hosts = [{:?}]   # our own\n", store.authority()));
    std::fs::write(config, &before).expect("the configuration can be written");
    let host = format!("store={}", store.authority());
    let words = [
        &["connection", "create", "woocommerce", "store", "--config", config, "--set", &host, "--set", "tls=false"][..],
        &["--credential", "consumer_key=file:key", "--credential", "consumer_secret=file:secret", "--subscribe"][..],
    ];
    let done = gateway.run(&words.concat()).await;
    assert!(done.good().contains("order.created active"), "{}", done.out);
    let after = std::fs::read_to_string(config).expect("the configuration can be read");
    assert!(after.starts_with(&before) && !after.contains(SECRET), "{after}");
    assert_eq!(store.webhooks().len(), TOPICS);
    store.place(&order(1));
    settle(&gateway, &store).await;
    assert_eq!(gateway.events_of("order.placed").await.len(), 1);
}
