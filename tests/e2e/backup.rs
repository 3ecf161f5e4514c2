//! Keeping the store: backups of a gateway under load, restoring, compaction, repair, and what is removed by its age.

use crate::{REMINDER, bare, order_confirmation, shop, text};
use serde_json::Value;
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tidegate_test_support::{Customer, Gateway, Played};

const DAY: Duration = Duration::from_secs(86_400);

fn beside(gateway: &Gateway, name: &str) -> PathBuf {
    gateway.data().with_file_name(name)
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a temporary folder is text")
}

/// How often the provider took a message for each number.
fn sent_to(gateway: &Gateway) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for sent in gateway.sent() {
        *counts.entry(sent.to).or_insert(0) += 1;
    }
    counts
}

async fn assert_interpreted(gateway: &Gateway, deliveries: &[String]) {
    for id in deliveries {
        let shown = gateway.show(id).await.unwrap_or_else(|| panic!("{id} was acknowledged and is gone"));
        assert!(shown["items"][0]["result"]["interpreted"].is_object(), "{id} was not interpreted: {shown:#}");
    }
}

/// Messages that did not arrive: those whose attempt the copy or the kill cut.
async fn undelivered(gateway: &Gateway) -> usize {
    let messages = gateway.outbound().await;
    messages
        .iter()
        .filter(|message| ["refused", "failed", "unknown"].iter().any(|state| message["state"] == *state))
        .count()
}

