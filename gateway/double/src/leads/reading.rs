//! The reading of a lead over HTTP: what a script wants first, then what the shelf says. A rule's number is the page here, and its person the lead.

use super::{Ask, Told, usage};
use crate::{
    graph::error::GraphError,
    record::{LeadRead, RefusedRequest, note},
    rules::{Failure, Stage},
    server::{answer, cut},
    state::{Shared, State},
};
use axum::{
    extract::{OriginalUri, Path, State as Of},
    http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION},
    response::Response,
};
use reqwest::Url;
use serde_json::Value;
use std::sync::Arc;

const USAGE: HeaderName = HeaderName::from_static("x-business-use-case-usage");

/// `GET /{version}/{leadgen-id}`.
pub(crate) async fn lead(
    Of(shared): Of<Arc<Shared>>,
    Path((version, id)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let url = Url::parse(&format!("http://graph/?{}", uri.query().unwrap_or_default())).ok();
    let parameters: Vec<_> = url.iter().flat_map(|url| url.query_pairs().into_owned()).collect();
    let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer ")).map(str::trim);
    let ask = Ask { version: &version, id: &id, parameters: &parameters, token };
    let outcome = shared.read_lead(&ask);
    shared.tell();
    match outcome {
        Outcome::Answer(status, usage, body) => {
            let mut response = answer(status, None, &body);
            if let Some(usage) = usage.and_then(|usage| HeaderValue::from_str(&usage.to_string()).ok()) {
                response.headers_mut().insert(USAGE, usage);
            }
            response
        }
        Outcome::Hang => std::future::pending().await,
        Outcome::Cut => cut(),
    }
}

/// What becomes of a request.
enum Outcome {
    Answer(u16, Option<Value>, Value),
    Hang,
    Cut,
}

impl Shared {
    fn read_lead(&self, ask: &Ask<'_>) -> Outcome {
        let now_ms = self.clock.now_ms();
        let mut state = self.lock();
        if let Some(outcome) = struck_early(&mut state, ask, now_ms) {
            return outcome;
        }
        let Told { page, mut usage, answer } = state.leads.read(ask, now_ms);
        let page = page.unwrap_or_default();
        let struck = match &answer {
            Ok(_) => state.rules.take(Stage::Good, &page, Some(ask.id)),
            Err(_) => None,
        };
        let answer = match struck {
            Some(Failure::Code { code }) => Err(GraphError::plain(code)),
            Some(Failure::RateLimited { retry_after_s }) => {
                usage = Some(reached(&page, retry_after_s));
                Err(GraphError::plain(80005))
            }
            _ => answer,
        };
        match answer {
            Ok(body) => {
                let read = LeadRead { lead_id: ask.id.to_owned(), page_id: page, at_ms: now_ms };
                note(&mut state.record.leads_read, read);
                if struck == Some(Failure::DropAnswerAfterAccepting) {
                    return Outcome::Cut;
                }
                Outcome::Answer(200, usage, body)
            }
            Err(error) => {
                note_refused(&mut state, ask, Some(error.status), Some(error.code), &error.reason(), now_ms);
                Outcome::Answer(error.status, usage, error.body(&self.ids.trace()))
            }
        }
    }
}

/// The page's limit is reached, for so many seconds.
fn reached(page: &str, wait_s: u64) -> Value {
    usage(page, 100, i64::try_from(wait_s).unwrap_or(i64::MAX / 1_000).saturating_mul(1_000))
}

/// A failure that strikes whoever asks.
fn struck_early(state: &mut State, ask: &Ask<'_>, now_ms: i64) -> Option<Outcome> {
    let page = state.leads.page_of(ask.id).unwrap_or_default().to_owned();
    let failure = state
        .rules
        .take(Stage::Head, &page, Some(ask.id))
        .or_else(|| state.rules.take(Stage::Body, &page, Some(ask.id)))?;
    let (status, reason, outcome) = match failure {
        Failure::Hang => (None, "never answered, as a script wants", Outcome::Hang),
        Failure::CloseBeforeReading => (None, "cut, as a script wants", Outcome::Cut),
        _ => (Some(500), "answered 500, as a script wants", Outcome::Answer(500, None, Value::Null)),
    };
    note_refused(state, ask, status, None, reason, now_ms);
    Some(outcome)
}

fn note_refused(
    state: &mut State,
    ask: &Ask<'_>,
    http_status: Option<u16>,
    code: Option<i64>,
    reason: &str,
    at_ms: i64,
) {
    let entry =
        RefusedRequest { phone_number_id: ask.id.to_owned(), http_status, code, reason: reason.to_owned(), at_ms };
    note(&mut state.record.refused, entry);
}
