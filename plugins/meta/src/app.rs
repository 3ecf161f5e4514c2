//! The app's side of a connection: whether it hears of the account, a page or a WhatsApp business account, and where a WhatsApp account's webhooks go. Which fields the app
//! hears of serves every account, and an account's token does not show it, so it is said what to set by hand.
//!
//! Sources: <https://developers.facebook.com/docs/graph-api/reference/page/subscribed_apps/>,
//! <https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account/subscribed_apps/>,
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/override/>.

use crate::graph::{self, Refusal};
use numbers::Addresses;
use serde::{Deserialize, Serialize};
use tidegate_plugin_sdk::{
    Calls, Connector, Error, Report, Request, Response, Severity, Span, Subscription, Target, VERIFY_TOKEN, json,
    json::Text,
};

mod leads;
mod numbers;

/// The one field of pages that is read.
const LEADGEN: &str = "leadgen";
/// The fields of WhatsApp accounts that are read.
const OF_WHATSAPP: &[&str] = &[
    "messages",
    "smb_message_echoes",
    "user_preferences",
    "user_id_update",
    "message_template_status_update",
    "message_template_quality_update",
    "template_category_update",
    "phone_number_quality_update",
    "business_capability_update",
    "account_update",
    "account_review_update",
    "account_alerts",
];
/// Those of them that go to an account's own address; the others always go to the app's
/// (<https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/override/>).
const TO_OWN_ADDRESS: &[&str] = &["messages", "smb_message_echoes"];
/// Longest own address, in characters. Source: the same.
const LONGEST_ADDRESS: usize = 200;
const FIELDS_UNSEEN: &str = "which fields the app hears of is not seen with an account's token";
const UNSEEN: &str = "where the app's webhooks go, and which fields it hears of, is not seen with an account's token";

/// What a connection says of its account.
#[derive(Deserialize)]
struct Settings {
    #[serde(default)]
    account_type: Kind,
    app_id: Option<u64>,
    #[serde(default)]
    own_address: bool,
    graph_version: Option<String>,
    api_host: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    Whatsapp,
    Page,
}

/// Apps that hear of an account.
#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    data: Vec<Installed<'a>>,
}

/// An app that hears of an account. Of a page it has its fields, and of a WhatsApp account perhaps an address of its own.
#[derive(Deserialize)]
struct Installed<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow, default)]
    subscribed_fields: Vec<Text<'a>>,
    #[serde(borrow)]
    whatsapp_business_api_data: Option<Named<'a>>,
    #[serde(borrow)]
    override_callback_uri: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    id: Text<'a>,
}

/// What a page tells the app.
#[derive(Serialize)]
struct Fields {
    subscribed_fields: String,
}

/// Has a WhatsApp account tell the app, and takes its own address away.
#[derive(Serialize)]
struct Nothing {}

/// Gives a WhatsApp account an address of its own.
#[derive(Serialize)]
struct OwnAddress<'a> {
    override_callback_uri: &'a str,
    verify_token: &'static str,
}

/// The account, as it was found.
struct Account<'a> {
    kind: Kind,
    app: String,
    url: String,
    installed: Option<Installed<'a>>,
    /// Whether it is to have an address of its own.
    own_address: bool,
    /// Of a WhatsApp account, where that is seen.
    addresses: Addresses<'a>,
}

impl Connector for crate::Meta {
    fn check(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
        let settings: Settings = calls.settings()?;
        Ok(match Account::of(calls, &settings)? {
            Some(account) => account.report(target),
            None => Report::default().with_finding(Severity::Note, UNSEEN, &by_hand(settings.account_type, target, "")),
        })
    }

    fn subscribe(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
        let settings: Settings = calls.settings()?;
        let Some(account) = Account::of(calls, &settings)? else {
            return Err(Error::new(format!("{UNSEEN}: {}", by_hand(settings.account_type, target, NO_APP))));
        };
        if account.is_heard(target) || account.kind.topics(target).is_empty() {
            return Ok(account.report(target));
        }
        let url = account.url.as_str();
        match account.kind {
            Kind::Page => {
                let mut fields = account.fields();
                fields.push(LEADGEN);
                let fields = Fields { subscribed_fields: fields.join(",") };
                done(calls.call(Request::write_json("POST", url, &fields)?)?)?;
            }
            Kind::Whatsapp => {
                // An app has an address of its own for an account only when the account tells it.
                if account.installed.is_none() || !account.own_address {
                    done(calls.call(Request::write_json("POST", url, &Nothing {})?)?)?;
                }
                if account.own_address {
                    done(calls.call(Request::write_json("POST", url, &own_address(target)?)?)?)?;
                }
            }
        }
        Ok(Account::of(calls, &settings)?.map(|account| account.report(target)).unwrap_or_default())
    }

