//! Retries and discards of every kind of work, with a crash between any two steps.

use super::*;
use crate::{
    records::PauseRow,
    testing::{ACCOUNT, OFFER, START, Stage, THANKS, WORKSPACE, entry, inbound, meta, meta_entries, order},
};
use proptest::prelude::*;
use tidegate_model::message::State;
use tidegate_store::{Changes, Queue, Record, WorkRow};

const ENDPOINT: &str = "[[endpoints]]\nname = \"shopify\"\nplugin = \"shopify\"\nsecrets = [\"secret-of-the-tests\"]\n";
const CONNECTION: &str = "[[connections]]\nname = \"store\"\nendpoint = \"shopify\"\nworkspace = \"main\"\n";
const WHATSAPP: &str = "name = \"whatsapp\"\nendpoint = \"meta\"\nworkspace = \"main\"\n";

fn all(more: &Value) -> Picked {
    let mut picked = json!({"all": {}});
    picked.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    serde_json::from_value(picked).unwrap()
}

fn retried(stage: &Stage) -> u64 {
    retry(stage.app(), &all(&json!({}))).unwrap()["done"].as_u64().unwrap()
}

fn discarded(stage: &Stage) -> u64 {
    discard(stage.app(), &all(&json!({"by": "ann", "why": "a test"}))).unwrap()["done"].as_u64().unwrap()
}

fn letters(stage: &Stage) -> Vec<Value> {
    stage.rows(Space::DeadLetters)
}

/// Writes something in place of a row, and gives the row as it was.
fn damage<R: Record>(stage: &Stage, key: &R::Key) -> (Key, Vec<u8>) {
    let key = R::row_key(key);
    let row = stage.app().store().get(&key).unwrap().unwrap().value;
    put(stage, key.clone(), b"{}".to_vec());
    (key, row)
}

fn put(stage: &Stage, key: Key, row: Vec<u8>) {
    let mut changes = Changes::new(stage.app().store().seq());
    changes.put_row(key, row);
    stage.app().store().commit(changes.into_batch()).wait().unwrap();
}

#[test]
fn a_try_that_was_asked_for_is_made_after_a_crash_and_once() {
    let mut stage = Stage::new(&[]);
    stage.reconfigure(WHATSAPP, &format!("{WHATSAPP}account = \"55\"\n"));
    stage.post(&meta(&[inbound("1", 1, "hello", START)]));
    stage.interpret();
    assert_eq!(letters(&stage)[0]["labels"]["endpoint"], "meta", "{:?}", letters(&stage));
    stage.reconfigure("account = \"55\"", &format!("account = \"{ACCOUNT}\""));
    assert_eq!((retried(&stage), retried(&stage)), (1, 0));
    stage.crash();
    assert_eq!(retried(&stage), 0, "it is asked for still");
    stage.interpret();
    assert_eq!((letters(&stage).len(), stage.messages().len(), retried(&stage)), (0, 1, 0));
}

#[test]
fn a_delivery_of_an_endpoint_that_was_taken_away_is_read_when_it_is_configured_again() {
    let mut stage = Stage::new(&[]);
    stage.post(&order("1", 1));
    stage.reconfigure_all(&[(ENDPOINT, "#endpoint\n"), (CONNECTION, "#connection\n")]);
    stage.interpret();
    let letter = letters(&stage).remove(0);
    assert_eq!((&letter["labels"]["endpoint"], letters(&stage).len()), (&json!("shopify"), 1));
    stage.advance(1_000);
    assert_eq!(retried(&stage), 1);
    stage.interpret();
    let again = letters(&stage).remove(0);
    assert_eq!((&again["seq"], &again["attempts"]), (&letter["seq"], &json!(2)), "{again}");
    assert_eq!((&again["first"]["reason"], again["at_ms"].as_i64()), (&letter["reason"], Some(START.ms() + 1_000)));
    stage.reconfigure_all(&[("#endpoint\n", ENDPOINT), ("#connection\n", CONNECTION)]);
    assert_eq!(retried(&stage), 1);
    stage.crash();
    stage.interpret();
    assert_eq!((letters(&stage).len(), stage.rows(Space::Interpretations).len()), (0, 1));
}

#[test]
fn items_whose_endpoint_is_gone_keep_their_letters_when_they_are_tried() {
    let mut stage = Stage::new(&[]);
    let mut bad = order("1", 1);
    bad.script.body["line_items"] = json!(7);
    stage.post(&bad);
    stage.interpret();
    assert_eq!(letters(&stage).len(), 1);
    stage.reconfigure_all(&[(ENDPOINT, ""), (CONNECTION, "")]);
    assert_eq!(retried(&stage), 1);
    stage.interpret();
    let letter = letters(&stage).remove(0);
    assert_eq!((letters(&stage).len(), &letter["attempts"]), (1, &json!(2)));
    assert!(letter["reason"].as_str().unwrap().contains("not configured any more"), "{letter}");
    assert_eq!(retried(&stage), 1, "it may be asked for again");
}

