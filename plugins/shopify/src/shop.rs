//! The shop's side of a connection: its webhook subscriptions, by the GraphQL Admin API, and the orders that changed while none came. Shopify signs with the app's
//! secret, which nobody gives it, and takes a subscription away after failures in a row: what is missing is made anew.
//!
//! Source: <https://shopify.dev/docs/api/admin-graphql/latest/mutations/webhookSubscriptionCreate>.

use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_plugin_sdk::{
    Calls, Connector, Error, Report, Request, Response, Severity, Span, Subscription, Target, json, json::Text, url,
};

mod orders;

/// The version of the API that is spoken when the connection names none.
const VERSION: &str = "2026-01";
/// Subscriptions on a page: the most that Shopify gives.
const PER_PAGE: usize = 250;
/// Pages that are read.
const PAGES: usize = 4;
/// Topics that an app's configuration names, and no call.
const OF_THE_APP: &[&str] = &["customers/data_request", "customers/redact", "shop/redact"];
/// Topics whose name in GraphQL does not tell where the slash was.
const KNOWN: &[&str] = &[
    "orders/create",
    "orders/paid",
    "orders/updated",
    "orders/edited",
    "orders/partially_fulfilled",
    "orders/fulfilled",
    "orders/cancelled",
    "refunds/create",
    "fulfillments/create",
    "fulfillments/update",
    "fulfillment_events/create",
    "checkouts/create",
    "checkouts/update",
    "checkouts/delete",
    "customers/create",
    "customers/update",
    "customers/enable",
    "customers/disable",
    "customers/delete",
    "customers/merge",
    "customer.tags_added",
    "customer.tags_removed",
    "customers/purchasing_summary",
    "customers_marketing_consent/update",
    "customers_email_marketing_consent/update",
    "app/uninstalled",
];

const LIST: &str = "query Subscriptions($first: Int!, $after: String) { webhookSubscriptions(first: $first, after: $after) { nodes { id topic endpoint { __typename ... on WebhookHttpEndpoint { callbackUrl } } } pageInfo { hasNextPage endCursor } } }";
const CREATE: &str = "mutation Subscribe($topic: WebhookSubscriptionTopic!, $webhookSubscription: WebhookSubscriptionInput!) { webhookSubscriptionCreate(topic: $topic, webhookSubscription: $webhookSubscription) { webhookSubscription { id } userErrors { message } } }";
const DELETE: &str = "mutation Unsubscribe($id: ID!) { webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { message } } }";

#[derive(Deserialize, Default)]
struct Settings<'a> {
    #[serde(borrow, default)]
    api_version: Option<Text<'a>>,
}

/// What GraphQL answers, always with the status 200.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Answered<T> {
    data: Option<T>,
    #[serde(default)]
    errors: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    #[serde(borrow)]
    webhook_subscriptions: Nodes<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Nodes<'a> {
    #[serde(borrow)]
    nodes: Vec<Hook<'a>>,
    #[serde(borrow)]
    page_info: PageInfo<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo<'a> {
    has_next_page: bool,
    #[serde(borrow)]
    end_cursor: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Hook<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    topic: Text<'a>,
    #[serde(borrow)]
    endpoint: Endpoint<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint<'a> {
    #[serde(borrow)]
    callback_url: Option<Text<'a>>,
}

impl Connector for crate::Shopify {
    fn check(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
        let api = graphql(calls)?;
        Ok(report(&list(calls, &api, target)?, target))
    }

    fn subscribe(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
        let api = graphql(calls)?;
        let found = list(calls, &api, target)?;
        let mut writes = Vec::new();
        for topic in target.topics.iter().filter(|topic| !OF_THE_APP.contains(&topic.as_str())) {
            let mut same = found.iter().filter(|hook| *hook.topic == *word(topic));
            if same.next().is_none() {
                let subscription = json!({ "callbackUrl": target.url, "format": "JSON" });
                let variables = json!({ "topic": word(topic), "webhookSubscription": subscription });
                writes.push(ask(&api, CREATE, &variables)?);
            }
            // A task that was cut may have made a second one.
            for hook in same {
                writes.push(ask(&api, DELETE, &json!({ "id": hook.id.as_str() }))?);
            }
        }
        let refusal = write(calls, writes)?;
        let found = list(calls, &api, target)?;
        let is_there = |topic: &String| {
            OF_THE_APP.contains(&topic.as_str()) || found.iter().any(|hook| *hook.topic == *word(topic))
        };
        refused_unless(target.topics.iter().all(is_there), refusal)?;
        Ok(report(&found, target))
    }

    fn unsubscribe(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
        let api = graphql(calls)?;
        let found = list(calls, &api, target)?;
        let is_unwanted = |hook: &&Hook<'_>| target.topics.iter().any(|topic| *hook.topic == *word(topic));
        let writes = found.iter().filter(is_unwanted).map(|hook| ask(&api, DELETE, &json!({ "id": hook.id.as_str() })));
        let refusal = write(calls, writes.collect::<Result<_, _>>()?)?;
        let left = list(calls, &api, target)?;
        refused_unless(!left.iter().any(|hook| is_unwanted(&hook)), refusal)?;
        Ok(Report { findings: Vec::new(), ..report(&left, target) })
    }

    fn backfill(calls: &mut Calls<'_>, span: &Span) -> Result<Report, Error> {
        orders::page(calls, &api(calls)?, span)
    }
}

