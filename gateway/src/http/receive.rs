//! `/in/{endpoint}`: webhooks and handshakes. 200 is answered when the delivery is on disk, not before.

use super::{
    Code, Problem,
    caller::{Caller, caller},
};
use crate::{
    admission::{Full, Pass},
    app::App,
    catalog::{Catalog, Endpoint},
    metrics::{RefusedFor, Taken},
    pipeline::{self, Accepted, Incoming, Mark, ReceiveFault},
    telemetry::Root,
};
use axum::{
    body::Body,
    extract::{ConnectInfo, Path, Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri, header},
    response::IntoResponse,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};
use tidegate_clock::Stopwatch;
use tidegate_model::DeliveryId;
use tidegate_signature::{Refusal, Target};
use tidegate_store::CommitError;
use tracing::{
    Instrument,
    field::{Empty, display},
};

/// Names the stored delivery in the answer, for those who look for it later.
const DELIVERY: HeaderName = HeaderName::from_static("tidegate-delivery");

/// How long a webhook waits for room. Providers wait 5 s (Shopify) to 30 s for an answer, and come again after a 503.
const ROOM_TIMEOUT: Duration = Duration::from_secs(10);
/// How long any body may take to come.
const READ_TIMEOUT_S: u64 = 10;
/// A longer body has a second more for each so many bytes.
const SLOWEST_BYTES_S: u64 = 256 * 1024;

