//! Messages, echoes, statuses, people, preferences.

use super::{ContactKey, Direction, Payload, event, events, keys, message, skipped, status, user, value, wa};
use serde_json::{Value, json};

#[test]
fn times_may_be_strings_or_numbers() {
    for time in [json!("1749416383"), json!(1_749_416_383)] {
        let (event, _) = message(&json!({"type": "text", "text": {"body": "hi"}, "timestamp": time}));
        assert_eq!(event.occurred_at, "2025-06-08T20:59:43Z");
    }
}

#[test]
fn profiles_are_matched_by_id_and_not_by_place() {
    let value = value(&json!({
        "contacts": [{"profile": {"name": "Second"}, "wa_id": "222"}, {"profile": {"name": "Hidden", "username": "@hidden"}, "user_id": "GB.1"}, {"profile": {"name": "First"}, "wa_id": "111", "user_id": "GB.2"}],
        "messages": [
            {"id": "a", "from": "111", "timestamp": "1", "type": "text", "text": {"body": "1"}},
            {"id": "b", "from": "222", "timestamp": "1", "type": "text", "text": {"body": "2"}},
            {"id": "c", "from_user_id": "GB.1", "timestamp": "1", "type": "text", "text": {"body": "3"}},
            {"id": "d", "from": "333", "timestamp": "1", "type": "text", "text": {"body": "4"}},
        ],
    }));
    let people: Vec<_> = events("messages", &value).into_iter().map(|event| event.contact.unwrap()).collect();
    let names: Vec<_> = people.iter().map(|person| person.name.as_deref()).collect();
    assert_eq!(names, [Some("First"), Some("Second"), Some("Hidden"), None]);
    assert_eq!(people[0].keys, [wa("111"), user("GB.2")]);
    assert_eq!(people[2].keys, [user("GB.1")]);
    assert_eq!(people[2].fields[0].value.as_deref(), Some("@hidden"));
}

#[test]
fn a_lone_profile_with_another_id_gives_its_name_and_no_key() {
    let value = value(
        &json!({"contacts": [{"profile": {"name": "Ana"}, "wa_id": "5511999990000"}], "messages": [{"id": "a", "from": "551199990000", "timestamp": "1", "type": "text", "text": {"body": "oi"}}]}),
    );
    let contact = event("messages", &value).contact.unwrap();
    assert_eq!((contact.name.as_deref(), contact.keys), (Some("Ana"), vec![wa("551199990000")]));
}

#[test]
fn a_message_from_nobody_known_is_still_a_message() {
    let (event, message) = message(&json!({"from": "REDACTED", "type": "text", "text": {"body": "hi"}}));
    assert_eq!((event.contact, message.text.as_deref()), (None, Some("hi")));
}

