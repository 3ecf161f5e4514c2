//! Interpret: items go through their plugin, a chunk of one connection at a time, in a fresh sandbox. A chunk that fails is tried item by item, and only the item at
//! fault is parked. A plugin that keeps failing is paused, and its items are parked without a call.

use crate::{
    app::App,
    breaker::{Pause, Permit},
    catalog::{Connection, Interpreter},
    pipeline::setback::{Setback, Then},
    records::Parked,
};
use std::sync::Arc;
use tidegate_clock::Stopwatch;
use tidegate_model::{
    ItemId,
    mask::Scrubbed,
    outcome::{Item, Outcome},
};
use tidegate_plugin_host::{CallError, Plugin};
use tracing::Instrument;

/// An item's outcome, or why it is parked.
pub(super) type Judged = Result<Outcome, Setback>;

/// What became of an item.
pub(super) struct Verdict {
    /// Its outcome.
    pub judged: Judged,
    /// The item that gave the call its moment and its randomness.
    pub seed: ItemId,
}

/// Interprets items in their order. Neighbours of one connection share a sandbox, up to the plugin's limit.
pub(super) fn interpret(app: &App, runtime: &tokio::runtime::Handle, work: &[(Item, Arc<Connection>)]) -> Vec<Verdict> {
    let neighbours = work.chunk_by(|(_, a), (_, b)| Arc::ptr_eq(a, b));
    neighbours
        .filter_map(|neighbours| Some((&neighbours.first()?.1.interpreter, neighbours)))
        .flat_map(|(by, neighbours)| {
            let caller = Caller { app, runtime, by };
            let most = usize::try_from(by.plugin.manifest().limits.chunk_items).unwrap_or(usize::MAX).max(1);
            neighbours.chunks(most).flat_map(|chunk| caller.chunk(chunk)).collect::<Vec<_>>()
        })
        .collect()
}

/// Calls the version of a plugin that interprets a connection's items.
struct Caller<'a> {
    app: &'a App,
    runtime: &'a tokio::runtime::Handle,
    by: &'a Interpreter,
}

impl Caller<'_> {
    fn chunk(&self, chunk: &[(Item, Arc<Connection>)]) -> Vec<Verdict> {
        let asked = Asked { caller: self, permit: self.app.breakers().ask(&self.by.digest, self.app.now()) };
        match (&asked.permit, chunk) {
            (Permit::Paused(pause), _) => chunk.iter().map(|(item, _)| self.paused(item, pause)).collect(),
            (Permit::Trial, [first, rest @ ..]) if !rest.is_empty() => {
                let mut verdicts = self.call(std::slice::from_ref(first), asked);
                verdicts.extend(self.chunk(rest));
                verdicts
            }
            _ => self.call(chunk, asked),
        }
    }

    fn call(&self, chunk: &[(Item, Arc<Connection>)], asked: Asked<'_>) -> Vec<Verdict> {
        let Some((first, connection)) = chunk.first() else { return Vec::new() };
        let items: Vec<Item> = chunk.iter().map(|(item, _)| item.clone()).collect();
        let plugin = self.by.plugin.id();
        let span = tracing::info_span!("interpret", plugin, connection = connection.name, item.id = %first.id, items = items.len());
        let watch = Stopwatch::start();
        let answer = self.runtime.block_on(self.by.plugin.interpret(&connection.info, &items).instrument(span));
        self.by.meter.call.observe(watch.elapsed().as_secs_f64());
        match answer {
            Ok(outcomes) => {
                asked.worked();
                outcomes.into_iter().map(|outcome| Verdict { judged: judge(outcome), seed: first.id }).collect()
            }
            Err(error) if chunk.len() == 1 => {
                tracing::warn!(plugin = %label(&self.by.plugin), item.id = %first.id, reason = %Scrubbed(&error.to_string()), "the plugin failed");
                asked.failed(&error);
                vec![Verdict { judged: Err(crashed(&error)), seed: first.id }]
            }
            // One of them is at fault: it is found, and counted, alone.
            Err(_) => {
                drop(asked);
                chunk.iter().flat_map(|one| self.chunk(std::slice::from_ref(one))).collect()
            }
        }
    }

    fn paused(&self, item: &Item, pause: &Pause) -> Verdict {
        let reason = format!("the plugin {} is paused {}", label(&self.by.plugin), pause.words());
        let setback = Setback { parked: Parked::new(None, reason), then: Then::Paused(pause.clone()) };
        Verdict { judged: Err(setback), seed: item.id }
    }
}

/// A permit that is to be answered for; one that is dropped is given back.
struct Asked<'a> {
    caller: &'a Caller<'a>,
    permit: Permit,
}

impl Asked<'_> {
    fn worked(self) {
        let Caller { app, by, .. } = self.caller;
        if app.breakers().with(&by.digest, |breaker| breaker.worked(&self.permit)) {
            tracing::info!(plugin = %label(&by.plugin), "the plugin works again");
        }
    }

    fn failed(self, error: &CallError) {
        let Caller { app, by, .. } = self.caller;
        let (now, reason) = (app.now(), error.to_string());
        let paused = app.breakers().with(&by.digest, |breaker| breaker.failed(&self.permit, &reason, now));
        if let Some(pause) = paused {
            tracing::error!(plugin = %label(&by.plugin), failures = pause.failures, until = %pause.until, reason = %Scrubbed(&reason), "the plugin keeps failing and is paused");
        }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let Caller { app, by, .. } = self.caller;
        // After an answer this changes nothing.
        app.breakers().with(&by.digest, |breaker| breaker.given_back(&self.permit));
    }
}

/// A plugin as people know it: `id@version`.
pub(crate) fn label(plugin: &Plugin) -> String {
    let manifest = plugin.manifest();
    format!("{}@{}", manifest.id, manifest.version)
}

/// Interprets one item by itself, without asking whether the plugin is paused: what a person asks for is tried.
pub(super) fn alone(
    runtime: &tokio::runtime::Handle,
    plugin: &Plugin,
    seed: &ItemId,
    connection: &Connection,
    item: Item,
) -> Judged {
    match runtime.block_on(plugin.interpret_as(seed, &connection.info, &[item])) {
        Ok(mut outcomes) => match outcomes.pop() {
            Some(outcome) => judge(outcome),
            None => Err(Setback::person(Parked::new(None, "the plugin gave no outcome"))),
        },
        Err(error) => Err(crashed(&error)),
    }
}

fn crashed(error: &CallError) -> Setback {
    let then = if error.retryable() { Then::Later } else { Then::Person };
    Setback { parked: Parked::new(None, error.to_string()), then }
}

/// What a plugin failed to read is parked.
fn judge(outcome: Outcome) -> Judged {
    match outcome {
        Outcome::Done(_) | Outcome::Skip(_) | Outcome::Need(_) => Ok(outcome),
        Outcome::Failed(failure) => {
            let then = if failure.retryable { Then::Later } else { Then::Person };
            Err(Setback { parked: Parked::new(failure.field, failure.reason), then })
        }
    }
}
