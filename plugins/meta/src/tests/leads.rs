//! Leads: what is asked for, who answered, and what Graph refuses.

use super::{Meta, failed, item, outcome, skipped};
use serde_json::{Value, json};
use tidegate_plugin_sdk::{
    Answer, ContactKey, Event, Field, Lead, Outcome, Payload, Phone, Request, Response, testing,
};

fn told() -> Value {
    json!({"leadgen_id": 123_123_123_123_u64, "page_id": 153_125_381_133_u64, "form_id": "12312312312", "ad_id": 7, "adgroup_id": "8", "created_time": 1_440_120_384})
}

fn asked(settings: &str, value: &Value) -> Vec<Request> {
    match testing::interpret_for::<Meta>(&testing::connection(settings), &[item("leadgen", value)]).remove(0) {
        Outcome::Need(requests) => requests,
        other => panic!("expected requests, found {other:?}"),
    }
}

fn answering(settings: &str, status: u16, body: &Value) -> Outcome {
    let answer = |_: &Request| Answer::Response(Response { status, headers: vec![], body: body.to_string() });
    testing::interpret_answering::<Meta>(&testing::connection(settings), item("leadgen", &told()), answer)
}

fn lead(settings: &str, answers: &[(&str, &[&str])]) -> (Event, Lead) {
    let data: Vec<_> = answers.iter().map(|(name, values)| json!({"name": name, "values": values})).collect();
    let body = json!({"id": "123123123123", "created_time": "2015-08-21T01:26:24+0000", "form_id": "12312312312", "field_data": data});
    let Outcome::Done(mut done) = answering(settings, 200, &body) else { panic!("expected an event") };
    let event = done.events.remove(0);
    match event.payload.clone() {
        Payload::Lead(lead) => (event, lead),
        other => panic!("expected a lead, found {other:?}"),
    }
}

fn field(name: &str, value: &str) -> Field {
    Field { name: name.to_owned(), value: Some(value.to_owned()) }
}

