//! The HTTP faces: webhooks and health on the public listener, reads and commands on the control socket. Handlers translate; they decide nothing.

mod caller;
mod figures;
mod health;
pub(crate) mod listener;
mod problem;
mod receive;
mod reload;
mod store;
mod unread;
mod v1;

pub(crate) use caller::Proxies;
pub(crate) use problem::{Code, Problem};

use crate::app::App;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::Uri,
    middleware,
    routing::{any, get, post},
};
use std::sync::Arc;

/// Largest component that is taken to be tried: what the plugin host takes.
const COMPONENT_BYTES: usize = 64 << 20;

/// What the world may call: webhooks and health.
pub(crate) fn public(app: Arc<App>) -> Router {
    Router::new()
        .route("/in/{endpoint}", post(receive::post).get(receive::handshake).fallback(wrong_method))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .fallback(unknown)
        // The endpoint's own limit is enforced while the body is read.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn(unread::finish))
        .with_state(app)
}

/// What the operator on this machine may call, through the control socket.
pub(crate) fn control(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/events", get(v1::events))
        .route("/v1/events/{id}", get(v1::event))
        .route("/v1/queue", get(v1::queue::letters))
        .route("/v1/queue/{id}", get(v1::queue::letter))
        .route("/v1/queue/retry", post(v1::queue::retry))
        .route("/v1/queue/discard", post(v1::queue::discard))
        .route("/v1/waiting", get(v1::waiting))
        .route("/v1/plugins", get(v1::replay::plugins))
        .route("/v1/plugins/aside", post(v1::replay::load_aside).layer(DefaultBodyLimit::max(COMPONENT_BYTES)))
        .route("/v1/plugins/versions", get(v1::plugins::versions))
        .route("/v1/plugins/install", post(v1::plugins::install).layer(DefaultBodyLimit::max(COMPONENT_BYTES)))
        .route("/v1/plugins/pull", post(v1::plugins::pull))
        .route("/v1/plugins/upgrade", post(v1::plugins::upgrade))
        .route("/v1/plugins/rollback", post(v1::plugins::rollback))
        .route("/v1/plugins/uninstall", post(v1::plugins::uninstall))
        .route("/v1/plugins/log", get(v1::plugin::lines))
        .route("/v1/endpoints/{name}/plugin", post(v1::plugin::swap).layer(DefaultBodyLimit::max(COMPONENT_BYTES)))
        .route("/v1/replay", post(v1::replay::replay))
        .route("/v1/replay/compare", post(v1::replay::compare))
        .route("/v1/messages", get(v1::messages).post(v1::send))
        .route("/v1/messages/{id}", get(v1::message))
        .route("/v1/senders", get(v1::senders))
        .route("/v1/senders/{name}/pause", post(v1::pause_sender))
        .route("/v1/senders/{name}/resume", post(v1::resume_sender))
        .route("/v1/connections", get(v1::connections::connections))
        .route("/v1/connections/{name}/check", post(v1::connections::check))
        .route("/v1/connections/{name}/subscribe", post(v1::connections::subscribe))
        .route("/v1/connections/{name}/unsubscribe", post(v1::connections::unsubscribe))
        .route("/v1/connections/{name}/authorize", post(v1::connections::authorize))
        .route("/v1/connections/{name}/authorization", post(v1::connections::authorization))
        .route("/v1/stats", get(v1::stats))
        .route("/v1/store", get(store::figures))
        .route("/v1/backup", get(store::progress).post(store::backup))
        .route("/v1/reload", post(reload::reload))
        .route("/metrics", get(figures::metrics))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .fallback(any(unknown))
        .with_state(app)
}

/// What a scraper may call: figures and health.
pub(crate) fn figures(app: Arc<App>) -> Router {
    Router::new()
        .route("/metrics", get(figures::metrics))
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
