//! The tokens of one authorized connection: renewed before they end, by one at a time, and kept on disk before they are used. It knows no store and no clock: both are its
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
        let is_early = refused.is_some() && !tokens.is_due(now);
        if is_early && last.is_some_and(|last| now < last.plus_ms(REFUSED_MS)) {
            return Ok(tokens.access);
        }
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
        let tokens = self.tokens()?;
        let is_good = !tokens.is_due(self.shelf.now()) && refused != Some(&tokens.access);
        Ok(is_good.then_some(tokens.access))
    }

    fn tokens(&self) -> Result<Tokens, NoToken> {
        match self.shelf.held().map_err(NoToken::Later)? {
            Held::Tokens(tokens) => Ok(tokens),
            Held::Nothing => Err(NoToken::Unauthorized("nobody has authorized it yet".to_owned())),
            Held::Void(reason) => Err(NoToken::Unauthorized(reason)),
        }
    }

    async fn renew(&self, tokens: Tokens, refused: Option<&Hidden>) -> Result<Hidden, NoToken> {
        let is_alive = refused != Some(&tokens.access) && self.shelf.now() < tokens.expires_at;
        let Some(used) = tokens.refresh.clone() else {
            if is_alive {
                return Ok(tokens.access);
            }
            return Err(NoToken::Unauthorized("its token has ended, and the provider gives no other".to_owned()));
        };
        match self.ask(&oauth::refresh(&self.provider, &self.client, &used)).await {
            Ok(granted) => {
                let renewed = tokens.renewed(granted);
                // The one before may be void already: what is used must be on disk.
                self.shelf.keep(&renewed).map_err(NoToken::Later)?;
                Ok(renewed.access)
            }
            Err(fault @ TokenFault::Void(_)) => {
                let reason = fault.to_string();
                self.shelf.void(&used, &reason).map_err(NoToken::Later)?;
                Err(NoToken::Unauthorized(reason))
            }
            // It was to be renewed early, and is still good.
            Err(_) if is_alive => Ok(tokens.access),
            Err(fault) => Err(NoToken::Later(fault.to_string())),
        }
    }

    async fn ask(&self, request: &TokenRequest) -> Result<oauth::Granted, TokenFault> {
        let asked_at = self.shelf.now();
        let (status, body) = self.fetcher.ask_token(&self.rules, request).await?;
        oauth::read_answer(status, &body, asked_at)
    }
}

#[cfg(test)]
mod tests;
