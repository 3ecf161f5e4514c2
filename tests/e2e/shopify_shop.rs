//! A Shopify shop that is connected: what it takes away is made anew, and orders whose webhooks were lost are read again, each event once.

use crate::{shop, text};
use serde_json::{Value, json};
use std::time::Duration;
use tidegate_test_support::{AccountFailure, Gateway, OauthApp, SHOPIFY_SECRET, ShopifyShop, fixture, stepped};

const TOKEN: &str = "shpat_5d1c9e77aa4d23b6f0c8de91";
/// Topics that the plugin reads.
const TOPICS: usize = 26;
/// How often connections are looked after.
const ROUND: Duration = Duration::from_secs(15 * 60);

async fn open() -> (Gateway, ShopifyShop) {
    let clock = stepped();
    let remote = ShopifyShop::start(clock.clone(), TOKEN, SHOPIFY_SECRET).await.expect("the shop opens");
    let domain = remote.authority();
    let connection = format!("account = {domain:?}\ncredentials = {{ access_token = {TOKEN:?} }}\n");
    let config = format!("[plugins.shopify]\nprivate_hosts = [{domain:?}]\n");
    let gateway = shop().connection("shopify", &connection, &config).on(clock).start().await;
    (gateway, remote)
}

/// An order that is to be paid later.
fn order(n: u32) -> Value {
    let mut order = fixture("shopify", "demo_order_placed");
    let (phone, email) = (format!("+39340123{n:04}"), format!("customer{n}@example.com"));
    order["name"] = json!(format!("#{n}"));
    order["financial_status"] = json!("pending");
    order["customer"] = json!({"id": 7_000 + n, "email": email, "phone": phone});
    for field in ["phone", "email", "contact_email", "shipping_address", "billing_address"] {
        order[field] = Value::Null;
    }
    order["phone"] = json!(phone);
    order
}

fn parcel(order: u64) -> Value {
    let at = "2026-03-01T10:03:00Z";
    json!({"fulfillment_status": "fulfilled", "fulfillments": [{"id": 255_858_046, "order_id": order, "status": "success",
        "created_at": at, "updated_at": at, "tracking_number": "1Z2345", "tracking_company": "UPS", "line_items": []}]})
}

async fn settle(gateway: &Gateway, remote: &ShopifyShop) {
    remote.settle().await;
    gateway.settle().await;
}

async fn counts<const N: usize>(gateway: &Gateway, kinds: [&str; N]) -> Vec<usize> {
    let mut counts = Vec::new();
    for kind in kinds {
        counts.push(gateway.events_of(kind).await.len());
    }
    counts
}

