//! Messages of which nobody knows, that fail later, or that come too late: each is sent as often as policy allows, and no more.

use crate::{last_note, shop, states};
use serde_json::Value;
use std::time::Duration;
use tidegate_double::{Failure, StatusManner};
use tidegate_test_support::{Customer, Gateway};

const HOUR: Duration = Duration::from_secs(3600);

async fn ordered(gateway: &Gateway) -> Value {
    gateway.orders(1, &Customer::nth(1)).await;
    gateway.settle().await;
    gateway.only_message().await
}

async fn with(variables: &[(&str, &str)]) -> Gateway {
    let mut gateway = shop().send_timeout_s(1).start().await;
    for (name, value) in variables {
        gateway.set(name, value);
    }
    gateway.restart().await;
    gateway
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stays_unknown_is_kept_sent_once_more_or_given_up_as_configured() {
    for (policy, state, requests) in [("keep", "unknown", 1), ("drop", "failed", 1), ("resend", "read", 2)] {
        let mut gateway = with(&[("TIDEGATE_SENDING__UNKNOWN_UTILITY", policy)]).await;
        gateway.script().fail_next(1, Failure::Hang);
        assert_eq!(ordered(&gateway).await["state"], "unknown");
        // The time for a status passes over a kill.
        gateway.kill9();
        gateway.start_again().await;
        gateway.advance(Duration::from_secs(299)).await;
        assert_eq!(gateway.only_message().await["state"], "unknown", "{policy}");
        gateway.advance(Duration::from_secs(1)).await;
        gateway.advance(Duration::from_secs(5)).await;
        gateway.advance(HOUR).await;
        let message = gateway.only_message().await;
        assert_eq!(message["state"], state, "{policy}: {message:#}");
        let made = gateway.sent().len() + gateway.script().refused().len();
        assert_eq!(made, requests, "{policy}");
        gateway.expect_undelivered(usize::from(policy != "resend"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_attempt_of_an_unknown_message_that_had_arrived_is_told_by_both() {
    let gateway = with(&[("TIDEGATE_SENDING__UNKNOWN_UTILITY", "resend")]).await;
    // The provider takes it, and its statuses do not come: the policy's risk is a double, never a loss.
    gateway.script().fail_next(1, Failure::DropAnswerAfterAccepting);
    gateway.script().set_webhook_url(tidegate_test_support::NUMBER_ID, None).expect("the double has the number");
    assert_eq!(ordered(&gateway).await["state"], "unknown");
    gateway.advance(Duration::from_secs(10)).await;
    gateway.advance(Duration::from_secs(290)).await;
    let message = gateway.only_message().await;
    assert_eq!((&message["state"], gateway.sent().len()), (&"accepted".into(), 2), "{message:#}");
    gateway.advance(24 * HOUR).await;
    assert_eq!(gateway.sent().len(), 2, "once more, and that is all");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_puts_off_by_webhook_is_sent_again_a_day_later_once() {
    let mut gateway = with(&[("TIDEGATE_SENDING__UTILITY_LIFE_S", "200000")]).await;
    gateway.script().set_status_manner(StatusManner::Twice);
    gateway.script().fail_next(1, Failure::FailedStatus { code: 131_049 });
    assert_eq!(ordered(&gateway).await["state"], "accepted");
    gateway.advance(Duration::from_secs(5)).await;
    let message = gateway.only_message().await;
    assert_eq!(states(&message), ["queued", "attempting", "accepted", "failed", "queued"], "{message:#}");
    gateway.kill9();
    gateway.start_again().await;
    gateway.advance(24 * HOUR - Duration::from_secs(1)).await;
    assert_eq!(gateway.sent().len(), 1, "not before its time");
    gateway.advance(Duration::from_secs(60)).await;
    gateway.advance(Duration::from_secs(5)).await;
    let message = gateway.only_message().await;
    assert_eq!((&message["state"], gateway.sent().len()), (&"read".into(), 2), "{message:#}");
    assert_eq!(message["earlier"][0], gateway.sent()[0].id);
    assert_eq!(message["provider_id"], gateway.sent()[1].id);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_sent_again_too_late_is_given_up_and_says_so() {
    let mut gateway = shop().start().await;
    gateway.script().fail_next(1, Failure::FailedStatus { code: 131_049 });
    ordered(&gateway).await;
    gateway.advance(Duration::from_secs(5)).await;
    let message = gateway.only_message().await;
    assert_eq!(message["state"], "failed");
    assert!(last_note(&message).contains("it was to be sent before"), "{message:#}");
    gateway.advance(48 * HOUR).await;
    assert_eq!(gateway.sent().len(), 1);
    gateway.expect_undelivered(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_stays_wrong_is_tried_as_often_as_it_is_worth() {
    for (code, attempts) in [(1, 3), (135_000, 2), (100, 1)] {
        let mut gateway = shop().start().await;
        gateway.script().fail_next(100, Failure::Code { code });
        ordered(&gateway).await;
        for _ in 0..5 {
            gateway.advance(Duration::from_secs(600)).await;
        }
        let message = gateway.only_message().await;
        assert_eq!((&message["state"], &message["attempts"]), (&"failed".into(), &attempts.into()), "{message:#}");
        gateway.expect_undelivered(1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_not_on_whatsapp_is_not_tried_again_with_the_next_message() {
    for (failure, wait) in [(Failure::Code { code: 131_026 }, 0), (Failure::FailedStatus { code: 131_026 }, 5)] {
        let mut gateway = shop().start().await;
        gateway.script().fail_next(1, failure);
        ordered(&gateway).await;
        gateway.advance(Duration::from_secs(wait)).await;
        gateway.orders(2, &Customer::nth(1)).await;
        gateway.settle().await;
        let held = |message: &&Value| message["state"] == "refused" && message["gate"][0]["check"] == "reachable";
        assert_eq!(gateway.outbound().await.iter().filter(held).count(), 1);
        // They write: they are there.
        gateway.advance(Duration::from_secs(5)).await;
        gateway.writes(&Customer::nth(1), "Hello there").await;
        gateway.orders(3, &Customer::nth(1)).await;
        gateway.settle().await;
        assert_eq!(gateway.outbound().await[0]["state"], "accepted");
        gateway.expect_undelivered(2);
    }
}
