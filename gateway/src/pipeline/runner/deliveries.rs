//! Deliveries that are loaded, cut into items and interpreted: items of several deliveries share one sandbox. What becomes of them is `apply.rs`'s.

mod apply;

pub(super) use apply::apply;

use super::Task;
use crate::{
    app::App,
    catalog::{Catalog, Connection, Endpoint},
    letters,
    metrics::Interpreted,
    pipeline::{
        fetch,
        interpret::{self, Verdict},
        runner::rows::interpretations_of,
        setback::Setback,
        split,
    },
    records::{Delivery, FetchRow, Given, ItemResult, Parked, StateRow},
    tx::{Tx, TxError},
    work::Work,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use tidegate_model::{
    ItemId,
    outcome::{Item, Outcome},
};
use tidegate_store::{
    Key,
    records::{DeadLetter, DeadLetterKey, Dedupe},
};
use tokio::runtime::Handle;

/// Items that go into one commit.
const ITEMS_AT_ONCE: usize = 32;
/// Bytes of bodies that are in memory for one commit; a longer body is there alone.
const BODY_BYTES_AT_ONCE: usize = 1024 * 1024;
/// Bytes of JSON after which no further item is taken into an interpretation row. A row of the store takes 48 KiB.
const ENOUGH_ROW_BYTES: usize = 24 * 1024;

/// A delivery, a slice of its items, and what the plugin made of them.
pub(super) struct Batch {
    endpoint: Arc<Endpoint>,
    delivery: Delivery,
    parts: Vec<Part>,
    /// Position of the first item behind the slice, when there is one.
    rest_from: Option<u32>,
    /// Letters of items that a replay is to do again and that are not in the delivery, as the plugin cuts it now.
    lost: Vec<DeadLetterKey>,
}

struct Part {
    id: ItemId,
    index: u32,
    topic: String,
    connection: Option<Arc<Connection>>,
    state_key: Option<String>,
    state_in: Option<String>,
    seed: ItemId,
    whole: bool,
    /// Its letter, when this is another try.
    letter: Option<DeadLetterKey>,
    /// It waited for answers.
    waited: Option<FetchRow>,
    /// The answers that it was interpreted with.
    given: Option<Given>,
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
            (Fate::Judged(Ok(Outcome::Need(_))), _) => Interpreted::Waiting,
            (Fate::Judged(Ok(_)), _) => Interpreted::Skipped,
        }
    }
}

enum Fate {
    Duplicate(ItemId),
    Judged(Result<Outcome, Setback>),
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
    let (mut count, mut body_bytes) = (0, 0);
    for task in tasks {
        let (Work::Delivery { id, from } | Work::Replay { id, from } | Work::Answered { id, index: from }) = task.work
        else {
            continue;
        };
        if count >= ITEMS_AT_ONCE || cuts.iter().any(|cut| cut.delivery.id == id) {
            break;
        }
        let delivery = tx.get::<Delivery>(&(tx.workspace(), id))?.ok_or(TxError::DeliveryGone)?;
        let waited = match task.work {
            Work::Answered { index, .. } => fetch::waiting(tx, delivery.workspace, id, index)?,
            _ => None,
        };
        body_bytes += delivery.body_bytes + waited.as_ref().map_or(0, |row| usize::try_from(row.bytes).unwrap_or(0));
        if body_bytes > BODY_BYTES_AT_ONCE && !cuts.is_empty() {
            break;
        }
        let cut = cut(app, catalog, tx, task, (delivery, from, waited), ITEMS_AT_ONCE - count)?;
        // Two items that share a state must not share a call: the second must see what the first left.
        let keys: Vec<_> = cut.state_keys().collect();
        if keys.iter().any(|key| states.contains(key)) {
            break;
        }
        states.extend(keys);
        count += cut.parts.len();
        cuts.push(cut);
    }
    interpret_all(app, runtime, tx, cuts)
}

struct Cut {
    row: Key,
    endpoint: Arc<Endpoint>,
    delivery: Delivery,
    parts: Vec<(split::Part, Option<ItemId>)>,
    rest_from: Option<u32>,
    wanted: HashMap<ItemId, DeadLetterKey>,
    waited: Option<FetchRow>,
    lost: Vec<DeadLetterKey>,
}

impl Cut {
    fn state_keys(&self) -> impl Iterator<Item = (u32, String)> + '_ {
        self.parts.iter().filter_map(|(part, _)| {
            let (_, connection) = part.work.as_ref().ok()?;
            Some((connection.number, part.state_key.clone()?))
        })
    }
}

