//! Traps of providers that show only when webhooks come together: one test for each, named after it. Those of single payloads are tested beside each plugin.

use super::any_order::gateway;
use crate::{
    play::Script,
    testing::{SECRET, START, Stage, Webhook, inbound, meta, order},
};
use serde_json::{Value, json};
use tidegate_store::Space;

fn kinds(stage: &Stage) -> Vec<String> {
    let rows = stage.rows(Space::Interpretations);
    let items = rows.iter().flat_map(|row| row["items"].as_array().unwrap());
    let events =
        items.filter_map(|item| item["result"]["interpreted"]["outcome"]["done"]["events"].as_array()).flatten();
    let mut kinds: Vec<String> = events.map(|event| event["kind"].as_str().unwrap().to_owned()).collect();
    kinds.sort();
    kinds
}

/// Everybody who is known, each as the lookups of their keys.
fn people(stage: &Stage) -> Vec<Vec<String>> {
    let rows = stage.rows(Space::Contacts);
    let keys = rows.iter().filter_map(|row| row["contact"]["keys"].as_array());
    let text = |key: &Value| format!("{} {}", key["type"].as_str().unwrap(), key["value"].as_str().unwrap());
    let mut people: Vec<Vec<String>> = keys.map(|keys| keys.iter().map(text).collect()).collect();
    people.iter_mut().for_each(|keys| keys.sort());
    people.sort();
    people
}

fn play(stage: &Stage, webhooks: &[Webhook]) {
    for webhook in webhooks {
        stage.post(webhook);
        stage.interpret();
    }
}

/// An order's webhook with a webhook id and an event id.
fn of_shopify(topic: &str, webhook_id: &str, event_id: &str) -> Webhook {
    let mut webhook = order(webhook_id, 1);
    webhook.script.topic = Some(topic.to_owned());
    webhook.script.freshen("shopify", webhook_id, START);
    let header = webhook.script.headers.iter_mut().find(|(name, _)| name == "x-shopify-event-id").unwrap();
    event_id.clone_into(&mut header.1);
    webhook
}

#[test]
fn shopify_one_action_of_a_merchant_fires_several_topics_with_one_event_id_and_none_is_lost() {
    let stage = gateway("shopify");
    play(
        &stage,
        &["orders/create", "orders/paid", "orders/updated"].map(|topic| of_shopify(topic, topic, "one-action")),
    );
    assert_eq!(kinds(&stage), ["order.paid", "order.placed", "order.updated"]);
}

#[test]
fn shopify_two_subscriptions_to_one_topic_have_two_webhook_ids_and_are_told_once() {
    let stage = gateway("shopify");
    play(&stage, &["first", "second"].map(|id| of_shopify("orders/create", id, "one-action")));
    assert_eq!(kinds(&stage), ["order.placed"]);
    // Another action on the same order is told.
    play(&stage, &[of_shopify("orders/create", "third", "another-action")]);
    assert_eq!(kinds(&stage), ["order.placed", "order.placed"]);
}

#[test]
fn shopify_a_redaction_may_come_for_somebody_who_is_known_by_email_only() {
    let stage = gateway("shopify");
    let mut webhook = of_shopify("customers/redact", "w", "e");
    webhook.script.body =
        json!({"shop_id": 1, "customer": {"email": "customer-1@example.com"}, "orders_to_redact": []});
    play(&stage, &[order("1", 1), webhook]);
    assert_eq!(
        (kinds(&stage), people(&stage).len()),
        (vec!["contact.erasure_requested".to_owned(), "order.placed".to_owned()], 1)
    );
}

#[test]
fn woocommerce_the_same_state_from_two_webhooks_of_a_store_is_told_once() {
    let stage = gateway("woocommerce");
    let told = |webhook: &str| {
        let mut script = Script::sample("woocommerce", "demo_order_created").unwrap();
        script.headers.retain(|(name, _)| name != "x-wc-webhook-id");
        script.headers.push(("x-wc-webhook-id".to_owned(), webhook.to_owned()));
        script.topic = Some("order.created".to_owned());
        script.freshen("woocommerce", "d1", START);
        Webhook { endpoint: "woocommerce", script, unique: "d1".to_owned() }
    };
    play(&stage, &["11", "12"].map(told));
    assert_eq!(kinds(&stage), ["order.placed"]);
}

fn of_hubspot(number: u32, parts: &Value) -> Webhook {
    let mut change = json!({
        "eventId": number, "subscriptionId": 1, "portalId": 48_975_575, "appId": 2, "occurredAt": START.ms(), "attemptNumber": 0,
        "changeSource": "CRM_UI", "sourceId": "userId:1", "objectId": 508_369_434_347_u64,
    });
    for (name, part) in parts.as_object().unwrap() {
        change[name] = part.clone();
    }
    Webhook {
        endpoint: "hubspot",
        script: Script { body: json!([change]), ..Script::default() },
        unique: String::new(),
    }
}

#[test]
fn hubspot_a_privacy_deletion_fires_a_deletion_too_in_any_order_and_both_are_one_person() {
    let told = [
        of_hubspot(1, &json!({"subscriptionType": "contact.privacyDeletion"})),
        of_hubspot(2, &json!({"subscriptionType": "contact.deletion"})),
    ];
    for order in [[0, 1], [1, 0]] {
        let stage = gateway("hubspot");
        play(&stage, &order.map(|place: usize| told[place].clone()));
        assert_eq!(kinds(&stage), ["contact.deleted", "contact.erasure_requested"]);
        assert_eq!(people(&stage), [["external_id hubspot:508369434347"]]);
    }
}

