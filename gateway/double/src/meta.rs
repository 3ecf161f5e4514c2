//! A Meta app, with a page and a WhatsApp business account that it may hear of, as far as Tidegate looks after them: who is told, where the app's webhooks go, forms and
//! their leads, and webhooks that are signed and tried again. Strict about tokens and parameters, with Graph's errors; told to fail when wanted. Messages are sent
//! elsewhere ([`crate::Double`]).
//!
//! Sources: <https://developers.facebook.com/docs/graph-api/reference/page/subscribed_apps/>,
//! <https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account/subscribed_apps/>,
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/override/>,
//! <https://developers.facebook.com/documentation/ads-commerce/marketing-api/guides/lead-ads/retrieving>.

mod api;
mod sending;

use crate::{
    account::{Account, Answer, Asked, Inside, Provider, lock},
    config::StartError,
    graph::error::GraphError,
    leads::{self, Lead, LeadAccess, Page},
    oauth::bearer,
};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Mutex, MutexGuard},
};
use tidegate_clock::DomainClock;

const APP_ID: u64 = 670_843_887_433_847;
const PAGE_ID: &str = "153125381133";
const WABA_ID: &str = "102290129340398";
const PAGE_TOKEN: &str = "EAAGtokenOfThePage5b1c7e";
const WABA_TOKEN: &str = "EAAGtokenOfASystemUser9d2f";

/// The number of the account, and its id.
const NUMBER: (&str, &str) = ("15550783881", "106540352242922");

/// A running app and its accounts.
pub type MetaAccount = Account<Meta>;

/// What is Meta's own of an account.
pub struct Meta {
    secret: String,
    shelf: Mutex<Shelf>,
}

/// What the app and its accounts hold.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    /// Where the app's webhooks go, once the handshake was answered.
    callback: Option<String>,
    /// What the page tells the app, once it has let it in.
    page_fields: Option<Vec<String>>,
    /// Whether the WhatsApp account tells the app.
    is_on_waba: bool,
    /// Where the account's messages go in place of the app's address.
    aim: Option<String>,
    /// Where its number's messages go in place of both.
    number_aim: Option<String>,
    /// Forms of the page, with their statuses.
    forms: BTreeMap<String, &'static str>,
    leads: leads::Shelf,
    made: u64,
    /// Webhooks that have not arrived, oldest first, with their addresses.
    waiting: Vec<(String, String)>,
}

impl MetaAccount {
    /// Opens an app that signs with this secret. Nobody tells it anything yet. On the current tokio runtime.
    ///
    /// # Errors
    /// There is no port, or no HTTP client.
    pub async fn start(clock: DomainClock, secret: &str) -> Result<Self, StartError> {
        let account = Self::open(clock, Meta { secret: secret.to_owned(), shelf: Mutex::default() }).await?;
        account.access(LeadAccess::Granted);
        Ok(account)
    }

    /// The app's id.
    pub const fn app_id(&self) -> u64 {
        APP_ID
    }

    /// The page's id, and its token.
    pub const fn page(&self) -> (&'static str, &'static str) {
        (PAGE_ID, PAGE_TOKEN)
    }

    /// The WhatsApp business account's id, and a token of a system user's.
    pub const fn waba(&self) -> (&'static str, &'static str) {
        (WABA_ID, WABA_TOKEN)
    }

    /// Somebody sets the app's callback URL in its dashboard. Gives whether the handshake was answered.
    pub async fn configure(&self, url: &str, verify_token: &str) -> bool {
        self.inside.configure(url, verify_token).await
    }

    /// What the page's token may.
    pub fn access(&self, access: LeadAccess) {
        let page = Page { id: PAGE_ID.to_owned(), access_token: PAGE_TOKEN.to_owned(), access };
        self.inside.shelf().leads.put_page(page);
    }

    /// Whether the page tells the app of leads.
    pub fn is_told_of_leads(&self) -> bool {
        self.inside.shelf().tells_leads()
    }

    /// What the page tells the app; `None` takes the app off it, as Meta does when deliveries fail for an hour.
    pub fn set_page_fields(&self, fields: Option<&[&str]>) {
        let fields = fields.map(|fields| fields.iter().map(|field| (*field).to_owned()).collect());
        self.inside.shelf().page_fields = fields;
    }

    /// Whether the WhatsApp account tells the app.
    pub fn is_on_waba(&self) -> bool {
        self.inside.shelf().is_on_waba
    }

