//! The account's side of a connection: its webhook subscriptions, by Calendly's API v2. A subscription has one address and several events, is signed with a key that is
//! given when it is made, and can't be changed: it is taken away and made anew.

use crate::settings::Settings;
use serde::{Deserialize, Serialize};
use tidegate_plugin_sdk::{
    Calls, Connector, Error, Report, Request, Response, Severity, Subscription, SubscriptionState, Target,
    WEBHOOK_SECRET, json, json::Text, url,
};

/// Events that exist for a whole organization only.
const OF_ORGANIZATIONS: &[&str] = &["routing_form_submission.created"];
/// Pages of subscriptions that are read.
const PAGES: usize = 10;

/// Who the token belongs to.
#[derive(Deserialize)]
struct Me<'a> {
    #[serde(borrow)]
    resource: Person<'a>,
}

#[derive(Deserialize)]
struct Person<'a> {
    #[serde(borrow)]
    uri: Text<'a>,
    #[serde(borrow)]
    current_organization: Text<'a>,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    collection: Vec<Hook<'a>>,
    #[serde(borrow)]
    pagination: Option<Pagination<'a>>,
}

#[derive(Deserialize)]
struct Pagination<'a> {
    #[serde(borrow)]
    next_page_token: Option<Text<'a>>,
}

/// A subscription. Its key is never told.
#[derive(Deserialize)]
struct Hook<'a> {
    #[serde(borrow)]
    uri: Text<'a>,
    #[serde(borrow)]
    callback_url: Text<'a>,
    #[serde(borrow)]
    state: Text<'a>,
    #[serde(borrow)]
    events: Vec<Text<'a>>,
}

/// What is written of a subscription.
#[derive(Serialize)]
struct Written<'a> {
    url: &'a str,
    events: Vec<&'a str>,
    organization: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    scope: &'static str,
    signing_key: &'static str,
}

/// Whose events are told.
struct Scope<'a> {
    person: Person<'a>,
    is_organization: bool,
    /// Where the API is.
    api: String,
}

impl Connector for crate::Calendly {
    fn check(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
        let scope = scope(calls)?;
        let found = list(calls, &scope, target)?;
        Ok(findings(report(&found), target, &scope))
    }

    fn subscribe(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
        let scope = scope(calls)?;
        let found = list(calls, &scope, target)?;
        // What is sent already stays, and is signed with the same key as the rest.
        let mut events: Vec<&str> = target.topics.iter().map(String::as_str).filter(|topic| scope.has(topic)).collect();
        events.extend(found.iter().flat_map(|hook| &hook.events).map(Text::as_str));
        replace(calls, &scope, target, &found, events)?;
        let found = list(calls, &scope, target)?;
        Ok(findings(report(&found), target, &scope))
    }

    fn unsubscribe(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
        let scope = scope(calls)?;
        let found = list(calls, &scope, target)?;
        let is_kept = |event: &&str| !target.topics.iter().any(|topic| topic == event);
        let kept = found.iter().flat_map(|hook| &hook.events).map(Text::as_str).filter(is_kept).collect();
        replace(calls, &scope, target, &found, kept)?;
        Ok(report(&list(calls, &scope, target)?))
    }
}

impl Scope<'_> {
    const fn word(&self) -> &'static str {
        if self.is_organization { "organization" } else { "user" }
    }

    /// Whether there is such an event in this scope.
    fn has(&self, event: &str) -> bool {
        self.is_organization || !OF_ORGANIZATIONS.contains(&event)
    }
}

fn scope<'a>(calls: &mut Calls<'a>) -> Result<Scope<'a>, Error> {
    let settings: Settings<'a> = calls.settings()?;
    let is_organization = json::filled(settings.scope.as_deref()).unwrap_or("organization") == "organization";
    let api = settings.api();
    let me: Me<'a> = read(calls.call(Request::get(format!("{api}/users/me")))?)?;
    Ok(Scope { person: me.resource, is_organization, api })
}

