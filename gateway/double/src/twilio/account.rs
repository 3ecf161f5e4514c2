//! An account: who may send by it, its numbers and services, and how its callbacks are signed.

use std::{
    fmt,
    sync::{PoisonError, RwLock},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Url;
use serde::Deserialize;
use sha1::Sha1;

/// An account of Twilio's.
#[derive(Clone, Deserialize)]
pub struct TwilioAccount {
    /// `AC` and 32 hexadecimal digits.
    pub account_sid: String,
    /// Sends by it, and signs its callbacks.
    pub auth_token: String,
    /// An API key and its secret, which may send as well.
    #[serde(default)]
    pub api_key: Option<(String, String)>,
    /// Its numbers, in E.164.
    pub numbers: Vec<String>,
    /// Its messaging services.
    #[serde(default)]
    pub services: Vec<Service>,
    /// Where texts of people go, as the console has it; without one nowhere.
    #[serde(default)]
    pub inbound_url: Option<String>,
    /// Where the host of every callback's URL really is (`http://127.0.0.1:8080`), as behind a proxy; without it, where the URL says.
    #[serde(default)]
    pub door: Option<String>,
}

/// A messaging service.
#[derive(Debug, Clone, Deserialize)]
pub struct Service {
    /// `MG` and 32 hexadecimal digits.
    pub sid: String,
    /// Its numbers, which are the account's.
    pub numbers: Vec<String>,
    /// Whether Twilio tells of opt-outs that it recognised (Advanced Opt-Out).
    #[serde(default)]
    pub advanced_opt_out: bool,
}

impl fmt::Debug for TwilioAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwilioAccount").field("account_sid", &self.account_sid).finish_non_exhaustive()
    }
}

/// What is wrong with an account, if anything.
pub(crate) fn check(account: &TwilioAccount) -> Option<&'static str> {
    let sid = |text: &str, prefix: &str| {
        text.strip_prefix(prefix).is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let url = |text: &Option<String>| text.as_deref().is_none_or(|text| Url::parse(text).is_ok());
    if !sid(&account.account_sid, "AC") || !account.services.iter().all(|service| sid(&service.sid, "MG")) {
        return Some("SIDs are two letters and 32 hexadecimal digits");
    }
    if account.auth_token.is_empty() || !account.numbers.iter().all(|number| is_e164(number)) {
        return Some("auth_token may not be empty, and numbers are in E.164");
    }
    if account.services.iter().flat_map(|service| &service.numbers).any(|number| !account.numbers.contains(number)) {
        return Some("a service's numbers are the account's");
    }
    (!url(&account.inbound_url) || !url(&account.door)).then_some("inbound_url or door cannot be read as an address")
}

/// `+` and 7 to 15 digits, the first of which is no zero.
pub(super) fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

/// An account at work.
pub(crate) struct Account {
    pub(super) settings: TwilioAccount,
    door: RwLock<Option<Url>>,
}

impl Account {
    /// An account as it was checked at start.
    pub(crate) fn new(settings: TwilioAccount) -> Self {
        let door = settings.door.as_deref().and_then(|text| Url::parse(text).ok());
        Self { settings, door: RwLock::new(door) }
    }

    pub(crate) fn is(&self, account_sid: &str) -> bool {
        self.settings.account_sid == account_sid
    }

    pub(super) fn has_number(&self, number: &str) -> bool {
        self.settings.numbers.iter().any(|held| held == number)
    }

    pub(super) fn service(&self, sid: &str) -> Option<&Service> {
        self.settings.services.iter().find(|service| service.sid == sid)
    }

    /// The service that a number belongs to.
    pub(super) fn service_of(&self, number: &str) -> Option<&Service> {
        self.settings.services.iter().find(|service| service.numbers.iter().any(|held| held == number))
    }

    /// Whether the value of an `Authorization` header may send.
    pub(super) fn accepts(&self, authorization: &str) -> bool {
        let basic = |user: &str, secret: &str| format!("Basic {}", STANDARD.encode(format!("{user}:{secret}")));
        let settings = &self.settings;
        let key = settings.api_key.as_ref().is_some_and(|(user, secret)| authorization == basic(user, secret));
        key || authorization == basic(&settings.account_sid, &settings.auth_token)
    }

    pub(crate) fn set_door(&self, url: Option<Url>) {
        *self.door.write().unwrap_or_else(PoisonError::into_inner) = url;
    }

    /// Where a callback's URL really is.
    pub(super) fn behind(&self, public: &Url) -> Url {
        let held = self.door.read().unwrap_or_else(PoisonError::into_inner);
        let Some(door) = held.as_ref() else { return public.clone() };
        let mut url = door.clone();
        url.set_path(public.path());
        url.set_query(public.query());
        url
    }

    pub(super) fn signature(&self, url: &str, form: &[(String, String)]) -> String {
        signature(&self.settings.auth_token, url, form)
    }
}

/// `X-Twilio-Signature`: base64 of HMAC-SHA1 over the URL and the sorted names and values of the form.
///
/// Source: <https://www.twilio.com/docs/usage/security>.
pub(crate) fn signature(auth_token: &str, url: &str, form: &[(String, String)]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(url.as_bytes());
    let mut sorted = form.to_vec();
    sorted.sort();
    for (name, value) in &sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}
