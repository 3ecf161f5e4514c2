//! The tokens of one connection, which a person authorized or whose app asks for them by itself: renewed before they end, by one at a time, and kept on disk before they
//! are used. It knows no store and no clock: both are its
//! shelf's. A token endpoint's answer goes nowhere else.

use crate::{
    client::Fetcher,
    credentials::Hidden,
    oauth::{self, Attempt, OauthClient, OauthProvider, TokenFault, TokenRequest, Tokens},
    rules::Rules,
};
use std::{fmt::Debug, sync::Arc};
use tidegate_model::Timestamp;
use tokio::sync::Mutex;

/// A token that is refused before its end is renewed at most so often.
const REFUSED_MS: i64 = 60_000;

/// What lies on a shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// Nobody has authorized the connection yet.
    Nothing,
    /// The provider takes the authorization no more: its words.
    Void(String),
    /// Tokens.
    Tokens(Tokens),
}

/// Where the tokens of one connection lie. Its functions may wait for a disk.
pub trait TokenShelf: Debug + Send + Sync {
    /// The domain clock.
    fn now(&self) -> Timestamp;

    /// What lies there.
    ///
    /// # Errors
    /// It can't be read or opened: why.
    fn held(&self) -> Result<Held, String>;

    /// Puts tokens there. They are on disk when it returns.
    ///
    /// # Errors
    /// They are not: why.
    fn keep(&self, tokens: &Tokens) -> Result<(), String>;

    /// The provider takes this refresh token no more. When another one lies there by now, that one stays.
    ///
    /// # Errors
    /// It is not written down: why.
    fn void(&self, used: &Hidden, reason: &str) -> Result<(), String>;
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// A person must authorize the connection.
    #[error("{0}")]
    Unauthorized(String),
    /// Not now: the provider, the app's secret, or the disk.
    #[error("{0}")]
    Later(String),
}

/// Why an authorization came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAuthorized {
    /// The provider gave no tokens.
    #[error(transparent)]
    Refused(#[from] TokenFault),
    /// It gave them, and they are not on disk: a code is exchanged once.
    #[error("{0}; the provider's code is used up: authorize the connection again when this is mended")]
    Lost(String),
}

/// Keeps the tokens of one connection.
#[derive(Debug)]
pub struct Keeper {
    /// The provider's endpoints.
    pub provider: OauthProvider,
    /// The app.
    pub client: OauthClient,
    /// What the app's secret may be sent by.
    rules: Rules,
    fetcher: Fetcher,
    shelf: Arc<dyn TokenShelf>,
    /// Held by who renews: when a token was last renewed because it was refused. Shared with the keeper that this one replaces.
    turn: Arc<Mutex<Option<Timestamp>>>,
}

impl Keeper {
    /// The keeper of a connection.
    pub fn new(
        fetcher: Fetcher,
        rules: Rules,
        provider: OauthProvider,
        client: OauthClient,
        shelf: Arc<dyn TokenShelf>,
    ) -> Self {
        Self { provider, client, rules, fetcher, shelf, turn: Arc::default() }
    }

    /// The same, taking turns with another one of the same connection.
    #[must_use]
    pub fn beside(self, other: &Self) -> Self {
        Self { turn: Arc::clone(&other.turn), ..self }
    }

    /// An access token to make a request with. `refused` is the one that the provider has just refused: then it is another one, unless another one was refused a moment
    /// ago: a provider that refuses them all is not asked for ever more.
    ///
    /// # Errors
    /// There is none.
    pub async fn token(&self, refused: Option<&Hidden>) -> Result<Hidden, NoToken> {
        if let Some(access) = self.good(refused)? {
            return Ok(access);
        }
        let mut last = self.turn.lock().await;
        // Who waited finds what the one before was given.
        if let Some(access) = self.good(refused)? {
            return Ok(access);
        }
        let tokens = self.tokens()?;
        let now = self.shelf.now();
        let early = tokens.as_ref().filter(|tokens| refused.is_some() && !tokens.is_due(now));
        if let (Some(tokens), true) = (early, last.is_some_and(|last| now < last.plus_ms(REFUSED_MS))) {
            return Ok(tokens.access.clone());
        }
        let is_early = early.is_some();
        let renewed = self.renew(tokens, refused).await?;
        if is_early {
            *last = Some(now);
        }
        Ok(renewed)
    }

