//! Deliveries through the stages: items of several deliveries share one sandbox, and each delivery's slice of items becomes one interpretation row.

use super::{ENOUGH_OPS, Task};
use crate::{
    app::App,
    catalog::{Catalog, Connection, Endpoint},
    metrics::Interpreted,
    pipeline::{advance, interpret, record, split, trigger},
    records::{Delivery, Interpretation, InterpretedItem, ItemResult, Parked, StateRow},
    telemetry::Root,
    tx::{Letter, Tx, TxError},
    work::Work,
};
use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
    sync::Arc,
};
use tidegate_model::{
    DeliveryId, ItemId, RunId,
    mask::Scrubbed,
    outcome::{Done, Item, Outcome, Trigger},
};
use tidegate_store::{
    Key, KeyRange, Lane, Order, Queue,
    records::{self, Dedupe, Record},
};
use tokio::runtime::Handle;

/// Items that go into one commit.
const ITEMS_AT_ONCE: usize = 32;
/// Bytes of an id behind its moment.
const HASH_BYTES: usize = 10;
/// Bytes of JSON after which no further item is taken into an interpretation row. A row of the store takes 48 KiB.
const ENOUGH_ROW_BYTES: usize = 24 * 1024;

/// A delivery, a slice of its items, and what the plugin made of them.
pub(super) struct Batch {
    endpoint: Arc<Endpoint>,
    delivery: Delivery,
    parts: Vec<Part>,
    /// Position of the first item behind the slice, when there is one.
    rest_from: Option<u32>,
}

struct Part {
    id: ItemId,
    index: u32,
    topic: String,
    connection: Option<Arc<Connection>>,
    state_key: Option<String>,
    state_in: Option<String>,
    fate: Fate,
}

impl Part {
    /// What is counted. An item that no plugin saw was not routed.
    fn counts_as(&self) -> Interpreted {
        match (&self.fate, &self.connection) {
            (Fate::Duplicate(_), _) => Interpreted::Duplicate,
            (Fate::Judged(Err(_)), Some(_)) => Interpreted::Failed,
            (Fate::Judged(Err(_)), None) => Interpreted::Parked,
            (Fate::Judged(Ok(Outcome::Done(_))), _) => Interpreted::Done,
            (Fate::Judged(Ok(_)), _) => Interpreted::Skipped,
        }
    }
}

enum Fate {
    Duplicate(ItemId),
    Judged(Result<Outcome, Parked>),
}

/// Loads the deliveries of the tasks, cuts them, drops repeats, and interprets what is left, in order. Gives a batch for each row of work; those over the budget
/// are left out, and so is a second row of the same delivery: it must see what the first left.
pub(super) fn load(
    app: &App,
    catalog: &Catalog,
    runtime: &Handle,
    tx: &mut Tx<'_>,
    tasks: &[Task],
) -> Result<HashMap<Key, Batch>, TxError> {
    let mut cuts: Vec<Cut> = Vec::new();
    let mut states = HashSet::new();
    let mut count = 0;
    for task in tasks {
        let (Work::Delivery { id, from } | Work::Replay { id, from }) = task.work else { continue };
        if count >= ITEMS_AT_ONCE || cuts.iter().any(|cut| cut.delivery.id == id) {
            break;
        }
        let cut = cut(app, catalog, tx, task, (id, from), ITEMS_AT_ONCE - count)?;
        // Two items that share a state must not share a call: the second must see what the first left.
        let keys: Vec<_> = cut.state_keys().collect();
        if keys.iter().any(|key| states.contains(key)) {
            break;
        }
        states.extend(keys);
        count += cut.parts.len();
        cuts.push(cut);
    }
    interpret_all(runtime, tx, cuts)
}

struct Cut {
    row: Key,
    endpoint: Arc<Endpoint>,
    delivery: Delivery,
    parts: Vec<(split::Part, Option<ItemId>)>,
    rest_from: Option<u32>,
}

impl Cut {
    fn state_keys(&self) -> impl Iterator<Item = (u32, String)> + '_ {
        self.parts.iter().filter_map(|(part, _)| {
            let (_, connection) = part.work.as_ref().ok()?;
            Some((connection.number, part.state_key.clone()?))
        })
    }
}

