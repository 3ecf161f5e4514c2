//! Statuses in domain time: nothing before its moment, everything at it.

use tidegate_double::{Delays, StatusManner, StatusWord};

use crate::support::{ANN, NUMBER_ID, START_MS, Stage, message_id, order_sent, text};

#[tokio::test]
async fn statuses_come_at_their_moment_and_say_what_it_costs() {
    let stage = Stage::new().await;
    let id = Stage::accepted(stage.send(order_sent()).await);
    stage.pass(999).await;
    assert_eq!(stage.received.words(), [""; 0]);
    stage.pass(1).await;
    assert_eq!(stage.received.words(), ["sent"]);
    stage.pass(1_000).await;
    stage.pass(3_000).await;
    assert_eq!(stage.received.words(), ["sent", "delivered", "read"]);
    insta::assert_json_snapshot!("sent", stage.received.values()[0]);
    insta::assert_json_snapshot!("read", stage.received.values()[2]);
    let log = stage.script().statuses();
    assert!(log.iter().all(|entry| entry.message_id == id));
    let told: Vec<_> = log.iter().map(|entry| (entry.status, entry.at_ms - START_MS)).collect();
    let expected = [(StatusWord::Sent, 1_000), (StatusWord::Delivered, 2_000), (StatusWord::Read, 5_000)];
    assert_eq!(told, expected);
    assert_eq!(log[0].callback_data, Some(message_id("m").to_string()));
}

#[tokio::test]
async fn one_long_step_tells_everything_in_order() {
    let stage = Stage::new().await;
    for _ in 0..3 {
        Stage::accepted(stage.send(order_sent()).await);
    }
    stage.pass(3_600_000).await;
    let words = stage.received.words();
    let expected = [["sent"; 3], ["delivered"; 3], ["read"; 3]].concat();
    assert_eq!(words, expected, "one person, one lane, one order");
}

#[tokio::test]
async fn statuses_come_twice_or_reversed_when_wanted() {
    let stage = Stage::new().await;
    stage.script().set_status_manner(StatusManner::Twice);
    Stage::accepted(stage.send(order_sent()).await);
    stage.pass(5_000).await;
    let twice = ["sent", "sent", "delivered", "delivered", "read", "read"];
    assert_eq!(stage.received.words(), twice);
    stage.script().set_status_manner(StatusManner::Reversed);
    Stage::accepted(stage.send(order_sent()).await);
    stage.pass(4_999).await;
    assert_eq!(stage.received.words().len(), 6);
    stage.pass(1).await;
    assert_eq!(stage.received.words()[6..], ["read", "delivered", "sent"]);
}

#[tokio::test]
async fn a_message_that_is_never_read_stops_at_delivered() {
    let delays = Delays { sent_ms: 0, delivered_ms: Some(0), read_ms: None };
    let stage = Stage::with(|config| config.delays = delays).await;
    Stage::accepted(stage.send(order_sent()).await);
    stage.script().settle().await;
    assert_eq!(stage.received.words(), ["sent", "delivered"]);
}

#[tokio::test]
async fn a_free_text_in_the_window_is_free_and_names_the_person() {
    let stage = Stage::new().await;
    stage.script().inbound_text(NUMBER_ID, ANN, "Ann Ästhet", "hi").unwrap();
    Stage::accepted(stage.send(text("Hello!")).await);
    stage.pass(1_000).await;
    let value = &stage.received.values()[1];
    assert_eq!(value["contacts"][0]["profile"]["name"], "Ann Ästhet");
    let pricing = &value["statuses"][0]["pricing"];
    assert_eq!((&pricing["billable"], &pricing["category"]), (&false.into(), &"service".into()));
}
