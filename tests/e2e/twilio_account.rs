//! A Twilio account that is looked after: texts to its numbers and its service come here, what somebody aims elsewhere comes back, and texts of a dead hour are read
//! again, each told once.

use crate::{bare, text};
use serde_json::Value;
use std::time::Duration;
use tidegate_test_support::{AccountFailure, Gateway, TwilioConsole, stepped};

const AUTH_TOKEN: &str = "9f8e7d6c5b4a39281706f5e4d3c2b1a0";
/// How often connections are looked after.
const ROUND: Duration = Duration::from_secs(15 * 60);
const ADA: &str = "+447946000001";

fn connection(console: &TwilioConsole, secret: &str) -> (String, String) {
    let (host, (key, _), [number, _]) = (console.authority(), console.key(), console.numbers());
    let connection = format!(
        "account = {:?}\nsettings = {{ api_host = {host:?}, numbers = [{number:?}], messaging_service = {:?} }}\n\
         credentials = {{ api_key = {key:?}, api_secret = {secret:?} }}\n",
        console.sid(),
        console.service(),
    );
    (connection, format!("[plugins.twilio]\nprivate_hosts = [{host:?}]\n"))
}

async fn open() -> (Gateway, TwilioConsole) {
    let clock = stepped();
    let console = TwilioConsole::start(clock.clone(), AUTH_TOKEN).await.expect("the account opens");
    let (connection, config) = connection(&console, console.key().1);
    let gateway = bare().provider_with("twilio", &[AUTH_TOKEN], &connection, &config).on(clock).start().await;
    (gateway, console)
}

async fn settle(gateway: &Gateway, console: &TwilioConsole) {
    console.settle().await;
    gateway.settle().await;
}

async fn received(gateway: &Gateway) -> usize {
    gateway.events_of("message.received").await.len()
}

async fn check(gateway: &Gateway) -> Value {
    let asked = gateway.ask(&["connection", "check", "twilio", "--json"]).await;
    serde_json::from_str(asked.out.trim()).unwrap_or_else(|error| panic!("{error}: {}{}", asked.out, asked.err))
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_a_dead_hour_are_told_once_with_when_they_were_sent() {
    let (gateway, console) = open().await;
    let [number, in_service] = console.numbers();
    console.text(ADA, number, "nobody hears this");
    gateway.step_clock(Duration::from_secs(60)).await;
    gateway.ask(&["connection", "subscribe", "twilio"]).await.good();
    assert!(console.aimed_at(number).ends_with("/in/twilio#rc=5&rp=all"), "{}", console.aimed_at(number));
    assert_eq!(console.aimed_at(console.service()), console.aimed_at(number));
    console.text(ADA, number, "one");
    console.text(ADA, in_service, "two");
    settle(&gateway, &console).await;
    assert_eq!(received(&gateway).await, 2);

    console.cut_off(true);
    gateway.step_clock(ROUND / 2).await;
    console.text(ADA, number, "three");
    console.text("+447946000002", in_service, "four");
    settle(&gateway, &console).await;
    console.cut_off(false);
    assert_eq!(received(&gateway).await, 2);
    gateway.advance(ROUND).await;
    settle(&gateway, &console).await;
    assert_eq!(received(&gateway).await, 4);
    let told = gateway.events_of("message.received").await;
    assert!(told.iter().any(|event| text(event, "occurred_at") == "2026-03-01T10:08:30.000Z"), "{told:#?}");

    // Later rounds read the same again, and webhooks come: nothing is told twice.
    console.text(ADA, number, "five");
    settle(&gateway, &console).await;
    for _ in 0..3 {
        gateway.advance(ROUND).await;
        settle(&gateway, &console).await;
    }
    assert_eq!(received(&gateway).await, 5);
    assert!(!gateway.log_text().contains(console.key().1), "the key's secret is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_aims_elsewhere_is_told_and_comes_back() {
    let (gateway, console) = open().await;
    let [number, _] = console.numbers();
    gateway.ask(&["connection", "subscribe", "twilio"]).await.good();
    console.aim(number, "https://demo.twilio.com/welcome/sms/reply");
    let shown = check(&gateway).await;
    assert_eq!(text(&shown, "state"), "problem", "{shown:#}");
    assert!(shown.to_string().contains("go to https://demo.twilio.com/welcome/sms/reply, and not here"), "{shown:#}");
    gateway.advance(ROUND).await;
    assert!(console.aimed_at(number).contains("/in/twilio"), "the watchdog had it back");
    console.text(ADA, number, "hello");
    settle(&gateway, &console).await;
    assert_eq!(received(&gateway).await, 1);

    console.aim(console.service(), "https://other.example/hooks");
    gateway.ask(&["connection", "unsubscribe", "twilio"]).await.good();
    assert_eq!(console.aimed_at(number), "");
    assert_eq!(console.aimed_at(console.service()), "https://other.example/hooks", "it is another's");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_twilio_refuses_is_told_in_words_and_a_lost_answer_does_no_harm() {
    let (gateway, console) = open().await;
    console.fail_next(1, AccountFailure::LostWrite);
    let asked = gateway.ask(&["connection", "subscribe", "twilio"]).await;
    assert!(asked.err.contains("no answer") || asked.good().contains("active"), "{}{}", asked.out, asked.err);
    gateway.advance(ROUND).await;
    let [number, _] = console.numbers();
    assert!([number, console.service()].iter().all(|place| console.aimed_at(place).contains("/in/twilio")));
    console.fail_next(1, AccountFailure::Throttled);
    gateway.advance(ROUND).await;
    gateway.advance(ROUND).await;
    let shown = check(&gateway).await;
    assert_ne!(text(&shown, "state"), "problem", "{shown:#}");

    let (connection, config) = connection(&console, "another secret");
    let other = bare().provider_with("twilio", &[AUTH_TOKEN], &connection, &config).start().await;
    let asked = other.ask(&["connection", "subscribe", "twilio"]).await;
    assert!(asked.err.contains("api_key and api_secret must be of the account"), "{}", asked.err);
}
