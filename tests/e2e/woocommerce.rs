//! A WooCommerce store: its ping, deliveries that share an id, and an order from its placing to its end.

use crate::shop;
use serde_json::{Value, json};
use tidegate_test_support::{Gateway, Played, fixture, woocommerce};

const SECRET: &str = "s&amp;cret-of-the-store";

/// A webhook of one second: all of them have the same delivery id.
fn webhook(topic: &str, body: &Value) -> Played {
    woocommerce(topic, "8c8f51ed7e1a", body.to_string(), "s&cret-of-the-store")
}

async fn store() -> Gateway {
    shop().provider("woocommerce", SECRET).start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_is_answered_and_what_else_is_unsigned_is_refused() {
    let gateway = store().await;
    let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    let ping = Played { headers: headers.clone(), body: b"webhook_id=7".to_vec() };
    let answer = gateway.post("woocommerce", &ping).await;
    assert_eq!((answer.status, answer.delivery), (200, None));
    let more = Played { headers, body: b"webhook_id=7&id=1".to_vec() };
    assert_eq!(gateway.post("woocommerce", &more).await.status, 401);
    gateway.settle().await;
    assert!(gateway.events().await.is_empty() && gateway.parked().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_confirmed_once_and_its_steps_are_told() {
    let gateway = store().await;
    let placed = fixture("woocommerce", "demo_order_created");
    let mut other = fixture("woocommerce", "demo_order_created_guest_paid");
    other["billing"]["phone"] = json!("+39 340 123 4568");
    other["billing"]["email"] = json!("ugo.neri@example.com");
    let first = gateway.post("woocommerce", &webhook("order.created", &placed)).await.stored();
    let second = gateway.post("woocommerce", &webhook("order.created", &other)).await.stored();
    assert_ne!(first, second, "two orders of one second share the delivery id");
    assert_eq!(gateway.post("woocommerce", &webhook("order.created", &placed)).await.stored(), first, "a repeat");
    gateway.settle().await;
    assert_eq!(gateway.sent().len(), 2, "both are confirmed, once each");
    assert_eq!(gateway.events_of("order.placed").await.len(), 2);
    assert_eq!(gateway.events_of("order.paid").await.len(), 1, "cash on delivery is not paid yet");

    let completed = fixture("woocommerce", "demo_order_updated_completed");
    gateway.post("woocommerce", &webhook("order.updated", &completed)).await.stored();
    gateway.settle().await;
    assert_eq!(gateway.events_of("order.paid").await.len(), 2);
    assert_eq!(gateway.events_of("order.fulfilled").await.len(), 1);
    assert_eq!(gateway.sent().len(), 2);
}