    fn unsubscribe(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
        let settings: Settings = calls.settings()?;
        let Some(account) = Account::of(calls, &settings)? else {
            return Err(Error::new(format!("{UNSEEN}: {TO_HEAR_NO_MORE}")));
        };
        // Of a WhatsApp account all fields are heard, or none.
        let all = account.heard(&Target { topics: Vec::new(), ..target.clone() });
        let is_all = all.iter().all(|field| target.topics.iter().any(|topic| topic == field));
        if !is_all || account.installed.is_none() {
            return Ok(account.report(target));
        }
        let kept: Vec<&str> = account.fields().into_iter().filter(|field| *field != LEADGEN).collect();
        let write = if kept.is_empty() {
            Request::delete(account.url.as_str())
        } else {
            Request::write_json("POST", account.url.as_str(), &Fields { subscribed_fields: kept.join(",") })?
        };
        done(calls.call(write)?)?;
        let nothing = Target { topics: Vec::new(), ..target.clone() };
        Ok(Account::of(calls, &settings)?.map(|account| account.report(&nothing)).unwrap_or_default())
    }

    /// Leads. Of WhatsApp nothing is kept that could be read again.
    fn backfill(calls: &mut Calls<'_>, span: &Span) -> Result<Report, Error> {
        let settings: Settings = calls.settings()?;
        match settings.account_type {
            Kind::Page => leads::page(calls, &settings.graph(), account(calls)?, span),
            Kind::Whatsapp => Ok(Report::default()),
        }
    }
}

const NO_APP: &str =
    ". With the app's id as app_id in the connection's settings, `connection subscribe` has the account tell the app";
const TO_HEAR_NO_MORE: &str = "remove the app from the account in Meta's business settings";

/// What somebody sets in the app's dashboard, in words.
fn by_hand(kind: Kind, target: &Target, more: &str) -> String {
    let place = match kind {
        Kind::Page => "Webhooks, Page",
        Kind::Whatsapp => "WhatsApp, Configuration",
    };
    format!(
        "in the app's dashboard under {place}, the callback URL must be {} with the endpoint's verify_token, and the fields {}{more}",
        target.url,
        kind.topics(target).join(", ")
    )
}

/// The fields that somebody sets in the app's dashboard, in words.
fn fields_by_hand(target: &Target) -> String {
    let fields = Kind::Whatsapp.topics(target).join(", ");
    format!("in the app's dashboard under WhatsApp, Configuration, the fields {fields} must be subscribed")
}

/// An account's own address, which Meta asks for its verify token.
fn own_address(target: &Target) -> Result<OwnAddress<'_>, Error> {
    let url = target.url.as_str();
    if url.len() > LONGEST_ADDRESS {
        return Err(Error::new(format!(
            "the endpoint's URL is too long for an account's own address: Meta takes at most {LONGEST_ADDRESS} characters, and {url} has {}",
            url.len()
        )));
    }
    Ok(OwnAddress { override_callback_uri: url, verify_token: VERIFY_TOKEN })
}

/// The connection's account.
fn account<'a>(calls: &Calls<'a>) -> Result<&'a str, Error> {
    let account = json::filled(calls.connection().account.as_deref());
    account.filter(|account| account.bytes().all(|byte| byte.is_ascii_digit())).ok_or_else(|| {
        Error::new(
            "the connection does not say which account it is: add `account = \"…\"` to it, the id of the WhatsApp business account or of the page",
        )
    })
}

impl Settings {
    fn graph(&self) -> String {
        graph::root(self.api_host.as_deref(), self.graph_version.as_deref())
    }
}

impl Kind {
    const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Whatsapp => OF_WHATSAPP,
            Self::Page => &[LEADGEN],
        }
    }

    /// Those of the topics that such an account tells; all when none is named.
    fn topics(self, target: &Target) -> Vec<&'static str> {
        let is_wanted = |field: &&str| target.topics.is_empty() || target.topics.iter().any(|topic| topic == field);
        self.fields().iter().copied().filter(is_wanted).collect()
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Whatsapp => "a WhatsApp business account",
            Self::Page => "a page",
        }
    }
}

impl<'a> Installed<'a> {
    const fn kind(&self) -> Kind {
        if self.whatsapp_business_api_data.is_some() { Kind::Whatsapp } else { Kind::Page }
    }

    fn app(&self) -> Option<&str> {
        let of_whatsapp = self.whatsapp_business_api_data.as_ref().map(|named| named.id.as_str());
        of_whatsapp.or(self.id.as_deref())
    }
}

