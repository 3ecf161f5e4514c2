//! When a plugin is paused, for how long, and what ends it.

use super::*;
use proptest::prelude::*;

const START: i64 = 1_780_000_000_000;

fn at(s: i64) -> Timestamp {
    Timestamp::from_ms(START + s * 1_000)
}

/// Feeds a line of events: `+` a call that works, `-` one that fails, a number of seconds that pass, and gives what each call was: `.` made, `t` tried, `p` not made.
fn play(story: &str) -> (Breaker, String, i64) {
    let (mut breaker, mut seen, mut now) = (Breaker::default(), String::new(), 0);
    for word in story.split(' ') {
        if let Ok(pause) = word.parse::<i64>() {
            now += pause;
            continue;
        }
        for call in word.chars() {
            let permit = breaker.ask(at(now));
            seen.push(match permit {
                Permit::Go => '.',
                Permit::Trial => 't',
                Permit::Paused(_) => 'p',
            });
            match call {
                _ if matches!(permit, Permit::Paused(_)) => {}
                'w' => drop(breaker.worked(&permit)),
                'x' => drop(breaker.failed(&permit, "it crashed", at(now))),
                _ => breaker.given_back(&permit),
            }
        }
    }
    (breaker, seen, now)
}

fn check(story: &str, expected: &str) {
    assert_eq!(play(story).1, expected, "{story}");
}

#[test]
fn a_plugin_that_keeps_failing_is_paused_and_one_that_fails_now_and_then_is_not() {
    check("xxxxx xx", ".....pp");
    check("xxxx w xx", ".......");
    check("xwxwxwxwxwxwxwxwxwxw", ".................ppp");
    check("xwwxwwxwwxwwxwwxwwxww", ".....................");
}

#[test]
fn after_a_pause_one_item_is_tried_and_decides() {
    check("xxxxx 9 w 1 w w", ".....pt.");
    check("xxxxx 10 x w 19 w 1 w w", ".....tppt.");
    check("xxxxx 10 ? w w", ".....tt.");
}

#[test]
fn pauses_double_up_to_the_longest_and_are_short_again_after_calm() {
    let length = |story: &str| {
        let (breaker, _, now) = play(story);
        breaker.pause(at(now)).map(|pause| (pause.until.ms() - at(now).ms()) / 1_000)
    };
    assert_eq!(length("xxxxx"), Some(10));
    assert_eq!(length("xxxxx 10 x"), Some(20));
    assert_eq!(length("xxxxx 10 x 20 x"), Some(40));
    assert_eq!(length(&format!("xxxxx{}", " 600 x".repeat(40))), Some(600));
    // A try that works is no calm yet.
    assert_eq!(length("xxxxx 10 w xxxxx"), Some(20));
    assert_eq!(length("xxxxx 10 wwwwwwwwwwwwwwwwwwwww xxxxx"), Some(10));
}

#[test]
fn while_one_is_tried_the_others_wait() {
    let mut breaker = play("xxxxx").0;
    assert_eq!(breaker.ask(at(10)), Permit::Trial);
    assert!(matches!(breaker.ask(at(10)), Permit::Paused(_)));
    // What was begun before the pause does not end it, and does not make it longer.
    assert!(!breaker.worked(&Permit::Go));
    assert_eq!(breaker.failed(&Permit::Go, "late", at(10)), None);
    assert!(breaker.worked(&Permit::Trial));
    assert_eq!(breaker.ask(at(10)), Permit::Go);
}

#[test]
fn a_clock_that_is_set_back_does_not_make_a_pause_longer() {
    let mut breaker = play("xxxxx").0;
    assert_eq!(breaker.ask(at(-5)), Permit::Trial);
}

#[test]
fn it_says_why_and_until_when() {
    let (breaker, ..) = play("xxxxx");
    assert_eq!(
        breaker.words(at(0)),
        "paused since 2026-05-28T20:26:40.000Z, after 5 failures; it is tried again at 2026-05-28T20:26:50.000Z; the last failure: it crashed"
    );
    assert_eq!(breaker.words(at(10)), "paused; the next item is tried");
    assert_eq!(Breaker::default().words(at(0)), "works");
    assert_eq!((breaker.word(), Breaker::default().word()), ("paused", "working"));
}

proptest! {
    #[test]
    fn whatever_happens_a_plugin_that_works_again_is_called_again(story in "[wx?]{0,40}( [0-9]{1,3} [wx?]{1,9}){0,12}") {
        let (mut breaker, _, now) = play(&story);
        let later = at(now + 601);
        let permit = breaker.ask(later);
        prop_assert!(!matches!(permit, Permit::Paused(_)), "{permit:?}");
        breaker.worked(&permit);
        prop_assert_eq!(breaker.ask(later), Permit::Go);
    }
}
