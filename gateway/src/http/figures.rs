//! `/metrics`: the figures, for Prometheus.

use super::Problem;
use crate::{app::App, metrics::text::CONTENT_TYPE};
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// All figures. They read the store, which may wait for the disk, so not on the threads that serve.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let read = tokio::task::spawn_blocking(move || app.figures());
    let text = read.await.map_err(|error| Problem::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}
