//! `/v1/connections/…`: how connections fare at their providers, and what a provider is to send.

use super::{Answer, list, read};
use crate::{
    app::App,
    commands::{self, Authorize, Callback, Subscribe},
    http::{Code, Problem},
    views,
};
use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
};
use std::sync::Arc;

/// Every connection, as it was last seen.
pub(in crate::http) async fn connections(State(app): State<Arc<App>>) -> Answer {
    read(app, |app| Ok(list(views::connections(app)?))).await
}

/// Looks at the provider's side now.
pub(in crate::http) async fn check(State(app): State<Arc<App>>, Path(name): Path<String>) -> Answer {
    Ok(Json(commands::check_connection(&app, &name).await?))
}

/// Has the provider send.
pub(in crate::http) async fn subscribe(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    body: Result<Json<Subscribe>, JsonRejection>,
) -> Answer {
    let Json(asked) = body.map_err(|error| Problem::new(Code::ParameterInvalid, error.body_text()))?;
    Ok(Json(commands::subscribe_connection(&app, &name, asked).await?))
}

/// Has the provider stop.
pub(in crate::http) async fn unsubscribe(State(app): State<Arc<App>>, Path(name): Path<String>) -> Answer {
    Ok(Json(commands::unsubscribe_connection(&app, &name).await?))
}

/// Begins a person's authorization.
pub(in crate::http) async fn authorize(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    body: Result<Json<Authorize>, JsonRejection>,
) -> Answer {
    let Json(asked) = body.map_err(|error| Problem::new(Code::ParameterInvalid, error.body_text()))?;
    Ok(Json(commands::authorize_connection(&app, &name, &asked)?))
}

/// Ends it, with what the provider led back with.
pub(in crate::http) async fn authorization(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    body: Result<Json<Callback>, JsonRejection>,
) -> Answer {
    let Json(callback) = body.map_err(|error| Problem::new(Code::ParameterInvalid, error.body_text()))?;
    Ok(Json(commands::end_authorization(&app, &name, &callback).await?))
}
