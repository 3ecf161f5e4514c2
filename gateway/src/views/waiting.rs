//! Items that wait for answers of their provider, in words.

use super::{Found, newest, workspace_name};
use crate::{app::App, records::FetchRow};
use serde_json::{Value, json};
use tidegate_model::{ItemId, outcome::Request, reach::authority_of};
use tidegate_store::{Space, records};

/// Items that wait, newest first, a line each.
///
/// # Errors
/// The store's.
pub(crate) fn waiting(app: &App, limit: usize) -> Found<Vec<Value>> {
    newest::<FetchRow, Value>(app, Space::Fetches, limit, |row| {
        let value = json!({
            "item": row.item,
            "delivery": row.delivery,
            "endpoint": row.endpoint,
            "connection": row.connection,
            "workspace": workspace_name(app, row.workspace),
            "since": row.since,
            "attempts": row.attempts,
            "next_try_at": row.next_try,
            "words": words(&row, &hosts(&row)),
        });
        vec![(row.since, value)]
    })
}

/// How an item waits.
pub(super) fn of(app: &App, workspace: u32, item: ItemId, hosts: &[String]) -> Value {
    match records::get::<FetchRow>(app.store(), &(workspace, item)) {
        Ok(Some((row, _))) => json!({
            "hosts": hosts,
            "since": row.since,
            "attempts": row.attempts,
            "next_try_at": row.next_try,
            "words": words(&row, hosts),
        }),
        _ => json!({"hosts": hosts, "words": "its work was given up: see the queue"}),
    }
}

fn hosts(row: &FetchRow) -> Vec<String> {
    let host = |(_, request): &(u32, Request)| authority_of(&request.url).map(|held| held.to_string());
    let mut hosts: Vec<String> = row.open.iter().filter_map(host).collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

fn words(row: &FetchRow, hosts: &[String]) -> String {
    let from = hosts.join(", ");
    match (&row.reason, row.next_try) {
        _ if row.is_answered() => "it has its answers, and is about to be interpreted".to_owned(),
        (Some(reason), Some(until)) => {
            format!("it waits for {from} since {}; {} tries: {reason}; the next is at {until}", row.since, row.attempts)
        }
        _ => format!("it waits for {from} since {}", row.since),
    }
}
