//! The store's side of a connection: its webhooks, and the orders that changed while none came. By the REST API v3.

use crate::value::{self, Gmt};
use serde::{Deserialize, Serialize};
use tidegate_plugin_sdk::{
    Calls, Connector, Error, FoundItem, Report, Request, Response, Severity, Span, Subscription, SubscriptionState,
    Target, WEBHOOK_SECRET, json, json::Raw, json::Text, time,
};

mod orders;

/// Webhooks on a page of the list: the most that WooCommerce gives.
const PER_PAGE: usize = 100;
/// Pages of webhooks that are read. A store has a handful of webhooks.
const PAGES: u32 = 10;
/// Name of the webhooks that are made, for people who look at the store.
const NAME: &str = "Tidegate";

/// What a connection says of its store.
#[derive(Deserialize)]
struct Settings<'a> {
    #[serde(borrow)]
    store: Option<Text<'a>>,
    #[serde(borrow, default)]
    store_path: Option<Text<'a>>,
    #[serde(default = "yes")]
    tls: bool,
}

const fn yes() -> bool {
    true
}

/// A webhook of the store. Its secret is never told.
#[derive(Deserialize)]
struct Webhook<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    topic: Text<'a>,
    #[serde(borrow)]
    delivery_url: Text<'a>,
}

/// What is written of a webhook.
#[derive(Serialize)]
struct Written<'a> {
    name: &'static str,
    topic: &'a str,
    delivery_url: &'a str,
    status: &'static str,
    secret: &'static str,
}

/// An error of the REST API.
#[derive(Deserialize)]
struct Refusal<'a> {
    #[serde(borrow)]
    code: Option<Text<'a>>,
}

impl Connector for crate::Woocommerce {
    fn check(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
        let found = list(calls, &base(calls)?, target)?;
        Ok(Report { findings: findings(&found, target), ..report(found) })
    }

    fn subscribe(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
        let base = base(calls)?;
        let found = list(calls, &base, target)?;
        let mut writes = Vec::new();
        for topic in &target.topics {
            let body =
                Written { name: NAME, topic, delivery_url: &target.url, status: "active", secret: WEBHOOK_SECRET };
            let mut same = found.iter().filter(|held| held.topic.as_str() == topic);
            // Of an active webhook too: the store does not tell which secret it signs with.
            writes.push(match same.next() {
                Some(held) => Request::write_json("PUT", format!("{base}/webhooks/{}", &*held.id), &body)?,
                None => Request::write_json("POST", format!("{base}/webhooks"), &body)?,
            });
            // A task that was cut may have made a second one.
            writes.extend(same.map(|held| gone(&base, held)));
        }
        write(calls, writes)?;
        Ok(report(list(calls, &base, target)?))
    }

    fn unsubscribe(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
        let base = base(calls)?;
        let found = list(calls, &base, target)?;
        let unwanted = found.iter().filter(|held| target.topics.iter().any(|topic| *topic == *held.topic));
        let writes = unwanted.map(|held| gone(&base, held)).collect();
        write(calls, writes)?;
        Ok(report(list(calls, &base, target)?))
    }

    fn backfill(calls: &mut Calls<'_>, span: &Span) -> Result<Report, Error> {
        orders::page(calls, &base(calls)?, span)
    }
}

/// The root of the REST API.
fn base(calls: &Calls<'_>) -> Result<String, Error> {
    let settings: Settings<'_> = calls.settings()?;
    let Some(store) = json::filled(settings.store.as_deref()) else {
        return Err(Error::new(
            "the connection does not say where its store is: add `store = \"shop.example.com\"` to its settings",
        ));
    };
    let path = json::filled(settings.store_path.as_deref()).unwrap_or_default().trim_matches('/');
    let path = if path.is_empty() { String::new() } else { format!("/{path}") };
    Ok(format!("{}://{store}{path}/wp-json/wc/v3", if settings.tls { "https" } else { "http" }))
}