#[test]
fn a_lead_is_asked_for_by_its_id() {
    let fields = "id,created_time,ad_id,form_id,field_data";
    assert_eq!(
        asked("{}", &told())[0],
        Request::get(format!("https://graph.facebook.com/v25.0/123123123123?fields={fields}"))
    );
    let settings = r#"{"graph_version": "v24.0", "lead_fields": ["campaign_name", "platform"]}"#;
    let expected = format!("https://graph.facebook.com/v24.0/123123123123?fields={fields},campaign_name,platform");
    assert_eq!(asked(settings, &told())[0].url, expected);
    for (host, place) in [
        ("graph.proxy.example:8443", "https://graph.proxy.example:8443"),
        ("127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("localhost", "http://localhost"),
    ] {
        let url = &asked(&json!({"api_host": host}).to_string(), &told())[0].url;
        assert_eq!(*url, format!("{place}/v25.0/123123123123?fields={fields}"));
    }
    assert_eq!(
        asked("{}", &json!({"leadgen_id": "123123123123"}))[0].url,
        asked("{}", &told())[0].url,
        "ids are numbers or texts"
    );
    for id in [json!("12/../me"), json!(""), json!(-1)] {
        assert_eq!(failed("leadgen", &json!({"leadgen_id": id})).0.as_deref(), Some("/value/leadgen_id"), "{id}");
    }
    assert!(matches!(outcome("leadgen", &json!({})), Outcome::Failed(_)));
}

#[test]
fn metas_own_questions_tell_who_it_is() {
    let answers: [(&str, &[&str]); 5] = [
        ("full_name", &["Joe Example"]),
        ("email", &["joe@example.com"]),
        ("phone_number", &["0170 1234567"]),
        ("car_make", &["Honda", "Saab"]),
        ("What's your budget?", &["10 000"]),
    ];
    let (event, lead) = lead(r#"{"lead_country": "DE"}"#, &answers);
    assert_eq!((event.kind.as_str(), event.occurred_at.as_str()), ("lead.submitted", "2015-08-21T01:26:24Z"));
    let contact = event.contact.expect("somebody");
    let phone = Phone { number: "0170 1234567".to_owned(), region: Some("DE".to_owned()) };
    assert_eq!(contact.keys, [ContactKey::Email("joe@example.com".to_owned()), ContactKey::Phone(phone)]);
    assert_eq!((contact.name.as_deref(), contact.fields.len()), (Some("Joe Example"), 0));
    assert_eq!(
        (lead.id.as_str(), lead.form_id.as_deref(), lead.ad_id.as_deref(), lead.test),
        ("123123123123", Some("12312312312"), Some("7"), false)
    );
    assert_eq!(lead.answers[3..], [field("car_make", "Honda, Saab"), field("what_s_your_budget", "10 000")]);
    assert_eq!(event.extra, r#"{"page_id":"153125381133","adgroup_id":"8"}"#);
}

#[test]
fn the_settings_tell_what_other_questions_mean() {
    let settings = r#"{"lead_answers": {"telefono": "phone", "nome": "first_name", "modello": "car_model", "email": "private_email"}}"#;
    let answers: [(&str, &[&str]); 4] = [
        ("telefono", &["+39 333 1234567"]),
        ("nome", &["Ada"]),
        ("modello", &["Panda"]),
        ("email", &["ada@example.com"]),
    ];
    let contact = lead(settings, &answers).0.contact.expect("somebody");
    assert_eq!(contact.keys, [ContactKey::Phone(Phone { number: "+39 333 1234567".to_owned(), region: None })]);
    assert_eq!(contact.first_name.as_deref(), Some("Ada"));
    assert_eq!(contact.fields, [field("car_model", "Panda"), field("private_email", "ada@example.com")]);
}

#[test]
fn a_question_may_be_named_as_meta_does_or_as_the_event_does() {
    for name in ["Which car?", "which_car"] {
        let settings = json!({"lead_answers": {name: "car_model"}}).to_string();
        let (event, lead) = lead(&settings, &[("Which car?", &["Panda"]), ("email", &["ada@example.com"])]);
        assert_eq!(event.contact.expect("somebody").fields, [field("car_model", "Panda")]);
        assert_eq!(lead.answers[0], field("which_car", "Panda"));
    }
}

#[test]
fn a_test_lead_is_marked_and_its_dummies_are_nobody() {
    let dummies: [(&str, &[&str]); 3] = [
        ("full_name", &["<test lead: dummy data for full_name>"]),
        ("email", &["test@fb.com"]),
        ("phone_number", &["<test lead: dummy data for phone_number>"]),
    ];
    let (event, lead) = lead("{}", &dummies);
    assert!(lead.test && event.contact.is_none() && lead.answers.len() == 3);
    let typed: [(&str, &[&str]); 2] =
        [("full_name", &["<test lead: dummy data for full_name>"]), ("phone_number", &["+12025550107"])];
    let (event, lead) = self::lead("{}", &typed);
    assert!(lead.test && event.contact.expect("who tests").name.is_none());
}

#[test]
fn the_dashboards_test_has_no_lead() {
    let reason = "it is a test of the app's dashboard, and there is no lead behind it";
    for id in [json!(444_444_444_444_u64), json!("444444444444")] {
        assert_eq!(skipped("leadgen", &json!({"leadgen_id": id})), reason);
    }
}

#[test]
fn the_campaign_is_told_when_it_was_asked_for() {
    let body = json!({"id": "1", "campaign_id": "5", "campaign_name": "Spring", "ad_name": "Blue", "platform": "ig", "is_organic": false, "field_data": null});
    let Outcome::Done(done) = answering("{}", 200, &body) else { panic!("expected an event") };
    let Payload::Lead(lead) = &done.events[0].payload else { panic!("expected a lead") };
    assert_eq!(lead.campaign.as_deref(), Some("Spring"));
    assert!(
        done.events[0].extra.starts_with(r#"{"campaign_id":"5","ad_name":"Blue","platform":"ig","organic":false,"#)
    );
}

#[test]
fn what_graph_refuses_is_told_in_words() {
    let with = |status: u16, body: &Value| match answering("{}", status, body) {
        Outcome::Failed(failure) => (failure.reason, failure.retryable),
        other => panic!("expected a failure, found {other:?}"),
    };
    let error = |code: u32| json!({"error": {"message": "secret words", "code": code}});
    for (status, code) in [(400, 190), (403, 200), (400, 100), (400, 103)] {
        let (reason, retryable) = with(status, &error(code));
        assert!(reason.contains("leads_retrieval") && reason.contains(&code.to_string()) && !retryable, "{reason}");
        assert!(!reason.contains("secret"), "{reason}");
    }
    for (status, code) in [(400, 4), (400, 17), (400, 613), (500, 1), (429, 99), (503, 190)] {
        assert!(with(status, &error(code)).1, "{status} {code}");
    }
    assert!(with(502, &json!("<html>")).1);
    let (reason, _) = with(200, &json!({"field_data": [{"name": "x", "values": "y"}]}));
    assert!(reason.starts_with("Meta's answer can't be read, /field_data/0/values: "), "{reason}");
}
