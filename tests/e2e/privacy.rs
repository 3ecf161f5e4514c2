//! What the log may not hold. Every test's gateway is checked at its end for the secrets, numbers, names and texts that passed through it; here they pass by every way there is.

use crate::shop;
use std::time::Duration;
use tidegate_double::Failure;
use tidegate_test_support::{Customer, META_SECRET, meta, shopify};

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_what_happened_by_ids_and_without_secrets_or_personal_data() {
    let mut gateway = shop().send_timeout_s(1).start().await;
    let customers: Vec<Customer> = (0..8).map(Customer::nth).collect();
    let failures = [
        Failure::Code { code: 131026 },
        Failure::Code { code: 131056 },
        Failure::Code { code: 190 },
        Failure::RateLimited { retry_after_s: 1 },
        Failure::Http500,
        Failure::Hang,
        Failure::FailedStatus { code: 131047 },
    ];
    for (n, (customer, failure)) in (0..).zip(customers.iter().zip(failures)) {
        gateway.script().fail_next(1, failure);
        gateway.orders(n, customer).await;
        gateway.settle().await;
        // What one failure paused must not keep the next from happening; where nothing was paused it says so.
        gateway.ask(&["sender", "resume", "shop"]).await;
        gateway.settle().await;
    }
    let delivery = gateway.orders(99, &customers[7]).await;
    gateway.writes(&customers[7], "my card number is wrong").await;
    gateway.ask(&["message", "send", "--to", &customers[7].phone, "--text", "We look into it"]).await.good();
    gateway.writes(&customers[7], "STOP").await;
    gateway.orders(100, &customers[7]).await;
    // Refused, and taken but unreadable, with personal data inside.
    let body = tidegate_test_support::order(101, &customers[0]).to_string();
    gateway.post("shopify", &shopify("orders/create", "w", body.clone(), "no secret")).await;
    gateway
        .post("shopify", &shopify("orders/create", "w", &body[..body.len() / 2], tidegate_test_support::SHOPIFY_SECRET))
        .await
        .stored();
    gateway.post("meta", &meta(body, META_SECRET)).await.stored();
    gateway.settle().await;
    gateway.advance(Duration::from_secs(60)).await;
    gateway.restart().await;

    let log = gateway.log_text();
    assert!(log.contains(&delivery), "what happened can be followed by its id:\n{log}");
    for word in
        ["accepted by the provider", "refused by the provider", "webhook refused", "item parked", "ready", "stopped"]
    {
        assert!(log.contains(word), "{word:?} is not in the log:\n{log}");
    }
    let parked = gateway.parked().await.len();
    gateway.expect_parked(parked);
    let messages = gateway.messages().await;
    let undelivered =
        messages.iter().filter(|line| ["refused", "failed", "unknown"].iter().any(|state| line["state"] == *state));
    gateway.expect_undelivered(undelivered.count());
}
