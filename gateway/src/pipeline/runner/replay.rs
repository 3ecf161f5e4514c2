//! Replay: stored items are interpreted again, by the plugin that is loaded or by another, with the state, the moment and the randomness that they had. Looking
//! writes nothing; applying records what is new, and nothing twice.

use super::{
    asking::{Asked, Asking, Source},
    effects::{Origin, effects},
    parking::{Subject, park},
    rows::interpretations_of,
};
use crate::{
    app::App,
    catalog::{Connection, Endpoint},
    letters,
    pipeline::{fetch, interpret::label, setback::Setback, split},
    records::{
        AnswersRow, Delivery, Earlier, Exchange, Given, Interpretation, InterpretedBy, InterpretedItem, ItemResult,
        Parked, StateRow,
    },
    tx::{Tx, TxError},
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tidegate_clock::Stopwatch;
use tidegate_model::{
    EventId, ItemId, RunId,
    outcome::{Item, Outcome},
};
use tidegate_plugin_host::Plugin;
use tidegate_store::{
    Lane,
    records::{self, DeadLetter, DeadLetterKey, Record},
};
use tokio::runtime::Handle;

/// Times that an item is applied again because another commit touched the same row.
const CONFLICTS: usize = 8;
/// Earlier results that an item keeps.
const EARLIER_KEPT: usize = 5;
/// Longest earlier result, in characters.
const EARLIER_CHARS: usize = 200;
/// Why nothing is done to an item that waits.
const WAITS: &str = "it waits for answers of its provider; look again when they are there";

/// What to interpret again, and by whom.
pub(crate) struct Request<'a> {
    /// The plugin; `None` for those that would read it now: its endpoint's, or the version that its connection runs.
    pub plugin: Option<&'a Plugin>,
    /// Where the delivery came by.
    pub endpoint: &'a Endpoint,
    /// The delivery.
    pub delivery: &'a Delivery,
    /// The only item of it that is of interest.
    pub only: Option<ItemId>,
    /// Whether to read anew what the plugin needs from its provider.
    pub refetch: bool,
}

impl<'a> Request<'a> {
    /// Who cuts the delivery into items.
    pub(crate) fn cuts(&self) -> &'a Plugin {
        self.plugin.unwrap_or(&self.endpoint.plugin)
    }

    /// Who interprets items of a connection.
    fn interprets<'b>(&self, connection: Option<&'b Arc<Connection>>) -> &'b Plugin
    where
        'a: 'b,
    {
        let own = || connection.map_or(&self.endpoint.plugin, |connection| &connection.interpreter.plugin);
        self.plugin.unwrap_or_else(own)
    }
}

/// An item, what was made of it, and what would be made of it now.
pub(crate) struct Examined {
    /// Id.
    pub id: ItemId,
    /// Topic.
    pub topic: String,
    /// What was made of it, and by whom; `None` when nothing was.
    pub was: Option<(InterpretedItem, InterpretedBy)>,
    /// What would be made of it.
    pub now: Now,
    /// How long the plugin took for that.
    pub took: Duration,
    /// The row that holds it.
    row: Option<<Interpretation as Record>::Key>,
    /// Whose it is, when it was interpreted again.
    pub connection: Option<Arc<Connection>>,
    state_key: Option<String>,
    state_in: Option<String>,
    /// What was read anew for it.
    read: Vec<Exchange>,
    whole: bool,
}

/// What would be made of an item now.
pub(crate) enum Now {
    /// The same item came before: it is not interpreted.
    Duplicate,
    /// It is not in the delivery, as the plugin cuts it.
    Absent,
    /// This.
    Outcome(Outcome),
    /// It fails.
    Fails(Failing),
}

/// Why an item fails.
pub(crate) struct Failing(Setback);

impl Failing {
    /// Why.
    pub(crate) const fn parked(&self) -> &Parked {
        &self.0.parked
    }
}

/// What applying did to an item.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    /// Nothing was to be done, or could be: why.
    Nothing(&'static str),
    /// The new outcome is written down.
    Written {
        /// Events that are new.
        events: Vec<EventId>,
        /// Runs that they started.
        runs: Vec<RunId>,
    },
    /// It is parked still.
    Parked,
    /// The whole delivery is taken up again, in its lane.
    Asked,
}

