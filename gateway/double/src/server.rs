//! The HTTP face: `POST /{version}/{phone-number-id}/messages` and `GET /{version}/{leadgen-id}` as Graph answers them, and Twilio's beside it. It reads the request, asks for a verdict, and answers, hangs or cuts the line.

mod connection;
mod verdict;

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{OriginalUri, Path, Request, State},
    http::{
        StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    response::Response,
    routing::{get, post},
};
use serde_json::Value;

use crate::{control, graph::error::GraphError, leads, script::Script, state::Shared, twilio};

pub(crate) use connection::Cut;
pub(crate) use connection::serve;
use verdict::{Call, Reply};

/// Longest body that is read. Graph's own limit is not documented; a message has a few kilobytes.
pub(crate) const MAX_BODY_BYTES: usize = 1024 * 1024;

pub(crate) fn router(script: Script) -> Router {
    let shared = script.shared.clone();
    Router::new()
        .route("/{version}/{phone_number_id}/messages", post(messages))
        .route("/{version}/{leadgen_id}", get(leads::lead).fallback(unknown))
        .route("/2010-04-01/Accounts/{account_sid}/Messages.json", post(twilio::messages))
        .fallback(unknown)
        .with_state(shared)
        .nest("/_double", control::router(script))
}

async fn messages(
    State(shared): State<Arc<Shared>>,
    Path((version, phone_number_id)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let mut call = Call::new(version, phone_number_id, &head.headers);
    if shared.strike_at_head(&call) {
        return cut();
    }
    match to_bytes(body, MAX_BODY_BYTES).await {
        Ok(body) => call.body = body,
        Err(_) => return answer(413, None, &Value::Null),
    }
    match shared.judge(&call) {
        Reply::Answer { status, retry_after_s, body } => answer(status, retry_after_s, &body),
        Reply::Hang => std::future::pending().await,
        Reply::Cut => cut(),
    }
}

async fn unknown(State(shared): State<Arc<Shared>>, OriginalUri(uri): OriginalUri) -> Response {
    let error = GraphError::path(uri.path());
    answer(error.status, None, &error.body(&shared.ids.trace()))
}

/// An answer in JSON; without a body when there is none to write.
pub(crate) fn answer(status: u16, retry_after_s: Option<u64>, body: &Value) -> Response {
    let bytes = if body.is_null() { String::new() } else { body.to_string() };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, const { axum::http::HeaderValue::from_static("application/json; charset=UTF-8") });
    if let Some(seconds) = retry_after_s {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// No answer: the connection is closed instead.
pub(crate) fn cut() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Cut);
    response
}
