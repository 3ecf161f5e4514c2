//! An end says what was finished, what was cut and what is left, and a second signal does not wait.

use crate::{shop, states};
use std::{os::unix::net::UnixDatagram, time::Duration};
use tidegate_double::Failure;
use tidegate_test_support::{Customer, Gateway};

/// A gateway with a message at a provider that never answers.
async fn hanging(drain_s: &str) -> Gateway {
    let mut gateway = shop().send_timeout_s(60).start().await;
    gateway.set("TIDEGATE_SERVER__DRAIN_S", drain_s);
    gateway.set("TIDEGATE_LOG__FORMAT", "json");
    gateway.restart().await;
    gateway.script().fail_next(1, Failure::Hang);
    gateway.orders(1, &Customer::nth(1)).await;
    let held = async |gateway: &Gateway| (!gateway.script().refused().is_empty()).then_some(());
    gateway.wait_until("the provider holds the request", held).await;
    gateway
}

/// The last line of the log with these words.
fn line(gateway: &Gateway, words: &str) -> serde_json::Value {
    let log = gateway.log_text();
    let found =
        log.lines().rev().find(|line| line.contains(words)).unwrap_or_else(|| panic!("{words:?} is not in\n{log}"));
    serde_json::from_str(found).unwrap_or_else(|error| panic!("{error}: {found}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_names_the_message_that_it_cut_and_ends_in_time() {
    let mut gateway = hanging("1").await;
    let message = gateway.only_message().await;
    let status = gateway.stop().await;
    assert_eq!(status.code(), Some(1), "something was cut\n{}", gateway.log_text());
    let told = line(&gateway, "stopped: ");
    assert_eq!(told["cut.messages"], 1, "{told:#}");
    assert_eq!(told["cut.ids"], message["id"], "{told:#}");
    assert_eq!(told["cut.requests"], 0, "{told:#}");
    let words = told["message"].as_str().expect("words");
    assert!(words.contains("1 message cut on the way (msg_") && words.contains("wait for the next start"), "{words}");
    gateway.start_again().await;
    gateway.settle().await;
    assert_eq!(states(&gateway.only_message().await), ["queued", "attempting", "unknown"]);
    gateway.expect_undelivered(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_at_once() {
    let mut gateway = hanging("3600").await;
    gateway.ask_to_stop();
    let drains = async |gateway: &Gateway| {
        let ready = gateway.url("x").replace("/in/x", "/readyz");
        (gateway.client().get(ready).send().await.ok()?.status() == 503).then_some(())
    };
    gateway.wait_until("the drain has begun", drains).await;
    gateway.ask_to_stop();
    assert_eq!(gateway.ended().await.code(), Some(1), "{}", gateway.log_text());
    let told = line(&gateway, "ended at once by a second signal");
    assert_eq!(told["cut.messages"], 1, "{told:#}");
    gateway.start_again().await;
    gateway.settle().await;
    gateway.expect_undelivered(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_with_nothing_under_way_says_what_waits() {
    let mut gateway = shop().start().await;
    gateway.set("TIDEGATE_WORKERS__PAUSED", "true");
    gateway.set("TIDEGATE_LOG__FORMAT", "json");
    gateway.restart().await;
    gateway.orders(1, &Customer::nth(1)).await;
    gateway.orders(2, &Customer::nth(2)).await;
    assert_eq!(gateway.stop().await.code(), Some(0));
    let told = line(&gateway, "stopped: ");
    assert_eq!((&told["left.interpret"], &told["cut.messages"]), (&2.into(), &0.into()), "{told:#}");
    assert!(
        told["message"].as_str().is_some_and(|words| words.contains("nothing was cut; 2 rows to interpret")),
        "{told:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_is_told_of_start_reload_and_stop() {
    let mut gateway = shop().start().await;
    let path = gateway.data().join("manager.sock");
    let manager = UnixDatagram::bind(&path).expect("a socket");
    manager.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    let hear = || {
        let mut word = [0; 64];
        let length = manager.recv(&mut word).expect("a word comes");
        String::from_utf8_lossy(&word[..length]).into_owned()
    };
    gateway.set("NOTIFY_SOCKET", path.to_str().expect("a path"));
    gateway.restart().await;
    assert_eq!(hear(), "READY=1");
    gateway.ask(&["reload"]).await.good();
    assert_eq!([hear(), hear()], ["RELOADING=1", "READY=1"]);
    assert!(gateway.stop().await.success());
    assert_eq!(hear(), "STOPPING=1");
}