/// One delivery's slice. The work is given up when the delivery or its endpoint is gone.
fn cut(
    app: &App,
    catalog: &Catalog,
    tx: &mut Tx<'_>,
    task: &Task,
    (id, from): (DeliveryId, u32),
    most: usize,
) -> Result<Cut, TxError> {
    let workspace = tx.workspace();
    let delivery = tx.get::<Delivery>(&(workspace, id))?.ok_or(TxError::DeliveryGone)?;
    let Some(endpoint) = catalog.endpoint(&delivery.endpoint) else {
        return Err(TxError::EndpointGone(delivery.endpoint));
    };
    let body = crate::pipeline::read_body(app.store(), &delivery)?;
    let wanted = match task.work {
        Work::Replay { .. } => Some(parked_items(app, &delivery)?),
        _ => None,
    };
    let mut parts = split::split(&endpoint, &delivery, &body);
    parts.retain(|part| part.index >= from && wanted.as_ref().is_none_or(|wanted| wanted.contains(&part.id)));
    // Two items of one delivery that share a state are taken one after the other.
    let mut states = HashSet::new();
    let together =
        parts.iter().take_while(|part| part.state_key.as_ref().is_none_or(|key| states.insert(key.clone()))).count();
    let most = most.min(together);
    let rest_from = parts.get(most).map(|part| part.index);
    parts.truncate(most);
    let mut seen = Vec::with_capacity(parts.len());
    for part in parts {
        let first = match part.mark {
            Some(hash) => {
                let mark = Dedupe { workspace: endpoint.home, endpoint: endpoint.number, hash };
                tx.first_of(mark, part.id, delivery.received_at)?
            }
            None => None,
        };
        seen.push((part, first));
    }
    Ok(Cut { row: task.key.clone(), endpoint, delivery, parts: seen, rest_from })
}

/// The items of a delivery that are parked now.
fn parked_items(app: &App, delivery: &Delivery) -> Result<HashSet<ItemId>, TxError> {
    let rows = interpretations_of(app, delivery.workspace, delivery.id)?;
    let items = rows.into_iter().flat_map(|row| row.items);
    Ok(items.filter(|item| matches!(item.result, ItemResult::Parked { .. })).map(|item| item.id).collect())
}

/// Every interpretation row of a delivery. Ids derive, so they lie together under the delivery's moment.
pub(crate) fn interpretations_of(app: &App, workspace: u32, id: DeliveryId) -> Result<Vec<Interpretation>, TxError> {
    let mut found = Vec::new();
    let range = of_the_moment::<Interpretation>(&(workspace, ItemId::from_raw(*id.raw())));
    records::walk(app.store(), &range, Order::Forward, |row: Interpretation| {
        if row.delivery == id {
            found.push(row);
        }
        ControlFlow::<()>::Continue(())
    })?;
    found.sort_by_key(|row| row.items.first().map(|item| item.index));
    Ok(found)
}

/// All rows of the moment that a key's id carries, for records whose keys end with an id.
pub(crate) fn of_the_moment<R: Record>(key: &R::Key) -> KeyRange {
    let key = R::row_key(key);
    KeyRange::prefix(&key[..key.len() - HASH_BYTES])
}

