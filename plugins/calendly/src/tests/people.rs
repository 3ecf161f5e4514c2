//! Names, phones, emails, forms.

use super::{body, contact, event, event_for};
use serde_json::{Value, json};
use tidegate_plugin_sdk::{ContactKey, Payload, Phone};

fn phone(number: &str, region: Option<&str>) -> ContactKey {
    ContactKey::Phone(Phone { number: number.to_owned(), region: region.map(str::to_owned) })
}

fn phone_of(settings: &str, with: &Value) -> Option<ContactKey> {
    contact(settings, with).keys.into_iter().find(|key| matches!(key, ContactKey::Phone(_)))
}

fn asked(question: &str, answer: &Value) -> Value {
    json!({"questions_and_answers": [{"question": "Company?", "answer": "555 5555 555"}, {"question": question, "answer": answer}]})
}

#[test]
fn a_name_is_whole_or_in_two_parts() {
    let whole = contact("{}", &json!({}));
    assert_eq!((whole.name.as_deref(), whole.first_name), (Some("Ada Neri"), None));
    let parts = contact("{}", &json!({"first_name": "Ada", "last_name": "Neri"}));
    assert_eq!((parts.first_name.as_deref(), parts.last_name.as_deref()), (Some("Ada"), Some("Neri")));
    assert_eq!(parts.time_zone.as_deref(), Some("Europe/Rome"));
    assert_eq!(contact("{}", &json!({"timezone": null})).time_zone, None);
}

#[test]
fn the_number_for_reminders_comes_first_then_an_answer_then_where_the_host_calls() {
    let call = json!({"location": {"type": "outbound_call", "location": "+1 202 555 0103"}});
    let mut with = asked("Your phone number", &json!("+1 (202) 555-0102"));
    with["text_reminder_number"] = json!("+1 202-555-0101");
    with["scheduled_event"] = call;
    assert_eq!(phone_of("{}", &with), Some(phone("+1 202-555-0101", None)));
    with["text_reminder_number"] = json!(null);
    assert_eq!(phone_of("{}", &with), Some(phone("+1 (202) 555-0102", None)));
    with["questions_and_answers"] = json!([]);
    assert_eq!(phone_of("{}", &with), Some(phone("+1 202 555 0103", None)));
    with["scheduled_event"]["location"]["type"] = json!("inbound_call");
    assert_eq!(phone_of("{}", &with), None, "that is the host's number");
}

#[test]
fn questions_for_a_phone_are_known_in_several_languages_and_others_are_not() {
    let number = json!("340 1234567");
    for question in [
        "Phone Number",
        "Mobile",
        "Tel.",
        "WhatsApp?",
        "Numero di telefono",
        "Teléfono móvil",
        "Handynummer",
        "Celular",
        "SMS",
    ] {
        assert_eq!(phone_of("{}", &asked(question, &number)), Some(phone("340 1234567", None)), "{question}");
    }
    for question in ["Hotel", "Order number", "How many?", ""] {
        assert_eq!(phone_of("{}", &asked(question, &number)), None, "{question}");
    }
    for answer in [json!("please email"), json!(""), json!(null), json!({}), json!("12")] {
        assert_eq!(phone_of("{}", &asked("Phone", &answer)), None, "{answer}");
    }
}

#[test]
fn the_question_and_the_country_may_be_set() {
    let settings = r#"{"phone_question": "reach you", "region": "IT"}"#;
    let with = asked("Where can we REACH YOU?", &json!(3_401_234_567_u64));
    assert_eq!(phone_of(settings, &with), Some(phone("3401234567", Some("IT"))));
    assert_eq!(phone_of(settings, &asked("Phone", &json!("340 1234567"))), None);
}

fn form(answers: &Value) -> Value {
    json!({
        "event": "routing_form_submission.created", "created_at": "2026-03-01T09:00:00.000000Z",
        "payload": {
            "uri": "https://api.calendly.com/routing_form_submissions/S", "routing_form": "https://api.calendly.com/routing_forms/F", "created_at": "2026-03-01T08:59:59.123Z",
            "questions_and_answers": answers, "result": {"type": "external_url", "value": "https://example.com"}, "submitter": null, "submitter_type": null,
        },
    })
}

#[test]
fn a_form_names_its_person_in_the_answers() {
    let answers = json!([
        {"question_uuid": "1", "question": "Name *", "answer": "Ada Neri"},
        {"question_uuid": "2", "question": "How do we reach you?", "answer": "ada@example.com"},
        {"question_uuid": "3", "question": "Phone", "answer": "340 1234567"},
        {"question_uuid": "4", "question": "Interests", "answer": ["A", "B"]},
    ]);
    let event = event_for(r#"{"region": "IT"}"#, &form(&answers));
    assert_eq!((event.kind.as_str(), event.occurred_at.as_str()), ("form.submitted", "2026-03-01T08:59:59.123Z"));
    let contact = event.contact.unwrap();
    assert_eq!(contact.keys, [phone("340 1234567", Some("IT")), ContactKey::Email("ada@example.com".to_owned())]);
    assert_eq!(contact.name.as_deref(), Some("Ada Neri"));
    assert_eq!(event.extra, r#"{"result":"external_url","result_value":"https://example.com"}"#);
    let Payload::Form(form) = event.payload else { panic!("expected a form") };
    assert_eq!((form.answers.len(), form.answers[3].value.as_deref()), (4, Some("A, B")));
}

#[test]
fn a_form_without_a_person_is_nobody_s() {
    for answers in [
        json!([]),
        json!(null),
        json!([{"question": "Industry?", "answer": "IT & Software"}]),
        json!([{"question": "Team?", "answer": "a@b, c@d.e"}]),
    ] {
        assert_eq!(event(&form(&answers)).contact, None, "{answers}");
    }
}

#[test]
fn a_booking_without_an_email_is_nobody_s() {
    let event = event(&body("invitee.created", "10", &json!({"email": ""})));
    assert_eq!((event.kind.as_str(), event.contact), ("appointment.booked", None));
}
