//! What a unit of work sees, and when another one's commit makes it start anew.

use super::{Tx, TxError};
use crate::{
    pipeline::Progress,
    records::{ContactRow, StateRow},
    testing::{START, Stage, WORKSPACE, inbound, meta, order},
};
use tidegate_model::{ContactId, contact::Contact};
use tidegate_store::{Engine, Key, KeyRange, Order, Queue, Space, memory::Memory, records};

fn state(text: &str) -> StateRow {
    StateRow { workspace: WORKSPACE, connection: 1, state_key: "k".to_owned(), state: text.to_owned() }
}

fn key() -> (u32, u32, String) {
    (WORKSPACE, 1, "k".to_owned())
}

fn held(engine: &dyn Engine) -> String {
    records::get::<StateRow>(engine, &key()).unwrap().unwrap().0.state
}

fn write(engine: &dyn Engine, text: &str) {
    let mut tx = Tx::new(engine, WORKSPACE);
    tx.put(state(text));
    tx.commit(None).unwrap();
}

#[test]
fn a_row_that_was_read_and_is_written_must_not_change_in_between() {
    for exists in [false, true] {
        let memory = Memory::new();
        let engine = memory.engine();
        if exists {
            write(&*engine, "before");
        }
        let mut tx = Tx::new(&*engine, WORKSPACE);
        assert_eq!(tx.get::<StateRow>(&key()).unwrap().is_some(), exists);
        tx.put(state("mine"));
        write(&*engine, "theirs");
        let error = tx.commit(None).unwrap_err();
        assert!(error.is_conflict() && !error.is_final(), "{error}");
        assert_eq!(held(&*engine), "theirs");
    }
}

#[test]
fn a_row_that_was_only_read_may_change_unless_it_is_watched() {
    for watched in [false, true] {
        let memory = Memory::new();
        let engine = memory.engine();
        let mut tx = Tx::new(&*engine, WORKSPACE);
        if watched {
            tx.watch::<StateRow>(&key()).unwrap();
        } else {
            tx.get::<StateRow>(&key()).unwrap();
        }
        let id = ContactId::from_raw([1; 16]);
        tx.put(ContactRow { workspace: WORKSPACE, id, contact: Some(Contact::new(id, START)), alias_of: None });
        write(&*engine, "theirs");
        let result: Result<(), TxError> = tx.commit(None);
        assert_eq!(result.is_err(), watched);
        assert_eq!(records::get::<ContactRow>(&*engine, &(WORKSPACE, id)).unwrap().is_some(), !watched);
    }
}

#[test]
fn a_row_that_is_put_twice_is_written_once_and_read_back_as_it_was_put() {
    let memory = Memory::new();
    let engine = memory.engine();
    let mut tx = Tx::new(&*engine, WORKSPACE);
    tx.put(state("one"));
    assert_eq!(tx.get::<StateRow>(&key()).unwrap(), Some(state("one")));
    tx.put(state("two"));
    assert_eq!((tx.get::<StateRow>(&key()).unwrap(), tx.row_ops()), (Some(state("two")), 1));
    let before = engine.stats().rows_put;
    tx.commit(None).unwrap();
    assert_eq!((held(&*engine).as_str(), engine.stats().rows_put - before), ("two", 1));
}

#[test]
fn two_threads_that_meet_on_one_contact_lose_nothing() {
    for round in 0..20 {
        let stage = Stage::new(&[]);
        // Lanes of two endpoints: both know the first customer by the phone.
        for n in 0..6 {
            stage.post(&meta(&[inbound(&n.to_string(), 1, "hello", START)]));
            stage.post(&order(&n.to_string(), 1));
        }
        let runners = [stage.another_runner(), stage.another_runner()];
        std::thread::scope(|scope| {
            for runner in &runners {
                scope.spawn(move || while runner.tick().unwrap() == Progress::Done {});
            }
        });
        stage.interpret();
        assert_eq!((stage.ready(Queue::Pure), stage.rows(Space::DeadLetters).len()), (0, 0), "round {round}");
        let range = KeyRange::prefix(&Key::new(Space::Contacts, WORKSPACE));
        assert_eq!(stage.app().store().range(&range, Order::Forward, 9).unwrap().len(), 1, "round {round}");
        let contact = stage.rows(Space::Contacts).remove(0);
        let text = contact.to_string();
        assert!(text.contains("customer-1@example.com") && text.contains("447700900001"), "round {round}: {text}");
        assert_eq!(stage.messages().len(), 6);
    }
}
