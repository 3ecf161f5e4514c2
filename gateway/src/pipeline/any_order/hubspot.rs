//! HubSpot: changes of contacts and deals, deletions, merges. A change tells an id; what is read is the contact as it is in the end, in any order.

use super::{Happening, Provider, kinds, minute};
use crate::{
    play::Script,
    testing::{Webhook, phone},
};
use serde_json::{Value, json};
use tidegate_model::outcome::{Answer, Request};

pub(super) const PROVIDER: Provider =
    Provider { name: "hubspot", webhook, again, answer, told: kinds, times: true, state: true };

fn webhook(happening: Happening, unique: &str) -> Webhook {
    let Happening { what, who, thing, minute } = happening;
    let id = contact_id(who);
    match what {
        0..2 => change("contact.creation", &json!({"objectId": id}), minute, unique),
        2..4 => change(
            "contact.propertyChange",
            &json!({"objectId": id, "propertyName": "lifecyclestage", "propertyValue": "customer"}),
            minute,
            unique,
        ),
        4 => change(
            "contact.propertyChange",
            &json!({"objectId": id, "propertyName": "city", "propertyValue": ""}),
            minute,
            unique,
        ),
        5 => change(
            "object.propertyChange",
            &json!({"objectId": id, "objectTypeId": "0-1", "propertyName": "phone", "propertyValue": phone(who.into())}),
            minute,
            unique,
        ),
        6 => change("contact.deletion", &json!({"objectId": id}), minute, unique),
        7 => change("contact.privacyDeletion", &json!({"objectId": id}), minute, unique),
        8 => {
            let other = contact_id(thing);
            change(
                "contact.merge",
                &json!({"objectId": id, "primaryObjectId": id, "mergedObjectIds": [other], "newObjectId": id}),
                minute,
                unique,
            )
        }
        9 => change("deal.creation", &json!({"objectId": 700 + u32::from(thing)}), minute, unique),
        10 => change(
            "deal.propertyChange",
            &json!({"objectId": 700 + u32::from(thing), "propertyName": "dealstage", "propertyValue": "closedwon"}),
            minute,
            unique,
        ),
        _ => change("contact.associationChange", &json!({"objectId": id}), minute, unique),
    }
}

/// Another attempt of the same delivery.
fn again(webhook: &Webhook) -> Webhook {
    let mut second = webhook.clone();
    second.script.body[0]["attemptNumber"] = json!(6);
    second
}

fn contact_id(who: u8) -> u64 {
    508_369_434_347 + u64::from(who)
}

fn change(kind: &str, parts: &Value, minutes: u8, unique: &str) -> Webhook {
    let number: u32 = unique.trim_start_matches('w').parse().unwrap();
    let mut change = json!({
        "eventId": 4_108_526_299_u64 - u64::from(number), "subscriptionId": 6_527_595, "portalId": 48_975_575, "appId": 39_522_895,
        "occurredAt": minute(minutes).ms(), "subscriptionType": kind, "attemptNumber": 0, "changeSource": "CRM_UI", "sourceId": "userId:1",
    });
    for (name, part) in parts.as_object().unwrap() {
        change[name] = part.clone();
    }
    let script = Script { body: json!([change]), ..Script::default() };
    Webhook { endpoint: "hubspot", script, unique: unique.to_owned() }
}

/// The last of the contacts is gone. Deals belong to the first two.
fn answer(request: &Request) -> Answer {
    let (path, _) = request.url.split_once('?').unwrap();
    let id: u64 = path.rsplit('/').next().unwrap().parse().unwrap();
    if path.contains("/deals/") {
        let owner = contact_id((id % 2) as u8);
        return answered(&json!({
            "id": id.to_string(), "updatedAt": minute(9), "associations": {"contacts": {"results": [{"id": owner.to_string()}]}},
            "properties": {"dealname": "Roof", "dealstage": "closedwon", "amount": "10", "deal_currency_code": "EUR", "hs_is_closed_won": "true"},
        }));
    }
    let who = u8::try_from(id - contact_id(0)).unwrap();
    if who == 2 {
        return Answer::Response { status: 404, headers: Vec::new(), body: "{}".to_owned() };
    }
    answered(&json!({
        "id": id.to_string(), "updatedAt": minute(8 + who), "archived": false,
        "properties": {"email": format!("contact-{who}@example.com"), "phone": phone(who.into()), "firstname": super::NAMES[usize::from(who)], "lifecyclestage": "customer", "city": null},
    }))
}

fn answered(body: &Value) -> Answer {
    Answer::Response { status: 200, headers: Vec::new(), body: body.to_string() }
}
