//! A Calendly account that is connected: one subscription, signed with a key that only the two know; and what happens when webhooks do not arrive for an hour, and for
//! more than a day.

use crate::bare;
use serde_json::{Value, json};
use std::time::Duration;
use tidegate_test_support::{AccountFailure, CalendlyAccount, Gateway, fixture, stepped};

const TOKEN: &str = "eyJraWQiOiIxY2UxZTEzNjE3ZGNmNzY2YjNjZWJjY2Y4ZGM1YmFmYThhNjVlNjg0MDIzZjdjMzJiZTgzNDliMjM4MDEzNWI0";
/// How often connections are looked after.
const ROUND: Duration = Duration::from_secs(15 * 60);
const HOUR: Duration = Duration::from_secs(3_600);

async fn open(more: &str) -> (Gateway, CalendlyAccount) {
    let clock = stepped();
    let account = CalendlyAccount::start(clock.clone(), TOKEN).await.expect("the account opens");
    let host = account.authority();
    let connection =
        format!("settings = {{ api_host = {host:?}{more} }}\ncredentials = {{ access_token = {TOKEN:?} }}\n");
    let config = format!("[plugins.calendly]\nprivate_hosts = [{host:?}]\n");
    let gateway = bare().provider_with("calendly", &["generated"], &connection, &config).on(clock).start().await;
    (gateway, account)
}

/// Somebody books.
fn booked(account: &CalendlyAccount, n: u32) {
    let mut payload = fixture("calendly", "demo_invitee_created")["payload"].clone();
    payload["uri"] = json!(format!("https://api.calendly.com/scheduled_events/E{n}/invitees/I{n}"));
    payload["email"] = json!(format!("guest-{n}@example.com"));
    account.tell("invitee.created", &payload);
}

async fn settle(gateway: &Gateway, account: &CalendlyAccount) {
    account.send().await;
    gateway.settle().await;
}

async fn bookings(gateway: &Gateway) -> usize {
    gateway.events_of("appointment.booked").await.len()
}

async fn check(gateway: &Gateway) -> Value {
    let asked = gateway.ask(&["connection", "check", "calendly", "--json"]).await;
    serde_json::from_str(asked.out.trim()).unwrap_or_else(|error| panic!("{error}: {}{}", asked.out, asked.err))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscribed_account_is_told_a_key_and_what_it_sends_is_read() {
    let (gateway, account) = open("").await;
    let done = gateway.ask(&["connection", "subscribe", "calendly"]).await;
    assert!(done.good().contains("invitee.created active"), "{}", done.out);
    let [hook] = account.subscriptions().try_into().expect("one subscription of all events");
    assert_eq!((hook.scope.as_str(), hook.events.len()), ("organization", 5));
    let key = hook.signing_key.expect("it signs");
    assert_eq!(key.len(), 64);
    booked(&account, 1);
    settle(&gateway, &account).await;
    assert_eq!(bookings(&gateway).await, 1);
    let shown = check(&gateway).await.to_string();
    assert!(!shown.contains(&key) && !done.out.contains(&key) && !gateway.log_text().contains(&key));

    // A second time changes what it must, and loses nothing that is on its way.
    booked(&account, 2);
    settle(&gateway, &account).await;
    gateway.ask(&["connection", "subscribe", "calendly", "--rotate"]).await.good();
    let [again] = account.subscriptions().try_into().expect("still one");
    assert_ne!(again.signing_key, Some(key));
    booked(&account, 3);
    settle(&gateway, &account).await;
    assert_eq!(bookings(&gateway).await, 3);
    gateway.ask(&["connection", "unsubscribe", "calendly"]).await.good();
    assert!(account.subscriptions().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn calendly_tries_for_a_day_and_what_it_then_switches_off_is_made_anew() {
    let (gateway, account) = open("").await;
    gateway.ask(&["connection", "subscribe", "calendly"]).await.good();
    account.cut_off(true);
    booked(&account, 1);
    account.send().await;
    gateway.step_clock(HOUR).await;
    account.cut_off(false);
    settle(&gateway, &account).await;
    assert_eq!(bookings(&gateway).await, 1, "Calendly tried again");

    account.cut_off(true);
    booked(&account, 2);
    account.send().await;
    gateway.step_clock(25 * HOUR).await;
    booked(&account, 3);
    account.send().await;
    assert!(account.subscriptions()[0].is_disabled);
    account.cut_off(false);
    gateway.advance(ROUND).await;
    gateway.settle().await;
    let [made] = account.subscriptions().try_into().expect("one");
    assert!(!made.is_disabled, "the watchdog made it anew");
    let shown = check(&gateway).await;
    assert!(shown["mended_at"].is_string() && !shown["findings"].to_string().contains("Calendly"), "{shown:#}");
    booked(&account, 4);
    settle(&gateway, &account).await;
    assert_eq!(bookings(&gateway).await, 2, "what was told meanwhile is lost at Calendly");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_calendly_refuses_is_told_with_what_to_do_and_a_lost_answer_makes_nothing_twice() {
    let (gateway, account) = open(", scope = \"user\"").await;
    for (status, words) in [(401, "make another one"), (403, "paid plan")] {
        account.fail_next(1, AccountFailure::Status(status, None));
        let asked = gateway.ask(&["connection", "check", "calendly"]).await;
        let told = [asked.out.as_str(), asked.err.as_str()].concat();
        assert!(told.contains(words), "{told}");
    }
    // Who the token is of, what there is, and then the making, whose answer is lost.
    account.fail_next(1, AccountFailure::LostAnswer);
    gateway.ask(&["connection", "subscribe", "calendly"]).await;
    for _ in 0..3 {
        gateway.advance(ROUND).await;
        gateway.settle().await;
    }
    let [hook] = account.subscriptions().try_into().expect("one subscription");
    assert_eq!((hook.scope.as_str(), hook.events.len()), ("user", 4), "{:?}", account.heard());
}
