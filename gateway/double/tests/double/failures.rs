//! Failures that a script asks for, and what the channel makes of them.

use std::time::Duration;

use tidegate_channels::{Action, Channel};
use tidegate_double::{Failure, Rule};

use crate::support::{ANN, Stage, message_id, order_sent, outgoing};

#[tokio::test]
async fn a_500_without_a_word_and_a_closed_line_leave_the_outcome_unknown() {
    let stage = Stage::new().await;
    for failure in [Failure::Http500, Failure::CloseBeforeReading, Failure::Hang] {
        stage.script().fail_next(1, failure);
        let reason = Stage::unknown(stage.send(order_sent()).await);
        assert!(reason.contains("may have been sent"), "{failure:?}: {reason}");
    }
    assert_eq!(stage.script().sent().len(), 0);
    let refused = stage.script().refused();
    let statuses: Vec<_> = refused.iter().map(|r| r.http_status).collect();
    assert_eq!(statuses, [Some(500), None, None]);
    Stage::accepted(stage.send(order_sent()).await);
}

#[tokio::test]
async fn a_429_is_a_certain_refusal_with_its_wait() {
    let stage = Stage::new().await;
    stage.script().fail_next(1, Failure::RateLimited { retry_after_s: 30 });
    let refusal = Stage::refused(stage.send(order_sent()).await);
    assert_eq!((refusal.code.as_str(), refusal.http_status), ("130429", Some(429)));
    let after = Some(Duration::from_secs(30));
    assert_eq!(refusal.action, Action::Retry { after });
    stage.script().fail_next(1, Failure::Code { code: 131050 });
    let refusal = Stage::refused(stage.send(order_sent()).await);
    assert_eq!(refusal.action, Action::Suppress(tidegate_model::gate::SuppressionScope::Marketing));
    Stage::accepted(stage.send(order_sent()).await);
    assert_eq!(stage.script().sent().len(), 1);
}

#[tokio::test]
async fn an_answer_dropped_after_acceptance_is_unknown_until_the_status_brings_our_id() {
    let stage = Stage::new().await;
    stage.script().fail_next(1, Failure::DropAnswerAfterAccepting);
    let result = stage.sender.send(outgoing("lost", order_sent())).await;
    Stage::unknown(result);
    assert_eq!(stage.script().sent().len(), 1, "it was taken all the same");
    stage.pass(1_000).await;
    let status = &stage.received.values()[0]["statuses"][0];
    assert_eq!(status["status"], "sent");
    assert_eq!(status["biz_opaque_callback_data"], message_id("lost").to_string());
}

#[tokio::test]
async fn a_rule_for_one_person_spares_the_others() {
    let stage = Stage::new().await;
    stage.script().fail_for(ANN, Failure::FailedStatus { code: 131026 }).unwrap();
    stage.script().add_rule(Rule {
        failure: Failure::Code { code: 131000 },
        to: Some("393331234567".to_owned()),
        number: None,
        times: None,
    });
    Stage::accepted(stage.send(order_sent()).await);
    stage.pass(5_000).await;
    assert_eq!(stage.received.words(), ["failed"]);
    let value = &stage.received.values()[0];
    assert_eq!(value["statuses"][0]["errors"][0]["code"], 131026);
    assert!(value.get("contacts").is_none(), "a failed status has no contacts: {value}");
    stage.script().clear_rules();
    Stage::accepted(stage.send(order_sent()).await);
    stage.pass(5_000).await;
    assert_eq!(stage.received.words(), ["failed", "sent", "delivered", "read"]);
}

#[tokio::test]
async fn a_double_that_was_stopped_is_not_reached() {
    let stage = Stage::new().await;
    Stage::accepted(stage.send(order_sent()).await);
    let Stage { double, sender, .. } = stage;
    double.stop().await;
    let refusal = Stage::refused(sender.send(outgoing("late", order_sent())).await);
    assert_eq!(refusal.code, "connect");
    assert_eq!(refusal.action, Action::Retry { after: None });
}