/// Webhooks that go to the target, those of one topic in the order of their making.
fn list<'a>(calls: &mut Calls<'a>, base: &str, target: &Target) -> Result<Vec<Webhook<'a>>, Error> {
    let mut found: Vec<Webhook<'a>> = Vec::new();
    for page in 1..=PAGES {
        let url = format!("{base}/webhooks?per_page={PER_PAGE}&page={page}&orderby=id&order=asc");
        let response = calls.call(Request::get(url))?;
        let held: Vec<Webhook<'a>> = read(response, "its webhooks")?;
        let is_last = held.len() < PER_PAGE;
        found.extend(held.into_iter().filter(|held| *held.delivery_url == *target.url));
        if is_last {
            break;
        }
    }
    Ok(found)
}

fn gone(base: &str, webhook: &Webhook<'_>) -> Request {
    Request::delete(format!("{base}/webhooks/{}?force=true", &*webhook.id))
}

/// Makes all requests, then looks at what became of them. A webhook that is gone already is as good.
fn write(calls: &mut Calls<'_>, requests: Vec<Request>) -> Result<(), Error> {
    let answers: Vec<_> = requests
        .into_iter()
        .map(|request| {
            let deletes = request.method == "DELETE";
            (deletes, calls.call(request))
        })
        .collect();
    for (deletes, answer) in answers {
        let response = answer?;
        let is_gone = deletes && matches!(response.status, 404 | 410);
        if !response.is_success() && !is_gone {
            return Err(refused(response, "its webhooks"));
        }
    }
    Ok(())
}

/// The body of a good answer.
fn read<'a, T: Deserialize<'a>>(response: &'a Response, what: &str) -> Result<T, Error> {
    if response.is_success() { response.json() } else { Err(refused(response, what)) }
}

/// What a store's refusal means, and what to do.
fn refused(response: &Response, what: &str) -> Error {
    let code = json::parse::<Refusal<'_>>(&response.body).ok().and_then(|refusal| json::string(refusal.code.as_ref()));
    let is_code =
        |code: &String| code.len() <= 80 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let status = response.status;
    let code = code.filter(is_code).map(|code| format!(" {code}")).unwrap_or_default();
    let advice = match status {
        401 | 403 => {
            "the key must be of an administrator, with the permission Read/Write (WooCommerce, Settings, Advanced, REST API)"
        }
        404 => "is it the right store, with WooCommerce, and are its permalinks other than Plain?",
        _ => "the store's log may say more",
    };
    Error::new(format!("the store answered {status}{code} when it was asked for {what}: {advice}"))
}

fn report(found: Vec<Webhook<'_>>) -> Report {
    Report { subscriptions: found.into_iter().map(subscription).collect(), ..Report::default() }
}

fn subscription(webhook: Webhook<'_>) -> Subscription {
    let (state, reason) = match webhook.status.as_str() {
        "active" => (SubscriptionState::Active, None),
        "paused" => (SubscriptionState::Paused, Some("paused in the store".to_owned())),
        _ => (SubscriptionState::Disabled, Some("the store switches a webhook off after failed deliveries".to_owned())),
    };
    Subscription { id: webhook.id.into_string(), topic: webhook.topic.into_string(), state, reason }
}

fn findings(found: &[Webhook<'_>], target: &Target) -> Vec<tidegate_plugin_sdk::Finding> {
    let mut report = Report::default();
    for topic in &target.topics {
        let same: Vec<_> = found.iter().filter(|held| held.topic.as_str() == topic).collect();
        report = match same.as_slice() {
            [] => report.with_finding(
                Severity::Problem,
                format!("the store has no webhook for {topic} that comes here"),
                "subscribe the connection",
            ),
            [one] => match one.status.as_str() {
                "active" => report,
                "paused" => report.with_finding(
                    Severity::Warning,
                    format!("the store's webhook for {topic} is paused"),
                    "set it to Active in the store, or subscribe the connection",
                ),
                _ => report.with_finding(
                    Severity::Problem,
                    format!("the store has switched its webhook for {topic} off: deliveries had failed"),
                    "subscribe the connection, which switches it on again",
                ),
            },
            several => report.with_finding(
                Severity::Warning,
                format!("the store has {} webhooks for {topic} that come here", several.len()),
                "subscribe the connection, which leaves one of them",
            ),
        };
    }
    report.findings
}

#[cfg(test)]
mod tests;
