//! `/v1/queue`: what was put aside.

use super::{Answer, DEFAULT_LIMIT, MOST, list, missing, parse, read};
use crate::{
    app::App,
    commands::{self, Picked},
    http::{Code, Problem},
    views::{self, Filter},
};
use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
};
use std::sync::Arc;
use tidegate_model::LetterId;

/// Letters, newest first.
pub(in crate::http) async fn letters(
    State(app): State<Arc<App>>,
    query: Result<Query<Filter>, QueryRejection>,
) -> Answer {
    let Query(filter) = query.map_err(|error| Problem::new(Code::ParameterInvalid, error.body_text()))?;
    let limit = filter.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MOST);
    read(app, move |app| Ok(list(views::queue(app, &filter, limit)?))).await
}

/// One letter.
pub(in crate::http) async fn letter(State(app): State<Arc<App>>, Path(id): Path<String>) -> Answer {
    read(app, move |app| {
        let letter: LetterId = parse(&id)?;
        views::letter(app, letter)?.map(Json).ok_or_else(|| missing(&id))
    })
    .await
}

/// Tries letters again.
pub(in crate::http) async fn retry(State(app): State<Arc<App>>, body: Result<Json<Picked>, JsonRejection>) -> Answer {
    let Json(picked) = body.map_err(|error| Problem::new(Code::ParameterInvalid, error.body_text()))?;
    read(app, move |app| Ok(Json(commands::retry(app, &picked)?))).await
}

/// Throws letters away.
pub(in crate::http) async fn discard(State(app): State<Arc<App>>, body: Result<Json<Picked>, JsonRejection>) -> Answer {
    let Json(picked) = body.map_err(|error| Problem::new(Code::ParameterInvalid, error.body_text()))?;
    read(app, move |app| Ok(Json(commands::discard(app, &picked)?))).await
}
