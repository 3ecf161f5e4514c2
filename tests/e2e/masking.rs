//! The most talkative log there is, over a story with every kind of failure: personal data and secrets are in none of its lines.

use crate::{bare, order_confirmation, shop};
use std::time::Duration;
use tidegate_double::Failure;
use tidegate_test_support::{
    ACCESS_TOKEN, Customer, Gateway, META_SECRET, SHOPIFY_SECRET, Setup, VERIFY_TOKEN, meta, order, shopify,
};

async fn at_trace(setup: Setup) -> Gateway {
    let mut gateway = setup.send_timeout_s(1).start().await;
    gateway.set("TIDEGATE_LOG__FILTER", "trace");
    gateway.set("TIDEGATE_LOG__FORMAT", "json");
    gateway.restart().await;
    gateway
}

/// Everything that may not be shown of a customer.
fn private(customer: &Customer) -> Vec<String> {
    let email = format!("{}@example.com", customer.id);
    vec![customer.phone.clone(), customer.digits().to_owned(), customer.first_name.clone(), email]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_of_every_failure_shows_nobody_and_no_secret() {
    let mut gateway = at_trace(shop().brittle()).await;
    let customers: Vec<Customer> = (0..10).map(Customer::nth).collect();
    let failures = [
        Failure::Code { code: 131_026 },
        Failure::Code { code: 131_030 },
        Failure::Code { code: 190 },
        Failure::RateLimited { retry_after_s: 1 },
        Failure::Http500,
        Failure::Hang,
        Failure::DropAnswerAfterAccepting,
        Failure::FailedStatus { code: 131_047 },
    ];
    for (n, (customer, failure)) in (0..).zip(customers.iter().zip(failures)) {
        gateway.script().fail_next(1, failure);
        gateway.orders(n, customer).await;
        gateway.settle().await;
    }
    let writer = &customers[8];
    gateway.orders(90, writer).await;
    gateway.writes(writer, "please call me at my other number").await;
    gateway.ask(&["message", "send", "--to", &writer.phone, "--text", "we look into your wish"]).await.good();
    gateway.writes(writer, "STOP").await;
    gateway.orders(91, writer).await;
    let body = order(92, &customers[9]).to_string();
    gateway.post("shopify", &shopify("orders/create", "a", body.clone(), "no secret")).await;
    gateway.post("shopify", &shopify("orders/create", "b", &body[..body.len() / 2], SHOPIFY_SECRET)).await.stored();
    gateway.post("meta", &meta(body.clone(), META_SECRET)).await.stored();
    gateway.post("nowhere", &shopify("orders/create", "c", body.clone(), SHOPIFY_SECRET)).await;
    let broken = format!("{{\"name\": null, \"phone\": \"{}\", \"order\": {body}}}", customers[9].phone);
    gateway.post("brittle", &shopify("bookings/create", "d", broken, SHOPIFY_SECRET)).await.stored();
    let handshake = format!("{}?hub.mode=subscribe&hub.verify_token=guess&hub.challenge=1", gateway.url("meta"));
    gateway.client().get(handshake).send().await.expect("an answer");
    gateway.settle().await;
    gateway.advance(Duration::from_secs(600)).await;
    gateway.write("tidegate.toml", "[server");
    gateway.ask(&["reload"]).await;

    let log = gateway.log_text();
    let mut words: Vec<String> = customers.iter().flat_map(private).collect();
    words.extend(
        [SHOPIFY_SECRET, META_SECRET, ACCESS_TOKEN, VERIFY_TOKEN, "other number", "into your wish"].map(str::to_owned),
    );
    words.extend(gateway.sent().iter().map(|message| message.text.clone()).filter(|text| !text.is_empty()));
    for word in words {
        let line = log.lines().find(|line| line.contains(&word));
        assert_eq!(line, None, "{word:?} is in the log");
    }
    for word in [
        "\"level\":\"TRACE\"",
        "\"level\":\"DEBUG\"",
        "refused by the provider",
        "answer was lost",
        "item parked",
        "webhook refused",
        "not reloaded",
    ] {
        assert!(log.contains(word), "{word:?} is not in the log: the story did not come so far");
    }
    let parked = gateway.parked().await.len();
    gateway.expect_parked(parked);
    let undelivered = gateway
        .messages()
        .await
        .iter()
        .filter(|line| ["refused", "failed", "unknown"].iter().any(|state| line["state"] == *state))
        .count();
    gateway.expect_undelivered(undelivered);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_can_be_followed_by_its_root() {
    let gateway = at_trace(bare().template(order_confirmation()).flow(crate::CONFIRMATION)).await;
    let delivery = gateway.orders(1, &Customer::nth(1)).await;
    gateway.settle().await;
    let message = gateway.only_message().await;
    let root = &delivery[4..14];
    assert_eq!(message["id"].as_str().map(|id| &id[4..14]), Some(root), "all ids of a story begin alike");
    let log = gateway.log_text();
    let lines: Vec<serde_json::Value> =
        log.lines().filter(|line| line.contains(root)).filter_map(|line| serde_json::from_str(line).ok()).collect();
    let spans: Vec<&str> = lines
        .iter()
        .flat_map(|line| line["spans"].as_array().into_iter().flatten())
        .filter_map(|span| span["name"].as_str())
        .collect();
    for name in ["delivery", "item", "record", "send"] {
        assert!(spans.contains(&name), "{name} is not among {spans:?}\n{log}");
    }
    let sent = lines.iter().find(|line| line["message"] == "accepted by the provider").expect("it was sent");
    assert_eq!(sent["span"]["root"], root, "{sent:#}");
    assert_eq!(sent["span"]["message.id"], message["id"], "{sent:#}");
}
