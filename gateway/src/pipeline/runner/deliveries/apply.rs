//! What becomes of a delivery's items: outcomes go through record, trigger and advance, setbacks are parked, needs are asked for, and each item's end is written down.

use super::{Batch, ENOUGH_ROW_BYTES, Fate, Part};
use crate::{
    app::App,
    catalog::Catalog,
    metrics::Interpreted,
    pipeline::{
        fetch,
        interpret::label,
        runner::{
            ENOUGH_OPS, Task,
            effects::{Origin, effects},
            parking::{Subject, park},
            rows::interpretations_of,
        },
        setback::Setback,
    },
    records::{FetchRow, Interpretation, InterpretedBy, InterpretedItem, ItemResult, StateRow},
    telemetry::Root,
    tx::{Tx, TxError},
    work::Work,
};
use tidegate_model::{
    mask::Scrubbed,
    outcome::{Outcome, Request},
};
use tidegate_store::{
    Lane,
    records::{DeadLetter, DeadLetterKey, Record},
};

/// Takes a delivery's outcomes through record, trigger and advance, and writes down what became of its items.
pub(in crate::pipeline::runner) fn apply(
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
