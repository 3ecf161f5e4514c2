//! Pauses grow, one message tries at a time, and only an operator ends an operator's pause.

use super::*;

const NOW: Timestamp = Timestamp::from_ms(1_000_000_000);
const MESSAGE: MessageId = MessageId::from_raw([1; 16]);

fn trip(cause: Cause, pause_ms: Option<i64>) -> Trip {
    Trip { cause, code: "1".to_owned(), reason: "because".to_owned(), marketing_only: false, pause_ms }
}

fn sender() -> CircuitScope {
    CircuitScope::Sender { sender: 3 }
}

fn pair() -> CircuitScope {
    CircuitScope::Pair { sender: 3, contact: ContactId::from_raw([2; 16]) }
}

/// The pauses of a circuit whose probes all fail, in seconds.
fn pauses(scope: CircuitScope, trip: &Trip, count: usize) -> Vec<i64> {
    let mut circuit = Circuit::open(scope, trip, NOW);
    let mut now = NOW;
    let mut found = Vec::new();
    for _ in 0..count {
        let at = circuit.next_probe_at.unwrap();
        found.push((at.ms() - now.ms()) / 1_000);
        assert_eq!(circuit.waits_until(at.plus_ms(-1)), Some(at), "not before its time");
        assert_eq!(circuit.waits_until(at), None);
        now = at;
        circuit.begin_probe(MESSAGE, now);
        assert!(circuit.waits_until(now).is_some(), "one at a time");
        circuit.probe_failed(Some(trip), now);
    }
    found
}

#[test]
fn pauses_grow_to_a_limit() {
    assert_eq!(pauses(sender(), &trip(Cause::Trouble, None), 7), [30, 60, 120, 240, 480, 600, 600]);
    assert_eq!(pauses(sender(), &trip(Cause::Refusal, None), 6), [300, 600, 1_200, 2_400, 3_600, 3_600]);
    assert_eq!(pauses(sender(), &trip(Cause::Limit, Some(60_000)), 3), [60, 120, 240]);
    assert_eq!(pauses(pair(), &trip(Cause::Limit, Some(4_000)), 5), [4, 16, 64, 256, 1_024]);
}

#[test]
fn an_operator_s_pause_has_no_probe() {
    let circuit = Circuit::open(sender(), &trip(Cause::Operator, None), NOW);
    for days in [0, 1, 1_000] {
        assert!(circuit.waits_until(NOW.plus_ms(days * 86_400_000)).is_some());
    }
    assert!(circuit.words().contains("until an operator"), "{}", circuit.words());
}

#[test]
fn a_probe_that_was_lost_does_not_block_for_ever() {
    let mut circuit = Circuit::open(sender(), &trip(Cause::Trouble, None), NOW);
    let at = circuit.next_probe_at.unwrap();
    circuit.begin_probe(MESSAGE, at);
    assert!(circuit.is_probed_by(MESSAGE) && !circuit.is_probed_by(MessageId::from_raw([9; 16])));
    assert!(circuit.waits_until(at.plus_ms(PROBE_LOST_MS - 1)).is_some());
    assert_eq!(circuit.waits_until(at.plus_ms(PROBE_LOST_MS)), None);
}

#[test]
fn a_pause_of_marketing_holds_nothing_else() {
    let circuit = Circuit::open(sender(), &Trip { marketing_only: true, ..trip(Cause::Refusal, None) }, NOW);
    assert!(circuit.holds(Category::Marketing));
    for category in [Category::Utility, Category::Authentication, Category::Service] {
        assert!(!circuit.holds(category));
    }
}

#[test]
fn every_scope_has_a_place_of_its_own() {
    let template = |name: &str| CircuitScope::Template {
        account: "7".to_owned(),
        name: name.to_owned(),
        language: "en".to_owned(),
    };
    let scopes = [
        CircuitScope::App { app: "7".to_owned() },
        CircuitScope::Account { account: "7".to_owned() },
        sender(),
        pair(),
        template("a"),
        template("b"),
    ];
    let keys: std::collections::BTreeSet<String> = scopes.iter().map(CircuitScope::key).collect();
    assert_eq!(keys.len(), scopes.len());
}
