//! Interpret: items go through their plugin, a chunk of one connection at a time, in a fresh sandbox. A chunk that fails is tried item by item, and only the item at fault is parked.

use crate::{
    catalog::{Connection, Endpoint},
    records::Parked,
};
use std::sync::Arc;
use tidegate_clock::Stopwatch;
use tidegate_model::{
    mask::Scrubbed,
    outcome::{Item, Outcome, Request},
};
use tracing::Instrument;

/// An item's outcome, or why it is parked.
pub(super) type Judged = Result<Outcome, Parked>;

/// Interprets items in their order. Neighbours of one connection share a sandbox, up to the plugin's limit.
pub(super) fn interpret(
    runtime: &tokio::runtime::Handle,
    endpoint: &Endpoint,
    work: &[(Item, Arc<Connection>)],
) -> Vec<Judged> {
    let most = usize::try_from(endpoint.plugin.manifest().limits.chunk_items).unwrap_or(1).max(1);
    work.chunk_by(|(_, a), (_, b)| Arc::ptr_eq(a, b))
        .flat_map(|neighbours| neighbours.chunks(most))
        .flat_map(|chunk| call(runtime, endpoint, chunk))
        .collect()
}

fn call(runtime: &tokio::runtime::Handle, endpoint: &Endpoint, chunk: &[(Item, Arc<Connection>)]) -> Vec<Judged> {
    let Some((_, connection)) = chunk.first() else { return Vec::new() };
    let items: Vec<Item> = chunk.iter().map(|(item, _)| item.clone()).collect();
    let plugin = endpoint.plugin.id();
    let span = tracing::info_span!("interpret", plugin, connection = connection.name, item.id = %items[0].id, items = items.len());
    let watch = Stopwatch::start();
    let answer = runtime.block_on(endpoint.plugin.interpret(&connection.info, &items).instrument(span));
    endpoint.plugin_meter.call.observe(watch.elapsed().as_secs_f64());
    match answer {
        Ok(outcomes) => outcomes.into_iter().map(judge).collect(),
        Err(error) if chunk.len() == 1 => {
            tracing::warn!(plugin = %endpoint.plugin.manifest().id, item.id = %items[0].id, reason = %Scrubbed(&error.to_string()), "item parked");
            vec![Err(Parked::new(None, error.to_string()))]
        }
        Err(_) => chunk.iter().flat_map(|one| call(runtime, endpoint, std::slice::from_ref(one))).collect(),
    }
}

/// What a plugin failed to read, or needs and can't have, is parked.
fn judge(outcome: Outcome) -> Judged {
    match outcome {
        Outcome::Done(_) | Outcome::Skip(_) => Ok(outcome),
        Outcome::Failed(failure) => Err(Parked::new(failure.field, failure.reason)),
        Outcome::Need(requests) => Err(Parked::new(None, not_granted(&requests))),
    }
}

fn not_granted(requests: &[Request]) -> String {
    let host = |request: &Request| {
        let after = request.url.split_once("://").map_or(request.url.as_str(), |(_, rest)| rest);
        after.split(['/', '?', '#']).next().unwrap_or_default().to_owned()
    };
    let mut hosts: Vec<String> = requests.iter().map(host).collect();
    hosts.sort();
    hosts.dedup();
    format!("the plugin needs answers from {}, and no host is granted to it", hosts.join(", "))
}
