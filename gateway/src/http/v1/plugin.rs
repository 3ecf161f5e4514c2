//! `/v1/plugins/log` and `/v1/endpoints/{name}/plugin`: for the author of a plugin, who tries one build after the other in a running gateway.

use super::{Answer, read};
use crate::{
    app::{App, SwapFault, Swapped},
    http::{Code, Problem},
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// Which lines of a plugin.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Lines {
    plugin: String,
    /// The number of the first; the newest one's number is told when it is absent.
    from: Option<u64>,
}

/// What a plugin wrote to the log lately.
pub(in crate::http) async fn lines(State(app): State<Arc<App>>, Query(asked): Query<Lines>) -> Answer {
    read(app, move |app| {
        let (lines, next) = app.plugin_lines().since(&asked.plugin, asked.from.unwrap_or(u64::MAX));
        Ok(Json(json!({"data": lines, "next": next})))
    })
    .await
}

/// Puts another build of an endpoint's plugin in force. The body is the packed component.
pub(in crate::http) async fn swap(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    component: Bytes,
) -> Result<Json<Swapped>, Problem> {
    read(app, move |app| app.swap_plugin(&name, &component).map(Json).map_err(|fault| refused(&fault))).await
}

fn refused(fault: &SwapFault) -> Problem {
    let code = match fault {
        SwapFault::NoEndpoint(_) => Code::NotFound,
        SwapFault::Plugin(_) => Code::ParameterInvalid,
        SwapFault::OtherPlugin { .. } => Code::Conflict,
        SwapFault::Catalog(_) => Code::ConfigurationRefused,
        SwapFault::Draining => return Problem::unavailable(fault.to_string()),
    };
    Problem::new(code, fault.to_string())
}
