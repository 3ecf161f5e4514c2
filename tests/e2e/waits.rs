//! Waits are rows: time that passes while the gateway is away counts, and nothing happens before its time.

use crate::{REMINDER, bare, order_confirmation};
use std::time::Duration;
use tidegate_test_support::{Customer, Gateway};

const HOUR: Duration = Duration::from_secs(3600);

async fn ordered() -> Gateway {
    let gateway = bare().template(order_confirmation()).flow(REMINDER).start().await;
    gateway.orders(1, &Customer::nth(1)).await;
    gateway.settle().await;
    gateway
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_after_a_wait_goes_out_when_the_time_has_come_and_not_before() {
    let gateway = ordered().await;
    gateway.advance(HOUR).await;
    assert!(gateway.outbound().await.is_empty());
    gateway.advance(HOUR - Duration::from_millis(1)).await;
    assert!(gateway.outbound().await.is_empty(), "a moment before its time");
    gateway.advance(Duration::from_millis(1)).await;
    assert_eq!(gateway.sent().len(), 1);
    gateway.advance(24 * HOUR).await;
    assert_eq!(gateway.sent().len(), 1, "once is enough");
    assert_eq!(gateway.only_message().await["state"], "read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_goes_on_over_restarts_and_kills() {
    let mut gateway = ordered().await;
    gateway.restart().await;
    gateway.advance(HOUR).await;
    gateway.kill9();
    gateway.start_again().await;
    gateway.advance(HOUR - Duration::from_millis(1)).await;
    assert!(gateway.outbound().await.is_empty());
    gateway.advance(Duration::from_millis(1)).await;
    assert_eq!(gateway.sent().len(), 1);
    gateway.restart().await;
    gateway.advance(HOUR).await;
    assert_eq!(gateway.sent().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_due_while_the_gateway_was_away_happens_at_its_start() {
    let mut gateway = ordered().await;
    gateway.stop().await;
    gateway.advance(3 * HOUR).await;
    assert!(gateway.sent().is_empty());
    gateway.start_again().await;
    gateway.wait_until("the message goes out", async |gateway| gateway.sent().first().cloned()).await;
    gateway.settle().await;
    assert_eq!(gateway.sent().len(), 1);
}