/// Interprets stored items again. Writes nothing.
///
/// # Errors
/// The store's, or the delivery can't be read.
pub(crate) fn examine(app: &App, runtime: &Handle, request: &Request<'_>) -> Result<Vec<Examined>, TxError> {
    let Request { endpoint, delivery, only, .. } = request;
    let body = crate::pipeline::read_body(app.store(), delivery)?;
    let mut stored = stored(app, delivery)?;
    stored.retain(|id, _| only.is_none_or(|only| only == *id));
    let mut examined = Vec::new();
    for part in split::split_as(&endpoint.manifest_with(request.cuts()), endpoint, delivery, &body) {
        if only.is_some_and(|only| only != part.id) {
            continue;
        }
        let held = stored.remove(&part.id);
        examined.push(examine_part(app, runtime, request, part, held)?);
    }
    let gone = stored.into_values().map(|held| Examined {
        id: held.item.id,
        topic: held.item.topic.clone(),
        row: Some(held.row),
        connection: None,
        state_key: None,
        state_in: None,
        read: Vec::new(),
        whole: false,
        was: Some((held.item, held.by)),
        now: Now::Absent,
        took: Duration::ZERO,
    });
    examined.extend(gone);
    Ok(examined)
}

/// An item as it is stored.
struct Held {
    row: <Interpretation as Record>::Key,
    item: InterpretedItem,
    by: InterpretedBy,
}

fn stored(app: &App, delivery: &Delivery) -> Result<HashMap<ItemId, Held>, TxError> {
    let mut stored = HashMap::new();
    for row in interpretations_of(app, delivery.workspace, delivery.id)? {
        for item in &row.items {
            stored.insert(item.id, Held { row: row.key(), item: item.clone(), by: row.by(item) });
        }
    }
    Ok(stored)
}

fn examine_part(
    app: &App,
    runtime: &Handle,
    request: &Request<'_>,
    part: split::Part,
    held: Option<Held>,
) -> Result<Examined, TxError> {
    let (row, was) = held.map_or((None, None), |held| (Some(held.row), Some((held.item, held.by))));
    let mut examined = Examined {
        id: part.id,
        topic: part.topic,
        row,
        connection: None,
        state_key: part.state_key,
        state_in: None,
        read: Vec::new(),
        whole: part.whole,
        now: Now::Absent,
        took: Duration::ZERO,
        was,
    };
    let stored = examined.was.as_ref().map(|(item, _)| item);
    if let Some(ItemResult::Duplicate { .. }) = stored.map(|item| &item.result) {
        examined.now = Now::Duplicate;
        return Ok(examined);
    }
    if let Some(ItemResult::Waiting { .. }) = stored.map(|item| &item.result) {
        examined.now = Now::Fails(Failing(Setback::person(Parked::new(None, WAITS))));
        return Ok(examined);
    }
    let (mut item, connection): (Item, Arc<Connection>) = match part.work {
        Ok(work) => work,
        Err(setback) => {
            examined.now = Now::Fails(Failing(setback));
            return Ok(examined);
        }
    };
    let (seed, state) = match stored {
        Some(InterpretedItem { seed, state_in, result: ItemResult::Interpreted { .. }, .. }) => {
            (seed.unwrap_or(part.id), state_in.clone())
        }
        // What was never interpreted is taken as it would be now.
        _ => (part.id, live_state(app, &connection, examined.state_key.as_ref())?),
    };
    item.state.clone_from(&state);
    let source = match stored.and_then(|item| item.given) {
        _ if request.refetch => Source::Provider,
        Some(given) => Source::Stored(fetch::answers(app.store(), request.delivery.workspace, part.id, given)?),
        None => Source::Stored(Vec::new()),
    };
    let (plugin, watch) = (request.interprets(Some(&connection)), Stopwatch::start());
    let asking = Asking { app, runtime, plugin, seed: &seed, connection: &connection };
    let Asked { judged, read } = asking.interpret(&item, &source);
    examined.took = watch.elapsed();
    examined.now = match judged {
        Ok(outcome) => Now::Outcome(outcome),
        Err(setback) => Now::Fails(Failing(setback)),
    };
    if request.refetch {
        examined.read = read;
    }
    (examined.state_in, examined.connection) = (state, Some(connection));
    Ok(examined)
}

fn live_state(app: &App, connection: &Connection, key: Option<&String>) -> Result<Option<String>, TxError> {
    let Some(key) = key else { return Ok(None) };
    let found = records::get::<StateRow>(app.store(), &(connection.workspace, connection.number, key.clone()))?;
    Ok(found.map(|(row, _)| row.state))
}