/// Subscriptions that go to the target.
fn list<'a>(calls: &mut Calls<'a>, scope: &Scope<'_>, target: &Target) -> Result<Vec<Hook<'a>>, Error> {
    let api = &scope.api;
    let of = format!("organization={}&scope={}", url::escaped(&scope.person.current_organization), scope.word());
    let of = if scope.is_organization { of } else { format!("{of}&user={}", url::escaped(&scope.person.uri)) };
    let (mut found, mut page_token) = (Vec::new(), String::new());
    for _ in 0..PAGES {
        let url = format!("{api}/webhook_subscriptions?{of}&count=100{page_token}");
        let page: Page<'a> = read(calls.call(Request::get(url))?)?;
        found.extend(page.collection.into_iter().filter(|hook| *hook.callback_url == *target.url));
        match page.pagination.and_then(|pagination| json::string(pagination.next_page_token.as_ref())) {
            Some(next) => page_token = format!("&page_token={}", url::escaped(&next)),
            None => break,
        }
    }
    Ok(found)
}

/// Takes what is there away, and makes one subscription of these events, if there are any.
fn replace(
    calls: &mut Calls<'_>,
    scope: &Scope<'_>,
    target: &Target,
    found: &[Hook<'_>],
    mut events: Vec<&str>,
) -> Result<(), Error> {
    for hook in found {
        let response = calls.call(Request::delete(hook.uri.as_str()))?;
        if !response.is_success() && response.status != 404 {
            return Err(refused(response));
        }
    }
    events.sort_unstable();
    events.dedup();
    if events.is_empty() {
        return Ok(());
    }
    let body = Written {
        url: &target.url,
        events,
        organization: &scope.person.current_organization,
        user: (!scope.is_organization).then_some(scope.person.uri.as_str()),
        scope: scope.word(),
        signing_key: WEBHOOK_SECRET,
    };
    let response = calls.call(Request::write_json("POST", format!("{}/webhook_subscriptions", scope.api), &body)?)?;
    if response.is_success() { Ok(()) } else { Err(refused(response)) }
}

fn read<'a, T: Deserialize<'a>>(response: &'a Response) -> Result<T, Error> {
    if response.is_success() { response.json() } else { Err(refused(response)) }
}

/// What a refusal means, and what to do. Calendly's own words are not passed on: they may repeat what it was told.
fn refused(response: &Response) -> Error {
    let advice = match response.status {
        401 => "the access token is not valid any more; make another one",
        403 => {
            "webhooks need a paid plan, and those of an organization an administrator: else set `scope = \"user\"` in the connection's settings"
        }
        409 => "there is a subscription to this address already that the token does not see",
        _ => "is the connection's access token of the right account?",
    };
    Error::new(format!("Calendly answered {}: {advice}", response.status))
}

fn report(found: &[Hook<'_>]) -> Report {
    let of = |hook: &Hook<'_>, event: &Text<'_>| Subscription {
        id: hook.uri.rsplit('/').next().unwrap_or_default().to_owned(),
        topic: event.as_str().to_owned(),
        state: if hook.state.as_str() == "active" { SubscriptionState::Active } else { SubscriptionState::Disabled },
        reason: (hook.state.as_str() != "active")
            .then(|| "Calendly switches a subscription off when deliveries fail for a day".to_owned()),
    };
    let subscriptions = found.iter().flat_map(|hook| hook.events.iter().map(move |event| of(hook, event))).collect();
    Report { subscriptions, ..Report::default() }
}

fn findings(mut report: Report, target: &Target, scope: &Scope<'_>) -> Report {
    for topic in &target.topics {
        let same: Vec<bool> = report
            .subscriptions
            .iter()
            .filter(|held| held.topic == *topic)
            .map(|held| held.state == SubscriptionState::Active)
            .collect();
        report = match same.as_slice() {
            _ if !scope.has(topic) => report.with_finding(
                Severity::Note,
                format!("{topic} is told for whole organizations only"),
                "set `scope = \"organization\"` in the connection's settings, with an administrator's token",
            ),
            [] => report.with_finding(
                Severity::Problem,
                format!("Calendly does not send {topic} here"),
                "subscribe the connection",
            ),
            states if !states.contains(&true) => report.with_finding(
                Severity::Problem,
                format!("Calendly has switched the subscription to {topic} off: deliveries had failed"),
                "subscribe the connection, which makes it anew",
            ),
            [_] => report,
            _ => report.with_finding(
                Severity::Warning,
                format!("Calendly has several subscriptions to {topic} that come here"),
                "subscribe the connection, which leaves one of them",
            ),
        };
    }
    report
}

#[cfg(test)]
mod tests;
