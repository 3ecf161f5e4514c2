//! A stage for every test: a double on a stepped clock, a sender that talks to it, and a receiver of its webhooks.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use serde_json::Value;
use tidegate_channels::{
    Channel, HttpClient, Outgoing, ProviderRefusal, SendResult, Token, WhatsappConfig, WhatsappSender,
};
use tidegate_clock::{ClockMode, DomainClock};
use tidegate_double::{Category, Double, DoubleConfig, Number, Parameters, Script, Template};
use tidegate_model::{
    MessageId,
    contact::WhatsappAddress,
    message::{Content, Parameter},
    phone::E164,
};
use tokio::{net::TcpListener, task::JoinSet};

pub(crate) const START_MS: i64 = 1_796_000_000_000;
pub(crate) const NUMBER_ID: &str = "106540352242922";
pub(crate) const TOKEN: &str = "EAAdoubleTokenForTests";
pub(crate) const SECRET: &str = "app-secret-for-tests";
pub(crate) const ANN: &str = "+16505551234";

/// Everything of one test. Dropping it stops it.
pub(crate) struct Stage {
    pub(crate) double: Double,
    pub(crate) clock: DomainClock,
    pub(crate) sender: WhatsappSender,
    pub(crate) received: Received,
    _tasks: JoinSet<()>,
}

/// Webhooks that arrived, and what the next ones are answered.
#[derive(Clone, Default)]
pub(crate) struct Received {
    seen: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Received {
    pub(crate) fn all(&self) -> Vec<(HeaderMap, Bytes)> {
        self.seen.lock().unwrap().clone()
    }

    /// `value` of every change, in order of arrival.
    pub(crate) fn values(&self) -> Vec<Value> {
        let bodies = self.all();
        let changes = bodies.iter().flat_map(|(_, body)| {
            let body: Value = serde_json::from_slice(body).unwrap();
            let changes = body["entry"][0]["changes"].as_array().unwrap().clone();
            changes.into_iter().map(|mut change| change["value"].take())
        });
        changes.collect()
    }

    /// Words of the statuses, in order of arrival.
    pub(crate) fn words(&self) -> Vec<String> {
        let values = self.values();
        let statuses = values.iter().map(|value| value["statuses"][0]["status"].as_str());
        statuses.map(|word| word.unwrap_or("none").to_owned()).collect()
    }

    pub(crate) fn answer_next(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses);
    }
}

async fn receive(State(received): State<Received>, headers: HeaderMap, body: Bytes) -> StatusCode {
    received.seen.lock().unwrap().push((headers, body));
    let status = received.answers.lock().unwrap().pop_front().unwrap_or(200);
    StatusCode::from_u16(status).unwrap()
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A stage whose double is configured further.
    pub(crate) async fn with(change: impl FnOnce(&mut DoubleConfig)) -> Self {
        let received = Received::default();
        let mut tasks = JoinSet::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/in/whatsapp", listener.local_addr().unwrap());
        let app = Router::new().route("/in/whatsapp", post(receive)).with_state(received.clone());
        tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
        let clock = DomainClock::new(ClockMode::Stepped { start_ms: START_MS }).unwrap();
        let mut config = DoubleConfig::new(clock.clone());
        config.numbers = vec![number(Some(url))];
        config.templates = templates();
        change(&mut config);
        let double = Double::start(config).await.unwrap();
        let sender = sender(double.url(), NUMBER_ID, TOKEN, "v25.0");
        Self { double, clock, sender, received, _tasks: tasks }
    }

    pub(crate) fn script(&self) -> &Script {
        self.double.script()
    }

    /// Steps the clock and waits until everything due was done.
    pub(crate) async fn pass(&self, ms: i64) {
        self.clock.advance(ms).unwrap();
        self.script().settle().await;
    }

    pub(crate) async fn send(&self, content: Content) -> SendResult {
        self.sender.send(outgoing("m", content)).await
    }

    #[track_caller]
    pub(crate) fn accepted(result: SendResult) -> String {
        match result {
            SendResult::Accepted { provider_id, .. } => provider_id,
            other => panic!("expected acceptance, found {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn refused(result: SendResult) -> ProviderRefusal {
        match result {
            SendResult::Refused(refusal) => refusal,
            other => panic!("expected a refusal, found {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn unknown(result: SendResult) -> String {
        match result {
            SendResult::Unknown { reason } => reason,
            other => panic!("expected nothing known, found {other:?}"),
        }
    }
}

pub(crate) fn number(webhook_url: Option<String>) -> Number {
    Number {
        phone_number_id: NUMBER_ID.to_owned(),
        waba_id: "102290129340398".to_owned(),
        display_phone_number: "15550783881".to_owned(),
        access_token: TOKEN.to_owned(),
        app_secret: SECRET.to_owned(),
        webhook_url,
    }
}

fn templates() -> Vec<Template> {
    vec![
        Template {
            name: "order_sent".to_owned(),
            language: "it".to_owned(),
            parameters: Parameters::Positional(2),
            category: Category::Utility,
            body: "Ciao {{1}}, l'ordine {{2}} è partito.".to_owned(),
        },
        Template {
            name: "welcome".to_owned(),
            language: "en_US".to_owned(),
            parameters: Parameters::Named(vec!["first_name".to_owned()]),
            category: Category::Marketing,
            body: "Welcome {{first_name}}!".to_owned(),
        },
    ]
}

pub(crate) fn sender(base_url: &str, phone_number_id: &str, token: &str, version: &str) -> WhatsappSender {
    let config = WhatsappConfig {
        name: "main".to_owned(),
        phone_number_id: phone_number_id.to_owned(),
        access_token: Token::new(token).unwrap(),
        base_url: base_url.to_owned(),
        graph_version: version.to_owned(),
        timeout: Duration::from_millis(500),
    };
    WhatsappSender::new(HttpClient::new().unwrap(), config).unwrap()
}

pub(crate) fn message_id(name: &str) -> MessageId {
    MessageId::derive(START_MS, &[name.as_bytes()])
}

pub(crate) fn outgoing(name: &str, content: Content) -> Outgoing {
    Outgoing { id: message_id(name), to: WhatsappAddress::Phone(E164::parse(ANN, None).unwrap()), content }
}

pub(crate) fn text(text: &str) -> Content {
    Content::Text { text: text.to_owned() }
}

pub(crate) fn order_sent() -> Content {
    template("order_sent", "it", &[(None, "Ann"), (None, "17")])
}

pub(crate) fn template(name: &str, language: &str, values: &[(Option<&str>, &str)]) -> Content {
    Content::Template {
        name: name.to_owned(),
        language: language.to_owned(),
        parameters: values
            .iter()
            .map(|(name, value)| Parameter { name: name.map(str::to_owned), value: (*value).to_owned() })
            .collect(),
        text: String::new(),
    }
}
