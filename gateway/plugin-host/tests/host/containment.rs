//! What a plugin can't do, whatever it tries; and that the host serves the next call as if nothing had been.

use crate::support::{MANIFEST, RECEIVED_MS, call, connection, host, hostile, item, outcome, packed, report, runtime};
use std::{cell::Cell, time::Duration};
use tidegate_model::outcome::Outcome;
use tidegate_plugin_host::{CallError, Plugin};

/// The plugin with another deadline.
fn hasty() -> Plugin {
    host().load(&packed(&MANIFEST.replace("10000", "300"))).unwrap()
}

fn assert_alive() {
    assert_eq!(outcome("nothing"), Outcome::Skip("nothing to do".to_owned()));
}

fn check(topic: &str, expected: &str) {
    let error = call(hostile(), &[topic]).unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert!(!error.retryable());
    assert_alive();
}

#[test]
fn a_crash_ends_the_call_and_nothing_else() {
    check("attack/panic", "the plugin hostile crashed: it gave up (a panic or an uncaught exception)");
    check("attack/stack", "the plugin hostile crashed: it reached outside its memory (endless recursion?)");
    check("attack/trap", "the plugin hostile crashed: it gave up (a panic or an uncaught exception)");
}

#[test]
fn an_answer_that_is_no_text_or_lies_outside_the_memory_ends_the_call() {
    for (topic, words) in [("attack/not-utf8", "utf-8"), ("attack/outside", "out of bounds")] {
        let error = call(hostile(), &[topic]).unwrap_err();
        assert!(matches!(error, CallError::Trap { .. }) && error.to_string().contains(words), "{topic}: {error}");
        assert_alive();
    }
}

#[test]
fn what_the_host_holds_for_a_plugin_is_bounded() {
    check("attack/handles", "the plugin hostile used up its handles");
    let error = call(hostile(), &["attack/random-huge"]).unwrap_err();
    assert!(matches!(error, CallError::Trap { .. }), "{error}");
    assert_alive();
}

#[test]
fn a_plugin_that_leaves_the_process_leaves_only_its_own() {
    let error = call(hostile(), &["attack/exit"]).unwrap_err();
    assert!(matches!(error, CallError::Trap { .. }), "{error}");
    assert_alive();
}

#[test]
fn an_endless_plugin_is_stopped_at_its_deadline() {
    let plugin = hasty();
    let topics = ["loop", "sleep", "poll", "calls", "random-flood", "prints"];
    for topic in topics.map(|what| format!("attack/{what}")) {
        let topic = topic.as_str();
        let error = call(&plugin, &[topic]).unwrap_err();
        assert_eq!(error.to_string(), "the plugin hostile did not answer within 300 ms", "{topic}");
        assert!(error.retryable());
    }
    assert_alive();
}

#[test]
fn an_endless_plugin_lets_others_run_on_its_thread() {
    let plugin = hasty();
    let turns = Cell::new(0);
    let others = async {
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            turns.set(turns.get() + 1);
        }
    };
    let (connection, items) = (connection(), [item("attack/loop", 0)]);
    let ended = runtime().block_on(async {
        tokio::select! {
            ended = plugin.interpret(&connection, &items) => ended,
            () = others => unreachable!("it has no end"),
        }
    });
    assert!(matches!(ended, Err(CallError::Deadline { .. })), "{ended:?}");
    assert!(turns.get() >= 2, "{} turns", turns.get());
}

#[test]
fn memory_is_bounded() {
    check("attack/memory", "the plugin hostile needs more than the 16384 KiB of memory that it may have");
    assert_eq!(outcome("attack/polite-memory"), Outcome::Skip("refused, and went on".to_owned()));
}

#[test]
fn what_comes_back_is_bounded() {
    let roomy = host().load(&packed(&MANIFEST.replace("16777216", "67108864"))).unwrap();
    for topic in ["attack/huge", "crowd"] {
        let error = call(&roomy, &[topic]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the plugin hostile returned more than the 16384 KiB that one call may return",
            "{topic}"
        );
    }
    assert_alive();
}

#[test]
fn what_a_manifest_allows_to_come_back_is_the_bound() {
    let limits = "memory_bytes = 67108864, outcome_bytes = 65536";
    let terse = host().load(&packed(&MANIFEST.replace("memory_bytes = 16777216", limits))).unwrap();
    let error = call(&terse, &["attack/huge"]).unwrap_err();
    assert_eq!(error.to_string(), "the plugin hostile returned more than the 64 KiB that one call may return");
    assert_eq!(call(&terse, &["nothing"]).unwrap().len(), 1);
    assert_eq!((terse.figures().calls, terse.figures().failures), (2, 1));
}

#[test]
fn what_was_made_in_a_call_of_others_can_be_made_again_alone() {
    let seed = item("look/random", 0);
    let together = call(hostile(), &["look/random", "look/random"]).unwrap();
    let (second, connection) = (item("look/random", 1), connection());
    let alone = |seed| runtime().block_on(hostile().interpret_as(seed, &connection, std::slice::from_ref(&second)));
    assert_eq!(alone(&seed.id).unwrap()[0], together[0], "the call's randomness is the first item's");
    assert_ne!(alone(&second.id).unwrap()[0], together[0]);
}

#[test]
fn a_log_flood_ends_the_call_and_a_long_line_is_cut() {
    check("attack/log-flood", "the plugin hostile used up its log lines");
    assert_eq!(outcome("attack/log-long"), Outcome::Skip("survived".to_owned()));
}

#[test]
fn there_is_nothing_to_see() {
    let check = |what: &str, expected: &str| assert_eq!(report(&format!("look/{what}")), expected, "{what}");
    check("environment", "0 variables, 0 arguments");
    check("files", "read false write false");
    check("network", "tcp false udp false dns false");
    check("stdin", "None");
    check("clock", &format!("{RECEIVED_MS} ms since 1970, 0ns passed while counting to 499999500000"));
}

#[test]
fn every_call_has_an_instance_of_its_own_and_the_same_item_the_same_randomness() {
    assert_eq!((report("look/memory"), report("look/memory")), ("call 1".to_owned(), "call 1".to_owned()));
    assert_eq!(report("look/random"), report("look/random"));
    let other = runtime().block_on(hostile().interpret(&connection(), &[item("look/random", 9)])).unwrap();
    assert_ne!(other, [Outcome::Skip(report("look/random"))]);
}

#[test]
fn the_arguments_arrive_as_they_were_given() {
    let id = item("", 0).id;
    assert_eq!(
        report("look/arguments"),
        format!(
            "shop Some(\"acme\") {{}} | {id} look/arguments [(\"x-topic\", \"look/arguments\")] {{\"id\":1}} None 2026-05-28T20:26:40.123Z None 0"
        )
    );
}

#[test]
fn more_calls_than_the_pool_has_room_for_wait_their_turn() {
    runtime().block_on(async {
        let (connection, items) = (connection(), [item("look/memory", 0)]);
        let calls = (0..100).map(|_| hostile().interpret(&connection, &items));
        let mut calls: Vec<_> = calls.map(Box::pin).collect();
        let all = std::future::poll_fn(|context| {
            calls.retain_mut(|call| match call.as_mut().poll(context) {
                std::task::Poll::Ready(outcomes) => {
                    assert_eq!(outcomes.unwrap(), [Outcome::Skip("call 1".to_owned())]);
                    false
                }
                std::task::Poll::Pending => true,
            });
            if calls.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        });
        all.await;
    });
}
