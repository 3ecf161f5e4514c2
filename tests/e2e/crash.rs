//! kill -9 at every moment: what was acknowledged is there, and no message goes out twice.

use crate::{bare, last_note, shop, states};
use std::{collections::HashMap, time::Duration};
use tidegate_double::Failure;
use tidegate_test_support::{Customer, Gateway, Played};

/// Every acknowledged delivery is kept, and has its event.
async fn assert_interpreted(gateway: &Gateway, deliveries: &[String]) {
    for id in deliveries {
        let shown = gateway.show(id).await.unwrap_or_else(|| panic!("{id} was acknowledged and is gone"));
        let events = shown["items"][0]["result"]["interpreted"]["outcome"]["done"]["events"].as_array();
        assert_eq!(events.map(Vec::len), Some(1), "{id} has no event: {shown:#}");
    }
}

/// How often the provider took a message for each number.
pub(crate) fn sent_to(gateway: &Gateway) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for sent in gateway.sent() {
        *counts.entry(sent.to).or_insert(0) += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_a_kill_is_sent_once_after_it() {
    let mut gateway = shop().start().await;
    gateway.set("TIDEGATE_WORKERS__PAUSED", "true");
    gateway.restart().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(gateway.orders(n, &Customer::nth(n)).await);
    }
    gateway.kill9();
    gateway.set("TIDEGATE_WORKERS__PAUSED", "false");
    gateway.start_again().await;
    gateway.settle().await;
    assert_interpreted(&gateway, &ids).await;
    let counts = sent_to(&gateway);
    assert!((0..5).all(|n| counts.get(Customer::nth(n).digits()) == Some(&1)), "{counts:?}");
    assert_eq!(gateway.sent().len(), 5);
    gateway.advance(Duration::from_secs(5)).await;
    assert!(gateway.outbound().await.iter().all(|message| message["state"] == "read"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_moment_of_a_burst_loses_nothing_acknowledged_and_doubles_nothing() {
    const ORDERS: u32 = 12;
    let mut gateway = shop().start().await;
    let mut first = 0;
    for acknowledged_before_the_kill in [1, 3, 6, 9, 12] {
        let webhooks: Vec<Played> =
            (first..first + ORDERS).map(|n| gateway.order_webhook(n, &Customer::nth(n))).collect();
        let mut answers = gateway.burst("shopify", &webhooks);
        let mut ids: Vec<Option<String>> = vec![None; webhooks.len()];
        let mut count = 0;
        while let Some(answer) = answers.join_next().await {
            let (place, answer) = answer.expect("a webhook's task does not panic");
            if let Ok(answer) = answer {
                ids[place] = Some(answer.stored());
                count += 1;
            }
            if count == acknowledged_before_the_kill {
                gateway.kill9();
            }
        }
        gateway.start_again().await;
        gateway.settle().await;
        let acknowledged: Vec<String> = ids.iter().flatten().cloned().collect();
        assert!(acknowledged.len() >= acknowledged_before_the_kill);
        assert_interpreted(&gateway, &acknowledged).await;
        // A provider repeats what was not acknowledged; some of that was stored all the same.
        for (webhook, _) in webhooks.iter().zip(&ids).filter(|(_, id)| id.is_none()) {
            gateway.post("shopify", webhook).await.stored();
        }
        gateway.settle().await;
        gateway.advance(Duration::from_secs(5)).await;
        first += ORDERS;
        assert_eq!(gateway.events_of("order.placed").await.len(), first as usize, "one event for each order");
    }
    let counts = sent_to(&gateway);
    let messages = gateway.outbound().await;
    assert_eq!(messages.len(), first as usize, "one message for each order");
    let mut unknown = 0;
    for message in &messages {
        let to = message["address"].to_string();
        let times =
            counts.iter().filter(|(digits, _)| to.contains(digits.as_str())).map(|(_, times)| *times).sum::<usize>();
        match message["state"].as_str() {
            Some("read") => assert_eq!(times, 1, "{message:#}"),
            Some("unknown") => {
                // Killed between the mark and the request: nobody knows, so nobody sends it again.
                assert_eq!(times, 0, "{message:#}");
                unknown += 1;
            }
            other => panic!("{other:?} is no end of a message here: {message:#}"),
        }
    }
    gateway.expect_undelivered(unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_the_provider_holds_its_answer_leaves_the_message_unknown_and_unsent() {
    let mut gateway = shop().start().await;
    gateway.script().fail_next(1, Failure::Hang);
    gateway.orders(1, &Customer::nth(1)).await;
    gateway
        .wait_until("the provider holds the request", async |gateway| {
            (!gateway.script().refused().is_empty()).then_some(())
        })
        .await;
    gateway.kill9();
    gateway.start_again().await;
    gateway.settle().await;
    let message = gateway.only_message().await;
    assert_eq!(states(&message), ["queued", "attempting", "unknown"]);
    assert!(last_note(&message).contains("the gateway stopped before"), "{message:#}");
    for _ in 0..2 {
        gateway.restart().await;
        gateway.advance(Duration::from_secs(3600)).await;
    }
    assert!(gateway.sent().is_empty());
    assert_eq!(gateway.script().refused().len(), 1, "one attempt");
    gateway.expect_undelivered(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_waited_for_the_gateway_to_come_back_resolves_an_unknown_message() {
    let mut gateway = shop().start().await;
    gateway.script().fail_next(1, Failure::DropAnswerAfterAccepting);
    gateway.orders(1, &Customer::nth(1)).await;
    gateway.settle().await;
    gateway.kill9();
    // The provider's webhooks find nobody, and come again later.
    gateway.advance(Duration::from_secs(5)).await;
    gateway.start_again().await;
    gateway.advance(Duration::from_secs(60)).await;
    assert_eq!(gateway.only_message().await["state"], "read");
    assert_eq!(gateway.sent().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_and_opt_outs_that_were_acknowledged_survive_a_kill() {
    let mut gateway = bare().start().await;
    let customer = Customer::nth(1);
    gateway.writes(&customer, "STOP").await;
    gateway.kill9();
    gateway.start_again().await;
    let sent =
        gateway.ask(&["message", "send", "--to", &customer.phone, "--text", "Are you sure?", "--json"]).await.json();
    gateway.settle().await;
    let message = gateway.message(&sent[0]["id"]).await;
    assert_eq!((&message["state"], &message["gate"][0]["check"]), (&"refused".into(), &"suppression".into()));
    gateway.expect_undelivered(1);
}
