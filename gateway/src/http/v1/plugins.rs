//! `/v1/plugins/…`: the life of plugins: versions, install, pull, upgrade, rollback, uninstall.

use super::{Answer, list, read};
use crate::{
    app::App,
    commands::{self, Desk, Install, Rollback, Uninstall, Upgrade},
    depot::oci::{self, OciReference, PullFault},
    http::{Code, Problem},
};
use axum::{
    Json,
    body::Bytes,
    extract::{Query, State, rejection::JsonRejection},
};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

#[derive(Debug, Deserialize)]
pub(in crate::http) struct Only {
    id: Option<String>,
}

/// A plugin in a registry, and how to install it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Pull {
    reference: String,
    #[serde(default)]
    digest: Option<String>,
    #[serde(default)]
    activate: bool,
    #[serde(default)]
    grant: bool,
}

fn given<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Problem> {
    body.map(|Json(asked)| asked).map_err(|error| Problem::new(Code::ParameterInvalid, error.body_text()))
}

/// Every version that is here.
pub(in crate::http) async fn versions(State(app): State<Arc<App>>, Query(only): Query<Only>) -> Answer {
    read(app, move |app| Ok(list(commands::versions(&Desk::of(app), only.id.as_deref())?))).await
}

/// Installs the component that is the body.
pub(in crate::http) async fn install(
    State(app): State<Arc<App>>,
    Query(asked): Query<Install>,
    component: Bytes,
) -> Answer {
    read(app, move |app| Ok(Json(commands::install(&Desk::of(app), &component, &asked)?))).await
}

/// Installs a component out of a registry.
pub(in crate::http) async fn pull(State(app): State<Arc<App>>, body: Result<Json<Pull>, JsonRejection>) -> Answer {
    let Pull { reference, digest, activate, grant } = given(body)?;
    let reference = OciReference::parse(&reference).map_err(|problem| Problem::new(Code::ParameterInvalid, problem))?;
    let logins = app.catalog().config().plugin_sources.registries.clone();
    let pulled = oci::pull(&reference, &logins).await.map_err(Problem::from)?;
    let source = format!("{reference} (manifest sha256:{})", pulled.manifest_digest);
    let install = Install { source, digest, activate, grant };
    read(app, move |app| {
        let mut answer = commands::install(&Desk::of(app), &pulled.component, &install)?;
        answer["manifest_digest"] = json!(pulled.manifest_digest);
        Ok(Json(answer))
    })
    .await
}

impl From<PullFault> for Problem {
    fn from(fault: PullFault) -> Self {
        let code = match fault {
            PullFault::Reference(_) => Code::ParameterInvalid,
            PullFault::Missing(_) => Code::NotFound,
            PullFault::Unreachable { .. } => Code::Unavailable,
            PullFault::Denied(_)
            | PullFault::Answer { .. }
            | PullFault::NoPlugin { .. }
            | PullFault::Digest { .. }
            | PullFault::TooLarge { .. } => Code::Conflict,
        };
        Self::new(code, fault.to_string())
    }
}

/// Makes a version active.
pub(in crate::http) async fn upgrade(
    State(app): State<Arc<App>>,
    body: Result<Json<Upgrade>, JsonRejection>,
) -> Answer {
    let asked = given(body)?;
    read(app, move |app| Ok(Json(commands::upgrade(&Desk::of(app), &asked)?))).await
}

/// Makes what was active before active again.
pub(in crate::http) async fn rollback(
    State(app): State<Arc<App>>,
    body: Result<Json<Rollback>, JsonRejection>,
) -> Answer {
    let asked = given(body)?;
    read(app, move |app| Ok(Json(commands::rollback(&Desk::of(app), &asked)?))).await
}

/// Takes a version away.
pub(in crate::http) async fn uninstall(
    State(app): State<Arc<App>>,
    body: Result<Json<Uninstall>, JsonRejection>,
) -> Answer {
    let asked = given(body)?;
    read(app, move |app| Ok(Json(commands::uninstall(&Desk::of(app), &asked)?))).await
}
