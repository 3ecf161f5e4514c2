//! The HTTP faces: webhooks and health on the public listener, reads and commands on the control socket. Handlers translate; they decide nothing.

mod health;
mod problem;
mod receive;
mod store;
mod v1;

pub(crate) use problem::{Code, Problem};

use crate::app::App;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::Uri,
    routing::{any, get, post},
};
use std::sync::Arc;

/// What the world may call: webhooks and health.
pub(crate) fn public(app: Arc<App>) -> Router {
    Router::new()
        .route("/in/{endpoint}", post(receive::post).get(receive::handshake).fallback(wrong_method))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .fallback(unknown)
        // The endpoint's own limit is enforced while the body is read.
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}

/// What the operator on this machine may call, through the control socket.
pub(crate) fn control(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/events", get(v1::events))
        .route("/v1/events/{id}", get(v1::event))
        .route("/v1/parked", get(v1::parked))
        .route("/v1/deliveries/{id}/replay", post(v1::replay))
        .route("/v1/messages", get(v1::messages).post(v1::send))
        .route("/v1/messages/{id}", get(v1::message))
        .route("/v1/stats", get(v1::stats))
        .route("/v1/store", get(store::figures))
        .route("/v1/backup", get(store::progress).post(store::backup))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .fallback(any(unknown))
        .with_state(app)
}

async fn unknown(uri: Uri) -> Problem {
    Problem::new(Code::NotFound, format!("there is nothing at {}", uri.path()))
}

async fn wrong_method() -> Problem {
    Problem::new(Code::MethodNotAllowed, "webhooks are sent by POST; GET is for the handshake")
}
