//! What becomes of a booking, from what was told before.

use super::{appointment, body, item, outcome, uri};
use serde_json::{Value, json};
use std::collections::HashMap;
use tidegate_plugin_sdk::{Appointment, Event, Item, Outcome};

/// Webhooks one after the other, as the gateway hands them over: those with the same state key see what the one before left.
#[derive(Default)]
struct Story {
    states: HashMap<String, String>,
}

impl Story {
    fn tell(&mut self, body: &Value) -> Vec<Event> {
        // As plugin.toml says: the new booking's, else its own.
        let key = body["payload"]["new_invitee"].as_str().or(body["payload"]["uri"].as_str()).unwrap().to_owned();
        match outcome(Item { state: self.states.get(&key).cloned(), ..item(body) }) {
            Outcome::Done(done) => {
                self.states.extend(done.state.map(|state| (key, state)));
                done.events
            }
            Outcome::Skip(reason) => {
                assert!(!reason.is_empty());
                Vec::new()
            }
            other => panic!("expected an interpretation, found {other:?}"),
        }
    }

    #[track_caller]
    fn check(&mut self, body: &Value, expected: &[&str]) -> Vec<Event> {
        let events = self.tell(body);
        assert_eq!(events.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(), expected, "{body}");
        events
    }
}

fn created(name: &str, old: Option<&str>) -> Value {
    body("invitee.created", name, &json!({"old_invitee": old.map(uri)}))
}

/// The old half of a rescheduling; the booking may itself have replaced one.
fn moved(name: &str, old: Option<&str>, new: &str) -> Value {
    let with = json!({"rescheduled": true, "old_invitee": old.map(uri), "new_invitee": uri(new), "status": "canceled", "cancellation": {"created_at": "2026-03-01T09:00:00Z"}});
    body("invitee.canceled", name, &with)
}

fn cancelled(name: &str) -> Value {
    body(
        "invitee.canceled",
        name,
        &json!({"cancellation": {"created_at": "2026-03-02T09:00:00.5Z", "reason": "ill", "canceler_type": "invitee"}}),
    )
}

fn previous(events: Vec<Event>) -> (Option<String>, Option<String>) {
    let Appointment { previous_id, previous_starts_at, .. } = appointment(events.into_iter().next().unwrap());
    (previous_id, previous_starts_at)
}

#[test]
fn an_appointment_is_booked_and_cancelled_once_each() {
    let mut story = Story::default();
    let events = story.check(&created("10", None), &["appointment.booked"]);
    assert_eq!(events[0].occurred_at, "2026-03-01T09:00:00.123456Z");
    story.check(&created("10", None), &[]);
    let events = story.check(&cancelled("10"), &["appointment.cancelled"]);
    assert_eq!(events[0].occurred_at, "2026-03-02T09:00:00.5Z");
    assert_eq!(events[0].entity.as_ref().unwrap().id, uri("10"));
    story.check(&cancelled("10"), &[]);
}

#[test]
fn a_cancellation_that_overtook_its_booking_is_the_last_word() {
    let mut story = Story::default();
    story.check(&cancelled("10"), &["appointment.cancelled"]);
    story.check(&created("10", None), &[]);
}

#[test]
fn a_rescheduling_is_one_event_when_the_cancellation_comes_first() {
    let mut story = Story::default();
    story.check(&created("10", None), &["appointment.booked"]);
    story.check(&moved("10", None, "11"), &[]);
    let events = story.check(&created("11", Some("10")), &["appointment.rescheduled"]);
    let (id, starts_at) = previous(events);
    assert_eq!((id, starts_at.as_deref()), (Some(uri("10")), Some("2026-03-10T10:00:00.000000Z")));
    story.check(&moved("10", None, "11"), &[]);
}

#[test]
fn a_rescheduling_is_one_event_when_the_new_booking_comes_first() {
    let mut story = Story::default();
    story.check(&created("10", None), &["appointment.booked"]);
    let events = story.check(&created("11", Some("10")), &["appointment.rescheduled"]);
    assert_eq!(previous(events), (Some(uri("10")), None), "when it would have been is not told yet");
    story.check(&moved("10", None, "11"), &[]);
    story.check(&created("11", Some("10")), &[]);
}