#[test]
fn types_have_their_canonical_words() {
    let check =
        |parts: Value, message_type: &str, text: Option<&str>, reply_id: Option<&str>, content: Option<&str>| {
            let (_, message) = message(&parts);
            let found = (
                message.message_type.as_str(),
                message.text.as_deref(),
                message.reply_id.as_deref(),
                message.content.as_deref(),
            );
            assert_eq!(found, (message_type, text, reply_id, content), "{parts}");
        };
    check(
        json!({"type": "audio", "audio": {"id": "m", "voice": true}}),
        "audio",
        None,
        None,
        Some(r#"{"voice":true}"#),
    );
    check(
        json!({"type": "location", "location": {"latitude": 1.5, "address": "Quay 1"}}),
        "location",
        Some("Quay 1"),
        None,
        Some(r#"{"latitude":1.5,"address":"Quay 1"}"#),
    );
    let order = json!({"type": "order", "order": {"catalog_id": "c", "text": "two please", "product_items": [{"item_price": 0.1, "quantity": 2}]}});
    check(
        order,
        "order",
        Some("two please"),
        None,
        Some(r#"{"catalog_id":"c","text":"two please","product_items":[{"item_price":0.1,"quantity":2}]}"#),
    );
    check(
        json!({"type": "reaction", "reaction": {"message_id": "x", "emoji": ""}}),
        "reaction",
        None,
        None,
        Some(r#"{"removed":true}"#),
    );
    check(
        json!({"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes"}}}),
        "button",
        Some("Yes"),
        Some("yes"),
        None,
    );
    let broken_flow =
        json!({"type": "interactive", "interactive": {"nfm_reply": {"response_json": "{broken", "name": "flow"}}});
    check(broken_flow, "flow_reply", None, None, Some(r#"{"name":"flow","response":"{broken"}"#));
    check(json!({"type": "interactive", "interactive": {"type": "new_thing"}}), "interactive", None, None, None);
    check(json!({"type": "ephemeral"}), "ephemeral", None, None, None);
    check(json!({}), "unknown", None, None, None);
    let edit = json!({"type": "edit", "edit": {"original_message_id": "o", "message": {"type": "image", "image": {"caption": "new"}}}});
    check(edit, "edit", Some("new"), None, Some(r#"{"original_message_id":"o"}"#));
}

#[test]
fn a_group_and_a_product_are_told_beside_the_message() {
    let context = json!({"from": "15550783881", "id": "wamid.Q", "referred_product": {"catalog_id": "1", "product_retailer_id": "sku"}});
    let (event, message) =
        message(&json!({"type": "text", "text": {"body": "?"}, "group_id": "G1", "context": context}));
    assert_eq!(message.in_reply_to.as_deref(), Some("wamid.Q"));
    assert_eq!(
        event.extra,
        r#"{"display_number":"15550783881","group_id":"G1","referred_product":{"catalog_id":"1","product_retailer_id":"sku"}}"#
    );
}

#[test]
fn a_message_that_comes_twice_in_one_delivery_is_one_event() {
    let one = json!({"id": "a", "from": "111", "timestamp": "1", "type": "text", "text": {"body": "1"}});
    assert_eq!(events("messages", &value(&json!({"messages": [one, one]}))).len(), 1);
    let sent = json!({"id": "a", "status": "sent", "timestamp": "1", "recipient_id": "111"});
    let read = json!({"id": "a", "status": "read", "timestamp": "1", "recipient_id": "111"});
    assert_eq!(events("messages", &value(&json!({"statuses": [sent, read, sent]}))).len(), 2);
}

#[test]
fn a_changed_number_carries_old_and_new_keys_and_is_no_message() {
    let system = |system: Value, parts: Value| {
        let mut whole = json!({"id": "a", "timestamp": "1", "type": "system", "system": system});
        whole.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
        value(&json!({"messages": [whole]}))
    };
    let check = |value: &Value, expected: &[ContactKey]| {
        let event = event("messages", value);
        assert_eq!((event.kind.as_str(), keys(event.contact)), ("contact.updated", expected.to_vec()));
    };
    check(
        &system(
            json!({"type": "user_changed_number", "wa_id": "222", "body": "User X changed"}),
            json!({"from": "111"}),
        ),
        &[wa("222"), wa("111")],
    );
    check(
        &system(json!({"type": "user_changed_number", "new_wa_id": "222"}), json!({"from": "111"})),
        &[wa("222"), wa("111")],
    );
    check(
        &system(json!({"type": "user_changed_user_id", "user_id": "US.2", "previous_user_id": "US.1"}), json!({})),
        &[user("US.2"), user("US.1")],
    );
    let unknown = system(json!({"type": "group_created"}), json!({"from": "111"}));
    assert_eq!(skipped("messages", &unknown), "there are neither messages nor statuses that are known in it");
}

#[test]
fn a_new_user_id_carries_the_old_one() {
    let value = value(
        &json!({"user_id_update": [{"wa_id": "111", "user_id": {"previous": "US.1", "current": "US.2"}, "timestamp": "1749416383"}]}),
    );
    let event = event("user_id_update", &value);
    assert_eq!((event.kind.as_str(), event.occurred_at.as_str()), ("contact.updated", "2025-06-08T20:59:43Z"));
    assert_eq!(keys(event.contact), [wa("111"), user("US.2"), user("US.1")]);
}

#[test]
fn an_echo_is_outbound_and_belongs_to_its_addressee() {
    let value = value(
        &json!({"message_echoes": [{"from": "15550783881", "to": "16505551234", "id": "a", "timestamp": "1", "type": "text", "text": {"body": "hello"}}]}),
    );
    let event = event("smb_message_echoes", &value);
    assert_eq!(keys(event.contact), [wa("16505551234")]);
    let Payload::Message(message) = event.payload else { panic!("expected a message") };
    assert_eq!((message.direction, message.sender.as_str()), (Direction::Outbound, "106540352242922"));
}

#[test]
fn a_status_needs_neither_price_nor_conversation_nor_a_number() {
    let (event, told) =
        status(&json!({"recipient_id": null, "recipient_user_id": "US.1", "biz_opaque_callback_data": "msg_1"}));
    assert_eq!(keys(event.contact), [user("US.1")]);
    assert_eq!(
        (told.recipient.as_deref(), told.callback_data.as_deref(), told.pricing),
        (Some("US.1"), Some("msg_1"), None)
    );
}

#[test]
fn a_failed_status_tells_why() {
    let (_, told) = status(
        &json!({"status": "failed", "errors": [{"code": 131_050, "title": "Stopped", "message": "User stopped", "href": "/x"}, {"message": "only this"}]}),
    );
    let errors: Vec<_> = told
        .errors
        .iter()
        .map(|error| (error.code.as_str(), error.title.as_deref(), error.details.as_deref()))
        .collect();
    assert_eq!(
        errors,
        [("131050", Some("Stopped"), Some("User stopped")), ("unknown", Some("only this"), Some("only this"))]
    );
}

#[test]
fn status_words_that_are_no_rung_are_skipped() {
    let value = value(&json!({"statuses": [{"id": "a", "status": "warning", "timestamp": "1"}]}));
    assert_eq!(skipped("messages", &value), "there are neither messages nor statuses that are known in it");
}

#[test]
fn preferences_are_consent_to_marketing() {
    let told = |word: &str, category: &str| {
        value(
            &json!({"user_preferences": [{"user_id": "US.1", "category": category, "value": word, "timestamp": "1731705721", "detail": "asked"}]}),
        )
    };
    for (word, state) in [("stop", "denied"), ("resume", "granted"), ("signup", "granted")] {
        let event = event("user_preferences", &told(word, "marketing_messages"));
        let contact = event.contact.unwrap();
        let consent = &contact.consents[0];
        assert_eq!(
            (event.kind.as_str(), consent.channel.as_str(), consent.scope.as_str(), consent.state.as_str()),
            ("contact.consent_changed", "whatsapp", "marketing", state)
        );
        assert_eq!((consent.at.as_deref(), contact.keys), (Some("2024-11-15T21:22:01Z"), vec![user("US.1")]));
    }
    for other in [told("maybe", "marketing_messages"), told("stop", "weather")] {
        assert_eq!(skipped("user_preferences", &other), "there are no preferences that are known in it");
    }
}
