//! Replies: each wait ends once, by a message or by its end, whatever comes between.

use crate::{
    pipeline::{Progress, advance},
    records::RunRow,
    testing::{Stage, Webhook, inbound, meta, order},
    work::Work,
};
use serde_json::Value;
use std::slice;
use tidegate_flows::{Outcome, Run, RunState};
use tidegate_model::RunId;
use tidegate_store::{Key, KeyRange, Order, Space, keys::NO_WORKSPACE, records::Deferred};

/// Asks, and thanks for the answer, or asks for it.
const ASKS: &str = "
flow: asks
on: order.placed
steps:
  - id: ask
    send: { template: ask }
  - id: answer
    wait_for_reply: 1d
    then: [{ id: thank, send: { template: thanks } }]
    no_response: [{ id: remind, send: { template: ask } }]
";
const HOUR_MS: i64 = 3_600_000;

fn runs(stage: &Stage) -> Vec<Run> {
    let rows = stage.rows(Space::Runs);
    rows.into_iter().map(|row| serde_json::from_value::<RunRow>(row).unwrap().run).collect()
}

fn steps(stage: &Stage) -> Vec<String> {
    stage.outbound().into_iter().map(|message| message.step.unwrap()).collect()
}

/// A run that asked the first customer.
fn asked() -> Stage {
    let mut stage = Stage::new(&[ASKS]);
    stage.post(&order("1", 1));
    stage.settle();
    assert_eq!((steps(&stage), stage.rows(Space::Replies).len()), (vec!["ask".to_owned()], 1));
    stage
}

fn says(stage: &Stage, unique: &str, text: &str) -> Webhook {
    meta(slice::from_ref(&inbound(unique, 1, text, stage.now())))
}

fn is_over(stage: &Stage) {
    assert!(runs(stage).iter().all(|run| run.state == RunState::Completed), "{:#?}", runs(stage));
    assert_eq!(stage.rows(Space::Replies), Vec::<Value>::new());
    let timers = KeyRange::prefix(&Key::new(Space::Timers, NO_WORKSPACE));
    for (_, row) in stage.app().store().range(&timers, Order::Forward, 9).unwrap() {
        let work = Work::read(&Deferred::decode(&row.value).unwrap().work);
        assert!(!matches!(work, Some(Work::Timer { .. })), "{work:?}");
    }
}

#[test]
fn a_reply_wakes_the_run_and_its_silence_another_way() {
    let check = |words: &[&str], expected: &[&str]| {
        let mut stage = asked();
        for (place, text) in words.iter().enumerate() {
            stage.advance(HOUR_MS);
            stage.post(&says(&stage, &place.to_string(), text));
            stage.settle();
        }
        stage.advance(30 * HOUR_MS);
        stage.settle();
        assert_eq!(steps(&stage), expected, "{words:?}");
        is_over(&stage);
    };
    check(&["yes"], &["ask", "thank"]);
    check(&["yes", "and more"], &["ask", "thank"]);
    check(&[], &["ask", "remind"]);
    // It holds messages back, and answers nothing.
    check(&["STOP"], &["ask", "remind"]);
}

/// Ids of messages hold hashes, so their order tells nothing: steps are counted.
fn told(stage: &Stage) -> Vec<(String, usize)> {
    let mut steps = steps(stage);
    steps.sort();
    let times = |step: &String| steps.iter().filter(|held| *held == step).count();
    let mut found: Vec<_> = steps.iter().map(|step| (step.clone(), times(step))).collect();
    found.dedup();
    found
}

