//! `/v1`: reads and commands for operators, on the control socket.

pub(super) mod connections;
pub(super) mod plugin;
pub(super) mod plugins;
pub(super) mod queue;
pub(super) mod replay;

use super::{Code, Problem};
use crate::{app::App, commands, views};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::JsonRejection},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{fmt::Display, str::FromStr, sync::Arc};
use tidegate_model::{DeliveryId, EventId, ItemId, MessageId};

/// Rows of a list when nothing is asked for.
const DEFAULT_LIMIT: usize = 20;
/// Most rows of a list.
const MOST: usize = 1_000;

#[derive(Debug, Deserialize)]
pub(super) struct List {
    limit: Option<usize>,
}

impl List {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MOST)
    }
}

type Answer = Result<Json<Value>, Problem>;

/// Store reads may wait for the disk, so they are not done on the threads that serve.
async fn read<T: Send + 'static>(
    app: Arc<App>,
    work: impl FnOnce(&App) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(move || work(&app)).await.map_err(|error| Problem::internal(&error))?
}

fn list(rows: Vec<Value>) -> Json<Value> {
    Json(Value::Object([("data".to_owned(), Value::Array(rows))].into_iter().collect()))
}

/// Events, newest first.
pub(super) async fn events(State(app): State<Arc<App>>, Query(query): Query<List>) -> Answer {
    read(app, move |app| Ok(list(views::events(app, query.limit())?))).await
}

/// Items that wait for answers of their provider, newest first.
pub(super) async fn waiting(State(app): State<Arc<App>>, Query(query): Query<List>) -> Answer {
    read(app, move |app| Ok(list(views::waiting(app, query.limit())?))).await
}

/// One event, item or delivery.
pub(super) async fn event(State(app): State<Arc<App>>, Path(id): Path<String>) -> Answer {
    read(app, move |app| {
        let found = match id.split_once('_').map(|(prefix, _)| prefix) {
            Some(EventId::PREFIX) => views::event(app, parse(&id)?)?,
            Some(ItemId::PREFIX) => views::item(app, parse(&id)?)?,
            Some(DeliveryId::PREFIX) => views::delivery(app, parse(&id)?)?,
            _ => {
                return Err(Problem::new(
                    Code::ParameterInvalid,
                    format!("expected an id that begins with evt_, itm_ or dlv_, found {id:?}"),
                ));
            }
        };
        found.map(Json).ok_or_else(|| missing(&id))
    })
    .await
}

/// Messages, newest first.
pub(super) async fn messages(State(app): State<Arc<App>>, Query(query): Query<List>) -> Answer {
    read(app, move |app| Ok(list(views::messages(app, query.limit())?))).await
}

/// One message.
pub(super) async fn message(State(app): State<Arc<App>>, Path(id): Path<String>) -> Answer {
    read(app, move |app| {
        let message: MessageId = parse(&id)?;
        views::message(app, message)?.map(Json).ok_or_else(|| missing(&id))
    })
    .await
}

/// Answers a person by free-form text.
pub(super) async fn send(State(app): State<Arc<App>>, body: Result<Json<commands::Reply>, JsonRejection>) -> Answer {
    let Json(reply) = body.map_err(|error| Problem::new(Code::ParameterInvalid, error.body_text()))?;
    read(app, move |app| Ok(Json(json!({"id": commands::reply(app, &reply)?})))).await
}

/// Every sender.
pub(super) async fn senders(State(app): State<Arc<App>>) -> Answer {
    read(app, |app| Ok(list(commands::senders(app)?))).await
}

/// Lets a sender's messages wait.
pub(super) async fn pause_sender(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    body: Result<Json<commands::Pause>, JsonRejection>,
) -> Answer {
    let Json(pause) = body.map_err(|error| Problem::new(Code::ParameterInvalid, error.body_text()))?;
    read(app, move |app| Ok(Json(commands::pause(app, &name, &pause)?))).await
}

/// Lets them go on.
pub(super) async fn resume_sender(State(app): State<Arc<App>>, Path(name): Path<String>) -> Answer {
    read(app, move |app| Ok(Json(commands::resume(app, &name)?))).await
}

/// Figures of the store.
pub(super) async fn stats(State(app): State<Arc<App>>) -> Json<Value> {
    Json(views::stats(&app))
}

fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: T::Err| Problem::new(Code::ParameterInvalid, error.to_string()))
}

fn missing(id: &str) -> Problem {
    Problem::new(Code::NotFound, format!("there is no {id} here (any more)"))
}
