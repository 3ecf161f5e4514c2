//! The connector against a store's answers. Whole conversations are tested with the provider double.

use super::*;
use crate::Woocommerce;
use serde_json::{Value, json};
use tidegate_plugin_sdk::{Answer, Connection, Step, Task, testing};

const URL: &str = "https://gateway.example/in/woo";

fn connection() -> Connection {
    testing::connection(r#"{"store": "shop.example.com"}"#)
}

fn target(topics: &[&str]) -> Target {
    Target { url: URL.to_owned(), topics: topics.iter().map(|&topic| topic.to_owned()).collect() }
}

fn ok(body: &Value) -> Answer {
    Answer::Response(Response { status: 200, headers: Vec::new(), body: body.to_string() })
}

fn webhook(id: u32, topic: &str, status: &str, url: &str) -> Value {
    json!({"id": id, "name": "x", "status": status, "topic": topic, "resource": "order", "delivery_url": url})
}

fn checked(webhooks: &Value, topics: &[&str]) -> Report {
    match testing::connect::<Woocommerce>(&connection(), &Task::Check(target(topics)), |_| ok(webhooks)) {
        Step::Done(report) => report,
        other => panic!("expected a report, found {other:?}"),
    }
}

#[test]
fn what_is_wrong_with_the_webhooks_is_told() {
    let webhooks = json!([
        webhook(1, "order.created", "disabled", URL),
        webhook(2, "order.updated", "active", URL),
        webhook(3, "order.updated", "active", URL),
        webhook(4, "order.deleted", "active", "https://other.example/in"),
        webhook(5, "customer.created", "active", URL),
    ]);
    let report = checked(&webhooks, &["order.created", "order.updated", "order.deleted", "customer.created"]);
    let told: Vec<&str> = report.findings.iter().map(|finding| finding.problem.as_str()).collect();
    assert_eq!(
        told,
        [
            "the store has switched its webhook for order.created off: deliveries had failed",
            "the store has 2 webhooks for order.updated that come here",
            "the store has no webhook for order.deleted that comes here",
        ]
    );
    assert_eq!(report.subscriptions.len(), 4, "another's webhook is none of ours");
}

#[test]
fn subscribing_mends_what_is_there_and_makes_what_is_missing() {
    let mut asked = Vec::new();
    let webhooks = json!([
        webhook(1, "order.created", "disabled", URL),
        webhook(2, "order.created", "active", URL),
        webhook(3, "order.updated", "active", "https://other.example/in"),
    ]);
    let task = Task::Subscribe(target(&["order.created", "order.updated"]));
    let step = testing::connect::<Woocommerce>(&connection(), &task, |request| {
        asked.push(format!(
            "{} {}",
            request.method,
            request.url.trim_start_matches("https://shop.example.com/wp-json/wc/v3")
        ));
        if let Some(body) = &request.body {
            assert!(body.contains(WEBHOOK_SECRET) && body.contains(URL), "{body}");
        }
        ok(&if request.method == "GET" { webhooks.clone() } else { json!({"id": 9}) })
    });
    assert!(matches!(step, Step::Done(_)), "{step:?}");
    let list = "GET /webhooks?per_page=100&page=1&orderby=id&order=asc";
    assert_eq!(asked, [list, "PUT /webhooks/1", "DELETE /webhooks/2?force=true", "POST /webhooks", list]);
}

#[test]
fn a_refusal_says_what_to_do() {
    let check = |status: u16, body: &str, words: &[&str]| {
        let step = testing::connect::<Woocommerce>(&connection(), &Task::Check(target(&[])), |_| {
            Answer::Response(Response { status, headers: Vec::new(), body: body.to_owned() })
        });
        let Step::Failed(failure) = step else { panic!("{step:?}") };
        assert!(words.iter().all(|word| failure.reason.contains(word)), "{}", failure.reason);
    };
    check(
        401,
        r#"{"code":"woocommerce_rest_cannot_view","message":"x"}"#,
        &["401 woocommerce_rest_cannot_view", "Read/Write"],
    );
    check(404, "<html>", &["answered 404 when", "permalinks"]);
    let step =
        testing::connect::<Woocommerce>(&testing::connection("{}"), &Task::Check(target(&[])), |_| ok(&json!([])));
    assert!(matches!(step, Step::Failed(failure) if failure.reason.contains("store = ")));
}

fn order(id: u32, created: &str, modified: &str) -> Value {
    json!({"id": id, "status": "processing", "date_created_gmt": created, "date_modified_gmt": modified,
        "_links": {"self": [{"href": format!("https://www.shop.example/wp-json/wc/v3/orders/{id}")}]}})
}

#[test]
fn orders_are_read_as_their_webhooks_would_have_brought_them() {
    let span = Span { since: "2026-03-01T10:00:00.000Z".to_owned(), cursor: None };
    let mut urls = Vec::new();
    let orders = json!([
        order(1, "2026-02-01T09:00:00", "2026-03-01T10:05:00"),
        order(2, "2026-03-01T10:00:00", "2026-03-01T10:06:00"),
    ]);
    let step = testing::connect::<Woocommerce>(&connection(), &Task::Backfill(span), |request| {
        urls.push(request.url.clone());
        ok(&orders)
    });
    let Step::Done(report) = step else { panic!("{step:?}") };
    assert!(urls[0].contains("modified_after=2026-03-01T09:59:59&dates_are_gmt=true"), "{urls:?}");
    let header = |item: &FoundItem, name: &str| {
        item.headers.iter().find(|header| header.name == name).map(|header| header.value.clone()).unwrap_or_default()
    };
    let topics: Vec<String> = report.items.iter().map(|item| header(item, "x-wc-webhook-topic")).collect();
    assert_eq!(topics, ["order.updated", "order.created"], "what is older than the moment was placed before");
    assert_eq!(header(&report.items[0], "x-wc-webhook-source"), "https://www.shop.example/");
    assert_eq!(report.cursor, None);
    assert_eq!(serde_json::from_str::<Value>(&report.items[1].body).unwrap(), orders[1]);
}

#[test]
fn a_full_page_is_followed_by_another() {
    let orders: Vec<Value> =
        (0..50).map(|n| order(n, "2026-02-01T09:00:00", &format!("2026-03-01T10:05:{n:02}"))).collect();
    let span = Span { since: "2026-03-01T10:00:00Z".to_owned(), cursor: None };
    let step = testing::connect::<Woocommerce>(&connection(), &Task::Backfill(span), |_| ok(&json!(orders)));
    let Step::Done(report) = step else { panic!("{step:?}") };
    let last_s = time::unix_ms("2026-03-01T10:05:49Z").unwrap() / 1000;
    assert_eq!(report.cursor, Some(format!("{} 1", last_s - 1)));
}