/// Takes a webhook.
pub(super) async fn post(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<axum::response::Response, Problem> {
    let watch = Stopwatch::start();
    let catalog = app.catalog();
    let endpoint = find(&app, &catalog, &name)?;
    let caller = caller(peer.ip(), &headers, catalog.proxies());
    let span = tracing::info_span!("receive", endpoint = %endpoint.name, root = Empty, delivery.id = Empty);
    let url = called(&app, &catalog, &uri);
    let taken = take(&app, &endpoint, Call { caller, url, headers, body }).instrument(span).await;
    match taken {
        Ok((id, taken)) => {
            endpoint.meter.webhooks(taken).inc();
            if id.is_some() {
                endpoint.meter.receive.observe(watch.elapsed().as_secs_f64());
            }
            Ok(answer(&endpoint, id))
        }
        Err((problem, taken)) => {
            endpoint.meter.webhooks(taken).inc();
            Err(problem)
        }
    }
}

/// A problem, and what the webhook counts as.
type NotTaken = (Problem, Taken);

/// A request.
struct Call {
    caller: Caller,
    url: String,
    headers: HeaderMap,
    body: Body,
}

/// The URL that the provider called, and signed if it signs URLs: by the configuration. `Host` and forwarded headers are the caller's words.
fn called(app: &App, catalog: &Catalog, uri: &Uri) -> String {
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    match catalog.config().server.public_url.trim_end_matches('/') {
        // The port may have been chosen at the start.
        "" => format!("http://{}{path}", app.listening()),
        url => format!("{url}{path}"),
    }
}

/// Gives the stored delivery's id; `None` when the webhook is only to be answered.
async fn take(app: &Arc<App>, endpoint: &Endpoint, call: Call) -> Result<(Option<DeliveryId>, Taken), NotTaken> {
    let Call { caller, url, headers, body } = call;
    app.accepting().map_err(|why| (Problem::unavailable(why), Taken::Unavailable))?;
    let _request = app.flights().request();
    let bytes = length(&headers, endpoint.max_body_bytes)?;
    let _room = admit(app, endpoint, bytes).await?;
    let body = read(body, bytes, endpoint.max_body_bytes, patience(bytes)).await?;
    let headers: Vec<(String, Vec<u8>)> =
        headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    let target = Target { method: "POST", url: &url };
    let incoming = Incoming { target, headers: &headers, body: &body, received_at: app.now() };
    let accepted = match pipeline::receive(endpoint, &incoming, app.store().seq()) {
        Ok(accepted) => accepted,
        Err(ReceiveFault::Refused(refusal)) if pipeline::is_unsigned(endpoint, &incoming, &refusal) => {
            tracing::info!(endpoint = %endpoint.name, %caller, "the provider tried the endpoint out");
            return Ok((None, Taken::Ping));
        }
        Err(fault) => return Err(not_taken(endpoint, caller, &fault)),
    };
    drop(body);
    let (id, taken) = store(app, endpoint, accepted).await?;
    Ok((Some(id), taken))
}

/// The length that the body says it has; the limit, when it says none.
fn length(headers: &HeaderMap, limit: usize) -> Result<usize, NotTaken> {
    let said = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    match said {
        Some(length) if length > limit => Err(too_large(limit)),
        said => Ok(said.unwrap_or(limit)),
    }
}

/// Waits until there is room for the body, so that bodies do not fill the memory.
async fn admit(app: &App, endpoint: &Endpoint, bytes: usize) -> Result<Pass, NotTaken> {
    match tokio::time::timeout(ROOM_TIMEOUT, app.admission().admit(endpoint.number, bytes)).await {
        Ok(Ok(pass)) => Ok(pass),
        Ok(Err(Full)) | Err(_) => {
            tracing::warn!(endpoint = %endpoint.name, bytes, "no room for a webhook: too many came at once");
            let problem = Problem::unavailable("more webhooks came at once than the gateway takes");
            Err((problem, Taken::Unavailable))
        }
    }
}

fn not_taken(endpoint: &Endpoint, caller: Caller, fault: &ReceiveFault) -> NotTaken {
    match fault {
        ReceiveFault::Refused(refusal) => {
            tracing::warn!(endpoint = %endpoint.name, %caller, reason = %refusal, "webhook refused");
            endpoint.meter.refused(reason_of(refusal)).inc();
            (Problem::new(Code::SignatureRefused, refusal.to_string()), Taken::Refused)
        }
        ReceiveFault::Body(error) => (Problem::new(Code::BodyTooLarge, error.to_string()), Taken::TooLarge),
        ReceiveFault::Record(error) => (Problem::internal(error), Taken::Failed),
    }
}

const fn reason_of(refusal: &Refusal) -> RefusedFor {
    match refusal {
        Refusal::Missing { .. } => RefusedFor::Missing,
        Refusal::Repeated { .. } => RefusedFor::Repeated,
        Refusal::Malformed { .. } => RefusedFor::Malformed,
        Refusal::Mismatch { .. } | Refusal::Token { .. } => RefusedFor::Mismatch,
        Refusal::Stale { .. } => RefusedFor::Stale,
        Refusal::Scheme(_) => RefusedFor::Scheme,
    }
}

/// Commits a delivery and waits until it is on disk. A repeat gets the first one's id.
async fn store(app: &Arc<App>, endpoint: &Endpoint, accepted: Accepted) -> Result<(DeliveryId, Taken), NotTaken> {
    let Accepted { id, mark, ahead, changes } = accepted;
    let span = tracing::Span::current();
    span.record("root", display(Root(id.raw()))).record("delivery.id", display(id));
    for batch in ahead {
        app.store().commit(batch).await.map_err(|error| not_stored(&error))?;
    }
    match (app.store().commit(changes.into_batch()).await, mark) {
        (Ok(_), _) => {
            tracing::debug!(delivery.id = %id, endpoint = %endpoint.name, "received");
            Ok((id, Taken::Accepted))
        }
        (Err(CommitError::Conflict { key }), Some(mark)) if mark.is_conflict(&key) => {
            match first_of(app, mark).await.map_err(|problem| (problem, Taken::Failed))? {
                Some(first) => Ok(repeat(endpoint, first)),
                None => Err((Problem::unavailable("the delivery met another one; send it again"), Taken::Unavailable)),
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

fn not_stored(error: &CommitError) -> NotTaken {
    tracing::error!(error = %error, "a delivery could not be stored");
    (Problem::unavailable("the gateway could not store the delivery"), Taken::Unavailable)
}

fn repeat(endpoint: &Endpoint, id: DeliveryId) -> (DeliveryId, Taken) {
    tracing::info!(delivery.id = %id, endpoint = %endpoint.name, "the same delivery came again");
    (id, Taken::Repeat)
}

/// What the plugin's manifest says this provider wants to hear.
fn answer(endpoint: &Endpoint, id: Option<DeliveryId>) -> axum::response::Response {
    let wanted = &endpoint.manifest.response;
    let mut response = Response::new(Body::from(wanted.body.clone()));
    *response.status_mut() = StatusCode::from_u16(wanted.status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    if let Some(kind) = wanted.content_type.as_deref().and_then(|kind| HeaderValue::from_str(kind).ok()) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    if let Some(id) = id.and_then(|id| HeaderValue::from_str(&id.to_string()).ok()) {
        headers.insert(DELIVERY, id);
    }
    response
}

fn find(app: &App, catalog: &Catalog, name: &str) -> Result<Arc<Endpoint>, Problem> {
    catalog.endpoint(name).ok_or_else(|| {
        app.metrics().count_stray();
        let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        Problem::new(Code::EndpointUnknown, format!("there is no endpoint {shown:?}"))
    })
}

fn too_large(limit: usize) -> NotTaken {
    let detail = format!("the endpoint takes bodies up to {limit} bytes");
    (Problem::new(Code::BodyTooLarge, detail), Taken::TooLarge)
}

/// How long a body of so many bytes may take to come: its room is wanted by others.
const fn patience(bytes: usize) -> Duration {
    Duration::from_secs(READ_TIMEOUT_S + bytes as u64 / SLOWEST_BYTES_S)
}

/// Reads a body of about so many bytes, and at most the limit.
async fn read(body: Body, bytes: usize, limit: usize, patience: Duration) -> Result<Vec<u8>, NotTaken> {
    let reading = async {
        let mut body = Limited::new(body, limit);
        let mut read = Vec::with_capacity(bytes);
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data() {
                read.extend_from_slice(&data);
            }
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(read)
    };
    let unreadable = |detail: String| (Problem::new(Code::BodyUnreadable, detail), Taken::Unreadable);
    match tokio::time::timeout(patience, reading).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large(limit)),
        Ok(Err(_)) => Err(unreadable("the body ended early".to_owned())),
        Err(_) => Err(unreadable(format!("the body did not come within {} s", patience.as_secs()))),
    }
}

/// Answers a provider's check of the URL.
pub(super) async fn handshake(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<axum::response::Response, Problem> {
    let endpoint = find(&app, &app.catalog(), &name)?;
    let challenge = pipeline::handshake(&endpoint, &query)?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")], challenge)
        .into_response())
}

#[cfg(test)]
mod tests;