/// The rows of a kind, as `tidegate store stats` counts them.
async fn rows(gateway: &Gateway, kind: &str) -> u64 {
    let stats = gateway.ask(&["store", "stats", "--json"]).await.json().remove(0);
    stats["kinds"][kind]["rows"].as_u64().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_a_backup_under_load_is_in_it_and_its_waits_go_on() {
    let mut gateway = shop().flow(REMINDER).start().await;
    let mut before = Vec::new();
    for n in 0..10 {
        before.push(gateway.orders(n, &Customer::nth(n)).await);
    }
    gateway.settle().await;
    gateway.advance(Duration::from_secs(60)).await;
    // Half of what follows is acknowledged before the backup begins, the rest comes while it is made.
    let webhooks: Vec<Played> = (10..60).map(|n| gateway.order_webhook(n, &Customer::nth(n))).collect();
    let mut answers = gateway.burst("shopify", &webhooks);
    while before.len() < 35 {
        let (_, answer) =
            answers.join_next().await.expect("more answers come").expect("a webhook's task does not panic");
        before.push(answer.expect("the gateway answers").stored());
    }
    let backup = beside(&gateway, "backup");
    let made = gateway.ask(&["backup", path(&backup), "--json"]).await.json().remove(0);
    assert!(made["rows"]["delivery"]["rows"].as_u64().is_some_and(|rows| rows >= 35), "{made:#}");
    assert_eq!(made["damaged"].as_array().map(Vec::len), Some(0));
    while answers.join_next().await.is_some() {}
    gateway.kill9();

    let elsewhere = beside(&gateway, "elsewhere");
    gateway.run(&["restore", path(&backup), "--data", path(&elsewhere)]).await.good();
    fs::rename(gateway.data(), beside(&gateway, "lost")).unwrap();
    fs::rename(&elsewhere, gateway.data()).unwrap();
    gateway.start_again().await;
    gateway.settle().await;
    assert_interpreted(&gateway, &before).await;
    gateway.advance(Duration::from_secs(3 * 3_600)).await;
    let counts = sent_to(&gateway);
    for n in 0..10 {
        assert_eq!(counts.get(Customer::nth(n).digits()), Some(&2), "confirmed before, reminded after");
    }
    // Nothing waits for ever: each order of the copy has its confirmation and its reminder, whatever became of them.
    let events = gateway.events_of("order.placed").await.len();
    assert!(events >= before.len());
    assert_eq!(gateway.outbound().await.len(), 2 * events);
    let stats = gateway.stats().await;
    assert_eq!((&stats["timers"], &stats["damaged"]), (&0.into(), &0.into()));
    let cut = undelivered(&gateway).await;
    gateway.expect_undelivered(cut);
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_go_to_new_or_empty_directories_only_and_say_what_to_do() {
    let mut gateway = shop().start().await;
    gateway.orders(1, &Customer::nth(1)).await;
    gateway.settle().await;
    let (backup, full) = (beside(&gateway, "backup"), beside(&gateway, "full"));
    fs::create_dir(&full).unwrap();
    fs::write(full.join("letter"), "mine").unwrap();
    let data = gateway.data();
    let check = async |gateway: &Gateway, arguments: &[&str], code: i32, words: &str| {
        let printed = gateway.run(arguments).await;
        assert_eq!(printed.code, Some(code), "{arguments:?}: {}{}", printed.out, printed.err);
        assert!(printed.err.contains(words), "{arguments:?}: {}", printed.err);
    };
    let data = path(&data);
    check(&gateway, &["backup", path(&full), "--data", data], 2, "name a directory that is new or empty").await;
    check(&gateway, &["compact", "--data", data], 1, "is in use by process").await;
    check(&gateway, &["repair", "--data", data], 1, "is in use by process").await;
    check(&gateway, &["restore", path(&full), "--data", path(&backup)], 2, "there is no store in").await;
    assert_eq!(fs::read_dir(&full).unwrap().count(), 1, "what was refused left nothing behind");
    gateway.ask(&["backup", path(&backup)]).await.good();
    check(&gateway, &["restore", path(&backup), "--data", data], 2, "nothing is ever copied over a store").await;
    check(&gateway, &["backup", path(&backup), "--data", data], 2, "is not empty").await;

    gateway.stop().await;
    let again = beside(&gateway, "again");
    let printed = gateway.ask(&["backup", path(&again)]).await;
    assert!(
        printed.good().contains("configuration, its secrets and its plugin files are not in it"),
        "{}",
        printed.out
    );
    check(&gateway, &["backup", path(&again), "--data", data], 2, "is not empty").await;
    check(&gateway, &["backup", path(&beside(&gateway, "x")), "--data", path(&full)], 2, "there is no store in").await;
    // A backup that lost a row in the store it is kept in is not taken for whole.
    let log = again.join("store/db");
    let mut bytes = fs::read(&log).unwrap();
    let at = bytes.iter().rposition(|byte| *byte != 0).unwrap() / 2;
    bytes[at] ^= 0x55;
    fs::write(&log, bytes).unwrap();
    let elsewhere = beside(&gateway, "elsewhere");
    let printed = gateway.run(&["restore", path(&again), "--data", path(&elsewhere)]).await;
    assert!(printed.code == Some(1) && !elsewhere.exists(), "{}{}", printed.out, printed.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compacted_store_is_smaller_and_everything_goes_on() {
    let mut gateway = bare().template(order_confirmation()).flow(REMINDER).start().await;
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(gateway.orders(n, &Customer::nth(n)).await);
    }
    gateway.settle().await;
    assert!(gateway.stop().await.success());
    let done = gateway.ask(&["compact", "--json"]).await.json().remove(0);
    assert!(done["after_bytes"].as_u64() <= done["before_bytes"].as_u64(), "{done:#}");
    assert_eq!(done["rows"]["run"]["rows"], 20);
    let entries: Vec<_> = fs::read_dir(gateway.data()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!entries.iter().any(|name| name.to_string_lossy().contains("partial")), "{entries:?}");
    gateway.start_again().await;
    assert_interpreted(&gateway, &ids).await;
    gateway.advance(Duration::from_secs(2 * 3_600)).await;
    assert_eq!(gateway.sent().len(), 20);
    // A repeat is still one.
    let webhook = gateway.order_webhook(99, &Customer::nth(99));
    let first = gateway.post("shopify", &webhook).await.stored();
    gateway.settle().await;
    assert!(gateway.stop().await.success());
    gateway.ask(&["compact"]).await.good();
    gateway.start_again().await;
    assert_eq!(gateway.post("shopify", &webhook).await.stored(), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_damaged_store_what_can_be_read_is_saved_and_what_is_lost_is_told() {
    let mut gateway = bare().start().await;
    let mut ids = Vec::new();
    for n in 0..40 {
        ids.push(gateway.orders(n, &Customer::nth(n)).await);
    }
    gateway.settle().await;
    assert!(gateway.stop().await.success());
    let sound = gateway.ask(&["repair"]).await;
    assert!(sound.good().starts_with("Nothing is damaged, and nothing was changed"), "{}", sound.out);

    let log = gateway.data().join("store/db");
    let mut bytes = fs::read(&log).unwrap();
    let written = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    let at = written * 3 / 5;
    bytes[at..at + 64].iter_mut().for_each(|byte| *byte ^= 0x55);
    fs::write(&log, &bytes).unwrap();
    let repaired = gateway.ask(&["repair", "--json"]).await;
    assert_eq!(repaired.code, Some(1), "something is lost: {}{}", repaired.out, repaired.err);
    let report: Value = serde_json::from_str(&repaired.out).unwrap();
    assert_eq!(report["lost"], true, "{report:#}");
    let kept = PathBuf::from(text(&report, "kept"));
    assert!(fs::read(kept.join("db")).unwrap() == bytes, "the damaged store is kept as it was");

    gateway.start_again().await;
    gateway.settle().await;
    let mut found = 0;
    for id in &ids {
        found += usize::from(gateway.show(id).await.is_some());
    }
    assert!(found > 0, "{report:#}");
    let told = !report["salvaged"]["damaged"].as_array().unwrap().is_empty()
        || !report["salvaged"]["holes"].as_array().unwrap().is_empty()
        || report["salvaged"]["commit"].as_u64() < report["salvaged"]["acknowledged"].as_u64();
    assert!(told, "{report:#}");
    gateway.orders(99, &Customer::nth(99)).await;
    gateway.settle().await;
    assert_eq!(gateway.events_of("order.placed").await.iter().filter(|event| event["about"] == "order #99").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_goes_by_itself_and_an_operator_sees_it() {
    let mut gateway = shop().start().await;
    for n in 0..5 {
        gateway.orders(n, &Customer::nth(n)).await;
    }
    gateway.settle().await;
    gateway.advance(Duration::from_secs(60)).await;
    assert_eq!((rows(&gateway, "message").await, rows(&gateway, "run").await), (5, 5));
    let table = gateway.ask(&["store", "stats"]).await;
    assert!(table.good().contains("OLDEST") && table.out.contains("on disk"), "{}", table.out);
    gateway.advance(29 * DAY).await;
    gateway.orders(5, &Customer::nth(5)).await;
    gateway.settle().await;
    gateway.advance(2 * DAY).await;
    gateway
        .wait_until("what is old goes", async |gateway| {
            let left = [
                rows(gateway, "message").await,
                rows(gateway, "run").await,
                rows(gateway, "provider message id").await,
            ];
            (left == [1, 1, 1]).then_some(())
        })
        .await;
    gateway.stop().await;
    assert_eq!(rows(&gateway, "run").await, 1, "of a stopped gateway too");
}
