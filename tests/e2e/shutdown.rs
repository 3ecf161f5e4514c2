//! Ends and starts: a stop loses nothing, and a data directory has one gateway.

use crate::{shop, states};
use std::time::Duration;
use tidegate_double::Failure;
use tidegate_test_support::{Customer, Played};

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_while_webhooks_come_keeps_every_one_that_was_answered() {
    const ORDERS: u32 = 40;
    let mut gateway = shop().start().await;
    let webhooks: Vec<Played> = (0..ORDERS).map(|n| gateway.order_webhook(n, &Customer::nth(n))).collect();
    let mut answers = gateway.burst("shopify", &webhooks);
    let mut stored = Vec::new();
    while let Some(answer) = answers.join_next().await {
        let (_, answer) = answer.expect("a webhook's task does not panic");
        match answer {
            Ok(answer) if answer.status == 200 => stored.push(answer.stored()),
            Ok(answer) => assert_eq!((answer.status, answer.problem().as_str()), (503, "unavailable")),
            // Closed: the provider comes again.
            Err(_) => {}
        }
        if stored.len() == 5 {
            gateway.ask_to_stop();
        }
    }
    let status = gateway.ended().await;
    assert_eq!(status.code(), Some(0), "{}", gateway.log_text());
    gateway.start_again().await;
    gateway.settle().await;
    for id in &stored {
        let shown = gateway.show(id).await.unwrap_or_else(|| panic!("{id} was acknowledged and is gone"));
        assert!(shown["items"][0]["result"]["interpreted"].is_object(), "{shown:#}");
    }
    gateway.advance(Duration::from_secs(5)).await;
    let messages = gateway.outbound().await;
    assert!(messages.len() >= stored.len());
    assert!(
        messages.iter().all(|message| message["state"] == "read"),
        "a stop waits for what is on its way: {messages:#?}"
    );
    assert_eq!(gateway.sent().len(), messages.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_the_message_on_its_way() {
    let mut gateway = shop().send_timeout_s(1).start().await;
    gateway.script().fail_next(1, Failure::Hang);
    gateway.orders(1, &Customer::nth(1)).await;
    gateway
        .wait_until("the provider holds the request", async |gateway| {
            (!gateway.script().refused().is_empty()).then_some(())
        })
        .await;
    let status = gateway.stop().await;
    assert_eq!(status.code(), Some(0), "{}", gateway.log_text());
    gateway.start_again().await;
    gateway.settle().await;
    let message = gateway.only_message().await;
    assert_eq!(states(&message), ["queued", "attempting", "unknown"]);
    let note = crate::last_note(&message);
    assert!(!note.contains("the gateway stopped"), "its outcome was recorded before the end: {note}");
    gateway.expect_undelivered(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_drains_answers_503_and_stores_nothing() {
    let mut gateway = shop().send_timeout_s(2).start().await;
    gateway.script().fail_next(1, Failure::Hang);
    gateway.orders(1, &Customer::nth(1)).await;
    gateway
        .wait_until("the provider holds the request", async |gateway| {
            (!gateway.script().refused().is_empty()).then_some(())
        })
        .await;
    gateway.ask_to_stop();
    let webhook = gateway.order_webhook(2, &Customer::nth(2));
    let refused = gateway
        .wait_until("webhooks are refused", async |gateway| {
            let answer = gateway.try_post("shopify", &webhook).await.ok()?;
            (answer.status != 200).then_some(answer)
        })
        .await;
    assert_eq!((refused.status, refused.problem().as_str()), (503, "unavailable"));
    let ready = gateway.client().get(gateway.url("shopify").replace("/in/shopify", "/readyz")).send().await.unwrap();
    assert_eq!(ready.status().as_u16(), 503);
    assert_eq!(gateway.ended().await.code(), Some(0), "{}", gateway.log_text());
    gateway.expect_undelivered(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_gateway_on_the_same_data_is_refused_and_told_who_holds_it() {
    let gateway = shop().start().await;
    let config = gateway.config().to_str().expect("the path is text").to_owned();
    let second = gateway.run(&["serve", "--config", &config]).await;
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.err.contains("process") && second.err.contains("data"), "{}", second.err);
    gateway.orders(1, &Customer::nth(1)).await;
    gateway.settle().await;
    assert_eq!(gateway.sent().len(), 1, "the first one goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_readiness_are_told() {
    let gateway = shop().start().await;
    for (path, status) in [("/healthz", "alive"), ("/readyz", "ready")] {
        let url = gateway.url("x").replace("/in/x", path);
        let response = gateway.client().get(url).send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        let body: serde_json::Value = response.json().await.expect("JSON");
        assert_eq!(body["status"], status);
    }
}
