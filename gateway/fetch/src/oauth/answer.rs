//! What a token endpoint answered (RFC 6749, 5.1 and 5.2), and what is kept of it. Pure. No error holds a token: words of the provider are shown only from its fields for
//! words.

use crate::credentials::Hidden;
use serde_json::{Value, json};
use tidegate_model::Timestamp;

/// Life of an access token whose life is not told: short, so that it is renewed early rather than late.
const USUAL_LIFE_S: i64 = 600;
/// Longest life that is believed: a month.
const LONGEST_LIFE_S: i64 = 31 * 86_400;
/// So long before its end a token is renewed at the latest.
const MARGIN_S: i64 = 300;
/// Longest words of a provider that are shown, in characters.
const WORDS: usize = 200;

/// What a token endpoint gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// What requests are made with.
    pub access: Hidden,
    /// When it ends, by the domain clock.
    pub expires_at: Timestamp,
    /// When it is to be renewed.
    pub renew_at: Timestamp,
    /// Another refresh token; the one before is void then. `None` when the one that was used stays good.
    pub refresh: Option<Hidden>,
}

/// What is held for a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// What requests are made with.
    pub access: Hidden,
    /// What another one is asked for with; `None` when the provider gave none: then a person must authorize again when it ends.
    pub refresh: Option<Hidden>,
    /// When the access token ends.
    pub expires_at: Timestamp,
    /// When it is to be renewed.
    pub renew_at: Timestamp,
}

impl Tokens {
    /// What is held after a code was exchanged.
    pub fn first(granted: Granted) -> Self {
        let Granted { access, expires_at, renew_at, refresh } = granted;
        Self { access, refresh, expires_at, renew_at }
    }

    /// What is held after a refresh: a refresh token that was not replaced stays.
    #[must_use]
    pub fn renewed(self, granted: Granted) -> Self {
        let refresh = granted.refresh.clone().or(self.refresh);
        Self { refresh, ..Self::first(granted) }
    }

    /// What is to be sealed: everything, in the clear.
    pub fn to_secret(&self) -> String {
        let refresh = self.refresh.as_ref().map(Hidden::expose);
        let (ends, renew) = (self.expires_at.ms(), self.renew_at.ms());
        json!({"access": self.access.expose(), "refresh": refresh, "expires_at_ms": ends, "renew_at_ms": renew})
            .to_string()
    }

    /// What [`Tokens::to_secret`] wrote; `None` when it is something else.
    pub fn of_secret(text: &str) -> Option<Self> {
        let held: Value = serde_json::from_str(text).ok()?;
        let at = |name: &str| held[name].as_i64().map(Timestamp::from_ms);
        Some(Self {
            access: token(&held, "access")?,
            refresh: token(&held, "refresh"),
            expires_at: at("expires_at_ms")?,
            renew_at: at("renew_at_ms")?,
        })
    }

    /// Whether it is time for another access token.
    pub fn is_due(&self, now: Timestamp) -> bool {
        now >= self.renew_at
    }
}

/// Why there is no token. None shows one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// The code or the refresh token is void: a person must authorize again.
    #[error("the provider takes the authorization no more ({0}): authorize the connection again")]
    Void(String),
    /// The app is not known there, or its secret is another.
    #[error("the provider does not know the app: check its client id and client secret ({0})")]
    Client(String),
    /// The provider refuses for another reason, which stays.
    #[error("the provider gives no token: {0}")]
    Refused(String),
    /// The provider is busy or out of order.
    #[error("the provider gives no token now: {0}")]
    Later(String),
}

/// Reads a token endpoint's answer. `asked_at` is when it was asked: a token's life counts from there, so that a slow answer makes it shorter, never longer.
///
/// # Errors
/// Why there is no token.
pub fn read_answer(status: u16, body: &str, asked_at: Timestamp) -> Result<Granted, TokenFault> {
    let said: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    if !(200..=299).contains(&status) {
        return Err(fault(status, &said));
    }
    let unfit = |what: &str| TokenFault::Refused(format!("its answer is none that RFC 6749 knows: {what}"));
    let access = token(&said, "access_token").ok_or_else(|| unfit("it has no access_token"))?;
    let kind = said["token_type"].as_str().unwrap_or("bearer");
    if !kind.eq_ignore_ascii_case("bearer") {
        return Err(unfit("its token is no bearer token"));
    }
    let life_s = life_s(&said["expires_in"]);
    let margin_s = MARGIN_S.min(life_s / 5);
    Ok(Granted {
        access,
        refresh: token(&said, "refresh_token"),
        expires_at: asked_at.plus_ms(life_s * 1_000),
        renew_at: asked_at.plus_ms((life_s - margin_s) * 1_000),
    })
}

/// A token that a header can hold.
fn token(said: &Value, name: &str) -> Option<Hidden> {
    let text = said[name].as_str().filter(|text| !text.is_empty())?;
    text.bytes().all(|byte| (b'!'..=b'~').contains(&byte)).then(|| Hidden::new(text))
}

/// Seconds that a token lives. Some providers write the number as text.
fn life_s(said: &Value) -> i64 {
    let number = said.as_i64().or_else(|| said.as_str().and_then(|text| text.parse().ok()));
    number.filter(|life| *life > 0).unwrap_or(USUAL_LIFE_S).min(LONGEST_LIFE_S)
}

fn fault(status: u16, said: &Value) -> TokenFault {
    let code = said["error"].as_str().unwrap_or_default();
    // HubSpot's own words, which its first version answers without the standard's (changelog "New OAuth v3 API Endpoints and Standardized Error Responses").
    let own = said["status"].as_str().unwrap_or_default();
    let words = ["error_description", "message"].into_iter().find_map(|name| said[name].as_str());
    let reason = match words.or((!code.is_empty()).then_some(code)) {
        Some(words) => format!("{status}: {}", plain(words)),
        None => format!("{status}, without words"),
    };
    match (status, code) {
        (408 | 425 | 429 | 500..=599, _) | (_, "temporarily_unavailable" | "slow_down") => TokenFault::Later(reason),
        (_, "invalid_grant") => TokenFault::Void(reason),
        (_, "") if matches!(own, "BAD_REFRESH_TOKEN" | "BAD_AUTH_CODE") => TokenFault::Void(reason),
        (_, "invalid_client" | "unauthorized_client") | (401, _) => TokenFault::Client(reason),
        _ => TokenFault::Refused(reason),
    }
}

/// A provider's words: short, without what a terminal obeys.
pub(super) fn plain(words: &str) -> String {
    words.chars().filter(|letter| !letter.is_control()).take(WORDS).collect()
}
