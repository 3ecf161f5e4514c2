//! A Twilio account as its console shows it, as far as Tidegate looks after one: where texts to its numbers and its service go, the log of texts, and webhooks of them,
//! signed. Strict about the key and parameters, with Twilio's errors; told to fail when wanted. Messages are sent elsewhere ([`crate::Double`]).
//!
//! A text is told once, and once more where nothing answers; what Twilio would try five times within seconds is lost at once.
//!
//! Sources: <https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource>, <https://www.twilio.com/docs/messaging/api/service-resource>,
//! <https://www.twilio.com/docs/messaging/api/message-resource>.

mod api;

use crate::{
    account::{Account, Answer, Asked, Inside, Provider, lock},
    config::StartError,
    twilio::{TwilioError, signature},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Url;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};
use tidegate_clock::DomainClock;

const ACCOUNT: &str = "AC5d1e0c7b9a3f4e2d8c6b1a0f9e8d7c6b";
const SERVICE: &str = "MG7c6b5a4f3e2d1c0b9a8f7e6d5c4b3a2f";
/// The account's numbers: the second is in the service.
const NUMBERS: [&str; 2] = ["+14155550100", "+14155550101"];
const KEY: (&str, &str) = ("SK0a1b2c3d4e5f60718293a4b5c6d7e8f9", "secret-of-the-key-4c1d");

/// A running account.
pub type TwilioConsole = Account<Console>;

/// What is Twilio's own of an account.
pub struct Console {
    auth_token: String,
    shelf: Mutex<Shelf>,
}

/// Where texts to a number or the service go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Aim {
    url: String,
    method: String,
    app: String,
}

/// A text that came in.
#[derive(Debug, Clone)]
pub struct Incoming {
    sid: String,
    from: String,
    to: String,
    body: String,
    at_ms: i64,
}

/// What the account holds.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    /// By number, or the service's SID.
    aims: BTreeMap<&'static str, Aim>,
    /// The oldest first.
    log: Vec<Incoming>,
}

impl TwilioConsole {
    /// Opens an account that signs with this auth token. Texts to its numbers go nowhere yet. On the current tokio runtime.
    ///
    /// # Errors
    /// There is no port, or no HTTP client.
    pub async fn start(clock: DomainClock, auth_token: &str) -> Result<Self, StartError> {
        Self::open(clock, Console { auth_token: auth_token.to_owned(), shelf: Mutex::default() }).await
    }

    /// The account's SID.
    pub const fn sid(&self) -> &'static str {
        ACCOUNT
    }

    /// An API key, and its secret.
    pub const fn key(&self) -> (&'static str, &'static str) {
        KEY
    }

    /// Its numbers: one by itself, and one in the service.
    pub const fn numbers(&self) -> [&'static str; 2] {
        NUMBERS
    }

    /// The service's SID.
    pub const fn service(&self) -> &'static str {
        SERVICE
    }

    /// Somebody aims a number or the service elsewhere.
    pub fn aim(&self, place: &'static str, url: &str) {
        let aim = Aim { url: url.to_owned(), method: "POST".to_owned(), app: String::new() };
        self.inside.shelf().aims.insert(place, aim);
    }

    /// Where texts to a number or the service go.
    pub fn aimed_at(&self, place: &str) -> String {
        self.inside.shelf().aims.get(place).map(|aim| aim.url.clone()).unwrap_or_default()
    }

    /// Somebody writes to a number. Gives the text's SID.
    pub fn text(&self, from: &str, to: &'static str, body: &str) -> String {
        let mut shelf = self.inside.shelf();
        let sid = format!("SM{:032x}", shelf.log.len() + 1);
        let (from, body) = (from.to_owned(), body.to_owned());
        let text = Incoming { sid: sid.clone(), from, to: to.to_owned(), body, at_ms: self.inside.clock.now_ms() };
        shelf.log.push(text.clone());
        let place = if to == NUMBERS[1] { SERVICE } else { to };
        let aim = shelf.aims.get(place).filter(|aim| !aim.url.is_empty()).map(|aim| aim.url.clone());
        drop(shelf);
        if let Some(url) = aim {
            self.inside.hand_over((url, text));
        }
        sid
    }
}

impl Provider for Console {
    /// A text, and where it is told.
    type Parcel = (String, Incoming);

    async fn answer(inside: &Inside<Self>, asked: &Asked) -> Answer {
        let (user, secret) = KEY;
        let basic = |user: &str, secret: &str| format!("Basic {}", STANDARD.encode(format!("{user}:{secret}")));
        let given = asked.header("authorization");
        if given != basic(user, secret) && given != basic(ACCOUNT, &inside.own.auth_token) {
            return refusal(&TwilioError::of(20003));
        }
        match inside.shelf().answer(asked) {
            Ok(body) => Answer::json(200, &body),
            Err(error) => refusal(&error),
        }
    }

    fn failed(status: u16) -> Answer {
        let code = if status == 401 { 20003 } else { 20500 };
        refusal(&TwilioError { status, ..TwilioError::of(code) })
    }

    fn throttled() -> Answer {
        refusal(&TwilioError::of(20429))
    }

    async fn deliver(inside: &Inside<Self>, (url, text): Self::Parcel) {
        // What follows a # says how often Twilio tries, and is neither sent nor signed.
        let url = url.split('#').next().unwrap_or_default();
        let form = text.form();
        let headers = [
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("x-twilio-signature", signature(&inside.own.auth_token, url, &form)),
        ];
        let mut body = Url::parse("http://form").expect("a host alone is a URL");
        body.query_pairs_mut().extend_pairs(&form);
        let body = body.query().unwrap_or_default();
        if inside.post(url, &headers, body.to_owned()).await.is_none() {
            inside.post(url, &headers, body.to_owned()).await;
        }
    }
}

fn refusal(error: &TwilioError) -> Answer {
    Answer::json(error.status, &error.body())
}

impl Incoming {
    /// As Twilio tells it.
    fn form(&self) -> Vec<(String, String)> {
        let fields = [
            ("ToCountry", "US"),
            ("SmsMessageSid", &self.sid),
            ("NumMedia", "0"),
            ("SmsSid", &self.sid),
            ("FromCountry", "GB"),
            ("SmsStatus", "received"),
            ("Body", &self.body),
            ("To", &self.to),
            ("NumSegments", "1"),
            ("MessageSid", &self.sid),
            ("AccountSid", ACCOUNT),
            ("From", &self.from),
            ("ApiVersion", "2010-04-01"),
        ];
        let service = (self.to == NUMBERS[1]).then_some(("MessagingServiceSid", SERVICE));
        let fields = fields.into_iter().chain(service);
        fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

impl Inside<Console> {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        lock(&self.own.shelf)
    }
}
