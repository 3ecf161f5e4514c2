//! Senders in trouble: their messages wait, somebody sees why, and nobody else is held up.

use crate::{shop, text};
use serde_json::Value;
use std::time::Duration;
use tidegate_double::Failure;
use tidegate_test_support::{Customer, Gateway, NUMBER_ID, SECOND_NUMBER_ID};

async fn orders(gateway: &Gateway, numbers: std::ops::Range<u32>) {
    for n in numbers {
        gateway.orders(n, &Customer::nth(n)).await;
        gateway.settle().await;
    }
}

async fn sender(gateway: &Gateway) -> Value {
    gateway.ask(&["sender", "list", "--json"]).await.json().remove(0)
}

async fn count(gateway: &Gateway, state: &str) -> usize {
    gateway.outbound().await.iter().filter(|message| message["state"] == state).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_costs_a_few_messages_and_the_rest_go_out_when_it_is_back() {
    let mut gateway = shop().start().await;
    gateway.script().fail_next(5, Failure::Http500);
    orders(&gateway, 0..12).await;
    assert_eq!((count(&gateway, "unknown").await, count(&gateway, "queued").await), (5, 7));
    let shown = sender(&gateway).await;
    assert_eq!((text(&shown, "name"), &shown["waiting"]), ("shop", &7.into()), "{shown:#}");
    assert!(
        text(&shown, "state").contains("no good answer") && text(&shown, "reason").contains("5 attempts"),
        "{shown:#}"
    );
    gateway.kill9();
    gateway.start_again().await;
    assert_eq!(text(&sender(&gateway).await, "state"), text(&shown, "state"), "it is known after a kill");
    for _ in 0..8 {
        gateway.advance(Duration::from_secs(10)).await;
    }
    assert_eq!(gateway.sent().len(), 7, "{:#?}", sender(&gateway).await);
    let shown = sender(&gateway).await;
    assert_eq!((text(&shown, "state"), &shown["waiting"]), ("sends", &0.into()));
    assert!(shown["last_success_at"].is_string(), "{shown:#}");
    gateway.expect_undelivered(5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_longer_than_every_retry_loses_nothing_that_was_refused() {
    let gateway = shop().start().await;
    gateway.script().fail_next(1_000, Failure::Code { code: 131_016 });
    orders(&gateway, 0..1).await;
    for _ in 0..12 {
        gateway.advance(Duration::from_secs(600)).await;
    }
    let message = gateway.only_message().await;
    assert_eq!(message["state"], "queued", "{message:#}");
    gateway.script().clear_rules();
    gateway.advance(Duration::from_secs(1_200)).await;
    assert_eq!(gateway.sent().len(), 1);
    let message = gateway.only_message().await;
    let steps = message["history"].as_array().map(Vec::len);
    assert!(steps.is_some_and(|steps| steps < 20), "a long wait does not outgrow the row: {message:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_can_t_pay_holds_its_messages_until_an_operator_resumes_it() {
    let mut gateway = shop().start().await;
    gateway.script().fail_next(1, Failure::FailedStatus { code: 131_042 });
    orders(&gateway, 0..1).await;
    gateway.advance(Duration::from_secs(2)).await;
    gateway.script().fail_next(1, Failure::Code { code: 131_042 });
    orders(&gateway, 1..4).await;
    assert_eq!((count(&gateway, "failed").await, count(&gateway, "queued").await), (1, 3));
    let shown = sender(&gateway).await;
    assert!(
        text(&shown, "state").contains("the business account") && text(&shown, "reason").contains("131042"),
        "{shown:#}"
    );
    assert_eq!(shown["waiting"], 3);
    let table = gateway.ask(&["sender", "list"]).await;
    assert!(table.good().contains("131042") && table.out.contains("one message tries again at"), "{}", table.out);
    gateway.script().clear_rules();
    let resumed = gateway.ask(&["sender", "resume", "shop", "--json"]).await.json().remove(0);
    assert_eq!(text(&resumed, "state"), "sends");
    gateway.settle().await;
    assert_eq!(gateway.sent().len(), 4, "at once");
    gateway.expect_undelivered(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_pauses_a_sender_and_resumes_it() {
    let mut gateway = shop().start().await;
    let paused = gateway.ask(&["sender", "pause", "shop", "--reason", "moving house"]).await;
    assert!(paused.good().contains("paused by an operator") && paused.out.contains("moving house"), "{}", paused.out);
    orders(&gateway, 0..2).await;
    gateway.restart().await;
    gateway.advance(Duration::from_secs(2 * 3600)).await;
    assert!(gateway.sent().is_empty());
    let shown = gateway.outbound().await.remove(0);
    let decision = shown["gate"].as_array().and_then(|gate| gate.last()).expect("the gate decided");
    assert!(text(decision, "check") == "sender health" && text(decision, "reason").contains("moving house"));
    gateway.ask(&["sender", "resume", "shop"]).await.good();
    gateway.settle().await;
    assert_eq!(gateway.sent().len(), 2);
    for (arguments, code, words) in [
        (&["sender", "resume", "shop"][..], 1, "not paused"),
        (&["sender", "pause", "nobody"], 1, "there is no sender \"nobody\""),
        (&["sender", "pause", "../x"], 2, "no name of a sender"),
        (&["sender", "pause", "shop", "--reason", " "], 1, "reason: expected"),
    ] {
        let printed = gateway.ask(arguments).await;
        assert_eq!(printed.code, Some(code), "{arguments:?}: {printed:?}");
        assert!(printed.err.contains(words), "{arguments:?}: {}", printed.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_sender_s_messages_are_refused_when_they_are_too_old() {
    let mut gateway = shop().start().await;
    gateway.ask(&["sender", "pause", "shop"]).await.good();
    orders(&gateway, 0..1).await;
    gateway.advance(Duration::from_secs(24 * 3600)).await;
    let message = gateway.only_message().await;
    assert_eq!(message["state"], "refused", "{message:#}");
    assert!(crate::last_note(&message).contains("no reason was given"), "{message:#}");
    gateway.expect_undelivered(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_hangs_does_not_hold_up_another_business() {
    let mut gateway = shop().second_business().send_timeout_s(120).start().await;
    gateway.set("TIDEGATE_WORKERS__SENDS_IN_FLIGHT", "4");
    gateway.restart().await;
    let person = Customer::nth(100);
    let wrote = gateway.script().inbound_text(SECOND_NUMBER_ID, person.digits(), &person.first_name, "hello");
    wrote.expect("the double takes it");
    gateway.settle().await;
    gateway.script().fail_number(NUMBER_ID, Failure::Hang).expect("the double has the number");
    for n in 0..12 {
        gateway.orders(n, &Customer::nth(n)).await;
    }
    gateway
        .wait_until("the first sender hangs with its share", async |gateway| {
            (gateway.script().refused().len() == 2).then_some(())
        })
        .await;
    let reply = ["message", "send", "--to", &person.phone, "--text", "good morning", "--workspace", "other", "--json"];
    gateway.ask(&reply).await.good();
    gateway.wait_until("the other business's reply is out", async |gateway| gateway.sent().first().cloned()).await;
    assert_eq!(gateway.script().refused().len(), 2, "the one that hangs has no more than its share");
}
