//! Providers that refuse, hang, or lose their answer: a message is tried again after a definite refusal only, and never goes out twice.

use crate::{last_note, shop, states};
use serde_json::Value;
use std::time::Duration;
use tidegate_double::Failure;
use tidegate_test_support::{Customer, Gateway};

async fn ordered(gateway: &Gateway) -> Value {
    gateway.orders(1, &Customer::nth(1)).await;
    gateway.settle().await;
    gateway.only_message().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_passes_is_tried_again_when_the_provider_says() {
    for (failure, code, pause_s) in [
        (Failure::RateLimited { retry_after_s: 30 }, "130429", 30),
        (Failure::Code { code: 131056 }, "131056", 4),
        (Failure::Code { code: 131016 }, "131016", 2),
    ] {
        let gateway = shop().start().await;
        gateway.script().fail_next(1, failure);
        let message = ordered(&gateway).await;
        assert_eq!(states(&message), ["queued", "attempting", "queued"], "{failure:?}");
        assert!(last_note(&message).contains(code), "{failure:?}: {}", last_note(&message));
        gateway.advance(Duration::from_secs(pause_s) - Duration::from_millis(1)).await;
        assert!(gateway.sent().is_empty(), "{failure:?}: not before its time");
        // The pause is spread a little, so that messages that were refused together do not come back together.
        gateway.advance(Duration::from_secs(pause_s)).await;
        gateway.advance(Duration::from_secs(5)).await;
        let message = gateway.only_message().await;
        assert_eq!(message["state"], "read", "{failure:?}: {message:#}");
        assert_eq!(message["attempts"], 2);
        assert_eq!(gateway.sent().len(), 1, "{failure:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_stays_is_given_up_in_the_end() {
    let mut gateway = shop().start().await;
    gateway.script().fail_next(100, Failure::Code { code: 4 });
    ordered(&gateway).await;
    for _ in 0..10 {
        gateway.advance(Duration::from_secs(600)).await;
    }
    let message = gateway.only_message().await;
    assert_eq!((&message["state"], &message["attempts"]), (&"failed".into(), &6.into()), "{message:#}");
    assert_eq!(gateway.script().refused().len(), 6);
    gateway.expect_undelivered(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definite_refusal_fails_with_the_provider_s_words() {
    let mut gateway = shop().start().await;
    gateway.script().fail_next(1, Failure::Code { code: 131026 });
    let message = ordered(&gateway).await;
    assert_eq!(message["state"], "failed");
    assert_eq!(message["errors"][0]["code"], "131026");
    assert!(last_note(&message).len() > "131026: ".len(), "{message:#}");
    gateway.advance(Duration::from_secs(3600)).await;
    assert_eq!(gateway.script().refused().len(), 1, "it is not tried again");
    gateway.expect_undelivered(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_provider_took_and_could_not_deliver_fails_with_its_words() {
    let mut gateway = shop().start().await;
    gateway.script().fail_next(1, Failure::FailedStatus { code: 131026 });
    assert_eq!(ordered(&gateway).await["state"], "accepted");
    gateway.advance(Duration::from_secs(5)).await;
    let message = gateway.only_message().await;
    assert_eq!(states(&message), ["queued", "attempting", "accepted", "failed"]);
    assert!(last_note(&message).starts_with("131026: "), "{message:#}");
    assert_eq!(message["errors"][0]["code"], "131026");
    gateway.expect_undelivered(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_come_or_says_nothing_leaves_the_message_unknown_and_it_is_not_sent_again() {
    for failure in [Failure::Hang, Failure::Http500, Failure::CloseBeforeReading] {
        let mut gateway = shop().send_timeout_s(1).start().await;
        gateway.script().fail_next(1, failure);
        let message = ordered(&gateway).await;
        assert_eq!(states(&message), ["queued", "attempting", "unknown"], "{failure:?}");
        assert!(!last_note(&message).is_empty(), "{failure:?}");
        gateway.advance(Duration::from_secs(3600)).await;
        assert!(gateway.sent().is_empty(), "{failure:?}");
        assert_eq!(gateway.script().refused().len(), 1, "{failure:?}: one attempt");
        gateway.expect_undelivered(1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_message_is_resolved_by_the_provider_s_status() {
    let gateway = shop().start().await;
    gateway.script().fail_next(1, Failure::DropAnswerAfterAccepting);
    let message = ordered(&gateway).await;
    assert_eq!(message["state"], "unknown");
    assert_eq!(gateway.sent().len(), 1, "the provider took it");
    gateway.advance(Duration::from_secs(5)).await;
    let message = gateway.only_message().await;
    assert_eq!(states(&message), ["queued", "attempting", "unknown", "sent", "delivered", "read"]);
    assert_eq!(message["provider_id"], gateway.sent()[0].id);
    gateway.advance(Duration::from_secs(3600)).await;
    assert_eq!(gateway.sent().len(), 1);
}