/// Writes down what was examined, an item a commit. An event that the item had before has no new effect; what is gone stays as it was.
///
/// # Errors
/// The store's.
pub(crate) fn apply(app: &App, request: &Request<'_>, item: &Examined) -> Result<Applied, TxError> {
    let mut last = Ok(Applied::Nothing("others keep changing it; try again"));
    for _ in 0..CONFLICTS {
        last = apply_once(app, request, item);
        if !last.as_ref().is_err_and(TxError::is_conflict) {
            break;
        }
    }
    last
}

fn apply_once(app: &App, request: &Request<'_>, examined: &Examined) -> Result<Applied, TxError> {
    let (Some(key), Some((was, by))) = (&examined.row, &examined.was) else {
        return Ok(Applied::Nothing("it is not interpreted yet, or the plugin cuts the delivery into other items"));
    };
    let workspace = request.delivery.workspace;
    let mut tx = Tx::new(app.store(), workspace);
    let Some(mut row) = tx.get::<Interpretation>(key)? else { return Ok(Applied::Nothing("it is gone")) };
    let Some(held) = row.items.iter_mut().find(|item| item.id == examined.id) else {
        return Ok(Applied::Nothing("it is gone"));
    };
    if held.result != was.result {
        return Ok(Applied::Nothing("it was interpreted meanwhile; look again"));
    }
    let letter = match held.result {
        ItemResult::Parked { letter, .. } => tx.watch::<DeadLetter>(&DeadLetterKey { workspace, seq: letter })?,
        ItemResult::Interpreted { .. } | ItemResult::Waiting { .. } | ItemResult::Duplicate { .. } => None,
    };
    if let Some(letter) = &letter
        && letters::Kind::of(letter) == letters::Kind::Delivery
    {
        return ask_whole(tx, request, letter.clone());
    }
    let (result, applied) = match (&held.result, &examined.now) {
        (ItemResult::Duplicate { .. }, _) | (_, Now::Duplicate) => {
            return Ok(Applied::Nothing("the same item came before"));
        }
        (ItemResult::Waiting { .. }, _) => return Ok(Applied::Nothing(WAITS)),
        (_, Now::Absent) => return Ok(Applied::Nothing("the plugin cuts the delivery into other items")),
        (ItemResult::Interpreted { .. }, Now::Fails(_)) => {
            return Ok(Applied::Nothing("it would fail now; what was made of it is kept"));
        }
        (ItemResult::Parked { .. }, Now::Fails(Failing(setback))) => {
            (park_again(app, &mut tx, request, examined, setback, letter)?, Applied::Parked)
        }
        (ItemResult::Interpreted { outcome: before, .. }, Now::Outcome(outcome)) if before == outcome => {
            return Ok(Applied::Nothing("there is no difference"));
        }
        (before, Now::Outcome(outcome)) => {
            let done = write(app, &mut tx, request, examined, before, outcome)?;
            if let Some(letter) = letter {
                tx.delete_letter(letter.key.workspace, letter.key.seq);
            }
            done
        }
    };
    let result_before = std::mem::replace(&mut held.result, result);
    held.earlier.push(Earlier { by: by.clone(), result: words(&result_before) });
    let over = held.earlier.len().saturating_sub(EARLIER_KEPT);
    held.earlier.drain(..over);
    held.state_in.clone_from(&examined.state_in);
    if let ItemResult::Parked { .. } = result_before {
        held.connection = examined.connection.as_ref().map(|connection| connection.name.clone());
        held.workspace = examined.connection.as_ref().map(|connection| connection.workspace);
        held.seed = None;
    }
    if !examined.read.is_empty() {
        // Answers of an asking of its own: those before stay what they are.
        let given = Given { take: tx.next_seq(), parts: 1 };
        held.given = Some(given);
        let (id, delivery) = (given.id(held.id, 0), request.delivery.id);
        let kept = AnswersRow { workspace, id, item: held.id, delivery, at: app.now(), head: Vec::new() };
        for batch in fetch::put_answers(&mut tx, kept, &examined.read)? {
            app.store().commit(batch).wait()?;
        }
    }
    let by = request.interprets(examined.connection.as_ref());
    held.by = Some(InterpretedBy { plugin: label(by), digest: by.digest(), at: app.now() });
    tx.enter(workspace);
    tx.put(row);
    tx.commit(None)?;
    Ok(applied)
}