#[test]
fn a_rescheduling_of_a_rescheduling_is_a_pair_of_its_own() {
    for new_first in [false, true] {
        let mut story = Story::default();
        story.check(&created("10", None), &["appointment.booked"]);
        for (old, before, new) in [("10", None, "11"), ("11", Some("10"), "12"), ("12", Some("11"), "13")] {
            if new_first {
                story.check(&created(new, Some(old)), &["appointment.rescheduled"]);
                story.check(&moved(old, before, new), &[]);
            } else {
                story.check(&moved(old, before, new), &[]);
                let (id, starts_at) = previous(story.check(&created(new, Some(old)), &["appointment.rescheduled"]));
                assert_eq!((id, starts_at), (Some(uri(old)), Some(format!("2026-03-{old}T10:00:00.000000Z"))));
            }
        }
        story.check(&cancelled("13"), &["appointment.cancelled"]);
    }
}

#[test]
fn a_rescheduling_is_known_by_either_half() {
    let mut story = Story::default();
    story.check(&moved("10", None, "11"), &[]);
    let (id, _) = previous(story.check(&created("11", None), &["appointment.rescheduled"]));
    assert_eq!(id, Some(uri("10")));
    let nowhere = body("invitee.canceled", "20", &json!({"rescheduled": true}));
    Story::default().check(&nowhere, &[]);
}

fn missed(at: &str) -> Value {
    body(
        "invitee_no_show.created",
        "10",
        &json!({"no_show": {"uri": "https://api.calendly.com/invitee_no_shows/N", "created_at": at}}),
    )
}

fn not_missed(at: &str) -> Value {
    let mut body = body("invitee_no_show.deleted", "10", &json!({"no_show": null}));
    body["created_at"] = json!(at);
    body
}

#[test]
fn a_no_show_may_be_taken_back_and_given_again() {
    let mut story = Story::default();
    story.check(&created("10", None), &["appointment.booked"]);
    let events = story.check(&missed("2026-03-10T10:20:00Z"), &["appointment.no_show"]);
    assert_eq!(events[0].occurred_at, "2026-03-10T10:20:00Z");
    story.check(&missed("2026-03-10T10:20:00Z"), &[]);
    let events = story.check(&not_missed("2026-03-10T10:25:00Z"), &["appointment.no_show_undone"]);
    assert_eq!(appointment(events.into_iter().next().unwrap()).id, uri("10"));
    story.check(&not_missed("2026-03-10T10:25:00Z"), &[]);
    story.check(&missed("2026-03-10T10:30:00Z"), &["appointment.no_show"]);
    Story::default().check(&not_missed("2026-03-10T10:25:00Z"), &["appointment.no_show_undone"]);
}

#[test]
fn a_no_show_that_was_overtaken_by_its_undoing_is_not_told() {
    let mut story = Story::default();
    story.check(&created("10", None), &["appointment.booked"]);
    story.check(&not_missed("2026-03-10T10:25:00Z"), &[]);
    story.check(&missed("2026-03-10T10:20:00Z"), &[]);
}

#[test]
fn an_undoing_is_told_of_a_booking_of_which_only_the_old_half_of_its_rescheduling_came() {
    let mut story = Story::default();
    story.check(&moved("20", None, "10"), &[]);
    story.check(&not_missed("2026-03-10T10:25:00Z"), &["appointment.no_show_undone"]);
    story.check(&not_missed("2026-03-10T10:25:00Z"), &[]);
}

#[test]
fn an_undoing_that_comes_late_does_not_take_a_newer_no_show_back() {
    let (first, undone, second) =
        (missed("2026-03-10T10:20:00Z"), not_missed("2026-03-10T10:25:00Z"), missed("2026-03-10T10:30:00Z"));
    let mut story = Story::default();
    story.check(&created("10", None), &["appointment.booked"]);
    story.check(&first, &["appointment.no_show"]);
    story.check(&second, &["appointment.no_show"]);
    story.check(&undone, &[]);
    // The newer mark is still there to be taken back.
    story.check(&not_missed("2026-03-10T10:35:00Z"), &["appointment.no_show_undone"]);
    story.check(&undone, &[]);
    story.check(&second, &[]);
}