fn interpret_all(runtime: &Handle, tx: &mut Tx<'_>, cuts: Vec<Cut>) -> Result<HashMap<Key, Batch>, TxError> {
    let mut work: Vec<(Item, Arc<Connection>)> = Vec::new();
    let mut endpoint: Option<Arc<Endpoint>> = None;
    let mut batches = HashMap::new();
    let mut waiting = Vec::new();
    for cut in cuts {
        // All deliveries of a lane are of one endpoint.
        endpoint.get_or_insert_with(|| Arc::clone(&cut.endpoint));
        let mut parts = Vec::with_capacity(cut.parts.len());
        for (part, first) in cut.parts {
            let mut made = Part {
                id: part.id,
                index: part.index,
                topic: part.topic,
                connection: None,
                state_key: part.state_key,
                state_in: None,
                fate: Fate::Judged(Ok(Outcome::Skip(String::new()))),
            };
            match (first, part.work) {
                (Some(first), work) => {
                    made.connection = work.ok().map(|(_, connection)| connection);
                    made.fate = Fate::Duplicate(first);
                }
                (None, Err(parked)) => made.fate = Fate::Judged(Err(parked)),
                (None, Ok((mut item, connection))) => {
                    made.state_in = state_of(tx, &connection, made.state_key.as_ref())?;
                    item.state.clone_from(&made.state_in);
                    made.connection = Some(Arc::clone(&connection));
                    waiting.push((cut.row.clone(), parts.len()));
                    work.push((item, connection));
                }
            }
            parts.push(made);
        }
        batches
            .insert(cut.row, Batch { endpoint: cut.endpoint, delivery: cut.delivery, parts, rest_from: cut.rest_from });
    }
    if let Some(endpoint) = endpoint {
        let judged = interpret::interpret(runtime, &endpoint, &work);
        for ((row, place), interpreted) in waiting.into_iter().zip(judged) {
            if let Some(part) = batches.get_mut(&row).and_then(|batch: &mut Batch| batch.parts.get_mut(place)) {
                part.fate = Fate::Judged(interpreted);
            }
        }
    }
    Ok(batches)
}

fn state_of(tx: &mut Tx<'_>, connection: &Connection, key: Option<&String>) -> Result<Option<String>, TxError> {
    let Some(key) = key else { return Ok(None) };
    let row = tx.get::<StateRow>(&(connection.workspace, connection.number, key.clone()))?;
    Ok(row.map(|row| row.state))
}

/// Takes a delivery's outcomes through record, trigger and advance, and writes down what became of its items.
pub(super) fn apply(
    app: &App,
    catalog: &Catalog,
    tx: &mut Tx<'_>,
    lane: Lane,
    task: &Task,
    batch: &Batch,
) -> Result<(), TxError> {
    let id = batch.delivery.id;
    let _span = tracing::info_span!("delivery", root = %Root(id.raw()), delivery.id = %id).entered();
    let home = tx.workspace();
    let mut items = Vec::with_capacity(batch.parts.len());
    let mut rest_from = batch.rest_from;
    let mut row_bytes = 0;
    for part in &batch.parts {
        if (tx.row_ops() >= ENOUGH_OPS || row_bytes >= ENOUGH_ROW_BYTES) && !items.is_empty() {
            rest_from = Some(part.index);
            break;
        }
        let result = apply_part(app, catalog, tx, lane, batch, part)?;
        tx.enter(home);
        let item = InterpretedItem {
            id: part.id,
            index: part.index,
            topic: part.topic.clone(),
            connection: part.connection.as_ref().map(|connection| connection.name.clone()),
            workspace: part.connection.as_ref().map(|connection| connection.workspace),
            state_in: part.state_in.clone(),
            result,
        };
        // A slice of one item is never cut, so it need not be measured.
        if batch.parts.len() > 1 {
            row_bytes += json_bytes(&item)?;
        }
        items.push(item);
    }
    match task.work {
        Work::Replay { .. } => rewrite(app, tx, batch, items)?,
        _ if items.is_empty() => {}
        _ => tx.put(interpretation(app, batch, items)),
    }
    match rest_from {
        Some(from) => tx.rewrite(&task.key, &crate::work::with_arg(task.row, from)),
        None => tx.delete(&task.key),
    }
    Ok(())
}

fn json_bytes(item: &InterpretedItem) -> Result<usize, TxError> {
    let json = serde_json::to_vec(item).map_err(|error| TxError::Unwritable(error.to_string()))?;
    Ok(json.len())
}

fn interpretation(app: &App, batch: &Batch, items: Vec<InterpretedItem>) -> Interpretation {
    let manifest = batch.endpoint.plugin.manifest();
    Interpretation {
        workspace: batch.delivery.workspace,
        delivery: batch.delivery.id,
        endpoint: batch.endpoint.name.clone(),
        plugin: format!("{}@{}", manifest.id, manifest.version),
        digest: batch.endpoint.plugin_digest.clone(),
        at: app.now(),
        items,
    }
}

