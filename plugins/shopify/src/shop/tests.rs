//! The connector against a shop that answers GraphQL as its documentation says.

use super::*;
use crate::Shopify;
use tidegate_plugin_sdk::{Answer, Connection, Step, Task, testing};

const URL: &str = "https://gateway.example/in/shopify";

/// A shop: subscriptions (id, word of the topic, address), and how often it was written to.
#[derive(Default)]
struct Shop {
    hooks: Vec<(u32, String, String)>,
    writes: u32,
    refuses: Option<&'static str>,
}

impl Shop {
    fn with(topics: &[(&str, &str)]) -> Self {
        let hooks = topics.iter().zip(1..).map(|((topic, url), id)| (id, word(topic), (*url).to_owned())).collect();
        Self { hooks, ..Self::default() }
    }

    fn answer(&mut self, request: &Request) -> Answer {
        assert_eq!(request.url, "https://acme.myshopify.com/admin/api/2026-01/graphql.json");
        let asked: Value = serde_json::from_str(request.body.as_deref().unwrap()).unwrap();
        let (query, variables) = (asked["query"].as_str().unwrap(), &asked["variables"]);
        let data = if let Some(code) = self.refuses {
            json!({"errors": [{"message": "x", "extensions": {"code": code}}]})
        } else if query.starts_with("query") {
            let node = |(id, topic, url): &(u32, String, String)| {
                json!({"id": format!("gid://shopify/WebhookSubscription/{id}"), "topic": topic,
                    "endpoint": {"__typename": "WebhookHttpEndpoint", "callbackUrl": url}})
            };
            let nodes: Vec<Value> = self.hooks.iter().map(node).collect();
            let page_info = json!({"hasNextPage": false, "endCursor": null});
            json!({"data": {"webhookSubscriptions": {"nodes": nodes, "pageInfo": page_info}}})
        } else if query.contains("webhookSubscriptionCreate") {
            self.writes += 1;
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let url = text(&variables["webhookSubscription"]["callbackUrl"]);
            self.hooks.push((90 + self.writes, text(&variables["topic"]), url));
            json!({"data": {"webhookSubscriptionCreate": {"webhookSubscription": {"id": "x"}, "userErrors": []}}})
        } else {
            self.writes += 1;
            self.hooks.retain(|(id, ..)| !variables["id"].as_str().unwrap().ends_with(&format!("/{id}")));
            json!({"data": {"webhookSubscriptionDelete": {"deletedWebhookSubscriptionId": "x", "userErrors": []}}})
        };
        Answer::Response(Response { status: 200, headers: Vec::new(), body: data.to_string() })
    }

    fn sees(&mut self, task: &Task) -> Step {
        let connection = Connection { account: Some("acme.myshopify.com".to_owned()), ..testing::connection("{}") };
        testing::connect::<Shopify>(&connection, task, |request| self.answer(request))
    }
}

fn target(topics: &[&str]) -> Target {
    Target { url: URL.to_owned(), topics: topics.iter().map(|&topic| topic.to_owned()).collect() }
}

#[track_caller]
fn done(step: Step) -> Report {
    match step {
        Step::Done(report) => report,
        other => panic!("expected a report, found {other:?}"),
    }
}

#[test]
fn what_is_missing_is_made_and_what_is_there_twice_becomes_one() {
    let topics = [
        ("orders/create", URL),
        ("orders/create", URL),
        ("orders/paid", "https://other.example"),
        ("app/uninstalled", URL),
    ];
    let mut shop = Shop::with(&topics);
    let wanted = target(&["orders/create", "orders/paid", "customers_marketing_consent/update", "customers/redact"]);
    let told: Vec<String> =
        done(shop.sees(&Task::Check(wanted.clone()))).findings.into_iter().map(|finding| finding.problem).collect();
    for (told, words) in told.iter().zip(["2 subscriptions", "orders/paid here", "consent/update here", "app's config"])
    {
        assert!(told.contains(words), "{told}");
    }
    assert_eq!((told.len(), shop.writes), (4, 0));
    let made = done(shop.sees(&Task::Subscribe(wanted.clone())));
    assert_eq!(made.findings.len(), 1, "{made:?}");
    let held: Vec<&str> = made.subscriptions.iter().map(|held| held.topic.as_str()).collect();
    assert_eq!(held, ["orders/create", "app/uninstalled", "orders/paid", "customers_marketing_consent/update"]);
    let before = shop.writes;
    done(shop.sees(&Task::Subscribe(wanted)));
    assert_eq!(shop.writes, before, "nothing is made twice");
    let left = done(shop.sees(&Task::Unsubscribe(target(&["orders/create", "app/uninstalled"]))));
    assert_eq!(left.subscriptions.len(), 2);
}

#[test]
fn a_refusal_in_words_of_graphql_is_told() {
    let mut shop = Shop { refuses: Some("ACCESS_DENIED"), ..Shop::default() };
    let step = shop.sees(&Task::Check(target(&["orders/create"])));
    assert!(matches!(&step, Step::Failed(failure) if failure.reason.contains("ACCESS_DENIED")), "{step:?}");
    let nowhere = testing::connect::<Shopify>(&testing::connection("{}"), &Task::Check(target(&[])), |_| {
        panic!("nobody is asked")
    });
    assert!(matches!(&nowhere, Step::Failed(failure) if failure.reason.contains("account = ")), "{nowhere:?}");
}

#[test]
fn every_topic_that_is_read_has_its_word() {
    assert!(KNOWN.iter().all(|topic| topic_of(&word(topic)) == *topic));
    assert_eq!(word("customer.tags_added"), "CUSTOMER_TAGS_ADDED");
    assert_eq!(topic_of("PRODUCTS_CREATE"), "PRODUCTS_CREATE");
}
