//! A sender's settings and secrets, and the address they make. No request is built here.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Url, header::HeaderValue};

use crate::address;

/// Longest a whole attempt may take: past it the answer is of no use to anyone.
const MAX_TIMEOUT: Duration = Duration::from_secs(300);
/// How long Twilio may keep a message in its queue.
const VALIDITY_S: std::ops::RangeInclusive<u64> = 1..=36_000;

/// One number, or one messaging service, of a Twilio account.
#[derive(Clone)]
pub struct TwilioConfig {
    /// Our name for it.
    pub name: String,
    /// The account (`AC` and 32 hexadecimal digits).
    pub account_sid: String,
    /// Who we are to Twilio.
    pub credentials: Credentials,
    /// The number (E.164), short code or alphanumeric sender that it sends by.
    pub from: Option<String>,
    /// The messaging service that it sends by (`MG` and 32 hexadecimal digits); with `from`, that sender of the service.
    pub messaging_service: Option<String>,
    /// Where Twilio tells what became of messages: the URL of our endpoint, without a query.
    pub status_callback: String,
    /// How long a message may wait in Twilio's queue, in seconds; Twilio's own ten hours when absent.
    pub validity_s: Option<u64>,
    /// Where the API is: `https://api.twilio.com`. Plain `http` only to this machine.
    pub base_url: String,
    /// How long one attempt may take in all.
    pub timeout: Duration,
}

impl TwilioConfig {
    /// Checks the settings, and makes the address that messages are posted to.
    pub(crate) fn messages_url(&self) -> Result<Url, TwilioConfigError> {
        use TwilioConfigError as Wrong;
        if !is_sid(&self.account_sid, "AC") {
            return Err(Wrong::AccountSid(self.account_sid.clone()));
        }
        if self.from.is_none() && self.messaging_service.is_none() {
            return Err(Wrong::NoSender);
        }
        if let Some(from) = self.from.as_ref().filter(|from| !is_sender(from)) {
            return Err(Wrong::From(from.clone()));
        }
        if let Some(service) = self.messaging_service.as_ref().filter(|service| !is_sid(service, "MG")) {
            return Err(Wrong::MessagingService(service.clone()));
        }
        if self.validity_s.is_some_and(|seconds| !VALIDITY_S.contains(&seconds)) {
            return Err(Wrong::Validity);
        }
        if self.timeout.is_zero() || self.timeout > MAX_TIMEOUT {
            return Err(Wrong::Timeout(self.timeout));
        }
        callback(&self.status_callback).map_err(Wrong::StatusCallback)?;
        let mut url = address::base(&self.base_url).map_err(Wrong::BaseUrl)?;
        let path =
            format!("{}/2010-04-01/Accounts/{}/Messages.json", url.path().trim_end_matches('/'), self.account_sid);
        url.set_path(&path);
        Ok(url)
    }
}

impl fmt::Debug for TwilioConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwilioConfig")
            .field("name", &self.name)
            .field("account_sid", &self.account_sid)
            .field("messaging_service", &self.messaging_service)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Who sends: an account and its auth token, or an API key and its secret. The secret is used, never shown.
#[derive(Clone)]
pub struct Credentials {
    user: String,
    secret: String,
}

impl Credentials {
    /// Takes an account's SID with its auth token, or an API key's SID with its secret; white space around the secret is dropped.
    ///
    /// # Errors
    /// When they cannot be what Twilio hands out.
    pub fn new(user: &str, secret: &str) -> Result<Self, CredentialsError> {
        if !(is_sid(user, "AC") || is_sid(user, "SK")) {
            return Err(CredentialsError::User(user.to_owned()));
        }
        let secret = secret.trim();
        if secret.is_empty() || !secret.bytes().all(|b| b.is_ascii_graphic() && b != b':') {
            return Err(CredentialsError::Secret);
        }
        Ok(Self { user: user.to_owned(), secret: secret.to_owned() })
    }

    /// The value of the `Authorization` header, marked so that no log shows it.
    pub(crate) fn header(&self) -> HeaderValue {
        let text = format!("Basic {}", STANDARD.encode(format!("{}:{}", self.user, self.secret)));
        let mut value = HeaderValue::from_str(&text).expect("base64 may stand in a header");
        value.set_sensitive(true);
        value
    }

    /// The text with every occurrence of the secret struck out.
    pub(crate) fn redact(&self, text: String) -> String {
        if text.contains(&self.secret) { text.replace(&self.secret, "***") } else { text }
    }
}

/// A setting of a sender is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TwilioConfigError {
    /// The account.
    #[error("account_sid: expected AC and 32 hexadecimal digits, as the console shows it, found {0:?}")]
    AccountSid(String),
    /// No sender at all.
    #[error("from: expected a number that sends, or messaging_service in its place")]
    NoSender,
    /// The number.
    #[error(
        "from: expected a number with + and country code (+14155552671), a short code, or up to 11 letters and digits, found {0:?}"
    )]
    From(String),
    /// The messaging service.
    #[error("messaging_service: expected MG and 32 hexadecimal digits, as the console shows it, found {0:?}")]
    MessagingService(String),
    /// The time in the queue.
    #[error("validity_s: expected 1 to 36000 seconds, which is what Twilio takes")]
    Validity,
    /// The address for callbacks.
    #[error("the address for Twilio's callbacks {0}: see server.public_url")]
    StatusCallback(&'static str),
    /// The address. It is not repeated: it may hold a password.
    #[error("base_url: expected an address such as https://api.twilio.com, but it {0}")]
    BaseUrl(&'static str),
    /// The time limit.
    #[error("timeout: expected more than nothing and at most {MAX_TIMEOUT:?}, found {0:?}: 15 seconds do for most")]
    Timeout(Duration),
}

/// Texts that are no credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// The user.
    #[error("expected an account (AC…) or an API key (SK…) of 32 hexadecimal digits, found {0:?}")]
    User(String),
    /// The secret, which is not shown.
    #[error(
        "the secret is empty, or has characters that none has (white space, a colon, or beyond ASCII): copy it again"
    )]
    Secret,
}

/// A SID of Twilio's: two letters that say of what, and 32 hexadecimal digits.
fn is_sid(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// E.164, a short code, or an alphanumeric sender (at most 11 characters, one letter at least).
fn is_sender(text: &str) -> bool {
    let digits = |text: &str, range: std::ops::RangeInclusive<usize>| {
        range.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    };
    let named = (1..=11).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' ')
        && text.bytes().any(|b| b.is_ascii_alphabetic());
    text.strip_prefix('+').is_some_and(|number| digits(number, 7..=15)) || digits(text, 3..=8) || named
}

/// Whether Twilio can call an address. A host with `_` it does not take (Messaging, "`StatusCallback`").
fn callback(text: &str) -> Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "cannot be read as an address")?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err("is neither https nor http");
    }
    if url.host_str().is_none_or(|host| host.contains('_')) {
        return Err("has no host, or one with an underscore, which Twilio does not call");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a query or a fragment");
    }
    Ok(())
}
