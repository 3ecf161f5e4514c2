//! A replay whose plugin needs answers of its provider: it is given those that were stored, found by what it asks, so that a replay is exact and reads nothing; or,
//! when a person says so, they are read anew.

use crate::{
    app::App,
    catalog::Connection,
    pipeline::{fetch, interpret::alone, setback::Setback},
    records::{Exchange, Parked},
};
use tidegate_fetch::Fetched;
use tidegate_model::{
    ItemId,
    outcome::{Answer, Item, Outcome, Request},
};
use tidegate_plugin_host::Plugin;
use tokio::runtime::Handle;

/// Times that a plugin may ask.
const ROUNDS: usize = 8;

/// Where answers come from.
pub(super) enum Source {
    /// What was stored.
    Stored(Vec<Exchange>),
    /// The provider.
    Provider,
}

/// An item that is interpreted with the answers that its plugin asks for.
pub(super) struct Asking<'a> {
    pub app: &'a App,
    pub runtime: &'a Handle,
    pub plugin: &'a Plugin,
    pub seed: &'a ItemId,
    pub connection: &'a Connection,
}

/// What became of it.
pub(super) struct Asked {
    pub judged: Result<Outcome, Setback>,
    /// What was read from the provider for it.
    pub read: Vec<Exchange>,
}

impl Asking<'_> {
    /// Interprets an item, as often as its plugin asks.
    pub(super) fn interpret(&self, item: &Item, source: &Source) -> Asked {
        let mut item = item.clone();
        let mut read: Vec<Exchange> = Vec::new();
        for _ in 0..=ROUNDS {
            let requests = match alone(self.runtime, self.plugin, self.seed, self.connection, item.clone()) {
                Ok(Outcome::Need(requests)) => requests,
                judged => return Asked { judged, read },
            };
            let answers = match source {
                Source::Stored(exchanges) => stored(exchanges, &requests),
                Source::Provider => self.provider(&requests),
            };
            match answers {
                Ok(answers) => {
                    let places = u32::try_from(item.answers.len()).unwrap_or(u32::MAX)..;
                    let pairs = requests.into_iter().zip(answers.iter().cloned());
                    read.extend(places.zip(pairs).map(|(place, (request, answer))| Exchange {
                        place,
                        request,
                        answer,
                    }));
                    item.answers.extend(answers);
                }
                Err(reason) => return Asked { judged: Err(Setback::person(Parked::new(None, reason))), read },
            }
        }
        let reason = format!("the plugin asked its provider {ROUNDS} times for this item, and wants to ask again");
        Asked { judged: Err(Setback::person(Parked::new(None, reason))), read }
    }

    fn provider(&self, requests: &[Request]) -> Result<Vec<Answer>, String> {
        if let Some(reason) = fetch::may_not(self.connection, requests) {
            return Err(reason);
        }
        let reach = self.connection.reach.as_ref().ok_or("the plugin's manifest asks for no host")?;
        let seq = self.app.store().seq();
        let asked = seq.next();
        let fetched = self.runtime.block_on(reach.read(requests, asked, &|| seq.next()));
        let answer = |fetched: Fetched| match fetched {
            Fetched::Answer(answer) => Ok(answer),
            Fetched::Later { reason, .. } => Err(format!("{reason}: try again later")),
            Fetched::Refused(line) | Fetched::Unauthorized(line) => Err(line),
        };
        fetched.into_iter().map(answer).collect()
    }
}

/// The answers that were given to the same requests.
fn stored(exchanges: &[Exchange], requests: &[Request]) -> Result<Vec<Answer>, String> {
    let answer = |request: &Request| {
        let found = exchanges.iter().find(|held| held.request == *request);
        found.map(|held| held.answer.clone()).ok_or_else(|| {
            let url = request.url.split(['?', '#']).next().unwrap_or_default();
            format!(
                "the plugin asks for what was not read then ({} {url}): add --refetch to read it now",
                request.method
            )
        })
    };
    requests.iter().map(answer).collect()
}
