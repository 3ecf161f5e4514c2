//! Calendly: bookings, cancellations, reschedulings whose halves come in either order, no-shows and their undoing.
//!
//! A booking that was overtaken by its cancellation is not told any more, nor is a no-show by its undoing: compared is where each booking ends. What is not told does
//! not tell its person either, so the times of fields may differ; their values do not, because a booking's person does not change.

use super::{Happening, NAMES, Provider, at, no_answer};
use crate::{
    play::Script,
    testing::{Webhook, phone},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) const PROVIDER: Provider =
    Provider { name: "calendly", webhook, again, answer: no_answer, told, times: false, state: false };

fn webhook(happening: Happening, unique: &str) -> Webhook {
    let Happening { what, who, minute, .. } = happening;
    let told = at(minute);
    match what {
        // Whoever has the first booking moves it to the second; the third stays, and may be cancelled or missed.
        0..2 => booking("invitee.created", 0, &json!({}), &told, unique),
        2..4 => booking("invitee.created", 1, &json!({"old_invitee": uri(0)}), &told, unique),
        4..6 => booking(
            "invitee.canceled",
            0,
            &json!({"rescheduled": true, "new_invitee": uri(1), "cancellation": {"created_at": at(1)}}),
            &told,
            unique,
        ),
        6 => booking("invitee.created", 2, &json!({}), &told, unique),
        7 if who == 0 => booking(
            "invitee.canceled",
            2,
            &json!({"cancellation": {"created_at": at(5), "canceler_type": "host"}}),
            &told,
            unique,
        ),
        7..10 => booking(
            "invitee_no_show.created",
            1 + who % 2,
            &json!({"no_show": {"uri": "https://api.calendly.com/invitee_no_shows/N", "created_at": told}}),
            &told,
            unique,
        ),
        _ => booking("invitee_no_show.deleted", 1 + who % 2, &json!({"no_show": null}), &told, unique),
    }
}

/// A retry, signed anew: the same body.
fn again(webhook: &Webhook) -> Webhook {
    webhook.clone()
}

/// Where each booking ends.
fn told(events: &[Value]) -> Vec<String> {
    #[derive(Debug, Default)]
    struct End {
        kind: Option<String>,
        marks: BTreeMap<String, bool>,
    }
    let mut ends: BTreeMap<String, End> = BTreeMap::new();
    for event in events {
        let end = ends.entry(event["entity"]["id"].to_string()).or_default();
        match event["kind"].as_str().unwrap() {
            // Of one moment the undoing counts, whichever is looked at first.
            "appointment.no_show" => drop(end.marks.entry(event["occurred_at"].to_string()).or_insert(true)),
            "appointment.no_show_undone" => drop(end.marks.insert(event["occurred_at"].to_string(), false)),
            "appointment.cancelled" => end.kind = Some("cancelled".to_owned()),
            kind => {
                end.kind.get_or_insert(kind.to_owned());
            }
        }
    }
    let line = |(id, end): (&String, &End)| {
        let missed = end.marks.values().last().copied().unwrap_or_default();
        (end.kind.is_some() || missed).then(|| format!("{id} {:?} missed {missed}", end.kind))
    };
    ends.iter().filter_map(line).collect()
}

fn uri(thing: u8) -> String {
    format!("https://api.calendly.com/scheduled_events/EVDEMO{thing}/invitees/INDEMO{thing}")
}

fn booking(topic: &str, thing: u8, with: &Value, told: &str, unique: &str) -> Webhook {
    let mut script = Script::sample("calendly", "demo_invitee_created").unwrap();
    script.body["event"] = json!(topic);
    script.body["created_at"] = json!(told);
    let payload = &mut script.body["payload"];
    payload["uri"] = json!(uri(thing));
    payload["updated_at"] = json!(told);
    payload["created_at"] = json!(at(0));
    let who = thing / 2;
    payload["email"] = json!(format!("invitee-{who}@example.com"));
    payload["name"] = json!(NAMES[usize::from(who)]);
    payload["text_reminder_number"] = json!(phone(who.into()));
    for (name, part) in with.as_object().unwrap() {
        payload[name] = part.clone();
    }
    Webhook { endpoint: "calendly", script, unique: unique.to_owned() }
}