/// Shopify's words against a write count only where what was wanted is not so: after an answer that was lost, the second try of a write that was done is refused.
fn refused_unless(is_done: bool, refusal: Option<String>) -> Result<(), Error> {
    match refusal {
        Some(words) if !is_done => Err(Error::new(format!(
            "Shopify does not take the subscription: {words}. The address must be reached by https, and the token must be allowed to read what the topic tells"
        ))),
        _ => Ok(()),
    }
}

/// Where GraphQL is asked.
fn graphql(calls: &Calls<'_>) -> Result<String, Error> {
    Ok(format!("{}/graphql.json", api(calls)?))
}

/// The root of the Admin API.
fn api(calls: &Calls<'_>) -> Result<String, Error> {
    let settings: Settings<'_> = calls.settings()?;
    let version = json::filled(settings.api_version.as_deref()).unwrap_or(VERSION);
    let Some(shop) = &calls.connection().account else {
        return Err(Error::new(
            "the connection does not say which shop it is: add `account = \"acme.myshopify.com\"` to it",
        ));
    };
    Ok(format!("{}/admin/api/{version}", url::root(shop)))
}

fn ask(api: &str, query: &str, variables: &Value) -> Result<Request, Error> {
    Request::post_json(api, &json!({ "query": query, "variables": variables }))
}

/// Subscriptions that go to the target.
fn list<'a>(calls: &mut Calls<'a>, api: &str, target: &Target) -> Result<Vec<Hook<'a>>, Error> {
    let (mut found, mut after) = (Vec::new(), None);
    for _ in 0..PAGES {
        let request = ask(api, LIST, &json!({ "first": PER_PAGE, "after": after }))?;
        let Nodes { nodes, page_info } = read::<Listed<'a>>(calls.call(request)?)?.webhook_subscriptions;
        let is_here = |hook: &Hook<'_>| hook.endpoint.callback_url.as_deref() == Some(target.url.as_str());
        found.extend(nodes.into_iter().filter(is_here));
        after = page_info.end_cursor.filter(|_| page_info.has_next_page).map(Text::into_string);
        if after.is_none() {
            break;
        }
    }
    Ok(found)
}

/// Makes all requests, then looks at what became of them. Gives Shopify's words against the first write that it did not take.
fn write(calls: &mut Calls<'_>, requests: Vec<Request>) -> Result<Option<String>, Error> {
    let answers: Vec<_> = requests.into_iter().map(|request| calls.call(request)).collect();
    let mut refusal = None;
    for answer in answers {
        let done: Value = read(answer?)?;
        let problems = done.as_object().into_iter().flat_map(|fields| fields.values());
        let mut problems = problems.filter_map(|field| field["userErrors"].as_array()).flatten();
        if let Some(problem) = problems.next() {
            let words: String = problem["message"].as_str().unwrap_or_default().chars().take(200).collect();
            refusal.get_or_insert(words);
        }
    }
    Ok(refusal)
}

fn read<'a, T: Deserialize<'a>>(response: &'a Response) -> Result<T, Error> {
    if !response.is_success() {
        return Err(refused(response.status));
    }
    let answered: Answered<T> = response.json()?;
    match answered.data {
        Some(data) if answered.errors.is_null() => Ok(data),
        _ => {
            let code = answered.errors[0]["extensions"]["code"].as_str().unwrap_or("no code");
            if code == "THROTTLED" {
                return Err(Error::new(
                    "Shopify is asked too much by this app at the moment (THROTTLED): try again in a minute",
                )
                .retryable());
            }
            let code: String = code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(60).collect();
            Err(Error::new(format!("Shopify refuses the question ({code}): may the token do this?")))
        }
    }
}

/// What a status means, and what to do.
fn refused(status: u16) -> Error {
    let advice = match status {
        401 => "the access token is not (or not any more) the shop's",
        402 => "the shop is frozen: its owner owes Shopify",
        403 => "may the token do this? It needs the scopes read_orders, read_fulfillments and read_customers",
        404 => "is the account the shop's .myshopify.com name, and is the API version still there?",
        _ => "is the shop open?",
    };
    Error::new(format!("Shopify answered {status}: {advice}"))
}

/// A topic's word in GraphQL: `ORDERS_CREATE`.
fn word(topic: &str) -> String {
    topic.replace(['/', '.'], "_").to_ascii_uppercase()
}

/// The topic of a word; the word itself when it is none that is read here.
fn topic_of(found: &str) -> String {
    KNOWN.iter().find(|topic| word(topic) == found).map_or_else(|| found.to_owned(), |topic| (*topic).to_owned())
}

fn report(found: &[Hook<'_>], target: &Target) -> Report {
    let id = |hook: &Hook<'_>| hook.id.rsplit('/').next().unwrap_or_default().to_owned();
    let subscriptions = found.iter().map(|hook| Subscription::active(id(hook), topic_of(&hook.topic))).collect();
    let mut report = Report { subscriptions, ..Report::default() };
    for topic in &target.topics {
        let count = report.subscriptions.iter().filter(|held| held.topic == *topic).count();
        report = match count {
            _ if OF_THE_APP.contains(&topic.as_str()) => report.with_finding(
                Severity::Note,
                format!("{topic} is subscribed to in the app's configuration, and can't be seen from here"),
                "name the endpoint there as the address for compliance webhooks",
            ),
            0 => report.with_finding(
                Severity::Problem,
                format!(
                    "the shop does not send {topic} here: Shopify takes a subscription away after failures in a row"
                ),
                "subscribe the connection",
            ),
            1 => report,
            several => report.with_finding(
                Severity::Warning,
                format!("the shop has {several} subscriptions to {topic} that come here"),
                "subscribe the connection, which leaves one of them",
            ),
        };
    }
    report
}

#[cfg(test)]
mod tests;
