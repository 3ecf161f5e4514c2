//! What waits for a paused plugin goes on by itself, whenever the gateway dies.

use crate::{
    pipeline::Progress,
    play::Script,
    testing::{SECRET, Stage},
};
use serde_json::{Value, json};
use std::path::PathBuf;
use tidegate_store::{Queue, Space};
use tidegate_test_support::Brittle;

/// Items that crash the plugin: as many as pause it.
const BAD: usize = 5;
/// Items that it reads, and that wait meanwhile.
const GOOD: usize = 4;

/// The brittle plugin, built beside the others of this build.
fn brittle(stage: &mut Stage) {
    let program = std::env::current_exe().unwrap();
    // target/debug/deps stands for target/debug/program: guests are built in target/guests.
    let beside: PathBuf = program.parent().unwrap().to_owned();
    let file = stage.write("brittle.wasm", &Brittle::Defective.packed(&beside));
    let endpoint = "[[endpoints]]\nname = \"meta\"";
    let section = format!(
        "[[endpoints]]\nname = \"brittle\"\nplugin = {file:?}\nsecrets = [\"{SECRET}\"]\n[[connections]]\nname = \"brittle\"\nendpoint = \"brittle\"\nworkspace = \"main\"\n"
    );
    stage.reconfigure(endpoint, &format!("{section}{endpoint}"));
}

fn post(stage: &Stage, n: usize, name: Option<&str>) {
    let body = json!({"id": format!("B{n}"), "phone": crate::testing::phone(n as u32), "name": name});
    let headers = vec![("x-shopify-topic".to_owned(), "booking/made".to_owned())];
    let script = Script { headers, body, ..Script::default() };
    let played = script.sign("shopify", SECRET, &format!("booking-{n}"), stage.now()).unwrap();
    stage.try_post("brittle", &played).unwrap();
}

/// Plays it to its end, with a crash after this step. Gives how many steps there were.
fn play(crash_after: Option<usize>) -> (Stage, usize) {
    let mut stage = Stage::new(&[]);
    brittle(&mut stage);
    (0..BAD + GOOD).for_each(|n| post(&stage, n, (n >= BAD).then_some("Ann")));
    let mut steps = 0;
    for pass_ms in [0, 10_000, 20_000] {
        stage.advance(pass_ms);
        while stage.step() == Progress::Done {
            steps += 1;
            if crash_after == Some(steps) {
                stage.crash();
            }
        }
    }
    (stage, steps)
}

fn standings(stage: &Stage) -> Vec<Value> {
    stage.rows(Space::DeadLetters).into_iter().map(|letter| letter["standing"].clone()).collect()
}

#[test]
fn a_crash_after_any_step_loses_nothing_that_waits_for_a_plugin() {
    let (stage, steps) = play(None);
    assert_eq!(standings(&stage), vec![Value::Null; BAD], "what crashed the plugin is left for a person");
    assert!((4..20).contains(&steps), "{steps}");
    let expected = stage.rows(Space::Interpretations).len();
    for step in 1..=steps {
        let (stage, _) = play(Some(step));
        assert_eq!(standings(&stage), vec![Value::Null; BAD], "after step {step}");
        assert_eq!(stage.rows(Space::Pauses), [Value::Null; 0], "after step {step}");
        assert_eq!(stage.rows(Space::Interpretations).len(), expected, "after step {step}");
        assert_eq!(stage.rows(Space::Contacts).len(), GOOD, "after step {step}");
        assert_eq!(stage.ready(Queue::Pure), 0, "after step {step}");
    }
}

#[test]
fn a_timer_of_an_earlier_turn_does_nothing() {
    let mut stage = Stage::new(&[]);
    brittle(&mut stage);
    (0..BAD + GOOD).for_each(|n| post(&stage, n, None));
    stage.settle();
    let before = stage.rows(Space::Pauses);
    assert_eq!(before.len(), 1);
    let waiting = standings(&stage).iter().filter(|standing| *standing == "paused").count();
    assert_eq!(waiting, GOOD);
    // A start takes over; its timer goes first, and finds that the plugin fails still.
    stage.crash();
    stage.settle();
    let after = stage.rows(Space::Pauses);
    assert!(after.is_empty() || after[0]["turn"] != before[0]["turn"], "{before:?} {after:?}");
    stage.advance(3_600_000);
    stage.settle();
    assert_eq!(standings(&stage), vec![Value::Null; BAD + GOOD]);
    assert_eq!(stage.rows(Space::Pauses), [Value::Null; 0]);
}
