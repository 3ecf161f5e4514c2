//! Rows of the queue of messages that can't be done do not stop the gateway.

use super::{Slots, take};
use crate::{
    records::MessageRow,
    supervisor::Supervisor,
    testing::{Stage, THANKS, WORKSPACE, order},
};
use tidegate_model::message::State;
use tidegate_store::{Changes, Lane, Queue, Record, Space, WorkRow};

/// Takes what is due in the queue of I/O until there is nothing, as the gateway does.
pub(in crate::workers) fn take_all(stage: &Stage) {
    let supervisor = Supervisor::new(stage.runtime().handle().clone());
    let slots = Slots::new(1);
    loop {
        // The slot is free again when the work is settled.
        let slot = stage.runtime().block_on(async {
            loop {
                match slots.take(1, true) {
                    Some(slot) => return slot,
                    None => slots.freed().await,
                }
            }
        });
        let Some(claim) = stage.app().store().claim(Queue::Io, 1).unwrap() else { return };
        take(stage.app(), &supervisor, claim, slot).unwrap();
    }
}

#[test]
fn a_damaged_message_is_put_aside_and_the_next_one_goes() {
    let stage = Stage::new(&[THANKS]);
    stage.post(&order("1", 1));
    stage.post(&order("2", 1));
    stage.interpret();
    let messages = stage.outbound();
    let mut changes = Changes::new(stage.app().store().seq());
    changes.put_row(MessageRow::row_key(&(WORKSPACE, messages[0].id)), b"{}".to_vec());
    stage.app().store().commit(changes.into_batch()).wait().unwrap();
    take_all(&stage);
    let letters = stage.rows(Space::DeadLetters);
    assert_eq!((letters.len(), stage.ready(Queue::Io)), (1, 0), "{letters:?}");
    assert!(
        letters[0]["reason"].as_str().unwrap().contains("can't be read")
            || letters[0]["reason"].as_str().unwrap().contains("cannot be read")
    );
    assert_eq!(stage.message(messages[1].id).state, State::Accepted);
}

#[test]
fn work_of_an_unknown_kind_is_put_aside() {
    let stage = Stage::new(&[]);
    let mut tx = stage.tx();
    tx.enqueue(Queue::Io, Lane::new(WORKSPACE, 1, 1), &WorkRow::new(200, [1; 16]));
    tx.commit(None).unwrap();
    take_all(&stage);
    assert_eq!((stage.rows(Space::DeadLetters).len(), stage.ready(Queue::Io)), (1, 0));
}

#[test]
fn a_message_that_was_put_aside_goes_out_once_when_it_is_tried_again() {
    let mut stage = Stage::new(&[THANKS]);
    stage.post(&order("1", 1));
    stage.interpret();
    let message = stage.outbound().remove(0);
    let key = MessageRow::row_key(&(WORKSPACE, message.id));
    let put = |stage: &Stage, row: Vec<u8>| {
        let mut changes = Changes::new(stage.app().store().seq());
        changes.put_row(key.clone(), row);
        stage.app().store().commit(changes.into_batch()).wait().unwrap();
    };
    let row = stage.app().store().get(&key).unwrap().unwrap().value;
    let retry = |stage: &Stage| {
        let picked = serde_json::from_value(serde_json::json!({"all": {"kind": "message"}})).unwrap();
        crate::commands::retry(stage.app(), &picked).unwrap()["done"].as_u64().unwrap()
    };
    put(&stage, b"{}".to_vec());
    take_all(&stage);
    for attempts in 2..4 {
        assert_eq!((retry(&stage), retry(&stage)), (1, 0));
        take_all(&stage);
        let letters = stage.rows(Space::DeadLetters);
        assert_eq!((letters.len(), &letters[0]["attempts"]), (1, &attempts.into()));
    }
    put(&stage, row);
    assert_eq!(retry(&stage), 1);
    stage.crash();
    take_all(&stage);
    assert_eq!((stage.rows(Space::DeadLetters).len(), stage.ready(Queue::Io)), (0, 0));
    assert_eq!((stage.channel().times(message.id), stage.message(message.id).state), (1, State::Accepted));
    assert_eq!(retry(&stage), 0);
}

/// A message that waits, and where its row is.
fn waiting() -> (Stage, tidegate_model::MessageId, tidegate_store::keys::Key) {
    let stage = Stage::new(&[THANKS]);
    stage.post(&order("1", 1));
    stage.interpret();
    let id = stage.outbound()[0].id;
    (stage, id, MessageRow::row_key(&(WORKSPACE, id)))
}

#[test]
fn a_mark_that_somebody_gets_in_the_way_of_is_made_again() {
    let (stage, id, key) = waiting();
    stage.meddler().meddle(key, 0, 3);
    take_all(&stage);
    assert_eq!((stage.message(id).state, stage.channel().times(id)), (State::Accepted, 1));
    assert_eq!(stage.message(id).attempts, 1, "what was not recorded was not made");
}

#[test]
fn an_outcome_that_somebody_gets_in_the_way_of_is_recorded_all_the_same() {
    let (stage, id, key) = waiting();
    stage.meddler().meddle(key, 1, 5);
    take_all(&stage);
    assert_eq!((stage.message(id).state, stage.channel().times(id)), (State::Accepted, 1));
}

#[test]
fn a_mark_that_can_never_be_made_is_put_aside_for_a_person_and_nothing_is_sent() {
    let (stage, id, key) = waiting();
    stage.meddler().meddle(key, 0, usize::MAX);
    take_all(&stage);
    let letters = stage.rows(Space::DeadLetters);
    assert!(letters.len() == 1 && letters[0]["reason"].as_str().unwrap().contains("meanwhile"), "{letters:?}");
    assert_eq!((stage.message(id).state, stage.ready(Queue::Io)), (State::Queued, 0));
    assert!(stage.channel().sent().is_empty());
}