/// One delivery's slice. The work is given up when its endpoint is gone.
fn cut(
    app: &App,
    catalog: &Catalog,
    tx: &mut Tx<'_>,
    task: &Task,
    (delivery, from, waited): (Delivery, u32, Option<FetchRow>),
    most: usize,
) -> Result<Cut, TxError> {
    let Some(endpoint) = catalog.endpoint(&delivery.endpoint) else {
        return Err(TxError::EndpointGone(delivery.endpoint));
    };
    let body = crate::pipeline::read_body(app.store(), &delivery)?;
    let wanted = match task.work {
        Work::Replay { .. } => Some(wanted_items(app, tx, &delivery)?),
        _ => None,
    };
    let mut parts = split::split(&endpoint, &delivery, &body);
    let is_answered = matches!(task.work, Work::Answered { .. });
    let is_rest = from > 0 || is_answered;
    if let Some(split::Part { work: Err(setback), .. }) = parts.iter().find(|part| part.whole && is_rest) {
        return Err(TxError::RestUncut(setback.parked.reason.clone()));
    }
    let lost = wanted.iter().flatten().filter(|(id, _)| parts.iter().all(|part| part.id != **id));
    let lost = lost.map(|(_, letter)| *letter).collect();
    parts.retain(|part| part.index >= from && wanted.as_ref().is_none_or(|wanted| wanted.contains_key(&part.id)));
    if is_answered {
        let ready = waited.as_ref().is_some_and(FetchRow::is_answered);
        parts.retain(|part| part.index == from && ready);
        if ready && parts.is_empty() {
            return Err(TxError::ItemGone);
        }
    }
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
    let wanted = wanted.unwrap_or_default();
    Ok(Cut { row: task.key.clone(), endpoint, delivery, parts: seen, rest_from, wanted, waited, lost })
}

/// The parked items of a delivery that are to be interpreted again now, with their letters.
fn wanted_items(app: &App, tx: &mut Tx<'_>, delivery: &Delivery) -> Result<HashMap<ItemId, DeadLetterKey>, TxError> {
    let mut wanted = HashMap::new();
    for item in interpretations_of(app, delivery.workspace, delivery.id)?.into_iter().flat_map(|row| row.items) {
        let ItemResult::Parked { letter, .. } = item.result else { continue };
        let key = DeadLetterKey { workspace: delivery.workspace, seq: letter };
        if tx.get::<DeadLetter>(&key)?.is_some_and(|letter| letters::is_wanted(&letter, app.now())) {
            wanted.insert(item.id, key);
        }
    }
    Ok(wanted)
}

fn interpret_all(app: &App, runtime: &Handle, tx: &mut Tx<'_>, cuts: Vec<Cut>) -> Result<HashMap<Key, Batch>, TxError> {
    let mut work: Vec<(Item, Arc<Connection>)> = Vec::new();
    let mut batches = HashMap::new();
    let mut waiting = Vec::new();
    for cut in cuts {
        let mut parts = Vec::with_capacity(cut.parts.len());
        for (part, first) in cut.parts {
            let mut made = Part {
                id: part.id,
                index: part.index,
                topic: part.topic,
                connection: None,
                state_key: part.state_key,
                state_in: None,
                seed: part.id,
                whole: part.whole,
                letter: cut.wanted.get(&part.id).copied().or_else(|| letter_of(cut.waited.as_ref())),
                waited: cut.waited.clone(),
                given: None,
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
                    if let Some(reason) = cut.waited.as_ref().and_then(|row| row.refused.clone()) {
                        made.fate = Fate::Judged(Err(Setback::person(Parked::new(None, reason))));
                        parts.push(made);
                        continue;
                    }
                    made.given = give(tx, &cut.endpoint, &connection, cut.waited.as_ref(), &mut item)?;
                    waiting.push((cut.row.clone(), parts.len()));
                    work.push((item, connection));
                }
            }
            parts.push(made);
        }
        let Cut { row, endpoint, delivery, rest_from, lost, .. } = cut;
        batches.insert(row, Batch { endpoint, delivery, parts, rest_from, lost });
    }
    let verdicts = interpret::interpret(app, runtime, &work);
    for ((row, place), Verdict { judged, seed }) in waiting.into_iter().zip(verdicts) {
        if let Some(part) = batches.get_mut(&row).and_then(|batch: &mut Batch| batch.parts.get_mut(place)) {
            (part.fate, part.seed) = (Fate::Judged(judged), seed);
        }
    }
    Ok(batches)
}

/// The letter behind an item that waited.
fn letter_of(waited: Option<&FetchRow>) -> Option<DeadLetterKey> {
    let row = waited?;
    Some(DeadLetterKey { workspace: row.workspace, seq: row.letter? })
}

/// Gives an item the answers that it waited for. When something else changed since it asked, its answers may be to other questions: it begins anew.
fn give(
    tx: &Tx<'_>,
    endpoint: &Endpoint,
    connection: &Connection,
    waited: Option<&FetchRow>,
    item: &mut Item,
) -> Result<Option<Given>, TxError> {
    let Some(row) = waited.filter(|row| row.basis == fetch::basis(endpoint, connection, item.state.as_ref())) else {
        return Ok(None);
    };
    let exchanges = fetch::answers(tx.store(), row.workspace, row.item, row.given())?;
    item.answers = exchanges.into_iter().map(|exchange| exchange.answer).collect();
    Ok(Some(row.given()))
}

fn state_of(tx: &mut Tx<'_>, connection: &Connection, key: Option<&String>) -> Result<Option<String>, TxError> {
    let Some(key) = key else { return Ok(None) };
    let row = tx.get::<StateRow>(&(connection.workspace, connection.number, key.clone()))?;
    Ok(row.map(|row| row.state))
}
