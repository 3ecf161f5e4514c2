//! A plugin that needs something of its provider: the gateway reads it, safely, and the item goes on.

use crate::{
    bare,
    plugin::{WELCOME, booked, texts},
    text,
};
use serde_json::{Value, json};
use std::time::Duration;
use tidegate_test_support::{Customer, Gateway, Provider, Reply, Setup};

const TOKEN: &str = "tool-token-5d1c9e77aa4d23";
const MANIFEST: &str = "capabilities = { fetch = [\"{settings.tool}\", \"api.example.com\"] }\n\
    config_schema = { type = \"object\", required = [\"tool\"], properties = { tool = { type = \"string\" } } }\n\
    auth = [{ host = \"{settings.tool}\", kind = \"bearer\", secret = \"token\" }]";

fn asking(provider: &Provider, private: &str) -> Setup {
    let tool = provider.authority();
    let connection = format!("settings = {{ tool = {tool:?} }}\ncredentials = {{ token = {TOKEN:?} }}\n");
    let config = format!("[plugins.brittle]\nprivate_hosts = [{private:?}]\nfetch = [\"api.example.com\"]\n");
    bare().template(booked()).flow(WELCOME).brittle_asking(MANIFEST, &connection, &config)
}

async fn book(gateway: &Gateway, provider: &Provider, n: u32, path: &str, steps: u32) -> String {
    let body = json!({"id": format!("B{n}"), "phone": Customer::nth(n).phone, "name": "Ann", "ask": provider.url(path), "steps": steps});
    gateway.post("brittle", &gateway.webhook("booking/made", &body)).await.stored()
}

fn result(shown: &Value) -> &Value {
    &shown["items"][0]["result"]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_needs_is_read_with_the_credential_and_leads_to_a_message() {
    let provider = Provider::start().await;
    provider.tell("/name", &[Reply::ok("Ann")]);
    let mut gateway = asking(&provider, provider.authority()).start().await;
    let id = book(&gateway, &provider, 1, "/name", 2).await;
    gateway.settle().await;
    assert_eq!(texts(&gateway), ["Your booking B1 is made. See you."]);
    let heard = provider.heard();
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert!(heard.iter().all(|head| head.contains(&format!("authorization: Bearer {TOKEN}"))), "{heard:?}");
    let shown = gateway.show(&id).await.expect("the delivery is kept");
    assert!(result(&shown)["interpreted"].is_object(), "{shown:#}");
    assert!(!shown.to_string().contains(TOKEN));

    let again = gateway.ask(&["event", "replay", &id]).await;
    assert!(again.good().contains("no difference"), "{}", again.out);
    assert_eq!(provider.heard().len(), 2, "a replay reads nothing");
    provider.tell("/name", &[Reply::ok("Bea")]);
    let anew = gateway.ask(&["event", "replay", &id, "--refetch"]).await;
    assert!(anew.good().contains("Bea") && provider.heard().len() == 4, "{}", anew.out);
    gateway.restart().await;
    gateway.settle().await;
    assert_eq!(texts(&gateway).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_waits_for_a_provider_that_is_down_over_a_kill_and_says_so() {
    let provider = Provider::start().await;
    provider.tell("/name", &[Reply::status(503), Reply::Hang, Reply::ok("Ann")]);
    let mut gateway = asking(&provider, provider.authority()).start().await;
    let id = book(&gateway, &provider, 1, "/name", 1).await;
    gateway.settle().await;
    let shown = gateway.show(&id).await.expect("the delivery is kept");
    let words = text(&result(&shown)["waiting"], "words");
    assert!(words.contains("the provider answered 503") && words.contains("the next is at"), "{words}");
    let listed = gateway.ask(&["queue", "waiting"]).await;
    assert!(listed.good().contains("answered 503"), "{}", listed.out);
    assert!(gateway.parked().await.is_empty());

    gateway.step_clock(Duration::from_secs(20)).await;
    gateway.wait_until("the provider is asked again", async |_| (provider.heard().len() == 2).then_some(())).await;
    gateway.kill9();
    gateway.start_again().await;
    gateway.settle().await;
    assert_eq!(texts(&gateway), ["Your booking B1 is made. See you."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_is_told_at_the_start_and_parks_the_item_until_it_is() {
    let provider = Provider::start().await;
    provider.tell("/name", &[Reply::ok("Ann")]);
    let gateway = asking(&provider, "127.0.0.1:1").start().await;
    let line = format!("plugins.brittle.private_hosts needs \"{}\"", provider.authority());
    let listed = gateway.ask(&["plugin", "list"]).await;
    assert!(listed.good().contains(&line), "{}", listed.out);
    book(&gateway, &provider, 1, "/name", 1).await;
    gateway.settle().await;
    let parked = gateway.parked().await;
    assert!(parked.len() == 1 && text(&parked[0], "reason").starts_with(&line), "{parked:#?}");
    assert!(provider.heard().is_empty());

    gateway.edit("tidegate.toml", "127.0.0.1:1\"", &format!("{}\"", provider.authority()));
    gateway.ask(&["reload"]).await.good();
    gateway.ask(&["queue", "retry", "--all"]).await.good();
    gateway.settle().await;
    assert_eq!(texts(&gateway), ["Your booking B1 is made. See you."]);
    assert!(gateway.parked().await.is_empty());
}
