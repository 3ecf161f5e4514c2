//! Leads over real HTTP: put on the shelf by a script in any language, read with the page's token, and failing when wanted.

use crate::support::Stage;
use serde_json::{Value, json};
use tidegate_double::{Failure, Rule};

const TOKEN: &str = "EAAGpageTokenForTests";
const LEAD: &str = "1357924680135";

async fn post(stage: &Stage, path: &str, body: &Value) -> u16 {
    let request = reqwest::Client::new().post(format!("{}/_double/{path}", stage.double.url()));
    let request = request.header("content-type", "application/json").body(body.to_string());
    request.send().await.unwrap().status().as_u16()
}

/// Status, usage of the page's limit, body; `None` when the line was cut.
async fn read(stage: &Stage, token: &str) -> Option<(u16, Value, Value)> {
    let url = format!("{}/v25.0/{LEAD}?fields=id,created_time", stage.double.url());
    let response = reqwest::Client::new().get(url).bearer_auth(token).send().await.ok()?;
    let status = response.status().as_u16();
    let usage = response.headers().get("x-business-use-case-usage").map(|usage| usage.to_str().unwrap().to_owned());
    let body = response.bytes().await.unwrap();
    let json = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap_or(Value::Null);
    Some((status, json(usage.unwrap_or_default().as_bytes()), json(&body)))
}

#[tokio::test]
async fn a_lead_on_the_shelf_is_shown_to_the_page_s_token_and_fails_when_a_script_wants() {
    let stage = Stage::new().await;
    let lead = json!({"id": LEAD, "page_id": "153", "created_at_ms": 1_772_359_190_000_i64, "answers": [["email", ["ada@example.com"]]]});
    assert_eq!(post(&stage, "lead", &lead).await, 400, "its page is not there");
    assert_eq!(post(&stage, "page", &json!({"id": "153", "access_token": TOKEN})).await, 200);
    assert_eq!(post(&stage, "lead", &lead).await, 200);
    let (status, usage, body) = read(&stage, TOKEN).await.unwrap();
    assert_eq!((status, body), (200, json!({"id": LEAD, "created_time": "2026-03-01T09:59:50+0000"})));
    assert_eq!(usage["153"][0]["estimated_time_to_regain_access"], 0);
    let (status, _, body) = read(&stage, "EAAGother").await.unwrap();
    assert_eq!((status, &body["error"]["code"]), (401, &json!(190)));

    let written = reqwest::Client::new().post(format!("{}/v25.0/{LEAD}", stage.double.url())).send().await.unwrap();
    assert_eq!(written.status(), 400, "nothing is written here");

    let script = stage.double.script();
    let of_lead = |failure| Rule { failure, to: Some(LEAD.to_owned()), number: Some("153".to_owned()), times: Some(1) };
    script.add_rule(of_lead(Failure::Http500));
    assert_eq!(read(&stage, TOKEN).await.unwrap(), (500, Value::Null, Value::Null));
    script.add_rule(of_lead(Failure::Code { code: 4 }));
    assert_eq!(read(&stage, TOKEN).await.unwrap().2["error"]["code"], 4);
    script.add_rule(of_lead(Failure::RateLimited { retry_after_s: 61 }));
    let (status, usage, body) = read(&stage, TOKEN).await.unwrap();
    assert_eq!((status, &body["error"]["code"]), (400, &json!(80005)));
    assert_eq!(usage["153"][0]["estimated_time_to_regain_access"], 2);
    for failure in [Failure::CloseBeforeReading, Failure::DropAnswerAfterAccepting] {
        script.add_rule(of_lead(failure));
        assert_eq!(read(&stage, TOKEN).await, None);
    }
    script.add_rule(Rule { number: Some("154".to_owned()), times: None, ..of_lead(Failure::Http500) });
    assert_eq!(read(&stage, TOKEN).await.unwrap().0, 200, "the rule is another page's");
    assert_eq!((script.leads_read().len(), script.refused().len()), (3, 5));
}