    /// Exchanges the code of an authorization, and keeps what it gives.
    ///
    /// # Errors
    /// The provider gave nothing, or it could not be kept.
    pub async fn exchange(&self, attempt: &Attempt, code: &Hidden) -> Result<(), NotAuthorized> {
        let _turn = self.turn.lock().await;
        let granted = self.ask(&attempt.exchange(&self.provider, &self.client, code)).await?;
        self.shelf.keep(&Tokens::first(granted)).map_err(NotAuthorized::Lost)
    }

    /// The token that lies there, when it is good.
    fn good(&self, refused: Option<&Hidden>) -> Result<Option<Hidden>, NoToken> {
        let is_good = |tokens: &Tokens| !tokens.is_due(self.shelf.now()) && refused != Some(&tokens.access);
        Ok(self.tokens()?.filter(is_good).map(|tokens| tokens.access))
    }

    /// What lies there; `None` when nothing does, and the app asks by itself.
    fn tokens(&self) -> Result<Option<Tokens>, NoToken> {
        let reason = match self.shelf.held().map_err(NoToken::Later)? {
            Held::Tokens(tokens) => return Ok(Some(tokens)),
            Held::Nothing => "nobody has authorized it yet".to_owned(),
            Held::Void(reason) => reason,
        };
        if self.needs_person() { Err(NoToken::Unauthorized(reason)) } else { Ok(None) }
    }

    /// Whether a person authorizes the connection; else the app asks for tokens by itself.
    pub const fn needs_person(&self) -> bool {
        self.provider.authorize.is_some()
    }

    async fn renew(&self, tokens: Option<Tokens>, refused: Option<&Hidden>) -> Result<Hidden, NoToken> {
        let is_alive = |tokens: &&Tokens| refused != Some(&tokens.access) && self.shelf.now() < tokens.expires_at;
        let alive = tokens.as_ref().filter(is_alive).map(|tokens| tokens.access.clone());
        let used = tokens.as_ref().and_then(|tokens| tokens.refresh.clone()).filter(|_| self.needs_person());
        let request = match &used {
            Some(used) => oauth::refresh(&self.provider, &self.client, used),
            None if !self.needs_person() => oauth::own(&self.provider, &self.client),
            None => {
                let ended = "its token has ended, and the provider gives no other";
                return alive.ok_or_else(|| NoToken::Unauthorized(ended.to_owned()));
            }
        };
        let fault = match self.ask(&request).await {
            Ok(granted) => {
                let renewed = match tokens {
                    Some(tokens) => tokens.renewed(granted),
                    None => Tokens::first(granted),
                };
                // The one before may be void already: what is used must be on disk.
                self.shelf.keep(&renewed).map_err(NoToken::Later)?;
                return Ok(renewed.access);
            }
            Err(fault) => fault,
        };
        if let (TokenFault::Void(_), Some(used)) = (&fault, &used) {
            let reason = fault.to_string();
            self.shelf.void(used, &reason).map_err(NoToken::Later)?;
            return Err(NoToken::Unauthorized(reason));
        }
        // It was to be renewed early, and may still be good.
        alive.ok_or_else(|| NoToken::Later(fault.to_string()))
    }

    async fn ask(&self, request: &TokenRequest) -> Result<oauth::Granted, TokenFault> {
        let asked_at = self.shelf.now();
        let (status, body) = self.fetcher.ask_token(&self.rules, request).await?;
        oauth::read_answer(status, &body, asked_at)
    }
}

#[cfg(test)]
mod tests;
