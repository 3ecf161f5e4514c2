//! What one connection may read, and how fast: the door through which all its reads go.

use crate::{
    batch::{BatchRule, Batches, Make},
    client::Fetcher,
    credentials::Credential,
    pace::{Pace, Rate},
    rules::Rules,
    shared::Shared,
    write::Writes,
};
use futures_util::stream::{self, StreamExt};
use std::{sync::Arc, time::Duration};
use tidegate_model::outcome::{Answer, Request};

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The plugin's answer.
    Answer(Answer),
    /// There is none yet: the provider is busy or out of reach.
    Later {
        /// Not before this, if the provider said so.
        after: Option<Duration>,
        /// What happened, for an operator.
        reason: String,
    },
    /// It was not made: the operator has not granted it. The line to add, in words.
    Refused(String),
}

/// What one connection may read.
#[derive(Debug)]
pub struct Reach {
    /// Where to.
    pub rules: Rules,
    /// Where a connector may write.
    pub writes: Writes,
    /// With what.
    pub credentials: Vec<Credential>,
    /// Largest answer, in bytes.
    pub answer_bytes: usize,
    /// How fast. Shared with the reach that this one replaces.
    pub pace: Arc<Pace>,
    fetcher: Fetcher,
    shared: Shared,
    batches: Batches,
}

impl Reach {
    /// A connection's reach.
    pub fn new(fetcher: Fetcher, rules: Rules, credentials: Vec<Credential>, answer_bytes: usize, rate: Rate) -> Self {
        let (pace, shared) = (Arc::new(Pace::new(rate)), Shared::default());
        let (writes, batches) = (Writes::default(), Batches::default());
        Self { rules, writes, credentials, answer_bytes, pace, fetcher, shared, batches }
    }

    /// The same, with reads that are made together.
    #[must_use]
    pub fn batching(self, rules: Vec<BatchRule>) -> Self {
        Self { batches: Batches::new(rules), ..self }
    }

    /// Whether a request is made together with others.
    pub fn is_batched(&self, request: &Request) -> bool {
        self.batches.takes(request)
    }

    /// Makes requests, several at once as far as the pace allows; what became of them, in their order. `asked` is the number at which they were asked for, and
    /// `number` draws larger ones.
    pub async fn read(&self, requests: &[Request], asked: u64, number: &(dyn Fn() -> u64 + Sync)) -> Vec<Fetched> {
        let at_once = self.pace.rate().in_flight.max(1) as usize;
        let made: Vec<_> = requests.iter().map(|request| self.one(request, asked, number)).collect();
        stream::iter(made).buffered(at_once).collect().await
    }

    async fn one(&self, request: &Request, asked: u64, number: &(dyn Fn() -> u64 + Sync)) -> Fetched {
        // What is made only where it reads is shared as well as a GET.
        self.shared.read(request, asked, number, self.batches.read(request, self)).await
    }
}

impl Make for Reach {
    async fn make(&self, request: &Request) -> Fetched {
        let _turn = match self.pace.turn().await {
            Ok(turn) => turn,
            Err(pause) => {
                let reason = "the provider asked to be left alone for a while".to_owned();
                return Fetched::Later { after: Some(pause), reason };
            }
        };
        let fetched = self.fetcher.fetch(&self.rules, &self.credentials, request, self.answer_bytes).await;
        if let Fetched::Later { after: Some(wait), .. } = &fetched {
            self.pace.pause(*wait);
        }
        fetched
    }

    async fn room(&self) {
        self.pace.room().await;
    }
}