impl<'a> Account<'a> {
    /// Asks for it; `None` when the connection does not say which app it is.
    fn of(calls: &mut Calls<'a>, settings: &Settings) -> Result<Option<Self>, Error> {
        let Some(app) = settings.app_id.map(|id| id.to_string()) else { return Ok(None) };
        let (kind, account) = (settings.account_type, account(calls)?);
        let url = format!("{}/{account}/subscribed_apps", settings.graph());
        let response = calls.call(Request::get(format!("{url}?limit=100")))?;
        let listed: Listed<'a> = done(response)?.json()?;
        if let Some(other) = listed.data.iter().map(Installed::kind).find(|found| *found != kind) {
            let right = if other == Kind::Page { "page" } else { "whatsapp" };
            return Err(Error::new(format!(
                "the connection's account is {}, and not {}: set `account_type = \"{right}\"` in its settings",
                other.name(),
                kind.name()
            )));
        }
        let installed = listed.data.into_iter().find(|found| found.app() == Some(app.as_str()));
        let own_address = settings.own_address;
        if own_address && kind == Kind::Page {
            return Err(Error::new(
                "`own_address` is of WhatsApp business accounts: a page's webhooks go to the app's address",
            ));
        }
        let addresses = match (kind, &installed) {
            (Kind::Whatsapp, Some(_)) => Addresses::of(calls, &settings.graph(), account)?,
            _ => Addresses::default(),
        };
        Ok(Some(Self { kind, app, url, installed, own_address, addresses }))
    }

    /// What the page tells the app.
    fn fields(&self) -> Vec<&str> {
        self.installed.iter().flat_map(|held| &held.subscribed_fields).map(Text::as_str).collect()
    }

    /// The address that was set for the account alone.
    fn own(&self) -> Option<&str> {
        json::filled(self.installed.as_ref().and_then(|held| held.override_callback_uri.as_deref()))
    }

    /// Another address than the target that the account's webhooks go to.
    fn elsewhere(&self, target: &Target) -> Option<&str> {
        self.own().filter(|url| *url != target.url)
    }

    /// Whether the account tells the app, and nobody sent it elsewhere.
    fn is_heard(&self, target: &Target) -> bool {
        match self.kind {
            Kind::Page => self.fields().contains(&LEADGEN),
            Kind::Whatsapp if self.own_address => self.own() == Some(target.url.as_str()),
            Kind::Whatsapp => self.installed.is_some() && self.elsewhere(target).is_none(),
        }
    }

    /// Those of the topics that come to the target, as far as that is seen.
    fn heard(&self, target: &Target) -> Vec<&'static str> {
        let mut topics = self.kind.topics(target);
        if self.own().is_some() && self.addresses.app_elsewhere(target).is_some() {
            topics.retain(|topic| TO_OWN_ADDRESS.contains(topic));
        }
        topics
    }

    fn report(&self, target: &Target) -> Report {
        let topics = self.kind.topics(target);
        let mut report = Report::default();
        if topics.is_empty() {
            let problem = format!("{} tells nothing of what is wished for", self.kind.name());
            let advice = "subscribe the connection without naming topics, or see `account_type` in its settings";
            return report.with_finding(Severity::Problem, problem, advice);
        }
        if self.is_heard(target) {
            let subscription = |topic: &str| Subscription::active(self.app.as_str(), topic);
            report.subscriptions = self.heard(target).into_iter().map(subscription).collect();
        }
        if target.topics.is_empty() {
            return report;
        }
        match (self.elsewhere(target), self.is_heard(target)) {
            (Some(url), _) => {
                let place = if self.own_address { "come here" } else { "go where the app's webhooks go" };
                report.with_finding(
                    Severity::Problem,
                    format!("the account's messages go to {url}, and not here"),
                    &format!("subscribe the connection, which has them {place}, if no other gateway is to have them"),
                )
            }
            (None, false) if self.own_address && self.installed.is_some() => report.with_finding(
                Severity::Problem,
                "the account has no address of its own, and its messages go where the app's webhooks go",
                "subscribe the connection",
            ),
            (None, false) => report.with_finding(
                Severity::Problem,
                format!(
                    "the account tells the app {} nothing{}",
                    self.app,
                    if self.kind == Kind::Page { " of leads" } else { "" }
                ),
                "subscribe the connection",
            ),
            (None, true) => self.addresses.report(report, self, target),
        }
    }
}

fn done(response: &Response) -> Result<&Response, Error> {
    if response.is_success() { Ok(response) } else { Err(refused(response)) }
}

/// What a refusal means, and what to do.
fn refused(response: &Response) -> Error {
    let refusal = Refusal::of(response);
    let advice = match refusal.code.as_str() {
        _ if refusal.is_busy() => "it is asked too much, or not in order",
        "190" => "the access token is not valid any more; make another one",
        "100" => {
            "there is no such account, or the token is not of it: are account and account_type right? A page's needs page_access_token, a WhatsApp account's access_token"
        }
        "2200" => {
            "it asked the gateway's address for its verify token, and got no answer: is server.public_url reached from outside, by https?"
        }
        _ => {
            "the token lacks a permission: a page's needs pages_manage_metadata and leads_retrieval, a WhatsApp account's whatsapp_business_management"
        }
    };
    let Refusal { status, code } = &refusal;
    let error = Error::new(format!(
        "Meta answered {status} (code {code}) when it was asked who hears of the account: {advice}"
    ));
    if refusal.is_busy() { error.retryable() } else { error }
}

#[cfg(test)]
mod tests;
