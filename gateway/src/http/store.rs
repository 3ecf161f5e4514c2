//! `/v1/backup` and `/v1/store`: a copy of the working store, and what is in it. On the control socket only.

use super::{Code, Problem};
use crate::{
    app::App,
    upkeep::{self, Figures, Waiting},
};
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    ops::ControlFlow,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};
use tidegate_store::copy::{self, CopyError};

/// Where a backup is to go.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BackupOrder {
    /// A new or empty directory, as an absolute path on the gateway's machine.
    dir: PathBuf,
}

/// Makes a backup, and answers when it is in place. It ends early when the caller goes away, or the gateway stops.
pub(super) async fn backup(
    State(app): State<Arc<App>>,
    order: Result<Json<BackupOrder>, JsonRejection>,
) -> Result<Json<upkeep::Backup>, Problem> {
    let Json(BackupOrder { dir }) = order.map_err(|error| Problem::new(Code::ParameterInvalid, error.body_text()))?;
    if !dir.is_absolute() {
        return Err(Problem::new(Code::ParameterInvalid, "dir: expected an absolute path on the gateway's machine"));
    }
    let turn = app.backup().begin();
    let turn =
        turn.ok_or_else(|| Problem::new(Code::Conflict, "another backup is under way: wait until it is done"))?;
    let waiting = Waiting::default();
    let gone = waiting.gone();
    let made = tokio::task::spawn_blocking(move || {
        let mut tell = |progress: &copy::Progress| {
            turn.tell(progress);
            let stop = gone.load(Ordering::Relaxed) || app.is_draining();
            if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let made = upkeep::backup_running(app.store(), (app.data(), app.reserve_bytes()), &dir, app.now(), &mut tell);
        match &made {
            Ok(made) => tracing::info!(rows = made.rows.total().rows, commit = made.commit, "a backup was made"),
            Err(error) => tracing::warn!(error = %error, "no backup was made"),
        }
        made
    });
    let made = made.await.map_err(|error| Problem::internal(&error))?;
    drop(waiting);
    made.map(Json).map_err(|error| refused(&error))
}

/// What the caller can mend is told to them; they are the operator.
fn refused(error: &CopyError) -> Problem {
    match error {
        CopyError::Read(_) | CopyError::Commit(_) => Problem::internal(error),
        CopyError::Stopped => Problem::unavailable("the gateway is shutting down: the backup was given up"),
        _ => Problem::new(Code::Conflict, error.to_string()),
    }
}

/// How far the backup is.
pub(super) async fn progress(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({"progress": app.backup().progress()}))
}

/// Rows and bytes by kind, and the oldest of each. Reads every row.
pub(super) async fn figures(State(app): State<Arc<App>>) -> Result<Json<Figures>, Problem> {
    let waiting = Waiting::default();
    let gone = waiting.gone();
    let counted = tokio::task::spawn_blocking(move || {
        let mut tell = |_: &copy::Progress| {
            let stop = gone.load(Ordering::Relaxed) || app.is_draining();
            if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        upkeep::figures(&app.store(), copy::store_bytes(app.data())?, &mut tell)
    });
    let counted = counted.await.map_err(|error| Problem::internal(&error))?;
    drop(waiting);
    counted.map(Json).map_err(|error| refused(&error))
}
