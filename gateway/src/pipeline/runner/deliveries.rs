//! Deliveries through the stages: items of several deliveries share one sandbox, and each delivery's slice of items becomes one interpretation row.

use super::{ENOUGH_OPS, Task};
use crate::{
    app::App,
    catalog::{Catalog, Connection, Endpoint},
    letters,
    metrics::Interpreted,
    pipeline::{
        fetch,
        interpret::{self, Verdict, label},
        runner::{
            effects::{Origin, effects},
            parking::{Subject, park},
            rows::interpretations_of,
        },
        setback::Setback,
        split,
    },
    records::{
        Delivery, FetchRow, Given, Interpretation, InterpretedBy, InterpretedItem, ItemResult, Parked, StateRow,
    },
    telemetry::Root,
    tx::{Tx, TxError},
    work::Work,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use tidegate_model::{
    ItemId,
    mask::Scrubbed,
    outcome::{Item, Outcome, Request},
};
use tidegate_store::{
    Key, Lane,
    records::{DeadLetter, DeadLetterKey, Dedupe, Record},
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
        let result = apply_part(app, catalog, tx, lane, task, batch, part)?;
        tx.enter(home);
        let item = InterpretedItem {
            id: part.id,
            index: part.index,
            topic: part.topic.clone(),
            connection: part.connection.as_ref().map(|connection| connection.name.clone()),
            workspace: part.connection.as_ref().map(|connection| connection.workspace),
            state_in: part.state_in.clone(),
            seed: (part.seed != part.id).then_some(part.seed),
            given: part.given,
            by: by_another(app, batch, part),
            earlier: Vec::new(),
            result,
        };
        // A slice of one item is never cut, so it need not be measured.
        if batch.parts.len() > 1 {
            row_bytes += json_bytes(&item)?;
        }
        items.push(item);
    }
    match task.work {
        Work::Replay { .. } | Work::Answered { .. } => rewrite(app, tx, batch, items)?,
        _ if items.is_empty() => {}
        _ => tx.put(interpretation(app, batch, items)),
    }
    // A letter that was another try of this is done with, but where the try put it aside again.
    if let Some(key) = task.letter
        && !batch.parts.iter().any(|part| part.whole)
    {
        tx.delete_letter(key.workspace, key.seq);
    }
    match rest_from {
        Some(from) => tx.rewrite(&task.key, &crate::work::with_arg(task.row, from)),
        None => {
            for key in &batch.lost {
                fail_lost(app, tx, batch, *key)?;
            }
            tx.delete(&task.key);
        }
    }
    Ok(())
}

/// An item that is not in the delivery any more can't be tried.
fn fail_lost(app: &App, tx: &mut Tx<'_>, batch: &Batch, key: DeadLetterKey) -> Result<(), TxError> {
    if let Some(mut letter) = tx.get::<DeadLetter>(&key)? {
        let plugin = label(&batch.endpoint.plugin);
        let reason = format!("the plugin {plugin} cuts the delivery into other items: this one is not among them");
        letter.failed_again(reason, None, app.now().ms());
        tx.put(letter);
    }
    Ok(())
}

fn json_bytes(item: &InterpretedItem) -> Result<usize, TxError> {
    let json = serde_json::to_vec(item).map_err(|error| TxError::Unwritable(error.to_string()))?;
    Ok(json.len())
}

fn interpretation(app: &App, batch: &Batch, items: Vec<InterpretedItem>) -> Interpretation {
    Interpretation {
        workspace: batch.delivery.workspace,
        delivery: batch.delivery.id,
        endpoint: batch.endpoint.name.clone(),
        plugin: label(&batch.endpoint.plugin),
        digest: batch.endpoint.plugin_digest.clone(),
        at: app.now(),
        items,
    }
}

/// Who interpreted an item, when that was another version than its endpoint's.
fn by_another(app: &App, batch: &Batch, part: &Part) -> Option<InterpretedBy> {
    let by = &part.connection.as_ref().filter(|_| matches!(part.fate, Fate::Judged(_)))?.interpreter;
    let (plugin, digest) = (label(&by.plugin), by.digest.clone());
    (by.digest != batch.endpoint.plugin_digest).then(|| InterpretedBy { plugin, digest, at: app.now() })
}

