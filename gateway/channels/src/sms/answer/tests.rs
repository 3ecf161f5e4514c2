//! Answers to outcomes: Twilio's own examples, and what stands between.

use super::*;
use crate::table;
use proptest::prelude::*;
use reqwest::header::RETRY_AFTER;
use std::time::Duration;
use tidegate_model::gate::SuppressionScope;

fn parse(status: u16, body: &str) -> SendResult {
    parse_answer(status, &HeaderMap::new(), body.as_bytes())
}

#[track_caller]
fn refused_with(result: SendResult) -> ProviderRefusal {
    match result {
        SendResult::Refused(refusal) => refusal,
        other => panic!("expected a refusal, found {other:?}"),
    }
}

fn error(code: i64, status: u16) -> String {
    format!(
        r#"{{"code":{code},"message":"Words","more_info":"https://www.twilio.com/docs/errors/{code}","status":{status}}}"#
    )
}

#[test]
fn twilio_s_examples_of_acceptance_are_read() {
    for body in [
        include_str!("tests/twilio_create.json"),
        include_str!("tests/twilio_create_with_messaging_service.json"),
        include_str!("tests/twilio_create_scheduled_message_sms.json"),
    ] {
        let expected = SendResult::Accepted {
            provider_id: "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned(),
            wa_id: None,
            user_id: None,
            held: None,
        };
        assert_eq!(parse(201, body), expected);
    }
    let SendResult::Accepted { held, .. } = parse(201, r#"{"sid":"SM1","status":"scheduled"}"#) else {
        panic!("it is accepted");
    };
    assert_eq!(held.as_deref(), Some("scheduled"));
}

#[test]
fn a_message_that_is_made_and_failed_at_once_is_refused_under_its_id() {
    let body = r#"{"sid":"SM1","status":"failed","error_code":30007,"error_message":"Carrier violation"}"#;
    let refusal = refused_with(parse(201, body));
    assert_eq!((refusal.code.as_str(), refusal.title.as_str()), ("30007", "Carrier violation"));
    assert_eq!((refusal.action, refusal.provider_id.as_deref()), (Action::Fail, Some("SM1")));
    let wordless = refused_with(parse(201, r#"{"sid":"SM1","status":"failed","error_code":null}"#));
    assert_eq!((wordless.code.as_str(), wordless.action), ("failed", Action::Fail));
}

#[test]
fn a_code_decides_and_a_longer_wait_of_the_answer_is_kept() {
    let check = |status: u16, code: i64, action: Action, scope: Scope| {
        let refusal = refused_with(parse(status, &error(code, status)));
        assert_eq!((refusal.code, refusal.action, refusal.scope), (code.to_string(), action, scope));
        assert_eq!((refusal.title.as_str(), refusal.http_status), ("Words", Some(status)));
    };
    check(400, 21211, Action::Unreachable, Scope::Recipient);
    check(400, 21610, Action::Suppress(SuppressionScope::All), Scope::Recipient);
    check(401, 20003, Action::Pause, Scope::App);
    check(429, 20429, table::within_secs(1), Scope::Account);
    check(401, 20999, Action::Pause, Scope::App);
    check(429, 20999, Action::Retry { after: None }, Scope::Account);
    check(400, 20999, Action::Fail, Scope::Message);
    let not_found = refused_with(parse(404, include_str!("tests/twilio_error_20404_real.json")));
    assert_eq!((not_found.code.as_str(), not_found.action), ("20404", Action::Pause));
    let headers = [(RETRY_AFTER, "7".parse().unwrap())].into_iter().collect();
    let waits = refused_with(parse_answer(429, &headers, error(20429, 429).as_bytes()));
    assert_eq!(waits.action, Action::Retry { after: Some(Duration::from_secs(7)) });
    let bare = refused_with(parse_answer(429, &headers, b""));
    assert_eq!((bare.code.as_str(), bare.action), ("http_429", waits.action));
}

#[test]
fn what_is_no_certain_answer_is_unknown() {
    for (status, body) in [
        (500, String::new()),
        (500, error(20500, 500)),
        (503, error(20503, 503)),
        (408, String::new()),
        (201, "{}".to_owned()),
        (200, "<html>".to_owned()),
        (201, r#"{"sid":"","status":"queued"}"#.to_owned()),
    ] {
        assert!(matches!(parse(status, &body), SendResult::Unknown { .. }), "{status} {body}");
    }
    let SendResult::Unknown { reason } = parse(500, &error(20500, 500)) else { panic!("it is unknown") };
    assert!(reason.contains("20500") && reason.contains("may have been sent"), "{reason}");
}

proptest! {
    #[test]
    fn any_answer_is_read(status in 100u16..600, body in ".{0,80}") {
        let result = parse(status, &body);
        let (taken, refused) =
            (matches!(result, SendResult::Accepted { .. }), matches!(result, SendResult::Refused(_)));
        prop_assert!(!taken || (200..300).contains(&status));
        // What may have left is never refused for certain.
        prop_assert!(!refused || status < 500);
    }
}
