//! `/v1/replay` and `/v1/plugins`: stored deliveries interpreted again, and the plugins that do it.

use super::{Answer, list, read};
use crate::{
    app::App,
    commands::{self, Compare, Replay},
    http::{Code, Problem},
    views,
};
use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::JsonRejection},
};
use serde_json::Value;
use std::sync::Arc;

/// Interprets something again.
pub(in crate::http) async fn replay(State(app): State<Arc<App>>, body: Result<Json<Replay>, JsonRejection>) -> Answer {
    let Json(asked) = body.map_err(|error| Problem::new(Code::ParameterInvalid, error.body_text()))?;
    read(app, move |app| Ok(Json(commands::replay(app, &asked)?))).await
}

/// Compares some deliveries of an endpoint.
pub(in crate::http) async fn compare(
    State(app): State<Arc<App>>,
    body: Result<Json<Compare>, JsonRejection>,
) -> Answer {
    let Json(asked) = body.map_err(|error| Problem::new(Code::ParameterInvalid, error.body_text()))?;
    read(app, move |app| Ok(Json(commands::compare(app, &asked)?))).await
}

/// Loads a plugin to be tried. The body is the component.
pub(in crate::http) async fn load_aside(State(app): State<Arc<App>>, component: Bytes) -> Answer {
    read(app, move |app| Ok(Json(commands::load_aside(app, &component)?))).await
}

/// The plugins that are loaded.
pub(in crate::http) async fn plugins(State(app): State<Arc<App>>) -> Json<Value> {
    list(views::plugins(&app))
}
