//! Webhooks: signed over their very bytes, repeated until they are answered 200.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tidegate_double::{Button, ScriptError};

use crate::support::{ANN, NUMBER_ID, SECRET, START_MS, Stage, order_sent};

#[tokio::test]
async fn what_people_write_comes_signed_and_escaped() {
    let stage = Stage::new().await;
    let id = stage.script().inbound_text(NUMBER_ID, ANN, "Zoë", "sì, grazie 😀 a/b").unwrap();
    stage.script().settle().await;
    let (headers, body) = stage.received.all().remove(0);
    assert!(body.is_ascii(), "unicode is escaped");
    assert!(body.windows(4).any(|bytes| bytes == br"a\/b"), "and slashes are");
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(&body);
    let expected = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(headers["x-hub-signature-256"], expected);
    assert_eq!(headers["user-agent"], "facebookexternalua");
    assert_eq!(headers["content-type"], "application/json");
    let value = stage.received.values().remove(0);
    assert_eq!(value["messages"][0]["id"], id);
    insta::assert_json_snapshot!("inbound_text", value);
}

#[tokio::test]
async fn a_pressed_button_says_under_which_message_it_stood() {
    let stage = Stage::new().await;
    let button =
        Button { text: "Unsubscribe".to_owned(), payload: "stop".to_owned(), under: Some("wamid.A".to_owned()) };
    stage.script().inbound_button(NUMBER_ID, ANN, "Ann", button).unwrap();
    let user = "US.13491208655302741918";
    stage.script().inbound_text(NUMBER_ID, user, "Bo", "hi").unwrap();
    stage.script().settle().await;
    let mut values = stage.received.values();
    values.sort_by_key(|value| value["messages"][0]["type"].to_string());
    insta::assert_json_snapshot!("inbound_button", values[0]);
    insta::assert_json_snapshot!("inbound_from_user_id", values[1]);
}

#[tokio::test]
async fn what_is_not_answered_200_comes_again_later_and_later_the_same() {
    let stage = Stage::new().await;
    stage.received.answer_next(&[500, 404, 202]);
    stage.script().inbound_text(NUMBER_ID, ANN, "Ann", "hi").unwrap();
    stage.script().settle().await;
    assert_eq!(stage.received.all().len(), 2, "again at once, then not yet");
    stage.pass(4_999).await;
    assert_eq!(stage.received.all().len(), 2);
    stage.pass(1).await;
    stage.pass(30_000).await;
    stage.pass(30 * 24 * 3_600_000).await;
    let bodies: Vec<_> = stage.received.all().into_iter().map(|(_, body)| body).collect();
    assert_eq!(bodies.len(), 4);
    assert!(bodies.iter().all(|body| *body == bodies[0]), "the same bytes every time");
    let log: Vec<_> =
        stage.script().deliveries().iter().map(|d| (d.attempt, d.http_status, d.again, d.at_ms - START_MS)).collect();
    let expected =
        [(1, Some(500), true, 0), (2, Some(404), true, 0), (3, Some(202), true, 5_000), (4, Some(200), false, 35_000)];
    assert_eq!(log, expected);
}

#[tokio::test]
async fn a_webhook_that_nobody_takes_is_given_up_within_a_week() {
    let stage = Stage::new().await;
    stage.received.answer_next(&[500; 100]);
    stage.script().inbound_text(NUMBER_ID, ANN, "Ann", "hi").unwrap();
    for _ in 0..30 {
        stage.pass(24 * 3_600_000).await;
    }
    let log = stage.script().deliveries();
    let last = log.last().unwrap();
    assert_eq!((log.len(), last.again), (9, false));
}

#[tokio::test]
async fn updates_go_together_when_batches_are_allowed() {
    let stage = Stage::with(|config| {
        config.batch = 100;
        config.lanes = 1;
    })
    .await;
    for _ in 0..50 {
        Stage::accepted(stage.send(order_sent()).await);
    }
    stage.pass(60_000).await;
    assert_eq!(stage.received.words().len(), 150);
    let posts = stage.received.all().len();
    assert!(posts < 150, "{posts} webhooks for 150 statuses");
    let told: usize = stage.script().deliveries().iter().map(|d| d.message_ids.len()).sum();
    assert_eq!(told, 150);
}

#[tokio::test]
async fn without_an_address_nothing_is_delivered_until_one_is_set() {
    let stage = Stage::with(|config| config.numbers[0].webhook_url = None).await;
    Stage::accepted(stage.send(order_sent()).await);
    stage.pass(1_000).await;
    assert_eq!(stage.script().deliveries().len(), 0);
    assert_eq!(stage.script().statuses().len(), 1);
    // Port 9 is nobody's here: the connection is refused.
    let nowhere = Some("http://127.0.0.1:9/in");
    stage.script().set_webhook_url(NUMBER_ID, nowhere).unwrap();
    stage.pass(1_000).await;
    let log = stage.script().deliveries();
    assert!(log[0].http_status.is_none() && log[0].again, "{log:?}");
    let unknown = stage.script().set_webhook_url("1", None);
    assert_eq!(unknown, Err(ScriptError::Number("1".to_owned())));
    let unreadable = stage.script().set_webhook_url(NUMBER_ID, Some("in/whatsapp"));
    assert_eq!(unreadable, Err(ScriptError::Url));
}
