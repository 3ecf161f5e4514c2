//! Which flows an event starts.

use super::*;
use crate::parse_flow;
use serde_json::json;

fn flow(name: &str, on: &str) -> Flow {
    parse_flow("f", &format!("flow: {name}\non: {on}\nsteps: [{{id: a, wait: 5m}}]")).unwrap()
}

fn event(kind: &str) -> Event {
    let id = tidegate_model::EventId::derive(0, &[b"e"]);
    let json =
        json!({ "id": id, "connection": "c", "kind": kind, "occurred_at": "2026-01-01T00:00:00Z", "custom": {} });
    serde_json::from_value(json).unwrap()
}

fn trigger(name: &str) -> Trigger {
    Trigger { name: name.to_owned(), event: 0, variables: serde_json::Map::new() }
}

#[test]
fn an_event_starts_the_flows_that_name_its_kind_or_its_triggers() {
    let flows = FlowSet::new([
        flow("b", "order.placed"),
        flow("a", "[order.placed, order.paid]"),
        flow("c", "order-vip"),
        flow("d", "[order-vip, order-big, order.placed]"),
        flow("e", "message.status_changed"),
    ])
    .unwrap();
    let check = |kind: &str, triggers: &[&str], expected: &[(&str, Option<&str>)]| {
        let triggers: Vec<_> = triggers.iter().map(|name| trigger(name)).collect();
        let event = event(kind);
        let found = match_event(&flows, &event, &triggers);
        let found: Vec<_> = found.iter().map(|m| (m.flow.name(), m.trigger.map(|t| t.name.as_str()))).collect();
        assert_eq!(found, expected, "{kind}");
    };
    check("order.placed", &[], &[("a", None), ("b", None), ("d", None)]);
    check("order.paid", &["order-vip"], &[("a", None), ("c", Some("order-vip")), ("d", Some("order-vip"))]);
    check(
        "order.placed",
        &["order-big", "order-vip"],
        &[("a", None), ("b", None), ("c", Some("order-vip")), ("d", Some("order-big"))],
    );
    check("message.status_changed", &[], &[("e", None)]);
    check("message.received", &["unknown"], &[]);
}

#[test]
fn two_flows_of_one_name_are_refused() {
    let error = FlowSet::new([flow("a", "order.placed"), flow("a", "order.paid")]).unwrap_err();
    assert_eq!(error.to_string(), "two flows are named a; rename one");
}
