//! Health: alive, and ready to take webhooks.

use super::Problem;
use crate::app::App;
use axum::{Json, extract::State};
use serde_json::{Value, json};
use std::sync::Arc;

/// The process answers.
pub(super) async fn live() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

/// Webhooks are taken: not draining, the store works, the disk has room.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    app.accepting().map_err(Problem::unavailable)?;
    Ok(Json(json!({"status": "ready"})))
}
