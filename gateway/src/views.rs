//! Views: what lists and details show. Reads only.

mod connections;
mod plugins;
mod queue;
mod waiting;

pub(crate) use connections::{connection, connections};
pub(crate) use plugins::plugins;
pub(crate) use queue::{Filter, letter, queue, workspace_name};
pub(crate) use waiting::waiting;

use crate::{
    app::App,
    pipeline::{interpretations_of, of_the_moment},
    records::{Delivery, Interpretation, InterpretedItem, ItemResult, MessageRow, RunRow},
};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use tidegate_model::{
    DeliveryId, EventId, ItemId, LetterId, MessageId, Timestamp,
    event::{Event, Payload},
    message::{ChannelKind, Message, Verdict},
    outcome::Outcome,
    segments::{Segments, segments},
};
use tidegate_plugin_host::guest_headers;
use tidegate_store::{
    KeyRange, Order, Space, StoreError,
    keys::Key,
    records::{self, Cursor, Record},
};

type Found<T> = Result<T, StoreError>;

/// Rows read at once.
const SLICE: usize = 100;

/// The newest rows of every workspace, cut to `limit` after sorting by `at`.
fn newest<R: Record, T>(
    app: &App,
    space: Space,
    limit: usize,
    mut make: impl FnMut(R) -> Vec<(Timestamp, T)>,
) -> Found<Vec<T>> {
    let mut rows: Vec<(Timestamp, T)> = Vec::new();
    for (workspace, _) in app.catalog().workspaces() {
        let mut count = 0;
        let mut after: Option<Cursor> = None;
        while count < limit {
            let range = KeyRange::prefix(&Key::new(space, workspace));
            let page = records::list::<R>(app.store(), range, Order::Backward, after.as_ref(), SLICE)?;
            for row in page.items {
                let made = make(row.record);
                count += made.len();
                rows.extend(made);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    rows.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    rows.truncate(limit);
    Ok(rows.into_iter().map(|(_, value)| value).collect())
}

/// The events of an item.
pub(crate) fn events_of(item: &InterpretedItem) -> &[Event] {
    match &item.result {
        ItemResult::Interpreted { outcome: Outcome::Done(done), .. } => &done.events,
        ItemResult::Interpreted { .. }
        | ItemResult::Waiting { .. }
        | ItemResult::Duplicate { .. }
        | ItemResult::Parked { .. } => &[],
    }
}

/// Events, newest first, a line each.
///
/// # Errors
/// The store's.
pub(crate) fn events(app: &App, limit: usize) -> Found<Vec<Value>> {
    newest::<Interpretation, Value>(app, Space::Interpretations, limit, |row| {
        let line = |event: &Event| {
            let value = json!({
                "id": event.id,
                "occurred_at": event.occurred_at,
                "received_at": Timestamp::from_ms(event.id.root_ms()),
                "connection": event.connection,
                "kind": event.kind,
                "about": about(event),
                "delivery": row.delivery,
            });
            (Timestamp::from_ms(event.id.root_ms()), value)
        };
        row.items.iter().flat_map(events_of).map(line).collect()
    })
}

/// The thing an event is about, in the customer's words where there are any.
fn about(event: &Event) -> String {
    let number = match &event.payload {
        Payload::Order(order) => order.number.clone(),
        Payload::Shipment(shipment) => shipment.order_number.clone(),
        Payload::Message(message) => return format!("{} {}", message.channel, message.message_type),
        Payload::Status(status) => return format!("{} {}", status.channel, status.state),
        _ => None,
    };
    match (&event.entity, number) {
        (Some(entity), Some(number)) => format!("{} {number}", entity.entity_type),
        (Some(entity), None) => format!("{} {}", entity.entity_type, entity.id),
        (None, Some(number)) => number,
        (None, None) => "-".to_owned(),
    }
}

/// One event with its delivery, and the runs and messages that it led to.
///
/// # Errors
/// The store's.
pub(crate) fn event(app: &App, id: EventId) -> Found<Option<Value>> {
    let Some((row, item, event)) =
        find(app, id.raw(), |item| events_of(item).iter().find(|event| event.id == id).cloned())?
    else {
        return Ok(None);
    };
    let runs = match &item.result {
        ItemResult::Interpreted { runs, .. } => runs.as_slice(),
        ItemResult::Waiting { .. } | ItemResult::Duplicate { .. } | ItemResult::Parked { .. } => &[],
    };
    let mut shown = Vec::new();
    for run in runs {
        let Some(workspace) = item.workspace else { continue };
        let Ok(Some((held, _))) = records::get::<RunRow>(app.store(), &(workspace, *run)) else { continue };
        if held.run.event != id {
            continue;
        }
        shown.push(json!({
            "id": held.run.id,
            "flow": held.run.flow,
            "version": held.run.version.to_string(),
            "state": held.run.state,
            "trail": held.run.trail,
            "contact": held.run.contact,
        }));
    }
    Ok(Some(json!({
        "event": event,
        "delivery": row.delivery,
        "item": item.id,
        "topic": item.topic,
        "plugin": row.by(&item).plugin,
        "interpreted_at": row.by(&item).at,
        "runs": shown,
        "messages": messages_of(app, item.workspace, id)?,
    })))
}

/// Messages that go back to an event: they share its moment.
fn messages_of(app: &App, workspace: Option<u32>, id: EventId) -> Found<Vec<Value>> {
    let Some(workspace) = workspace else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    let range = of_the_moment::<MessageRow>(&(workspace, MessageId::from_raw(*id.raw())));
    records::walk(app.store(), &range, Order::Forward, |row: MessageRow| {
        if row.message.event == Some(id) {
            found.push(message_line(&row.message));
        }
        ControlFlow::<()>::Continue(())
    })?;
    Ok(found)
}

/// Finds something in the interpretations of its moment.
fn find<T>(
    app: &App,
    raw: &[u8; 16],
    pick: impl Fn(&InterpretedItem) -> Option<T>,
) -> Found<Option<(Interpretation, InterpretedItem, T)>> {
    for (workspace, _) in app.catalog().workspaces() {
        let range = of_the_moment::<Interpretation>(&(workspace, ItemId::from_raw(*raw)));
        let found = records::walk(app.store(), &range, Order::Forward, |row: Interpretation| {
            match row.items.iter().find_map(|item| pick(item).map(|found| (item.clone(), found))) {
                Some((item, found)) => ControlFlow::Break((row, item, found)),
                None => ControlFlow::Continue(()),
            }
        })?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The delivery and the id of an item, sought among those of its moment.
///
/// # Errors
/// The store's.
pub(crate) fn holder(
    app: &App,
    raw: &[u8; 16],
    is_it: impl Fn(&InterpretedItem) -> bool,
) -> Found<Option<(DeliveryId, ItemId)>> {
    let found = find(app, raw, |item| is_it(item).then_some(()))?;
    Ok(found.map(|(row, item, ())| (row.delivery, item.id)))
}

/// One item and what became of it.
///
/// # Errors
/// The store's.
pub(crate) fn item(app: &App, id: ItemId) -> Found<Option<Value>> {
    let found = find(app, id.raw(), |item| (item.id == id).then_some(()))?;
    Ok(found.map(|(row, item, ())| {
        let by = row.by(&item);
        let shown = shown_item(app, row.workspace, &item);
        json!({"delivery": row.delivery, "plugin": by.plugin, "interpreted_at": by.at, "item": shown})
    }))
}

/// An item; a letter is shown by its id, and why it waits in words.
fn shown_item(app: &App, workspace: u32, item: &InterpretedItem) -> Value {
    let mut shown = json!(item);
    if let ItemResult::Waiting { hosts } = &item.result {
        shown["result"]["waiting"] = waiting::of(app, workspace, item.id, hosts);
    }
    if let ItemResult::Parked { letter, .. } = item.result {
        shown["result"]["parked"]["letter"] = json!(LetterId::at(workspace, letter));
    }
    shown
}

/// A stored delivery.
///
/// # Errors
/// The store's.
pub(crate) fn find_delivery(app: &App, id: DeliveryId) -> Found<Option<Delivery>> {
    for (workspace, _) in app.catalog().workspaces() {
        match records::get::<Delivery>(app.store(), &(workspace, id)) {
            Ok(Some((delivery, _))) => return Ok(Some(delivery)),
            Ok(None) => {}
            Err(records::ReadError::Store(error)) => return Err(error),
            Err(error) => tracing::error!(delivery.id = %id, error = %error, "a delivery can't be read"),
        }
    }
    Ok(None)
}

/// One delivery with its body and what became of its items.
///
/// # Errors
/// The store's.
pub(crate) fn delivery(app: &App, id: DeliveryId) -> Found<Option<Value>> {
    let Some(delivery) = find_delivery(app, id)? else { return Ok(None) };
    let items = interpretations_of(app, delivery.workspace, id).unwrap_or_default();
    let body = crate::pipeline::read_body(app.store(), &delivery).map_or_else(
        |error| json!({"unreadable": error.to_string()}),
        |bytes| {
            serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()))
        },
    );
    // Without the manifest nobody knows which headers are secret.
    let endpoint = app.catalog().endpoint(&delivery.endpoint);
    let headers = endpoint.map(|endpoint| guest_headers(&endpoint.manifest, &delivery.headers)).unwrap_or_default();
    Ok(Some(json!({
        "id": delivery.id,
        "endpoint": delivery.endpoint,
        "received_at": delivery.received_at,
        "secret_index": delivery.secret_index,
        "stale": delivery.stale,
        "read_back": delivery.read_back,
        "headers": headers,
        "body_bytes": delivery.body_bytes,
        "body": body,
        "items": items.iter().flat_map(|row| &row.items).map(|item| shown_item(app, delivery.workspace, item)).collect::<Vec<_>>(),
    })))
}

/// Messages, newest first, a line each.
///
/// # Errors
/// The store's.
pub(crate) fn messages(app: &App, limit: usize) -> Found<Vec<Value>> {
    newest::<MessageRow, Value>(app, Space::Messages, limit, |row| {
        vec![(row.message.created_at, message_line(&row.message))]
    })
}

/// One message, whole.
///
/// # Errors
/// The store's.
pub(crate) fn message(app: &App, id: MessageId) -> Found<Option<Value>> {
    for (workspace, _) in app.catalog().workspaces() {
        match records::get::<MessageRow>(app.store(), &(workspace, id)) {
            Ok(Some((row, _))) => return Ok(Some(whole(&row.message))),
            Ok(None) => {}
            Err(records::ReadError::Store(error)) => return Err(error),
            Err(error) => tracing::error!(message.id = %id, error = %error, "a message can't be read"),
        }
    }
    Ok(None)
}

/// A message as it is stored, and in how many parts it goes.
fn whole(message: &Message) -> Value {
    let mut shown = json!(message);
    if let (Some(parts), Some(fields)) = (sms_parts(message), shown.as_object_mut()) {
        fields.insert("sms".to_owned(), json!(parts));
    }
    shown
}

/// The parts of an SMS: what it is billed by.
fn sms_parts(message: &Message) -> Option<Segments> {
    let text = message.content.text().filter(|_| message.channel == ChannelKind::Sms)?;
    Some(segments(text))
}

fn message_line(message: &Message) -> Value {
    let to = message.address.as_ref().map(|address| format!("{address:?}"));
    json!({
        "id": message.id,
        "created_at": message.created_at,
        "direction": message.direction,
        "channel": message.channel,
        "sender": message.sender,
        "to": to,
        "state": message.state,
        "why": why(message),
        "text": message.content.text(),
        "segments": sms_parts(message).map(|parts| parts.segments),
        "run": message.run,
        "event": message.event,
    })
}

/// Why a message is where it is, when that needs words.
fn why(message: &Message) -> Option<&str> {
    match message.gate.last() {
        Some(decision) if decision.verdict != Verdict::Sent => Some(&decision.reason),
        _ => message.history.last().and_then(|step| step.note.as_deref()),
    }
}

/// Figures of the store.
pub(crate) fn stats(app: &App) -> Value {
    let stats = app.store().stats();
    let (receiving_bytes, receiving_waits) = app.admission().figures();
    json!({
        "rows_put": stats.rows_put,
        "rows_deleted": stats.rows_deleted,
        "commits": stats.commits,
        "groups": stats.groups,
        "damaged": stats.damaged,
        "receiving": {"bytes": receiving_bytes, "waiting": receiving_waits},
        "ready": {"pure": stats.ready[0], "io": stats.ready[1]},
        "timers": stats.timers,
        "oldest_due_at": stats.oldest_due_ms.map(Timestamp::from_ms),
        "now": app.now(),
        "listening": app.listening(),
    })
}