#[test]
fn an_item_that_another_plugin_does_not_find_in_the_delivery_is_told_to_be_gone() {
    let mut stage = Stage::new(&[]);
    stage.reconfigure(WHATSAPP, &format!("{WHATSAPP}account = \"{ACCOUNT}\"\n"));
    let change = |n: u32| entry(if n == 1 { "55" } else { ACCOUNT }, &[inbound(&n.to_string(), n, "hello", START)]);
    stage.post(&meta_entries(&[change(0), change(1)]));
    stage.interpret();
    assert_eq!(letters(&stage).len(), 1);
    // To Shopify's plugin the whole body is one item.
    stage.reconfigure("name = \"meta\"\nplugin = \"meta\"", "name = \"meta\"\nplugin = \"shopify\"");
    assert_eq!(retried(&stage), 1);
    stage.interpret();
    let letter = letters(&stage).remove(0);
    assert!(letter["reason"].as_str().unwrap().contains("cuts the delivery into other items"), "{letter}");
    assert_eq!((&letter["attempts"], letter.get("standing")), (&json!(2), None));
}

#[test]
fn a_timer_that_could_not_be_read_runs_when_it_is_retried_or_its_run_ends_when_it_is_discarded() {
    for retries in [true, false] {
        let mut stage = Stage::new(&[THANKS]);
        stage.post(&order("1", 1));
        stage.settle();
        let run: tidegate_model::RunId =
            serde_json::from_value(stage.rows(Space::Runs)[0]["run"]["id"].clone()).unwrap();
        let (key, row) = damage::<RunRow>(&stage, &(WORKSPACE, run));
        stage.advance(3 * 86_400_000);
        stage.settle();
        assert_eq!((letters(&stage).len(), stage.outbound().len()), (1, 1));
        put(&stage, key, row);
        if retries {
            assert_eq!((retried(&stage), retried(&stage)), (1, 0));
            stage.settle();
            assert_eq!((letters(&stage).len(), stage.outbound().len()), (0, 2));
            continue;
        }
        assert_eq!((discarded(&stage), discarded(&stage), retried(&stage)), (1, 0, 0));
        stage.settle();
        assert_eq!(stage.rows(Space::Runs)[0]["run"]["state"], "stopped");
        assert_eq!(letters(&stage)[0]["standing"]["discarded"]["by"], "ann");
        assert_eq!(stage.outbound().len(), 1);
    }
}

#[test]
fn a_message_that_is_discarded_is_refused_with_the_reason() {
    let stage = Stage::new(&[THANKS]);
    stage.post(&order("1", 1));
    stage.interpret();
    let message = stage.outbound().remove(0);
    let work = Work::Send { id: message.id }.row();
    let claim = stage.app().store().claim(Queue::Io, 1).unwrap().unwrap();
    crate::tx::give_up(stage.app().store(), &claim, &TxError::Panicked, stage.now()).unwrap();
    assert_eq!(letters(&stage)[0]["work"]["kind"], work.kind);
    assert_eq!(discarded(&stage), 1);
    let message = stage.message(message.id);
    assert_eq!(message.state, State::Refused);
    assert_eq!(message.history.last().unwrap().note.as_deref(), Some("discarded by ann: a test"));
}

#[test]
fn work_of_an_unknown_kind_stays_put_aside_however_often_it_is_retried() {
    let stage = Stage::new(&[]);
    let mut tx = stage.tx();
    tx.enqueue(Queue::Pure, Lane::new(WORKSPACE, 0, 3), &WorkRow::new(200, [1; 16]));
    tx.commit(None).unwrap();
    stage.interpret();
    for attempts in 2..4 {
        assert_eq!(retried(&stage), 1);
        stage.interpret();
        assert_eq!((letters(&stage).len(), &letters(&stage)[0]["attempts"]), (1, &json!(attempts)));
    }
    assert_eq!(discarded(&stage), 1);
}

#[test]
fn a_promotion_waits_while_what_people_wrote_waits_for_a_paused_plugin() {
    let mut stage = Stage::new(&[OFFER]);
    let mut consent = order("1", 1);
    consent.script.body["buyer_accepts_marketing"] = json!(true);
    stage.post(&consent);
    stage.interpret();
    let endpoint = stage.app().catalog().endpoint("meta").unwrap();
    let row = PauseRow {
        workspace: WORKSPACE,
        endpoint: endpoint.number,
        name: "meta".to_owned(),
        since: START,
        from_seq: 0,
        turn: 1,
    };
    let mut tx = stage.tx();
    tx.put(row.clone());
    tx.commit(None).unwrap();
    for _ in 0..3 {
        stage.settle();
        stage.advance(1_000);
    }
    let gate = stage.outbound().remove(0).gate;
    assert_eq!(gate.last().unwrap().check, "unread", "{gate:?}");
    // At a start what waits is looked for, and the pause is over when there is nothing.
    stage.crash();
    stage.settle();
    assert_eq!(stage.rows(Space::Pauses), [Value::Null; 0]);
    assert_ne!(stage.outbound().remove(0).gate.last().unwrap().check, "unread");
}

proptest! {
    #[test]
    fn a_cursor_is_read_back_and_other_text_is_none(workspace: u32, from: u64, through: u64, text: String) {
        let cursor = Cursor { workspace, from, through };
        prop_assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        if let Some(cursor) = Cursor::parse(&text) {
            prop_assert_eq!(cursor.text().split('.').count(), 3);
        }
    }
}
