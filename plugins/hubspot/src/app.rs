//! The app's side of a connection: where HubSpot sends its webhooks, and which. Both belong to the app and serve every account that let it in; HubSpot lets them be
//! changed from outside for public apps of the older kind only. For others it is said what to set by hand. HubSpot signs with the app's secret, and tries a webhook ten
//! times in a day by itself, so that there is nothing to read again.
//!
//! Source: <https://developers.hubspot.com/docs/api-reference/2026-03/webhooks/guide>.

use crate::settings::Settings;
use serde::{Deserialize, Serialize};
use tidegate_plugin_sdk::{
    Calls, Connector, Error, Report, Request, Response, Severity, Subscription, SubscriptionState, Target, json::Text,
};

/// Requests at once that HubSpot is to keep to, where nobody has said otherwise: its own usual number.
const AT_ONCE: u32 = 10;
/// What is read, in the classic formats.
const TOPICS: &[&str] = &[
    "contact.creation",
    "contact.propertyChange",
    "contact.restore",
    "contact.deletion",
    "contact.merge",
    "contact.privacyDeletion",
    "deal.creation",
    "deal.propertyChange",
];
/// The stages of deals: no other property of theirs is read.
const OF_DEALS: &[&str] = &["dealstage"];

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Throttling {
    max_concurrent_requests: u32,
}

/// Where webhooks go.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Aim<'a> {
    #[serde(borrow)]
    target_url: Text<'a>,
    throttling: Option<Throttling>,
}

#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    results: Vec<Hook<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hook<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    event_type: Text<'a>,
    #[serde(borrow)]
    property_name: Option<Text<'a>>,
    active: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenAim<'a> {
    target_url: &'a str,
    throttling: Throttling,
}

/// What is subscribed to: a kind of change, and of which property.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Wish<'a> {
    event_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    property_name: Option<&'a str>,
    active: bool,
}

/// The app, as it was found.
struct App<'a> {
    url: String,
    aim: Option<Aim<'a>>,
    hooks: Vec<Hook<'a>>,
}

impl Connector for crate::Hubspot {
    fn check(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
        let settings: Settings = calls.settings()?;
        Ok(match App::of(calls, &settings)? {
            Some(app) => app.report(target, &settings),
            None => Report::default().with_finding(Severity::Note, BY_HAND, &by_hand(target, &settings)),
        })
    }

    fn subscribe(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
        let settings: Settings = calls.settings()?;
        let Some(app) = App::of(calls, &settings)? else {
            return Err(Error::new(format!("{BY_HAND}: {}", by_hand(target, &settings))));
        };
        let mut writes = Vec::new();
        if !app.is_aimed_at(&target.url) {
            let kept = app.aim.as_ref().and_then(|aim| aim.throttling.as_ref());
            let at_once = kept.map_or(AT_ONCE, |throttling| throttling.max_concurrent_requests);
            let throttling = Throttling { max_concurrent_requests: at_once };
            let aim = WrittenAim { target_url: &target.url, throttling };
            writes.push(Request::write_json("PUT", format!("{}/settings", app.url), &aim)?);
        }
        for wish in wishes(&target.topics, &settings) {
            match app.hooks.iter().find(|hook| hook.is(&wish)) {
                None => writes.push(Request::write_json("POST", format!("{}/subscriptions", app.url), &wish)?),
                Some(hook) if !hook.active => {
                    let url = format!("{}/subscriptions/{}", app.url, hook.id.as_str());
                    writes.push(Request::write_json("PATCH", url, &Active { active: true })?);
                }
                Some(_) => {}
            }
        }
        write(calls, writes)?;
        Ok(App::of(calls, &settings)?.map(|app| app.report(target, &settings)).unwrap_or_default())
    }

    /// An app's subscriptions are those of every account that let it in: no connection takes them away.
    fn unsubscribe(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
        let settings: Settings = calls.settings()?;
        match App::of(calls, &settings)? {
            Some(app) if !app.is_aimed_at(&target.url) => Ok(Report::default()),
            _ => Err(Error::new(format!("{OF_ALL}: {TO_HEAR_NO_MORE}"))),
        }
    }
}

#[derive(Serialize)]
struct Active {
    active: bool,
}

const OF_ALL: &str = "the app's subscriptions serve every account that let it in, and stay as they are";
const TO_HEAR_NO_MORE: &str = "to hear no more of this account, remove the app there; to hear of none, switch the subscriptions off in the app's settings";
const BY_HAND: &str = "HubSpot lets nobody see or change this app's webhooks from here";

/// What somebody sets in the app, in words.
fn by_hand(target: &Target, settings: &Settings) -> String {
    // Before anything was wished for: all.
    let all = || TOPICS.iter().map(|topic| (*topic).to_owned()).collect();
    let topics = if target.topics.is_empty() { all() } else { target.topics.clone() };
    let mut said: Vec<String> = Vec::new();
    for wish in wishes(&topics, settings) {
        said.push(match wish.property_name {
            Some(property) => format!("{} of {property}", wish.event_type),
            None => wish.event_type.to_owned(),
        });
    }
    format!(
        "in the app's settings under Webhooks (or in its project), set the target URL {}, and subscribe to {}. For a public app of the older kind set app_id in the connection's settings",
        target.url,
        said.join(", ")
    )
}

