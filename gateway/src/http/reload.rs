//! `/v1/reload`: the configuration is read again, and the answer says what changed.

use super::{Code, Problem};
use crate::app::{App, ReloadFault, Reloaded};
use axum::{Json, extract::State};
use std::sync::Arc;

/// Reloads. Files, plugins and the store are read, so not on the threads that serve.
pub(super) async fn reload(State(app): State<Arc<App>>) -> Result<Json<Reloaded>, Problem> {
    let reloaded = tokio::task::spawn_blocking(move || app.reload());
    match reloaded.await.map_err(|error| Problem::internal(&error))? {
        Ok(done) => Ok(Json(done)),
        Err(fault @ (ReloadFault::Config(_) | ReloadFault::Catalog(_))) => {
            Err(Problem::new(Code::ConfigurationRefused, fault.to_string()))
        }
        Err(ReloadFault::NoFile) => Err(Problem::new(Code::Conflict, ReloadFault::NoFile.to_string())),
        Err(ReloadFault::Draining) => Err(Problem::unavailable(ReloadFault::Draining.to_string())),
    }
}