async fn check(gateway: &Gateway) -> Value {
    let asked = gateway.ask(&["connection", "check", "shopify", "--json"]).await;
    serde_json::from_str(asked.out.trim()).unwrap_or_else(|error| panic!("{error}: {}{}", asked.out, asked.err))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_hour_of_a_shop_is_made_good_and_each_event_is_told_once() {
    const KINDS: [&str; 6] =
        ["order.placed", "order.paid", "order.fulfilled", "shipment.created", "order.cancelled", "order.refunded"];
    let (gateway, remote) = open().await;
    gateway.ask(&["connection", "subscribe", "shopify"]).await.good();
    assert_eq!(remote.subscriptions().len(), TOPICS);
    let old = remote.place(&order(1));
    settle(&gateway, &remote).await;
    assert_eq!(counts(&gateway, KINDS).await, [1, 0, 0, 0, 0, 0]);

    // Nothing arrives, and after eight failures in a row Shopify takes subscriptions away without a word.
    remote.cut_off(true);
    gateway.step_clock(Duration::from_secs(120)).await;
    for n in 2..10 {
        remote.place(&order(n));
    }
    remote.change(old, &json!({"financial_status": "paid"}));
    remote.change(old, &parcel(old));
    let refund = json!({"id": 929_361_462, "order_id": old, "created_at": "2026-03-01T10:02:30Z",
        "transactions": [{"kind": "refund", "status": "success", "amount": "5.00", "currency": "GBP"}]});
    remote.change(old, &json!({"refunds": [refund]}));
    settle(&gateway, &remote).await;
    remote.cut_off(false);
    assert_eq!(counts(&gateway, KINDS).await, [1, 0, 0, 0, 0, 0], "nothing came");
    let gone = TOPICS - remote.subscriptions().len();
    assert_eq!(gone, 1, "orders/create is gone");
    let shown = check(&gateway).await;
    assert_eq!(text(&shown, "state"), "problem", "{shown:#}");
    assert!(shown.to_string().contains("does not send orders/create here"), "{shown:#}");

    gateway.advance(ROUND).await;
    settle(&gateway, &remote).await;
    assert_eq!(remote.subscriptions().len(), TOPICS, "the watchdog subscribed anew");
    assert_eq!(counts(&gateway, KINDS).await, [9, 1, 1, 1, 0, 1]);
    assert_eq!(gateway.sent().len(), 9, "each lost order is confirmed");

    // Later rounds read the same again, and webhooks come: nothing is told twice.
    remote.place(&order(20));
    remote.change(old, &json!({"cancelled_at": "2026-03-01T10:17:30Z", "cancel_reason": "customer"}));
    settle(&gateway, &remote).await;
    for _ in 0..3 {
        gateway.advance(ROUND).await;
        settle(&gateway, &remote).await;
    }
    assert_eq!(counts(&gateway, KINDS).await, [10, 1, 1, 1, 1, 1]);
    assert_eq!(gateway.sent().len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_lost_orders_than_a_page_are_read_by_the_mark_of_the_page_before() {
    let (gateway, remote) = open().await;
    gateway.ask(&["connection", "subscribe", "shopify"]).await.good();
    remote.cut_off(true);
    // All in one second: only Shopify's mark tells where the next page begins.
    for n in 1..=60 {
        remote.place(&order(n));
    }
    settle(&gateway, &remote).await;
    remote.cut_off(false);
    for _ in 0..2 {
        gateway.advance(ROUND).await;
        settle(&gateway, &remote).await;
    }
    assert_eq!(counts(&gateway, ["order.placed"]).await, [60]);
    assert!(remote.heard().iter().any(|what| what.starts_with("200 GET") && what.contains("page_info")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_shop_refuses_is_told_with_what_to_do_and_a_lost_answer_makes_nothing_twice() {
    let (gateway, remote) = open().await;
    // Nothing is subscribed yet, so nobody else asks.
    for (failure, words) in [
        (AccountFailure::Status(401, None), "Shopify answered 401: the access token"),
        (AccountFailure::Throttled, "THROTTLED"),
    ] {
        remote.fail_next(1, failure);
        let asked = gateway.ask(&["connection", "check", "shopify"]).await;
        let told = [asked.out.as_str(), asked.err.as_str()].concat();
        assert!(told.contains(words), "{told}");
    }
    // Busy for a moment, with Shopify's `Retry-After: 1.0`; and a write whose answer is lost is refused when it is tried again, though it is done.
    remote.fail_next(1, AccountFailure::Status(429, Some("1.0")));
    remote.fail_next(1, AccountFailure::LostAnswer);
    gateway.ask(&["connection", "subscribe", "shopify"]).await.good();
    // A minute later the points of GraphQL are back.
    gateway.step_clock(Duration::from_secs(60)).await;
    remote.fail_next(2, AccountFailure::LostAnswer);
    gateway.ask(&["connection", "unsubscribe", "shopify"]).await.good();
    assert!(remote.subscriptions().is_empty());
    gateway.step_clock(Duration::from_secs(60)).await;
    remote.fail_next(2, AccountFailure::LostAnswer);
    gateway.ask(&["connection", "subscribe", "shopify"]).await.good();
    assert_eq!(remote.subscriptions().len(), TOPICS);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_of_the_store_s_own_asks_for_a_token_a_day_and_nobody_authorizes_it() {
    let clock = stepped();
    let client = ("a-shop-s-app".to_owned(), SHOPIFY_SECRET.to_owned());
    let app = OauthApp { client, redirects: Vec::new(), is_basic: false, single_use: false, life_s: 86_399 };
    let remote = ShopifyShop::start_with(clock.clone(), app).await.expect("the shop opens");
    let domain = remote.authority();
    let connection = |secret: &str| {
        format!("account = {domain:?}\ncredentials = {{ client_id = \"a-shop-s-app\", client_secret = {secret:?} }}\n")
    };
    let config = format!("[plugins.shopify]\nprivate_hosts = [{domain:?}]\n");
    let gateway = shop().connection("shopify", &connection(SHOPIFY_SECRET), &config).on(clock).start().await;
    gateway.ask(&["connection", "subscribe", "shopify"]).await.good();
    assert_eq!(remote.subscriptions().len(), TOPICS);
    remote.place(&order(1));
    settle(&gateway, &remote).await;
    assert_eq!(counts(&gateway, ["order.placed"]).await, [1]);
    let tokens = || remote.heard().iter().filter(|what| what.contains("/admin/oauth/access_token")).count();
    assert_eq!(tokens(), 1, "one for all requests of the day");

    // It ends before its time, and another one is asked for; so it is when its day is over.
    remote.end_access();
    let shown = check(&gateway).await;
    assert_ne!(text(&shown, "state"), "problem", "{shown:#}");
    assert_eq!(tokens(), 2);
    gateway.advance(Duration::from_secs(86_400)).await;
    settle(&gateway, &remote).await;
    let shown = check(&gateway).await;
    assert!(shown["authorization"]["expires_at"].is_string() && text(&shown, "state") != "problem", "{shown:#}");
    assert_eq!(tokens(), 3);
    let asked = gateway.ask(&["connection", "authorize", "shopify"]).await;
    assert!(asked.err.contains("asks for its tokens by itself"), "{}", asked.err);
    assert!(!gateway.log_text().contains("shpat-"), "a token is in the log");

    let other = shop().connection("shopify", &connection("another secret"), &config).start().await;
    let asked = other.ask(&["connection", "subscribe", "shopify"]).await;
    assert!(asked.err.contains("check its client id and client secret"), "{}", asked.err);
}
