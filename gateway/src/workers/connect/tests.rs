//! A turn that can't be written down: it is told, and every way back begins again.

use crate::{
    commands::{self, Picked},
    connecting::{self, Subject},
    records::ConnectionRow,
    testing::{Stage, WORKSPACE},
    views,
    workers::send::tests::take_all,
};
use serde_json::{Value, json};
use tidegate_store::{Changes, Queue, Record, Space};

const CONNECTION: &str = "[[connections]]\nname = \"store\"\nendpoint = \"shopify\"\nworkspace = \"main\"\n";

/// A way to begin again.
type Way = fn(&mut Stage);

/// A connection that is looked after, and due.
fn looked_after() -> Stage {
    let mut stage = Stage::new(&[]);
    stage.reconfigure(CONNECTION, &format!("{CONNECTION}reconcile = {{ every = \"15m\" }}\n"));
    connecting::arm_all(stage.app()).unwrap();
    assert_eq!(stage.ready(Queue::Io), 1);
    stage
}

fn subject(stage: &Stage) -> Subject {
    Subject::named(stage.app(), "store").unwrap()
}

/// Works, while somebody else writes the connection's row before each commit until the turn is given up.
fn give_up(stage: &Stage) {
    let number = subject(stage).connection.number;
    stage.meddler().meddle(ConnectionRow::row_key(&(WORKSPACE, number)), 0, super::PAUSES_MS.len() + 1);
    take_all(stage);
}

fn row(stage: &Stage) -> Value {
    stage.rows(Space::Connections).remove(0)
}

fn letters(stage: &Stage) -> Vec<Value> {
    stage.rows(Space::DeadLetters)
}

fn shown(stage: &Stage) -> Value {
    views::connection(stage.app(), &subject(stage)).unwrap()
}

fn retry(stage: &Stage) {
    let all: Picked = serde_json::from_value(json!({"all": {"kind": "connection"}})).unwrap();
    assert_eq!(commands::retry(stage.app(), &all).unwrap()["done"], 1);
}

#[test]
fn a_turn_that_is_given_up_is_told_and_every_way_back_begins_again() {
    let ways: [(&str, Way); 4] = [
        ("a retry", |stage| retry(stage)),
        ("a restart", |stage| {
            stage.crash();
            connecting::arm_all(stage.app()).unwrap();
        }),
        ("a reload", |stage| connecting::arm_all(stage.app()).unwrap()),
        ("a check", |stage| {
            // What is asked is refused, since the connection has no account.
            let asked = stage.runtime().block_on(commands::check_connection(stage.app(), "store"));
            assert!(asked.is_err());
        }),
    ];
    for (name, begin_again) in ways {
        let mut stage = looked_after();
        give_up(&stage);
        let (told, put_aside) = (shown(&stage), letters(&stage));
        assert_eq!((put_aside.len(), stage.ready(Queue::Io)), (1, 0), "{put_aside:?}");
        assert_eq!((&row(&stage)["due"], &row(&stage)["aside"]), (&Value::Null, &put_aside[0]["seq"]));
        let finding = &told["findings"][0];
        assert_eq!((&told["state"], &told["next_at"]), (&json!("problem"), &Value::Null));
        let problem = finding["problem"].as_str().unwrap();
        assert!(problem.starts_with("it is not looked after any more: its turn was given up"), "{finding}");
        assert!(finding["advice"].as_str().unwrap().contains("tidegate queue retry dlq_"), "{finding}");
        assert!(!told.to_string().contains("items are parked"), "{told:#}");

        begin_again(&mut stage);
        take_all(&stage);
        let after = row(&stage);
        assert!(letters(&stage).is_empty(), "{name}");
        assert!(!after["timer"].is_null(), "{name}: the turn was done, and the next one waits: {after}");
        assert_eq!(after["aside"], Value::Null, "{name}: {after}");
    }
}

#[test]
fn a_retry_that_is_given_up_too_stays_one_letter() {
    let stage = looked_after();
    give_up(&stage);
    retry(&stage);
    give_up(&stage);
    let put_aside = letters(&stage);
    assert_eq!((put_aside.len(), &put_aside[0]["attempts"]), (1, &json!(2)), "{put_aside:?}");
    assert_eq!(row(&stage)["aside"], put_aside[0]["seq"]);
    retry(&stage);
    take_all(&stage);
    assert_eq!((letters(&stage).len(), &row(&stage)["aside"]), (0, &Value::Null));
}

#[test]
fn a_turn_that_was_begun_again_leaves_nothing_for_a_late_retry() {
    let stage = looked_after();
    give_up(&stage);
    retry(&stage);
    connecting::arm_all(stage.app()).unwrap();
    take_all(&stage);
    assert_eq!((letters(&stage).len(), stage.ready(Queue::Io)), (0, 0));
    assert!(!row(&stage)["timer"].is_null(), "the next turn waits: {}", row(&stage));
}

#[test]
fn a_row_that_cannot_be_read_is_told_and_subscribing_begins_anew() {
    let stage = looked_after();
    let mut changes = Changes::new(stage.app().store().seq());
    changes.put_row(ConnectionRow::row_key(&(WORKSPACE, subject(&stage).connection.number)), b"{}".to_vec());
    stage.app().store().commit(changes.into_batch()).wait().unwrap();
    take_all(&stage);
    assert_eq!(letters(&stage).len(), 1);
    let told = shown(&stage);
    assert!(told["findings"].to_string().contains("what is known of it can't be read"), "{told:#}");
    connecting::arm_all(stage.app()).unwrap();
    let refused = stage.runtime().block_on(commands::check_connection(stage.app(), "store")).unwrap_err();
    assert!(format!("{refused:?}").contains("begins anew"), "{refused:?}");

    let asked = serde_json::from_value(json!({})).unwrap();
    // The provider can't be asked, but what is wished for is written down, and a turn with it.
    assert!(stage.runtime().block_on(commands::subscribe_connection(stage.app(), "store", asked)).is_err());
    assert_eq!(shown(&stage)["wanted"]["topics"].as_array().map(Vec::is_empty), Some(false));
    assert_eq!(stage.ready(Queue::Io), 1);
}
