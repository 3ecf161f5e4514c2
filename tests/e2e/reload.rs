//! The configuration is read again while the gateway runs: all of it or nothing, told in words, and without harm to what is under way.

use crate::{CONFIRMATION, bare, order_confirmation, shop, text};
use std::time::Duration;
use tidegate_test_support::{Customer, Gateway, Played, SHOPIFY_SECRET, order, shopify};

const SECOND: &str = "
[[endpoints]]
name = \"second\"
plugin = \"shopify\"
secrets = [\"a-secret-of-the-second-shop\"]
[[connections]]
name = \"second\"
endpoint = \"second\"
workspace = \"main\"
";

/// Adds an endpoint to the end of its file.
fn add_endpoint(gateway: &Gateway) {
    let held = std::fs::read_to_string(gateway.config()).expect("the file is there");
    gateway.write("tidegate.toml", &format!("{held}{SECOND}"));
}

fn second_webhook(id: &str, number: u32) -> Played {
    shopify("orders/create", id, order(number, &Customer::nth(number)).to_string(), "a-secret-of-the-second-shop")
}

/// Waits for a word in the log.
async fn logged(gateway: &Gateway, word: &str) {
    gateway.wait_until(word, async |gateway| gateway.log_text().contains(word).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_is_in_force_at_once_and_told_in_words() {
    let gateway = shop().start().await;
    assert_eq!(gateway.post("second", &second_webhook("a", 1)).await.status, 404);
    add_endpoint(&gateway);
    gateway.write("flows/thanks.yaml", "flow: thanks\non: order.paid\nsteps:\n  - id: a\n    wait: 1h\n");
    gateway.edit("flows/0.yaml", "- id: confirm", "- id: confirm-it");
    let told = gateway.ask(&["reload"]).await;
    for line in [
        "endpoint second: added",
        "connection second: added",
        "flow main/thanks: added",
        "flow main/order-confirmation: version was ",
    ] {
        assert!(told.good().lines().any(|held| held.starts_with(line)), "{line:?} is not in {}", told.out);
    }
    assert!(!told.out.contains("template"), "what is as it was is not told: {}", told.out);
    assert!(gateway.log_text().contains("endpoint second: added"));
    gateway.post("second", &second_webhook("a", 1)).await.stored();
    gateway.settle().await;
    let message = gateway.only_message().await;
    assert_eq!(message["step"], "confirm-it", "the new version of the flow is used");
    let again = gateway.ask(&["reload"]).await;
    assert_eq!(again.good().lines().next(), Some("nothing has changed"), "{}", again.out);
    assert_eq!(gateway.figures().await.value("tidegate_config_reloads_total{outcome=\"done\"}"), 2.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_reloads_as_the_command_does() {
    let gateway = shop().start().await;
    add_endpoint(&gateway);
    gateway.ask_to_reload();
    logged(&gateway, "endpoint second: added").await;
    gateway.post("second", &second_webhook("a", 1)).await.stored();
    gateway.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_is_wrong_changes_nothing_and_says_why() {
    let gateway = shop().start().await;
    let good = std::fs::read_to_string(gateway.config()).expect("the file is there");
    let cases = [
        ("tidegate.toml", good.replace("drain_s", "drian_s") + SECOND, "did you mean `drain_s`?"),
        ("tidegate.toml", good.replace("plugin = \"shopify\"", "plugin = \"shopfy\"") + SECOND, "shopfy"),
        ("flows/0.yaml", CONFIRMATION.replace("order_confirmation", "no_such_template"), "no_such_template"),
    ];
    for (file, text, word) in cases {
        let held = std::fs::read_to_string(gateway.config().with_file_name(file)).expect("the file is there");
        gateway.write(file, &text);
        let told = gateway.ask(&["reload"]).await;
        assert_eq!(told.code, Some(2), "{told:?}");
        assert!(told.err.contains(word), "{word:?} is not in {}", told.err);
        assert_eq!(gateway.post("second", &second_webhook("a", 1)).await.status, 404, "nothing of it is in force");
        gateway.write(file, &held);
    }
    gateway.write("tidegate.toml", "[server");
    gateway.ask_to_reload();
    logged(&gateway, "the old one stays in force").await;
    gateway.orders(1, &Customer::nth(1)).await;
    gateway.settle().await;
    assert_eq!(gateway.sent().len(), 1, "the old one works on");
    assert!(gateway.figures().await.value("tidegate_config_reloads_total{outcome=\"refused\"}") >= 4.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_need_a_restart_are_named_and_secrets_are_changed_and_not_shown() {
    const NEW: &str = "the-next-secret-of-the-shop";
    let gateway = shop().start().await;
    gateway.edit("tidegate.toml", "drain_s = 10", "drain_s = 11");
    gateway.edit("tidegate.toml", SHOPIFY_SECRET, NEW);
    let told = gateway.ask(&["reload"]).await;
    assert!(told.good().contains("server.drain_s: in force from the next start on"), "{}", told.out);
    assert!(told.out.lines().any(|line| line == "endpoint shopify: secrets changed"), "{}", told.out);
    assert!(!told.out.contains(NEW) && !told.out.contains(SHOPIFY_SECRET), "{}", told.out);
    let body = order(1, &Customer::nth(1)).to_string();
    assert_eq!(gateway.post("shopify", &shopify("orders/create", "a", body.clone(), SHOPIFY_SECRET)).await.status, 401);
    gateway.post("shopify", &shopify("orders/create", "a", body, NEW)).await.stored();
    gateway.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_with_its_version_when_its_flow_changes_or_goes() {
    let send = &CONFIRMATION[CONFIRMATION.find("    send:").expect("it sends")..];
    let flow = |name: &str, step: &str| {
        format!("flow: {name}\non: order.placed\nsteps:\n  - id: wait\n    wait: 2h\n  - id: {step}\n{send}")
    };
    let gateway =
        bare().template(order_confirmation()).flow(&flow("changes", "old")).flow(&flow("goes", "last")).start().await;
    gateway.orders(1, &Customer::nth(1)).await;
    gateway.settle().await;
    gateway.write("flows/0.yaml", &flow("changes", "new"));
    gateway.write("flows/1.yaml", &flow("other", "other"));
    let told = gateway.ask(&["reload"]).await;
    assert!(told.good().contains("flow main/goes: removed"), "{}", told.out);
    gateway.advance(Duration::from_secs(2 * 3600)).await;
    let mut steps: Vec<String> =
        gateway.outbound().await.iter().map(|message| text(message, "step").to_owned()).collect();
    steps.sort();
    assert_eq!(steps, ["last", "old"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_of_an_endpoint_that_goes_are_kept_with_the_reason() {
    let mut gateway = shop().start().await;
    gateway.set("TIDEGATE_WORKERS__PAUSED", "true");
    gateway.restart().await;
    add_endpoint(&gateway);
    gateway.ask(&["reload"]).await.good();
    let delivery = gateway.post("second", &second_webhook("a", 1)).await.stored();
    gateway.edit("tidegate.toml", SECOND, "");
    let told = gateway.ask(&["reload"]).await;
    assert!(told.good().contains("endpoint second: removed"), "{}", told.out);
    assert_eq!(gateway.post("second", &second_webhook("b", 2)).await.status, 404);
    gateway.set("TIDEGATE_WORKERS__PAUSED", "false");
    gateway.restart().await;
    gateway.settle().await;
    let parked = gateway.parked().await;
    assert_eq!(parked.len(), 1, "{parked:#?}");
    assert_eq!(parked[0]["delivery"], delivery.as_str());
    assert!(text(&parked[0], "reason").contains("\"second\""), "{parked:#?}");
    gateway.expect_parked(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_while_webhooks_flow_across_reloads() {
    const ROUNDS: u32 = 5;
    const ORDERS: u32 = 24;
    let gateway = shop().start().await;
    add_endpoint(&gateway);
    let mut stored = 0;
    for round in 0..ROUNDS {
        let numbers = round * ORDERS..(round + 1) * ORDERS;
        let webhooks: Vec<Played> = numbers.map(|n| gateway.order_webhook(n, &Customer::nth(n))).collect();
        let mut answers = gateway.burst("shopify", &webhooks);
        // Another flow, another limit, another endpoint more or less, each time.
        gateway.write("flows/0.yaml", &CONFIRMATION.replace("id: confirm", &format!("id: confirm-{round}")));
        if round % 2 == 1 {
            gateway.edit("tidegate.toml", SECOND, "");
        } else if round > 0 {
            add_endpoint(&gateway);
        }
        let told = gateway.ask(&["reload"]).await;
        assert!(told.good().contains("flow main/order-confirmation: version was"), "{}", told.out);
        while let Some(answer) = answers.join_next().await {
            let (_, answer) = answer.expect("a webhook's task does not panic");
            answer.expect("an answer").stored();
            stored += 1;
        }
    }
    assert_eq!(stored, ROUNDS * ORDERS);
    gateway.settle().await;
    gateway.advance(Duration::from_secs(5)).await;
    assert_eq!(gateway.events_of("order.placed").await.len(), stored as usize);
    let mut to: Vec<String> = gateway.sent().iter().map(|message| message.to.clone()).collect();
    to.sort();
    to.dedup();
    assert_eq!((to.len(), gateway.sent().len()), (stored as usize, stored as usize), "each customer has one message");
}
