//! `/in/{endpoint}`: webhooks and handshakes. 200 is answered when the delivery is on disk, not before.

use super::{Code, Problem};
use crate::{
    app::App,
    catalog::Endpoint,
    pipeline::{self, Accepted, Incoming, Mark, ReceiveFault},
};
use axum::{
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::{collections::HashMap, sync::Arc};
use tidegate_model::DeliveryId;
use tidegate_store::CommitError;

/// Names the stored delivery in the answer, for those who look for it later.
const DELIVERY: HeaderName = HeaderName::from_static("tidegate-delivery");

/// Takes a webhook.
pub(super) async fn post(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<axum::response::Response, Problem> {
    app.accepting().map_err(Problem::unavailable)?;
    let endpoint = find(&app, &name)?;
    let body = read(body, endpoint.max_body_bytes).await?;
    let headers: Vec<(String, Vec<u8>)> =
        headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    let incoming = Incoming { headers: &headers, body: &body, received_at: app.now() };
    let accepted =
        pipeline::receive(&endpoint, &incoming, app.store().seq()).map_err(|fault| not_taken(&endpoint, &fault))?;
    let id = store(&app, &endpoint, accepted).await?;
    Ok(answer(&endpoint, id))
}

fn not_taken(endpoint: &Endpoint, fault: &ReceiveFault) -> Problem {
    match fault {
        ReceiveFault::Refused(refusal) => {
            tracing::warn!(endpoint = %endpoint.name, reason = %refusal, "webhook refused");
            Problem::new(Code::SignatureRefused, refusal.to_string())
        }
        ReceiveFault::Body(error) => Problem::new(Code::BodyTooLarge, error.to_string()),
        ReceiveFault::Record(error) => Problem::internal(error),
    }
}

/// Commits a delivery and waits until it is on disk. A repeat gets the first one's id.
async fn store(app: &Arc<App>, endpoint: &Endpoint, accepted: Accepted) -> Result<DeliveryId, Problem> {
    let Accepted { id, mark, ahead, changes } = accepted;
    for batch in ahead {
        app.store().commit(batch).await.map_err(|error| not_stored(&error))?;
    }
    match (app.store().commit(changes.into_batch()).await, mark) {
        (Ok(_), _) => {
            tracing::debug!(delivery.id = %id, endpoint = %endpoint.name, "received");
            Ok(id)
        }
        (Err(CommitError::Conflict { key }), Some(mark)) if mark.is_conflict(&key) => {
            match first_of(app, mark).await? {
                Some(first) => Ok(repeat(endpoint, first)),
                None => Err(Problem::unavailable("the delivery met another one; send it again")),
            }
        }
        (Err(CommitError::Conflict { .. }), None) => Ok(repeat(endpoint, id)),
        (Err(error), _) => Err(not_stored(&error)),
    }
}

/// A store read may wait for the disk, so it is not done on the threads that serve.
async fn first_of(app: &Arc<App>, mark: Mark) -> Result<Option<DeliveryId>, Problem> {
    let app = Arc::clone(app);
    let looked = tokio::task::spawn_blocking(move || mark.first(app.store()));
    Ok(looked.await.map_err(|error| Problem::internal(&error))??)
}

fn not_stored(error: &CommitError) -> Problem {
    tracing::error!(error = %error, "a delivery could not be stored");
    Problem::unavailable("the gateway could not store the delivery")
}

fn repeat(endpoint: &Endpoint, id: DeliveryId) -> DeliveryId {
    tracing::info!(delivery.id = %id, endpoint = %endpoint.name, "the same delivery came again");
    id
}

/// What the plugin's manifest says this provider wants to hear.
fn answer(endpoint: &Endpoint, id: DeliveryId) -> axum::response::Response {
    let wanted = &endpoint.plugin.manifest().response;
    let mut response = Response::new(Body::from(wanted.body.clone()));
    *response.status_mut() = StatusCode::from_u16(wanted.status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    if let Some(kind) = wanted.content_type.as_deref().and_then(|kind| HeaderValue::from_str(kind).ok()) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(DELIVERY, id);
    }
    response
}

fn find(app: &App, name: &str) -> Result<Arc<Endpoint>, Problem> {
    app.catalog().endpoint(name).ok_or_else(|| {
        let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        Problem::new(Code::EndpointUnknown, format!("there is no endpoint {shown:?}"))
    })
}

async fn read(body: Body, limit: usize) -> Result<bytes::Bytes, Problem> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => {
            Err(Problem::new(Code::BodyTooLarge, format!("the endpoint takes bodies up to {limit} bytes")))
        }
        Err(_) => Err(Problem::new(Code::BodyUnreadable, "the body ended early")),
    }
}

/// Answers a provider's check of the URL.
pub(super) async fn handshake(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<axum::response::Response, Problem> {
    let endpoint = find(&app, &name)?;
    let challenge = pipeline::handshake(&endpoint, &query)?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")], challenge)
        .into_response())
}

#[cfg(test)]
mod tests;