    /// Somebody has the app's webhooks sent elsewhere.
    pub fn aim_app_elsewhere(&self, url: &str) {
        self.inside.shelf().callback = Some(url.to_owned());
    }

    /// Somebody has the WhatsApp account's messages sent elsewhere.
    pub fn aim_elsewhere(&self, url: &str) {
        self.inside.shelf().aim = Some(url.to_owned());
    }

    /// Somebody has the messages of the account's number sent elsewhere, or takes that away.
    pub fn aim_number_elsewhere(&self, url: Option<&str>) {
        self.inside.shelf().number_aim = url.map(str::to_owned);
    }

    /// Makes a form of the page, with this status (`ACTIVE`, `ARCHIVED`, …).
    pub fn make_form(&self, id: &str, status: &'static str) {
        self.inside.shelf().forms.insert(id.to_owned(), status);
    }

    /// Somebody fills a form in. Gives the lead's id.
    pub fn make_lead(&self, form: &str, answers: &[(&str, &str)]) -> String {
        self.inside.make_lead(form, answers)
    }

    /// Somebody writes to the account's number.
    pub fn write(&self, from: &str, text: &str) {
        self.inside.write(from, text);
    }

    /// Tries everything that has not arrived, once.
    pub async fn send(&self) {
        self.inside.send().await;
    }

    /// Meta gives up what has not arrived.
    pub fn give_up(&self) {
        self.inside.shelf().waiting.clear();
    }
}

/// An account's own address, as it is asked for.
#[derive(serde::Deserialize)]
struct Aim {
    #[serde(rename = "override_callback_uri")]
    url: String,
    verify_token: String,
}

impl Aim {
    fn of(asked: &Asked) -> Option<Self> {
        let is_account = asked.method == "POST" && asked.path.ends_with(&format!("/{WABA_ID}/subscribed_apps"));
        is_account.then(|| serde_json::from_slice(&asked.body).ok()).flatten()
    }
}

impl Provider for Meta {
    /// Webhooks go out when they are told to: the day of their attempts is the test's.
    type Parcel = Infallible;

    async fn answer(inside: &Inside<Self>, asked: &Asked) -> Answer {
        let (now_ms, root) = (inside.clock.now_ms(), inside.url());
        // As Meta does, the address is asked before the answer is given.
        let is_unproven = match Aim::of(asked) {
            Some(aim) => !inside.proves(&aim.url, &aim.verify_token).await,
            None => false,
        };
        if is_unproven {
            return refusal(&GraphError::plain(2200));
        }
        let mut shelf = inside.shelf();
        match shelf.answer(asked, bearer(asked), now_ms, &root) {
            Ok(body) => Answer::json(200, &body),
            Err(error) => refusal(&error),
        }
    }

    fn failed(status: u16) -> Answer {
        let error = match status {
            401 => GraphError::token(),
            403 => GraphError::plain(200),
            _ => GraphError::plain(2),
        };
        refusal(&GraphError { status, ..error })
    }

    fn throttled() -> Answer {
        refusal(&GraphError::plain(80001))
    }

    async fn deliver(_: &Inside<Self>, parcel: Infallible) {
        match parcel {}
    }
}

fn refusal(error: &GraphError) -> Answer {
    Answer::json(error.status, &error.body("AbCdEfGhIjKlMnOpQrStUvW"))
}

impl Inside<Meta> {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        lock(&self.own.shelf)
    }

    fn make_lead(&self, form: &str, answers: &[(&str, &str)]) -> String {
        let mut shelf = self.shelf();
        let id = (1_357_924_680_000 + shelf.next_id()).to_string();
        let answers = answers.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect();
        let more = serde_json::Map::from_iter([
            ("form_id".to_owned(), form.into()),
            ("ad_id".to_owned(), "120210000000001".into()),
        ]);
        let lead =
            Lead { id: id.clone(), page_id: PAGE_ID.to_owned(), created_at_ms: self.clock.now_ms(), answers, more };
        shelf.tell_lead(&lead);
        // The page is there from the start.
        let _ = shelf.leads.put_lead(lead);
        id
    }

    fn write(&self, from: &str, text: &str) {
        let now_s = self.now_s();
        self.shelf().tell_message(from, text, now_s);
    }
}

impl Shelf {
    fn next_id(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    fn tells_leads(&self) -> bool {
        self.page_fields.iter().flatten().any(|field| field == "leadgen")
    }
}

#[cfg(test)]
mod tests;