#[test]
fn a_crash_after_any_step_ends_each_wait_once() {
    /// One customer answers, the other does not. Gives the number of steps.
    fn story(crash_after: Option<usize>) -> (Stage, usize) {
        let (mut stage, mut done) = (Stage::new(&[ASKS]), 0);
        let mut step = |stage: &mut Stage| {
            done += 1;
            if crash_after == Some(done) {
                stage.crash();
            }
        };
        let settle = |stage: &mut Stage, step: &mut dyn FnMut(&mut Stage)| {
            while stage.step() == Progress::Done {
                step(stage);
            }
        };
        stage.post(&order("1", 1));
        stage.post(&order("2", 2));
        step(&mut stage);
        settle(&mut stage, &mut step);
        stage.advance(HOUR_MS);
        stage.post(&says(&stage, "1", "yes"));
        step(&mut stage);
        settle(&mut stage, &mut step);
        stage.advance(30 * HOUR_MS);
        settle(&mut stage, &mut step);
        (stage, done)
    }
    let (whole, steps) = story(None);
    let expected = told(&whole);
    assert_eq!(expected, [("ask".to_owned(), 2), ("remind".to_owned(), 1), ("thank".to_owned(), 1)]);
    for crash_after in 1..=steps {
        let (stage, _) = story(Some(crash_after));
        assert_eq!(told(&stage), expected, "after step {crash_after}");
        is_over(&stage);
    }
}

fn only_run(stage: &Stage) -> RunId {
    let [run] = runs(stage).try_into().unwrap();
    assert!(matches!(run.state, RunState::WaitingForReply { timer: 1, .. }), "{run:#?}");
    run.id
}

#[test]
fn a_reply_that_was_acknowledged_in_time_is_not_overtaken_by_the_end_of_the_wait() {
    let mut stage = asked();
    let run = only_run(&stage);
    stage.advance(23 * HOUR_MS);
    stage.post(&says(&stage, "1", "yes"));
    stage.advance(2 * HOUR_MS);
    let mut tx = stage.tx();
    advance::wake(&mut tx, &stage.app().catalog(), run, 1, stage.now()).unwrap();
    tx.commit(None).unwrap();
    assert_eq!(only_run(&stage), run, "it waits on");
    stage.settle();
    assert_eq!(steps(&stage), ["ask", "thank"]);
    stage.advance(HOUR_MS);
    stage.settle();
    is_over(&stage);
}

#[test]
fn a_reply_that_came_after_the_wait_is_none() {
    let mut stage = asked();
    stage.advance(25 * HOUR_MS);
    // It is received after the wait's end, and interpreted before its timer is seen.
    stage.post(&says(&stage, "1", "yes"));
    stage.interpret();
    only_run(&stage);
    stage.settle();
    assert_eq!(steps(&stage), ["ask", "remind"]);
    is_over(&stage);
}

#[test]
fn a_reply_and_the_end_of_the_wait_that_race_end_it_once() {
    let mut stage = asked();
    let run = only_run(&stage);
    let mut tx = stage.tx();
    advance::wake(&mut tx, &stage.app().catalog(), run, 1, stage.now()).unwrap();
    stage.post(&says(&stage, "1", "yes"));
    stage.interpret();
    assert!(tx.commit(None).unwrap_err().is_conflict());
    stage.settle();
    stage.advance(30 * HOUR_MS);
    stage.settle();
    assert_eq!(steps(&stage), ["ask", "thank"]);
    is_over(&stage);
}

/// Waits for more of who says hello.
const TALKS: &str = "
flow: talks
on: message.received
if: event.message.text == 'hello'
steps: [{ id: more, wait_for_reply: 1d }]
";

#[test]
fn who_turns_out_to_be_another_one_still_answers() {
    let mut stage = Stage::new(&[ASKS, TALKS]);
    let mut by_mail = order("1", 1);
    for place in ["", "/customer", "/customer/default_address", "/billing_address", "/shipping_address"] {
        by_mail.script.set(&format!("{place}/phone"), "null").unwrap();
    }
    stage.post(&by_mail);
    stage.settle();
    stage.advance(1_000);
    stage.post(&says(&stage, "1", "hello"));
    stage.settle();
    assert_eq!(stage.rows(Space::Replies).len(), 2, "each waits for somebody else");
    stage.advance(1_000);
    stage.post(&order("2", 1));
    stage.settle();
    let waits = stage.rows(Space::Replies);
    assert_eq!((waits.len(), waits[0]["runs"].as_array().unwrap().len()), (1, 3));
    stage.advance(1_000);
    stage.post(&says(&stage, "2", "yes"));
    stage.settle();
    let replied = |run: &Run| run.trail.iter().any(|visit| visit.outcome == Outcome::Replied);
    assert!(runs(&stage).iter().all(replied), "{:#?}", runs(&stage));
    is_over(&stage);
}
