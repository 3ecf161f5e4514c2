//! Meta: people who write with their number or without it, change both, stop marketing and take it up again, in the app or by a word.

use super::{Happening, NAMES, Provider, kinds, minute, no_answer};
use crate::testing::{Webhook, meta, phone};
use serde_json::{Value, json};

pub(super) const PROVIDER: Provider =
    Provider { name: "meta", webhook, again, answer: no_answer, told: kinds, times: true, state: true };

fn webhook(happening: Happening, unique: &str) -> Webhook {
    let Happening { what, who, thing, minute } = happening;
    let at = (super::minute(minute).ms() / 1_000).to_string();
    let (number, user) = (number_of(who, false), user_of(who, false));
    let says = |keys: &Value| message(keys, who, ["hello", "STOP", "START"][usize::from(thing)], &at, unique);
    let change = match what {
        0..3 => says(&json!({ "from": number })),
        3 => says(&json!({ "from_user_id": user })),
        4 => says(&json!({ "from": number, "from_user_id": user })),
        5 => says(&json!({ "from": number_of(who, true) })),
        6..8 => preference(&json!({ "wa_id": number }), thing, &at),
        8 => preference(&json!({ "user_id": user }), thing, &at),
        9 | 10 => {
            let system = json!({"type": "user_changed_number", "body": "A changed", "wa_id": number_of(who, true)});
            let notice = json!({"from": number, "id": format!("wamid.{unique}"), "timestamp": at, "type": "system", "system": system});
            messages(&json!({ "messages": [notice] }))
        }
        _ => {
            let ids = json!({ "previous": user, "current": user_of(who, true) });
            let update = json!({"wa_id": number, "detail": "changed", "user_id": ids, "timestamp": at});
            let mut change = messages(&json!({ "user_id_update": [update] }));
            change["field"] = json!("user_id_update");
            change
        }
    };
    let mut webhook = meta(&[change]);
    webhook.unique = unique.to_owned();
    webhook
}

/// Another attempt of Meta's, with another moment of sending. What has no id of its own is known by its text, so it comes as it was.
fn again(webhook: &Webhook) -> Webhook {
    let mut second = webhook.clone();
    let entry = &mut second.script.body["entry"][0];
    if entry["changes"][0]["field"] == "messages" {
        entry["time"] = json!(minute(9).ms() / 1_000);
    }
    second
}

/// Somebody's number, or the one that they changed to.
fn number_of(who: u8, is_new: bool) -> String {
    phone(u32::from(who) + if is_new { 10 } else { 0 }).trim_start_matches('+').to_owned()
}

fn user_of(who: u8, is_new: bool) -> String {
    format!("US.1349120865530274{who}{}", u8::from(is_new))
}

fn messages(parts: &Value) -> Value {
    let mut value = json!({
        "messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550783881", "phone_number_id": crate::testing::NUMBER_ID},
    });
    for (name, part) in parts.as_object().unwrap() {
        value[name] = part.clone();
    }
    json!({ "field": "messages", "value": value })
}

fn message(keys: &Value, who: u8, text: &str, at: &str, unique: &str) -> Value {
    let mut message = json!({"id": format!("wamid.{unique}"), "timestamp": at, "type": "text", "text": {"body": text}});
    let mut profile = json!({ "profile": { "name": NAMES[usize::from(who)] } });
    for (of, name) in [("from", "wa_id"), ("from_user_id", "user_id")] {
        if let Some(key) = keys.get(of) {
            message[of] = key.clone();
            profile[name] = key.clone();
        }
    }
    messages(&json!({ "contacts": [profile], "messages": [message] }))
}

fn preference(keys: &Value, thing: u8, at: &str) -> Value {
    let value = ["stop", "resume", "stop"][usize::from(thing)];
    let mut preference =
        json!({"detail": "in the app", "category": "marketing_messages", "value": value, "timestamp": at});
    for (name, key) in keys.as_object().unwrap() {
        preference[name] = key.clone();
    }
    let mut change = messages(&json!({ "contacts": [keys], "user_preferences": [preference] }));
    change["field"] = json!("user_preferences");
    change
}
