//! Claims of pure work: slices of long deliveries, replays, and rows that can't be done.

use super::Progress;
use crate::{
    commands::{self, Picked},
    pipeline::interpretations_of,
    records::{Interpretation, ItemResult},
    testing::{ACCOUNT, START, Stage, THANKS, Webhook, entry, inbound, meta, meta_entries, order},
    work::Work,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tidegate_model::{DeliveryId, RunId};
use tidegate_store::{Changes, Lane, Queue, Space, WorkRow, keys};

const CONNECTION: &str = "name = \"whatsapp\"\nendpoint = \"meta\"\nworkspace = \"main\"\n";

/// Everything that is put aside is to be tried again. Gives how many letters that are.
fn retry_all(stage: &Stage) -> u64 {
    let picked: Picked = serde_json::from_value(json!({"all": {}})).unwrap();
    commands::retry(stage.app(), &picked).unwrap()["done"].as_u64().unwrap()
}

fn accounts(accounts: &[&str]) -> String {
    let one = |(place, account): (usize, &&str)| {
        format!("name = \"whatsapp-{place}\"\nendpoint = \"meta\"\nworkspace = \"main\"\naccount = \"{account}\"\n")
    };
    accounts.iter().enumerate().map(one).collect::<Vec<_>>().join("[[connections]]\n")
}

fn messages(range: std::ops::Range<u32>) -> Vec<Value> {
    range.map(|n| inbound(&n.to_string(), n % 900, "hello", START)).collect()
}

fn rows(stage: &Stage, id: DeliveryId) -> Vec<Interpretation> {
    interpretations_of(stage.app(), crate::testing::WORKSPACE, id).unwrap()
}

/// Positions of items that are interpreted, and of those that are parked.
fn fates(stage: &Stage, id: DeliveryId) -> (Vec<u32>, Vec<u32>) {
    let (mut done, mut parked) = (Vec::new(), Vec::new());
    for item in rows(stage, id).into_iter().flat_map(|row| row.items) {
        match item.result {
            ItemResult::Interpreted { .. } => done.push(item.index),
            ItemResult::Parked { .. } => parked.push(item.index),
            ItemResult::Waiting { .. } | ItemResult::Duplicate { .. } => {}
        }
    }
    (done, parked)
}

#[test]
fn a_long_batch_is_taken_in_slices_and_only_the_bad_element_is_parked() {
    let mut stage = Stage::new(&[]);
    stage.reconfigure(CONNECTION, &accounts(&[ACCOUNT]));
    let body =
        [entry(ACCOUNT, &messages(0..149)), entry("55", &messages(149..150)), entry(ACCOUNT, &messages(150..300))];
    let id = stage.post(&meta_entries(&body)).id();
    stage.interpret();
    let (done, parked) = fates(&stage, id);
    assert_eq!(done, (0..300).filter(|n| *n != 149).collect::<Vec<u32>>());
    assert_eq!(parked, [149]);
    assert!(rows(&stage, id).len() > 5, "one commit does not take them all");
    assert_eq!(stage.messages().len(), 299);
    let letters = stage.rows(Space::DeadLetters);
    assert!(letters.len() == 1 && letters[0]["reason"].as_str().unwrap().contains("\"55\""), "{letters:?}");

    let slices = rows(&stage, id).len();
    stage.reconfigure(&accounts(&[ACCOUNT]), &accounts(&[ACCOUNT, "55"]));
    assert_eq!(retry_all(&stage), 1);
    stage.interpret();
    assert_eq!(fates(&stage, id), ((0..300).collect(), vec![]));
    assert_eq!((rows(&stage, id).len(), stage.messages().len()), (slices, 300));
    assert_eq!(stage.rows(Space::DeadLetters), [Value::Null; 0]);
}

#[test]
fn a_replay_that_fails_again_keeps_one_dead_letter() {
    let mut stage = Stage::new(&[]);
    stage.reconfigure(CONNECTION, &accounts(&[ACCOUNT]));
    let id = stage.post(&meta_entries(&[entry("55", &messages(0..1))])).id();
    stage.interpret();
    for tries in 2..4 {
        // Twice at once, as two people who press the button.
        assert_eq!((retry_all(&stage), retry_all(&stage)), (1, 0));
        stage.interpret();
        let letters = stage.rows(Space::DeadLetters);
        assert_eq!((letters.len(), &letters[0]["attempts"], fates(&stage, id).1), (1, &tries.into(), vec![0]));
        assert_eq!(letters[0]["first"]["at_ms"], START.ms(), "{letters:?}");
    }
}

#[test]
fn a_replay_beside_the_rest_of_its_delivery_loses_nothing() {
    let mut stage = Stage::new(&[]);
    stage.reconfigure(CONNECTION, &accounts(&[ACCOUNT]));
    let id = stage.post(&meta_entries(&[entry("55", &messages(0..1)), entry(ACCOUNT, &messages(1..40))])).id();
    assert_eq!(stage.runner().tick().unwrap(), Progress::Done);
    assert_eq!(fates(&stage, id).1, [0]);
    assert!(fates(&stage, id).0.len() < 39, "a rest is left");
    assert_eq!(retry_all(&stage), 1);
    stage.interpret();
    assert_eq!(fates(&stage, id), ((1..40).collect(), vec![0]));
}

#[test]
fn long_texts_fit_into_the_rows_of_a_batch() {
    let stage = Stage::new(&[]);
    let long = "à".repeat(4_096);
    let changes: Vec<Value> = (0..40).map(|n| inbound(&n.to_string(), n, &long, START)).collect();
    let id = stage.post(&meta(&changes)).id();
    stage.interpret();
    assert_eq!(fates(&stage, id), ((0..40).collect(), vec![]), "{:?}", stage.rows(Space::DeadLetters));
}

fn order_of_lines(unique: &str, lines: usize, title: fn(usize) -> String) -> Webhook {
    let mut webhook = order(unique, 1);
    let line = webhook.script.body["line_items"][0].clone();
    let titled = |n| {
        let mut line = line.clone();
        line["title"] = title(n).into();
        line["name"] = title(n).into();
        line
    };
    webhook.script.body["line_items"] = (0..lines).map(titled).collect();
    webhook
}

#[test]
fn an_order_of_many_lines_fits_into_its_rows() {
    let stage = Stage::new(&[THANKS]);
    let id = stage.post(&order_of_lines("many", 500, |n| format!("Tea no. {n}"))).id();
    stage.interpret();
    assert_eq!(fates(&stage, id), (vec![0], vec![]), "{:?}", stage.rows(Space::DeadLetters));
    assert_eq!(stage.outbound().len(), 1);
}

#[test]
fn what_does_not_fit_into_a_row_is_put_aside_and_its_lane_goes_on() {
    let stage = Stage::new(&[THANKS]);
    // Text that can't be made shorter: hashes.
    let noise = |n: usize| (0..20).map(|m| hex::encode(Sha256::digest(format!("{n}.{m}")))).collect::<String>();
    let big = stage.post(&order_of_lines("big", 200, noise)).id();
    let next = stage.post(&order("next", 1)).id();
    stage.interpret();
    assert_eq!((fates(&stage, big), fates(&stage, next)), ((vec![], vec![]), (vec![0], vec![])));
    let letters = stage.rows(Space::DeadLetters);
    assert!(letters.len() == 1 && letters[0]["reason"].as_str().unwrap().contains("too large"), "{letters:?}");
}

#[test]
fn work_of_an_unknown_kind_is_put_aside_and_its_lane_goes_on() {
    let stage = Stage::new(&[]);
    let lane = stage.app().catalog().endpoint("shopify").unwrap().lane();
    let first = stage.post(&order("1", 1)).id();
    let mut tx = stage.tx();
    tx.enqueue(Queue::Pure, lane, &WorkRow::new(200, [3; 16]));
    tx.commit(None).unwrap();
    let second = stage.post(&order("2", 2)).id();
    stage.interpret();
    for id in [first, second] {
        assert_eq!(fates(&stage, id), (vec![0], vec![]));
    }
    let letters = stage.rows(Space::DeadLetters);
    assert_eq!((letters.len(), &letters[0]["work"]["kind"]), (1, &200.into()), "{letters:?}");
    assert!(letters[0]["reason"].as_str().unwrap().contains("does not know this kind of work"));
}

#[test]
fn a_damaged_delivery_is_put_aside_and_its_lane_goes_on() {
    let stage = Stage::new(&[]);
    let ids = ["1", "2", "3"].map(|unique| stage.post(&order(unique, 1)).id());
    let mut changes = Changes::new(stage.app().store().seq());
    changes.put_row(keys::delivery(crate::testing::WORKSPACE, ids[1].raw()), b"no delivery".to_vec());
    stage.app().store().commit(changes.into_batch()).wait().unwrap();
    stage.interpret();
    assert_eq!(ids.map(|id| fates(&stage, id).0.len()), [1, 0, 1]);
    let letters = stage.rows(Space::DeadLetters);
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert!(letters[0]["reason"].as_str().unwrap().contains("delivery"), "{letters:?}");
}

#[test]
fn a_delivery_that_is_gone_is_put_aside_and_its_lane_goes_on() {
    let stage = Stage::new(&[]);
    let ids = ["1", "2", "3"].map(|unique| stage.post(&order(unique, 1)).id());
    let mut tx = stage.tx();
    tx.delete(&keys::delivery(crate::testing::WORKSPACE, ids[1].raw()));
    tx.commit(None).unwrap();
    stage.interpret();
    assert_eq!(ids.map(|id| fates(&stage, id).0.len()), [1, 0, 1]);
    assert_eq!(stage.rows(Space::DeadLetters).len(), 1);
}

#[test]
fn work_of_an_endpoint_that_is_not_configured_any_more_is_put_aside() {
    let mut stage = Stage::new(&[]);
    let id = stage.post(&order("1", 1)).id();
    let endpoint = "[[endpoints]]\nname = \"shopify\"\nplugin = \"shopify\"\nsecrets = [\"secret-of-the-tests\"]\n";
    let connection = "[[connections]]\nname = \"store\"\nendpoint = \"shopify\"\nworkspace = \"main\"\n";
    stage.reconfigure_all(&[(endpoint, ""), (connection, "")]);
    stage.interpret();
    assert_eq!(fates(&stage, id), (vec![], vec![]));
    let letters = stage.rows(Space::DeadLetters);
    assert!(letters.len() == 1 && letters[0]["reason"].as_str().unwrap().contains("shopify"), "{letters:?}");
}

#[test]
fn a_timer_of_a_run_that_is_gone_does_nothing() {
    let stage = Stage::new(&[]);
    let mut tx = stage.tx();
    let work = Work::Timer { run: RunId::from_raw([9; 16]), wait: 0 }.row();
    tx.enqueue(Queue::Pure, Lane::new(crate::testing::WORKSPACE, 0, 7), &work);
    tx.commit(None).unwrap();
    stage.interpret();
    assert_eq!((stage.ready(Queue::Pure), stage.rows(Space::DeadLetters).len()), (0, 0));
}
