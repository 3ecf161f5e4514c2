//! Answers to outcomes: a table of cases, most of them Meta's own examples.

use super::*;
use crate::transport::MAX_WORDS_CHARS;
use proptest::prelude::*;
use reqwest::header::RETRY_AFTER;

fn headers(retry_after: Option<&str>) -> HeaderMap {
    retry_after.map(|text| (RETRY_AFTER, text.parse().unwrap())).into_iter().collect()
}

fn parse(status: u16, body: &str) -> SendResult {
    parse_answer(status, &headers(None), body.as_bytes())
}

#[track_caller]
fn refused(result: SendResult) -> ProviderRefusal {
    match result {
        SendResult::Refused(refusal) => refusal,
        other => panic!("expected a refusal, found {other:?}"),
    }
}

fn error(code: i64) -> String {
    format!(r#"{{"error":{{"message":"(#{code}) Words","type":"OAuthException","code":{code}}}}}"#)
}

#[test]
fn metas_examples_of_acceptance_are_read() {
    let check = |body: &str, id: &str, wa: Option<&str>, user: Option<&str>| {
        let expected = SendResult::Accepted {
            provider_id: id.to_owned(),
            wa_id: wa.map(str::to_owned),
            user_id: user.map(str::to_owned),
            held: None,
        };
        assert_eq!(parse(200, body), expected);
    };
    check(
        include_str!("tests/meta_send_response_text.json"),
        "wamid.HBgLMTY0NjcwNDM1OTUVAgARGBI1RjQyNUE3NEYxMzAzMzQ5MkEA",
        Some("16505551234"),
        None,
    );
    check(
        include_str!("tests/meta_send_template_response_message_status.json"),
        "wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJBRkJENzExMTRFRjk2NTI1OTEA",
        Some("16505551234"),
        None,
    );
    check(
        include_str!("tests/meta_bsuid_send_response_to_bsuid.json"),
        "wamid.HBgLMTY0NjcwNDM1OTUVAgARGBI1RjQyNUE3NEYxMzAzMzQ5MkEA",
        None,
        Some("US.13491208655302741918"),
    );
}

#[test]
fn a_message_that_meta_holds_says_so() {
    let body = r#"{"messages":[{"id":"wamid.A","message_status":"held_for_quality_assessment"}]}"#;
    let SendResult::Accepted { held, .. } = parse(200, body) else {
        panic!("accepted");
    };
    assert_eq!(held.as_deref(), Some("held_for_quality_assessment"));
}

#[test]
fn metas_examples_of_refusal_are_read_by_their_code() {
    let throughput = refused(parse(400, include_str!("tests/meta_error_130429.json")));
    insta::assert_debug_snapshot!("throughput", throughput);
    let parameter = refused(parse(400, include_str!("tests/meta_error_100_mm_api.json")));
    insta::assert_debug_snapshot!("parameter", parameter);
    let token = include_str!("tests/meta_oas_error_401_invalid_access_token.json");
    insta::assert_debug_snapshot!("token", refused(parse(401, token)));
    let calls = include_str!("tests/meta_oas_error_429_rate_limit_exceeded.json");
    insta::assert_debug_snapshot!("calls", refused(parse(429, calls)));
}

#[test]
fn the_code_decides_and_the_status_only_where_no_code_is_known() {
    let soon = Action::Retry { after: None };
    let check = |status, body: &str, expected: Action| {
        assert_eq!(refused(parse(status, body)).action, expected, "{status} {body}");
    };
    // Known codes: the same under any status that sources report for them.
    for status in [400, 429, 500] {
        check(status, &error(131056), Action::Retry { after: Some(Duration::from_secs(4)) });
        check(status, &error(131047), Action::Template);
        check(status, &error(131026), Action::Sms);
        check(status, &error(131050), Action::Suppress(tidegate_model::gate::SuppressionScope::Marketing));
        check(status, &error(3), Action::Pause);
        check(status, &error(131000), soon);
    }
    // Codes that no page has.
    check(400, &error(999_999), Action::Fail);
    check(401, &error(999_999), Action::Pause);
    check(429, &error(999_999), soon);
    check(503, &error(999_999), soon);
    let transient = r#"{"error":{"message":"m","code":999999,"is_transient":true}}"#;
    check(400, transient, soon);
    // No envelope at all.
    check(429, "slow down", soon);
    check(404, "<html>", Action::Fail);
    check(302, "", Action::Fail);
}

#[test]
fn what_may_have_been_sent_is_unknown() {
    for (status, body) in [
        (500, ""),
        (502, "<html>bad gateway</html>"),
        (503, r#"{"error":"busy"}"#),
        (504, r#"{"error":{"message":"no code"}}"#),
        (408, ""),
        (200, ""),
        (200, "{"),
        (200, r#"{"messages":[]}"#),
        (200, r#"{"messages":[{"id":""}]}"#),
        (200, r#"{"success":true}"#),
    ] {
        let result = parse(status, body);
        let SendResult::Unknown { reason } = result else {
            panic!("{status} {body}: {result:?}");
        };
        assert!(reason.contains(&status.to_string()), "{reason}");
    }
}

#[test]
fn retry_after_makes_a_wait_longer_and_never_shorter() {
    let check = |header: &str, code: i64, expected: Action| {
        let body = error(code);
        let result = parse_answer(429, &headers(Some(header)), body.as_bytes());
        assert_eq!(refused(result).action, expected, "{header} {code}");
    };
    let retry = |secs| Action::Retry { after: Some(Duration::from_secs(secs)) };
    let day = 24 * 3600;
    check("30", 131056, retry(30));
    check("1", 131056, retry(4));
    check("7", 131000, retry(7));
    check("999999999", 131000, retry(day));
    check("soon", 131000, Action::Retry { after: None });
    check("60", 131049, Action::Defer { after: Duration::from_secs(day) });
    check("60", 131047, Action::Template);
    let bare = parse_answer(429, &headers(Some("12")), b"");
    assert_eq!(refused(bare).action, retry(12));
}

#[test]
fn the_providers_words_are_kept_short_and_never_empty() {
    let long = "x".repeat(10_000);
    let body = format!(r#"{{"error":{{"message":"{long}","code":1,"error_user_msg":"{long}"}}}}"#);
    let refusal = refused(parse(400, &body));
    assert_eq!(refusal.title.len(), MAX_WORDS_CHARS);
    assert_eq!(refusal.details.unwrap().len(), MAX_WORDS_CHARS);
    let silent = refused(parse(400, r#"{"error":{"code":131047}}"#));
    assert!(silent.title.contains("template") && silent.details.is_some());
    let unknown = refused(parse(400, r#"{"error":{"code":-7}}"#));
    assert!(!unknown.title.is_empty() && unknown.code == "-7");
}

proptest! {
    #[test]
    fn any_answer_has_an_outcome(status in 100u16..1000, retry in proptest::option::of("[ -~]{0,20}"), body: Vec<u8>) {
        parse_answer(status, &headers(retry.as_deref()), &body);
    }

    #[test]
    fn any_json_has_an_outcome(status in 100u16..1000, code: i64, id in ".{0,8}", message in ".{0,30}") {
        let error = serde_json::json!({ "error": { "code": code, "message": message } });
        refused(parse(status, &error.to_string()));
        let accepted = serde_json::json!({ "contacts": id, "messages": [{ "id": id, "message_status": code }] });
        parse(status, &accepted.to_string());
    }
}