/// Every subscription that the topics need: changes are subscribed to by property.
fn wishes<'t>(topics: &'t [String], settings: &'t Settings) -> Vec<Wish<'t>> {
    let mut found = Vec::new();
    for topic in topics {
        let wish = |property_name| Wish { event_type: topic, property_name, active: true };
        match topic.as_str() {
            "contact.propertyChange" => found.extend(settings.properties().into_iter().map(|name| wish(Some(name)))),
            "deal.propertyChange" => found.extend(OF_DEALS.iter().map(|name| wish(Some(*name)))),
            _ => found.push(wish(None)),
        }
    }
    found
}

impl<'a> App<'a> {
    /// Asks for it; `None` when the connection does not say which app it is.
    fn of(calls: &mut Calls<'a>, settings: &Settings) -> Result<Option<Self>, Error> {
        let Some(id) = settings.app_id else { return Ok(None) };
        let url = format!("{}/webhooks/2026-03/{id}", settings.api());
        // An app that has never had a target has no settings.
        let aimed = calls.call(Request::get(format!("{url}/settings")));
        let listed = calls.call(Request::get(format!("{url}/subscriptions")));
        let aimed = aimed?;
        let aim = if aimed.status == 404 { None } else { Some(read::<Aim<'a>>(aimed)?) };
        let Listed { results: hooks } = read(listed?)?;
        Ok(Some(Self { url, aim, hooks }))
    }

    fn is_aimed_at(&self, url: &str) -> bool {
        self.aim.as_ref().is_some_and(|aim| aim.target_url.as_str() == url)
    }

    fn report(&self, target: &Target, settings: &Settings) -> Report {
        let mut report = Report::default();
        if target.topics.is_empty() {
            // Nobody wishes for anything: what there is, is the app's.
            let is_heard = self.is_aimed_at(&target.url) && self.hooks.iter().any(|hook| hook.active);
            let note = |report: Report| report.with_finding(Severity::Note, OF_ALL, TO_HEAR_NO_MORE);
            return if is_heard { note(report) } else { report };
        }
        if !self.is_aimed_at(&target.url) {
            let problem = match &self.aim {
                Some(aim) => format!("the app's webhooks go to {}, and not here", aim.target_url.as_str()),
                None => "the app has no target URL: it sends nothing".to_owned(),
            };
            let advice = "subscribe the connection, if no other gateway is to have them: an app has one target URL";
            report = report.with_finding(Severity::Problem, problem, advice);
        }
        let wishes = wishes(&target.topics, settings);
        let is_wanted = |hook: &&Hook<'_>| wishes.iter().any(|wish| hook.is(wish));
        report.subscriptions = self.hooks.iter().filter(is_wanted).map(Hook::shown).collect();
        for topic in &target.topics {
            let lacks = |of: &dyn Fn(&Hook<'_>) -> bool| -> Vec<&str> {
                let lacking = wishes.iter().filter(|wish| {
                    wish.event_type == topic && !self.hooks.iter().any(|hook| hook.is(wish) && of(hook))
                });
                lacking.map(|wish| wish.property_name.unwrap_or(topic)).collect()
            };
            let missing = lacks(&|_| true);
            let off: Vec<&str> =
                lacks(&|hook| hook.active).into_iter().filter(|name| !missing.contains(name)).collect();
            if !missing.is_empty() {
                let problem = format!("the app is not subscribed to {}", named(topic, &missing));
                report = report.with_finding(Severity::Problem, problem, "subscribe the connection");
            }
            if !off.is_empty() {
                let problem = format!("somebody has switched the subscription to {} off", named(topic, &off));
                report =
                    report.with_finding(Severity::Warning, problem, "subscribe the connection, which switches it on");
            }
        }
        report
    }
}

fn named(topic: &str, names: &[&str]) -> String {
    if names == [topic] { topic.to_owned() } else { format!("{topic} of {}", names.join(", ")) }
}

impl Hook<'_> {
    fn is(&self, wish: &Wish<'_>) -> bool {
        self.event_type.as_str() == wish.event_type && self.property_name.as_deref() == wish.property_name
    }

    fn shown(&self) -> Subscription {
        let (id, topic) = (self.id.as_str().to_owned(), self.event_type.as_str().to_owned());
        let state = if self.active { SubscriptionState::Active } else { SubscriptionState::Paused };
        Subscription { id, topic, state, reason: None }
    }
}

/// Makes all requests, then looks at what became of them. A subscription that somebody else has made meanwhile is refused as being there: the list that follows tells.
fn write(calls: &mut Calls<'_>, requests: Vec<Request>) -> Result<(), Error> {
    let made: Vec<_> = requests.into_iter().map(|request| (request.method == "POST", calls.call(request))).collect();
    for (makes, answer) in made {
        let response = answer?;
        let is_there = makes && response.status == 409;
        if !response.is_success() && !is_there {
            return Err(refused(response));
        }
    }
    Ok(())
}

fn read<'a, T: Deserialize<'a>>(response: &'a Response) -> Result<T, Error> {
    if response.is_success() { response.json() } else { Err(refused(response)) }
}

/// What a refusal means, and what to do.
fn refused(response: &Response) -> Error {
    let advice = match response.status {
        400 => "does the app have the scopes that the subscriptions need, and is the target URL reached by https?",
        401 => "the token is not valid any more, or belongs to another app",
        403 | 404 => {
            "only a public app of the older kind lets its webhooks be seen and changed from outside: is app_id right? Else remove it, and set the webhooks by hand"
        }
        _ => "is HubSpot in order? See status.hubspot.com",
    };
    let error =
        Error::new(format!("HubSpot answered {} when it was asked for the app's webhooks: {advice}", response.status));
    if response.status == 429 || response.status >= 500 { error.retryable() } else { error }
}

#[cfg(test)]
mod tests;
