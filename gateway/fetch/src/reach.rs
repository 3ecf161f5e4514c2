//! What one connection may read, and how fast: the door through which all its reads go.

use crate::{
    batch::{BatchRule, Batches, Make},
    client::Fetcher,
    credentials::{Credential, Hidden, Kind},
    keeper::{Keeper, NoToken},
    pace::{Pace, Rate},
    rules::{Rules, covers},
    shared::Shared,
    write::Writes,
};
use futures_util::stream::{self, StreamExt};
use std::{sync::Arc, time::Duration};
use tidegate_model::{
    outcome::{Answer, Request},
    reach::authority_of,
};

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
    /// It was not made: a person must authorize the connection at its provider. Why, in words.
    Unauthorized(String),
}

/// A host that is given a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenHost {
    /// The host of the manifest, filled in.
    pub host: String,
    /// The header that holds the token alone; `None` for `Authorization: Bearer`.
    pub header: Option<String>,
}

/// What a connection whose tokens are given for a time adds to its requests.
#[derive(Debug, Clone)]
pub struct Authorized {
    /// Who is given the token.
    pub hosts: Vec<TokenHost>,
    /// Who has it.
    pub keeper: Arc<Keeper>,
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
    /// And with which token, where the provider gives some for a time.
    pub authorized: Option<Authorized>,
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
        Self { rules, writes, credentials, authorized: None, answer_bytes, pace, fetcher, shared, batches }
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

impl Reach {
    /// Sends a request with what belongs to its host. A token that the provider refuses is renewed once.
    async fn send(&self, request: &Request) -> Fetched {
        let Some(authorized) = self.authorized.as_ref().filter(|held| held.is_for(request)) else {
            return self.send_with(request, None).await;
        };
        let first = match authorized.keeper.token(None).await {
            Ok(token) => token,
            Err(none) => return none.into(),
        };
        let fetched = self.send_with(request, Some((authorized, &first))).await;
        if !matches!(fetched, Fetched::Answer(Answer::Response { status: 401, .. })) {
            return fetched;
        }
        match authorized.keeper.token(Some(&first)).await {
            // It is not the token that is refused.
            Ok(second) if second == first => fetched,
            Ok(second) => self.send_with(request, Some((authorized, &second))).await,
            Err(none) => none.into(),
        }
    }

    async fn send_with(&self, request: &Request, token: Option<(&Authorized, &Hidden)>) -> Fetched {
        let Some((authorized, token)) = token else {
            return self.fetcher.fetch(&self.rules, &self.credentials, request, self.answer_bytes).await;
        };
        let given = authorized.hosts.iter().map(|held| held.credential(token));
        let held: Vec<Credential> = self.credentials.iter().cloned().chain(given).collect();
        self.fetcher.fetch(&self.rules, &held, request, self.answer_bytes).await
    }
}

impl Authorized {
    fn is_for(&self, request: &Request) -> bool {
        let authority = authority_of(&request.url);
        authority.is_some_and(|authority| self.hosts.iter().any(|held| covers(&held.host, &authority)))
    }
}

impl TokenHost {
    fn credential(&self, token: &Hidden) -> Credential {
        let value = token.clone();
        let kind = match self.header.clone() {
            Some(name) => Kind::Header { name, value },
            None => Kind::Bearer(value),
        };
        Credential { host: self.host.clone(), kind }
    }
}

impl From<NoToken> for Fetched {
    fn from(none: NoToken) -> Self {
        match none {
            NoToken::Unauthorized(reason) => Self::Unauthorized(reason),
            NoToken::Later(reason) => Self::Later { after: None, reason },
        }
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
        let fetched = self.send(request).await;
        if let Fetched::Later { after: Some(wait), .. } = &fetched {
            self.pace.pause(*wait);
        }
        fetched
    }

    async fn room(&self) {
        self.pace.room().await;
    }
}