/// A replay replaces the parked items in the rows that hold them, and answers those that waited.
fn rewrite(app: &App, tx: &mut Tx<'_>, batch: &Batch, mut items: Vec<InterpretedItem>) -> Result<(), TxError> {
    let workspace = batch.delivery.workspace;
    for found in interpretations_of(app, workspace, batch.delivery.id)? {
        let Some(mut row) = tx.get::<Interpretation>(&found.key())? else { continue };
        let mut changed = false;
        for held in &mut row.items {
            if !matches!(held.result, ItemResult::Parked { .. } | ItemResult::Waiting { .. }) {
                continue;
            }
            let Some(place) = items.iter().position(|item| item.id == held.id) else { continue };
            let by = items[place].by.take().unwrap_or_else(|| {
                let (plugin, digest) = (label(&batch.endpoint.plugin), batch.endpoint.plugin_digest.clone());
                InterpretedBy { plugin, digest, at: app.now() }
            });
            let by = Some(by);
            *held = InterpretedItem { by, earlier: std::mem::take(&mut held.earlier), ..items.swap_remove(place) };
            changed = true;
        }
        if changed {
            tx.put(row);
        }
    }
    Ok(())
}

fn apply_part(
    app: &App,
    catalog: &Catalog,
    tx: &mut Tx<'_>,
    lane: Lane,
    task: &Task,
    batch: &Batch,
    part: &Part,
) -> Result<ItemResult, TxError> {
    let _span = tracing::info_span!("item", item.id = %part.id, topic = %Scrubbed(&part.topic)).entered();
    let known = match part.letter.or(task.letter.filter(|_| part.whole)) {
        Some(key) => tx.watch::<DeadLetter>(&key)?,
        None => None,
    };
    let judged = match &part.fate {
        Fate::Duplicate(first) => Ok(ItemResult::Duplicate { first: *first }),
        Fate::Judged(Ok(Outcome::Need(requests))) => ask(app, tx, lane, batch, part, requests)?,
        Fate::Judged(Ok(outcome)) => Ok(done((app, catalog), tx, batch, part, outcome)?),
        Fate::Judged(Err(setback)) => Err(setback.clone()),
    };
    let counted = if judged.is_err() && part.connection.is_some() { Interpreted::Failed } else { part.counts_as() };
    tx.count(batch.endpoint.plugin_meter.items(counted).clone());
    if let Ok(waits @ ItemResult::Waiting { .. }) = judged {
        // Its letter, if there is one, is done with when the item is.
        return Ok(waits);
    }
    if let Some(row) = &part.waited {
        tx.delete(&FetchRow::row_key(&row.key()));
    }
    match judged {
        Ok(result) => {
            if let Some(letter) = known {
                tx.delete_letter(letter.key.workspace, letter.key.seq);
            }
            Ok(result)
        }
        Err(setback) => {
            let endpoint = &batch.endpoint;
            let plugin = part.connection.as_ref().map_or(&endpoint.plugin, |held| &held.interpreter.plugin);
            let subject = Subject {
                endpoint: (&endpoint.name, endpoint.number),
                plugin: label(plugin),
                plugin_id: &endpoint.plugin.manifest().id,
                delivery: batch.delivery.id,
                item: part.id,
                topic: &part.topic,
                connection: part.connection.as_ref().map(|connection| connection.name.as_str()),
                whole: part.whole,
            };
            park(app, tx, lane, &subject, &setback, known)
        }
    }
}

/// What an item needs is read for it.
fn ask(
    app: &App,
    tx: &mut Tx<'_>,
    lane: Lane,
    batch: &Batch,
    part: &Part,
    requests: &[Request],
) -> Result<Result<ItemResult, Setback>, TxError> {
    let Some(connection) = &part.connection else { return Err(TxError::UnknownWork) };
    let asking = fetch::Asking {
        endpoint: &batch.endpoint,
        connection,
        delivery: &batch.delivery,
        index: part.index,
        lane,
        state: part.state_in.as_ref(),
        held: part.waited.as_ref(),
        letter: part.letter.map(|key| key.seq),
        requests,
    };
    fetch::ask(tx, app.now(), &asking)
}

/// What an outcome leads to.
fn done(
    (app, catalog): (&App, &Catalog),
    tx: &mut Tx<'_>,
    batch: &Batch,
    part: &Part,
    outcome: &Outcome,
) -> Result<ItemResult, TxError> {
    let mut runs = Vec::new();
    if let (Outcome::Done(done), Some(connection)) = (outcome, &part.connection) {
        let (delivery, received_at) = (batch.delivery.id, batch.delivery.received_at);
        runs = effects((app, catalog), tx, &Origin { delivery, received_at, connection }, done, &[])?;
        if let (Some(state), Some(key)) = (&done.state, &part.state_key) {
            let (workspace, number) = (connection.workspace, connection.number);
            tx.put(StateRow { workspace, connection: number, state_key: key.clone(), state: state.clone() });
        }
    }
    Ok(ItemResult::Interpreted { outcome: outcome.clone(), runs })
}
