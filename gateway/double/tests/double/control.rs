//! Scripts over HTTP do what scripts in the process do.

use serde_json::{Value, json};
use tidegate_double::{Double, DoubleConfig, StartError};

use crate::support::{ANN, NUMBER_ID, Stage, number, order_sent};

async fn post(stage: &Stage, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/_double/{path}", stage.double.url());
    let request = reqwest::Client::new().post(url);
    let request = request.header("content-type", "application/json").body(body.to_string());
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

async fn list(stage: &Stage, path: &str) -> Vec<Value> {
    let url = format!("{}/_double/{path}", stage.double.url());
    let body = reqwest::get(url).await.unwrap().bytes().await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn a_script_in_any_language_can_write_fail_and_look() {
    let stage = Stage::new().await;
    let inbound = json!({ "phone_number_id": NUMBER_ID, "from": ANN, "name": "Ann", "text": "hi" });
    let (status, answer) = post(&stage, "inbound", inbound).await;
    assert!(status == 200 && answer["id"].as_str().unwrap().starts_with("wamid."), "{answer}");
    let fail = json!({ "failure": { "kind": "code", "code": 131056 }, "times": 1 });
    assert_eq!(post(&stage, "fail", fail).await.0, 200);
    let manner = json!({ "manner": "twice" });
    assert_eq!(post(&stage, "status_manner", manner).await.0, 200);
    assert_eq!(Stage::refused(stage.send(order_sent()).await).code, "131056");
    Stage::accepted(stage.send(order_sent()).await);
    stage.clock.advance(1_000).unwrap();
    assert_eq!(post(&stage, "settle", Value::Null).await.0, 200);
    assert_eq!(list(&stage, "sent").await[0]["text"], "Ciao Ann, l'ordine 17 è partito.");
    assert_eq!(list(&stage, "refused").await[0]["code"], 131056);
    assert_eq!(list(&stage, "statuses").await[0]["status"], "sent");
    assert_eq!(list(&stage, "deliveries").await.len(), 3);
    let hang = json!({ "failure": { "kind": "hang" }, "to": "16505551234" });
    assert_eq!(post(&stage, "fail", hang).await.0, 200);
    assert_eq!(post(&stage, "clear", Value::Null).await.0, 200);
    Stage::accepted(stage.send(order_sent()).await);
}

#[tokio::test]
async fn a_script_that_asks_for_what_is_not_there_is_told_so() {
    let stage = Stage::new().await;
    let nobody = json!({ "phone_number_id": NUMBER_ID, "from": "Ann", "name": "Ann", "text": "hi" });
    let (status, answer) = post(&stage, "inbound", nobody).await;
    assert!(status == 400 && answer["error"].as_str().unwrap().contains("from"), "{answer}");
    let nothing = json!({ "phone_number_id": NUMBER_ID, "from": ANN, "name": "Ann" });
    assert_eq!(post(&stage, "inbound", nothing).await.0, 400);
    let webhook = json!({ "phone_number_id": "1", "url": null });
    assert_eq!(post(&stage, "webhook", webhook).await.0, 400);
    let unread = json!({ "failure": { "kind": "explode" } });
    assert_eq!(post(&stage, "fail", unread).await.0, 422);
}

#[tokio::test]
async fn a_double_does_not_start_with_what_is_wrong() {
    let stage = Stage::new().await;
    let check = async |change: fn(&mut DoubleConfig), expected: &str| {
        let mut config = DoubleConfig::new(stage.clock.clone());
        config.numbers = vec![number(None)];
        change(&mut config);
        let error = Double::start(config).await.err().map(|e: StartError| e.to_string());
        let error = error.unwrap_or_default();
        assert!(error.contains(expected), "{expected}: {error}");
    };
    check(|c| c.listen = "0.0.0.0:0".parse().unwrap(), "this machine only").await;
    check(|c| c.lanes = 0, "at least 1").await;
    check(|c| c.numbers.push(number(None)), "another number").await;
    check(|c| c.numbers[0].display_phone_number = "+1".to_owned(), "digits").await;
    check(|c| c.numbers[0].webhook_url = Some("x".to_owned()), "webhook_url").await;
    check(
        |c| {
            c.templates = vec![
                serde_json::from_value(json!({
                    "name": "t", "language": "it", "parameters": 2, "category": "utility", "body": "{{1}}",
                }))
                .unwrap(),
            ];
        },
        "placeholders",
    )
    .await;
}