/// Nobody knows the items of a delivery that could not be cut: it is taken up from its start, by the plugin that is loaded.
fn ask_whole(mut tx: Tx<'_>, request: &Request<'_>, letter: DeadLetter) -> Result<Applied, TxError> {
    if request.cuts().digest() != request.endpoint.plugin_digest {
        return Ok(Applied::Nothing("the whole delivery is parked: only the plugin that is loaded can take it up"));
    }
    if !letters::ask(&mut tx, letter, &mut Vec::new()) {
        return Ok(Applied::Nothing("it is being tried already, or was discarded"));
    }
    tx.commit(None)?;
    Ok(Applied::Asked)
}

fn park_again(
    app: &App,
    tx: &mut Tx<'_>,
    request: &Request<'_>,
    examined: &Examined,
    setback: &Setback,
    letter: Option<DeadLetter>,
) -> Result<ItemResult, TxError> {
    let (plugin, Request { endpoint, delivery, .. }) = (request.interprets(examined.connection.as_ref()), request);
    let subject = Subject {
        endpoint: (&endpoint.name, endpoint.number),
        plugin: label(plugin),
        plugin_id: &plugin.manifest().id,
        delivery: delivery.id,
        item: examined.id,
        topic: &examined.topic,
        connection: examined.connection.as_ref().map(|connection| connection.name.as_str()),
        whole: examined.whole,
    };
    let lane = Lane { workspace: delivery.workspace, ..endpoint.lane() };
    park(app, tx, lane, &subject, setback, letter)
}

/// The effects of an outcome that are new.
fn write(
    app: &App,
    tx: &mut Tx<'_>,
    request: &Request<'_>,
    examined: &Examined,
    before: &ItemResult,
    outcome: &Outcome,
) -> Result<(ItemResult, Applied), TxError> {
    let (had, mut runs, state_before) = match before {
        ItemResult::Interpreted { outcome: Outcome::Done(done), runs } => {
            (done.events.iter().map(|event| event.id).collect(), runs.clone(), done.state.as_ref())
        }
        _ => (Vec::new(), Vec::new(), None),
    };
    let (mut events, mut started) = (Vec::new(), Vec::new());
    if let (Outcome::Done(done), Some(connection)) = (outcome, &examined.connection) {
        let Request { delivery, .. } = request;
        let origin = Origin { delivery: delivery.id, received_at: delivery.received_at, connection };
        started = effects((app, &app.catalog()), tx, &origin, done, &had)?;
        events = done.events.iter().map(|event| event.id).filter(|id| !had.contains(id)).collect();
        runs.extend(&started);
        if let (Some(state), Some(key)) = (&done.state, &examined.state_key) {
            put_state(tx, connection, key, state, &[state_before, examined.state_in.as_ref()])?;
        }
    }
    Ok((ItemResult::Interpreted { outcome: outcome.clone(), runs }, Applied::Written { events, runs: started }))
}

/// Writes a state, unless a later item has gone on from another one than these.
fn put_state(
    tx: &mut Tx<'_>,
    connection: &Connection,
    key: &str,
    state: &str,
    known: &[Option<&String>],
) -> Result<(), TxError> {
    let (workspace, number) = (connection.workspace, connection.number);
    let live = tx.get::<StateRow>(&(workspace, number, key.to_owned()))?.map(|row| row.state);
    if known.contains(&live.as_ref()) {
        tx.put(StateRow { workspace, connection: number, state_key: key.to_owned(), state: state.to_owned() });
    }
    Ok(())
}

/// A result in a few words.
fn words(result: &ItemResult) -> String {
    let text = match result {
        ItemResult::Interpreted { outcome: Outcome::Done(done), .. } => {
            let kinds: Vec<&str> = done.events.iter().map(|event| event.kind.as_str()).collect();
            format!("{} events: {}", kinds.len(), kinds.join(", "))
        }
        ItemResult::Interpreted { outcome: Outcome::Skip(reason), .. } => format!("skipped: {reason}"),
        ItemResult::Interpreted { .. } => "no outcome".to_owned(),
        ItemResult::Waiting { hosts } => format!("waiting for {}", hosts.join(", ")),
        ItemResult::Duplicate { first } => format!("the same as {first}"),
        ItemResult::Parked { parked, .. } => format!("parked: {}", parked.reason),
    };
    text.chars().take(EARLIER_CHARS).collect()
}