/// A replay replaces the parked items in the rows that hold them, and takes back their dead letters.
fn rewrite(app: &App, tx: &mut Tx<'_>, batch: &Batch, mut items: Vec<InterpretedItem>) -> Result<(), TxError> {
    let workspace = batch.delivery.workspace;
    for found in interpretations_of(app, workspace, batch.delivery.id)? {
        let Some(mut row) = tx.get::<Interpretation>(&found.key())? else { continue };
        let mut changed = false;
        for held in &mut row.items {
            let ItemResult::Parked { letter, .. } = held.result else { continue };
            let Some(place) = items.iter().position(|item| item.id == held.id) else { continue };
            tx.delete_letter(workspace, letter);
            *held = items.swap_remove(place);
            changed = true;
        }
        if changed {
            let made = interpretation(app, batch, row.items);
            tx.put(made);
        }
    }
    Ok(())
}

fn apply_part(
    app: &App,
    catalog: &Catalog,
    tx: &mut Tx<'_>,
    lane: Lane,
    batch: &Batch,
    part: &Part,
) -> Result<ItemResult, TxError> {
    let _span = tracing::info_span!("item", item.id = %part.id, topic = %Scrubbed(&part.topic)).entered();
    tx.count(batch.endpoint.plugin_meter.items(part.counts_as()).clone());
    match &part.fate {
        Fate::Duplicate(first) => Ok(ItemResult::Duplicate { first: *first }),
        Fate::Judged(Err(parked)) => {
            let letter = tx.park(Letter {
                queue: Queue::Pure,
                lane,
                work: Work::Replay { id: batch.delivery.id, from: 0 }.row(),
                reason: parked.reason.clone(),
                field: parked.field.clone(),
                at: app.now(),
                source: batch.endpoint.plugin.manifest().id.clone(),
            })?;
            tracing::warn!(delivery.id = %batch.delivery.id, item.id = %part.id, topic = %Scrubbed(&part.topic), field = parked.field, "item parked");
            Ok(ItemResult::Parked { parked: parked.clone(), letter })
        }
        Fate::Judged(Ok(outcome)) => {
            let runs = match (outcome, &part.connection) {
                (Outcome::Done(done), Some(connection)) => {
                    apply_done((app, catalog), tx, batch, part, connection, done)?
                }
                _ => Vec::new(),
            };
            Ok(ItemResult::Interpreted { outcome: outcome.clone(), runs })
        }
    }
}

fn apply_done(
    (app, catalog): (&App, &Catalog),
    tx: &mut Tx<'_>,
    batch: &Batch,
    part: &Part,
    connection: &Connection,
    done: &Done,
) -> Result<Vec<RunId>, TxError> {
    tx.enter(connection.workspace);
    let now = app.now();
    let mut runs = Vec::new();
    for (place, event) in done.events.iter().enumerate() {
        let _span = tracing::info_span!("record", event.id = %event.id).entered();
        let contact = record::record(tx, catalog, event, batch.delivery.received_at)?;
        tracing::info!(delivery.id = %batch.delivery.id, event.id = %event.id, kind = %event.kind, connection = connection.name, "event");
        let Some(contact) = contact else { continue };
        let triggers: Vec<&Trigger> = done.triggers.iter().filter(|trigger| trigger.event == place).collect();
        for (flow, run) in trigger::trigger(tx, catalog, event, &triggers, &contact, now)? {
            tracing::info!(event.id = %event.id, run.id = %run.id, flow = run.flow, "flow started");
            tx.count(catalog.flow_meter(connection.workspace, &run.flow).started);
            runs.push(run.id);
            advance::start(tx, catalog, &flow, run, &contact, now)?;
        }
    }
    if let (Some(state), Some(key)) = (&done.state, &part.state_key) {
        let (workspace, number) = (connection.workspace, connection.number);
        tx.put(StateRow { workspace, connection: number, state_key: key.clone(), state: state.clone() });
    }
    Ok(runs)
}
