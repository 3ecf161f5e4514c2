//! Scripts over HTTP, under `/_double`: the same as [`Script`] does in the process, for any language. It needs no password: a double listens on its machine only.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    leads::{Lead, Page},
    record::Record,
    rules::Rule,
    script::{Script, ScriptError},
    state::StatusManner,
    webhook::Button,
};

type Answer = Result<Json<Value>, (StatusCode, Json<Value>)>;

pub(crate) fn router(script: Script) -> Router {
    Router::new()
        .route("/inbound", post(inbound))
        .route("/inbound_sms", post(inbound_sms))
        .route("/fail", post(fail))
        .route("/clear", post(clear))
        .route("/webhook", post(webhook))
        .route("/status_manner", post(status_manner))
        .route("/page", post(page))
        .route("/lead", post(lead))
        .route("/settle", post(settle))
        .route("/sent", get(|State(s): State<Script>| shown(s, |r| json!(r.sent))))
        .route("/sms", get(|State(s): State<Script>| shown(s, |r| json!(r.sms))))
        .route("/leads_read", get(|State(s): State<Script>| shown(s, |r| json!(r.leads_read))))
        .route("/refused", get(|State(s): State<Script>| shown(s, |r| json!(r.refused))))
        .route("/statuses", get(|State(s): State<Script>| shown(s, |r| json!(r.statuses))))
        .route("/deliveries", get(|State(s): State<Script>| shown(s, |r| json!(r.deliveries))))
        .with_state(script)
}

/// A person writes, or presses a button.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InboundAsk {
    phone_number_id: String,
    from: String,
    name: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    button: Option<Button>,
}

async fn inbound(State(script): State<Script>, Json(ask): Json<InboundAsk>) -> Answer {
    let id = match (ask.text, ask.button) {
        (Some(text), None) => script.inbound_text(&ask.phone_number_id, &ask.from, &ask.name, &text),
        (None, Some(button)) => script.inbound_button(&ask.phone_number_id, &ask.from, &ask.name, button),
        _ => return Err(bad("give one of text and button")),
    };
    id.map(|id| Json(json!({ "id": id }))).map_err(|error| refused(&error))
}

/// A person texts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InboundSmsAsk {
    to: String,
    from: String,
    text: String,
}

async fn inbound_sms(State(script): State<Script>, Json(ask): Json<InboundSmsAsk>) -> Answer {
    let id = script.inbound_sms(&ask.to, &ask.from, &ask.text);
    id.map(|id| Json(json!({ "id": id }))).map_err(|error| refused(&error))
}

async fn fail(State(script): State<Script>, Json(rule): Json<Rule>) -> Answer {
    script.add_rule(rule);
    done()
}

async fn clear(State(script): State<Script>) -> Answer {
    script.clear_rules();
    done()
}

/// Where a number's webhooks go.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookAsk {
    phone_number_id: String,
    url: Option<String>,
}

async fn webhook(State(script): State<Script>, Json(ask): Json<WebhookAsk>) -> Answer {
    script.set_webhook_url(&ask.phone_number_id, ask.url.as_deref()).map_err(|error| refused(&error))?;
    done()
}

/// How statuses come.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MannerAsk {
    manner: StatusManner,
}

async fn status_manner(State(script): State<Script>, Json(ask): Json<MannerAsk>) -> Answer {
    script.set_status_manner(ask.manner);
    done()
}

async fn page(State(script): State<Script>, Json(page): Json<Page>) -> Answer {
    script.put_page(page);
    done()
}

async fn lead(State(script): State<Script>, Json(lead): Json<Lead>) -> Answer {
    script.put_lead(lead).map_err(|error| refused(&error))?;
    done()
}

async fn settle(State(script): State<Script>) -> Answer {
    script.settle().await;
    done()
}

async fn shown(script: Script, list: fn(&Record) -> Value) -> Json<Value> {
    Json(script.look(list))
}

fn done() -> Answer {
    Ok(Json(json!({ "ok": true })))
}

fn refused(error: &ScriptError) -> (StatusCode, Json<Value>) {
    bad(&error.to_string())
}

fn bad(reason: &str) -> (StatusCode, Json<Value>) {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": reason })))
}
