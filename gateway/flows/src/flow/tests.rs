//! Stored flows: what an older release wrote must load, and keep its version.

use super::*;
use crate::FlowVersion;

/// A definition as format 1 was first written. Never change it: rows like it are in stores.
const FORMAT_1: &str = include_str!("fixtures/format-1.json");

#[test]
fn a_flow_stored_in_format_1_loads_with_its_version() {
    let flow = Flow::load(FORMAT_1).unwrap();
    assert_eq!(flow.version().to_string(), "66f38df6935d8953eace769fab539381");
    assert_eq!(flow.definition().to_json(), FORMAT_1.trim_end());
    assert_eq!(flow.step_ids().collect::<Vec<_>>(), ["pause", "big", "confirm-vip", "confirm", "thank"]);
}

#[test]
fn a_stored_flow_that_can_not_be_used_says_why() {
    let check = |json: &str, expected: &str| {
        let error = Flow::load(json).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(&FORMAT_1.replacen("\"format\":1", "\"format\":2", 1), "has format 2, and this release reads up to 1");
    check("{}", "missing field `format`");
    check(&FORMAT_1.replacen("\"wait\"", "\"dance\"", 1), "unknown variant `dance`");
    check(&FORMAT_1.replacen("\"flow\":", "\"fluw\":", 1), "unknown field `fluw`");
    check(&FORMAT_1.replacen("\"pause\"", "\"big\"", 1), "steps[1].id: another step has the id big");
    check(&FORMAT_1.replacen("300000", "300500", 1), "steps[0].wait: expected whole seconds");
}

#[test]
fn steps_are_linked_to_what_follows_them_also_out_of_a_branch() {
    let flow = Flow::load(FORMAT_1).unwrap();
    let id = |number: Option<usize>| number.map(|n| flow.steps[n].id.as_str());
    let next = |step: &str| id(flow.step(step).unwrap().next);
    assert_eq!(id(flow.first), Some("pause"));
    assert_eq!(next("pause"), Some("big"));
    assert_eq!(next("confirm-vip"), Some("thank"));
    assert_eq!(next("confirm"), Some("thank"));
    assert_eq!(next("thank"), None);
    let Work::If { then, otherwise, .. } = flow.step("big").unwrap().work else { panic!() };
    assert_eq!((id(then), id(otherwise)), (Some("confirm-vip"), Some("confirm")));
}

#[test]
fn a_flow_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Flow>();
}

#[test]
fn a_version_is_read_back_from_its_text() {
    let version = Flow::load(FORMAT_1).unwrap().version();
    assert_eq!(version.to_string().parse::<FlowVersion>(), Ok(version));
    let json = serde_json::to_string(&version).unwrap();
    assert_eq!(serde_json::from_str::<FlowVersion>(&json).unwrap(), version);
    assert!("abc".parse::<FlowVersion>().is_err());
}
