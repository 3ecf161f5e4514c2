//! One test for each trap of Calendly's payloads. Whole payloads are in `fixtures/`.

use super::Calendly;
use serde_json::{Value, json};
use tidegate_plugin_sdk::{Appointment, ContactInfo, Event, Item, Outcome, Payload, testing};

mod life;
mod people;

const BASE: &str = "https://api.calendly.com/scheduled_events";

fn uri(name: &str) -> String {
    format!("{BASE}/E-{name}/invitees/{name}")
}

/// A webhook about the booking of this name, with some fields of the payload in place of others.
fn body(topic: &str, name: &str, with: &Value) -> Value {
    let mut payload = json!({
        "uri": uri(name), "email": "ada@example.com", "name": "Ada Neri", "first_name": null, "last_name": null, "timezone": "Europe/Rome",
        "created_at": "2026-03-01T09:00:00.123456Z", "updated_at": "2026-03-01T09:00:00.123456Z", "rescheduled": false, "old_invitee": null, "new_invitee": null,
        "cancel_url": "https://calendly.com/cancellations/x", "reschedule_url": "https://calendly.com/reschedulings/x", "text_reminder_number": null,
        "questions_and_answers": [], "event": format!("{BASE}/E-{name}"),
        "scheduled_event": {"name": "Checkup", "start_time": format!("2026-03-{name}T10:00:00.000000Z"), "end_time": format!("2026-03-{name}T10:30:00.000000Z")},
    });
    for (key, value) in with.as_object().unwrap() {
        payload[key] = value.clone();
    }
    json!({"event": topic, "created_at": "2026-03-01T09:00:01.000000Z", "created_by": "https://api.calendly.com/users/U", "payload": payload})
}

fn item(body: &Value) -> Item {
    testing::item(body["event"].as_str().unwrap_or_default(), &body.to_string())
}

fn outcome(item: Item) -> Outcome {
    testing::interpret::<Calendly>(&[item]).remove(0)
}

fn event_for(settings: &str, body: &Value) -> Event {
    match testing::interpret_for::<Calendly>(&testing::connection(settings), &[item(body)]).remove(0) {
        Outcome::Done(mut done) if done.events.len() == 1 => done.events.remove(0),
        other => panic!("expected one event, found {other:?}"),
    }
}

fn event(body: &Value) -> Event {
    event_for("{}", body)
}

fn booked(with: &Value) -> Appointment {
    appointment(event(&body("invitee.created", "10", with)))
}

fn appointment(event: Event) -> Appointment {
    match event.payload {
        Payload::Appointment(appointment) => appointment,
        other => panic!("expected an appointment, found {other:?}"),
    }
}

fn contact(settings: &str, with: &Value) -> ContactInfo {
    event_for(settings, &body("invitee.created", "10", with)).contact.expect("somebody")
}

fn failed(body: &Value) -> (Option<String>, String) {
    match outcome(item(body)) {
        Outcome::Failed(failure) => (failure.field, failure.reason),
        other => panic!("expected a failure, found {other:?}"),
    }
}

#[test]
fn other_topics_are_skipped_with_a_reason() {
    for topic in
        ["event_type.created", "event_type.deleted", "meeting_recap.created", "contact.created", "poll.created"]
    {
        let Outcome::Skip(reason) = outcome(testing::item(topic, "{}")) else { panic!("{topic}") };
        assert!(!reason.is_empty(), "{topic}");
    }
}

#[test]
fn what_can_not_be_read_names_the_field() {
    let check = |body: &Value, field: Option<&str>, reason: &str| {
        let found = failed(body);
        assert_eq!((found.0.as_deref(), found.1.as_str()), (field, reason), "{body}");
    };
    check(&json!({"payload": {}}), Some("/event"), "expected the name of the event, found none");
    check(&json!({"event": "invitee.created"}), None, "missing field `payload`");
    for topic in ["invitee.created", "invitee.canceled", "invitee_no_show.created", "invitee_no_show.deleted"] {
        let reason = "expected the URI of the invitee, found none";
        check(&json!({"event": topic, "payload": {"uri": ""}}), Some("/payload/uri"), reason);
    }
    let form = json!({"event": "routing_form_submission.created", "payload": {}});
    check(&form, Some("/payload/uri"), "expected the URI of the submission, found none");
    let late = body("invitee.created", "10", &json!({"scheduled_event": {"start_time": "soon"}}));
    assert_eq!(failed(&late).0.as_deref(), Some("/payload/scheduled_event/start_time"));
}

#[test]
fn the_meeting_is_told_as_far_as_it_is_known() {
    let scheduled = json!({
        "name": "Checkup", "start_time": "2026-03-10T10:00:00.000000Z", "end_time": "2026-03-10T10:30:00.000000Z", "event_type": "https://api.calendly.com/event_types/T",
        "location": {"type": "zoom", "status": "pushed", "join_url": "https://zoom.example/j/1", "data": {"password": "s3cret"}},
        "event_memberships": [{"user": "u", "user_email": "doc@example.com", "user_name": "Dr Who"}, {"user_email": "nurse@example.com", "user_name": null}],
    });
    let with = json!({
        "scheduled_event": scheduled, "tracking": {"utm_source": "news", "utm_term": null}, "payment": {"amount": 1234.56, "currency": "USD", "successful": true},
        "questions_and_answers": [{"question": "Anything else?", "answer": "No", "position": 0}, {"question": "Which?", "answer": ["A", "B"]}, {"question": "Why?", "answer": ""}],
    });
    let event = event(&body("invitee.created", "10", &with));
    let extra: Value = serde_json::from_str(&event.extra).unwrap();
    let expected = json!({
        "meeting": format!("{BASE}/E-10"), "meeting_type": "https://api.calendly.com/event_types/T", "utm_source": "news",
        "payment": {"amount": "1234.56", "currency": "USD", "successful": true},
    });
    assert_eq!(extra, expected);
    assert!(!format!("{event:?}").contains("s3cret"), "passwords of meetings stay out");
    let found = appointment(event);
    assert_eq!(
        (found.location.as_deref(), found.hosts),
        (Some("https://zoom.example/j/1"), vec!["Dr Who".to_owned(), "nurse@example.com".to_owned()])
    );
    let answers: Vec<_> = found.answers.iter().map(|field| (field.name.as_str(), field.value.as_deref())).collect();
    assert_eq!(answers, [("Anything else?", Some("No")), ("Which?", Some("A, B")), ("Why?", None)]);
    let physical = json!({"scheduled_event": {"location": {"type": "physical", "location": "1 Main Street"}}});
    assert_eq!(booked(&physical).location.as_deref(), Some("1 Main Street"));
}

#[test]
fn payloads_of_2023_have_no_meeting_and_no_time_of_cancellation() {
    let with = json!({"scheduled_event": null, "cancellation": {"canceler_type": "host", "reason": "testing"}});
    let event = event(&body("invitee.canceled", "10", &with));
    assert_eq!(
        (event.kind.as_str(), event.occurred_at.as_str()),
        ("appointment.cancelled", "2026-03-01T09:00:01.000000Z")
    );
    assert!(event.extra.contains(r#""cancelled_by":"host""#), "{}", event.extra);
    let found = appointment(event);
    assert_eq!((found.starts_at, found.cancel_reason.as_deref()), (None, Some("testing")));
}