#[test]
fn hubspot_event_ids_are_not_unique() {
    let stage = gateway("hubspot");
    let deleted = |id: u64| of_hubspot(7, &json!({"subscriptionType": "contact.deletion", "objectId": id}));
    play(&stage, &[deleted(1), deleted(2), deleted(1)]);
    assert_eq!(kinds(&stage), ["contact.deleted", "contact.deleted"]);
}

#[test]
fn hubspot_a_merge_into_a_new_id_makes_one_person_of_all() {
    let stage = gateway("hubspot");
    let gone =
        |number: u32, id: u64| of_hubspot(number, &json!({"subscriptionType": "contact.deletion", "objectId": id}));
    let merge = json!({"subscriptionType": "contact.merge", "objectId": 1, "primaryObjectId": 1, "mergedObjectIds": [1, 2], "newObjectId": 9});
    play(&stage, &[gone(1, 1), gone(2, 2), of_hubspot(3, &merge)]);
    assert_eq!(people(&stage), [["external_id hubspot:1", "external_id hubspot:2", "external_id hubspot:9"]]);
}

#[test]
fn meta_signs_the_bytes_that_it_sends_escaped_or_not() {
    let stage = gateway("meta");
    let change = inbound("a", 1, "Grüße", START).to_string();
    let body = |change: &str| {
        format!(
            r#"{{"object":"whatsapp_business_account","entry":[{{"id":"{}","changes":[{change}]}}]}}"#,
            crate::testing::ACCOUNT
        )
    };
    let escaped =
        body(&change.replace("ü", "\\u00fc").replace("ß", "\\u00df").replace("whatsapp\",", "whats\\u0061pp\","));
    let script = Script { raw: Some(escaped.clone().into_bytes()), ..Script::default() };
    let mut played = script.sign("meta", SECRET, "", stage.now()).unwrap();
    // The same JSON, written otherwise, is not what was signed.
    played.body = serde_json::from_str::<Value>(&escaped).unwrap().to_string().into_bytes();
    assert!(stage.try_post("meta", &played).is_err());
    played.body = escaped.into_bytes();
    stage.try_post("meta", &played).unwrap();
    stage.interpret();
    assert_eq!(
        stage.rows(Space::Messages)[0]["message"]["content"]["text"],
        "Grüße",
        "{:#?}",
        stage.rows(Space::Messages)
    );
}

/// A change: somebody writes, known by these parts only.
fn written(id: &str, from: &Value, profile: &Value) -> Value {
    let mut change = inbound(id, 1, "hello", START);
    let message = &mut change["value"]["messages"][0];
    message.as_object_mut().unwrap().remove("from");
    for (name, part) in from.as_object().unwrap() {
        message[name] = part.clone();
    }
    change["value"]["contacts"] = json!([profile]);
    change
}

#[test]
fn meta_who_hides_the_number_is_one_person_with_who_shows_it_later() {
    let hidden = written(
        "a",
        &json!({"from_user_id": "US.13491208655302741918"}),
        &json!({"user_id": "US.13491208655302741918", "profile": {"name": "Ada", "username": "ada"}}),
    );
    let phone =
        written("b", &json!({"from": "447700900001"}), &json!({"wa_id": "447700900001", "profile": {"name": "Ada"}}));
    let both = written(
        "c",
        &json!({"from": "447700900001", "from_user_id": "US.13491208655302741918"}),
        &json!({"wa_id": "447700900001", "user_id": "US.13491208655302741918", "profile": {"name": "Ada"}}),
    );
    for order in [[&hidden, &phone, &both], [&both, &phone, &hidden], [&phone, &both, &hidden]] {
        let stage = gateway("meta");
        play(&stage, &order.map(|change| meta(std::slice::from_ref(change))));
        let one = ["phone +447700900001", "whatsapp_id 447700900001", "whatsapp_user_id US.13491208655302741918"];
        assert_eq!(people(&stage), [one]);
        assert_eq!(stage.messages().len(), 3);
    }
}

#[test]
fn meta_who_changes_the_number_stays_the_same_person() {
    let before = inbound("a", 1, "hello", START);
    let mut notice = inbound("s", 1, "", START);
    let old = notice["value"]["messages"][0]["from"].clone();
    notice["value"]["messages"][0] = json!({
        "from": old, "id": "wamid.s", "timestamp": "1780315200", "type": "system",
        "system": {"type": "user_changed_number", "body": "A changed from B to C", "wa_id": "447700900002"},
    });
    notice["value"].as_object_mut().unwrap().remove("contacts");
    let after =
        written("b", &json!({"from": "447700900002"}), &json!({"wa_id": "447700900002", "profile": {"name": "Ada"}}));
    for order in [[&before, &notice, &after], [&after, &before, &notice]] {
        let stage = gateway("meta");
        play(&stage, &order.map(|change| meta(std::slice::from_ref(change))));
        assert_eq!(people(&stage).len(), 1, "{:?}", people(&stage));
        assert_eq!(stage.messages().len(), 2, "what WhatsApp says itself is no message");
    }
}
