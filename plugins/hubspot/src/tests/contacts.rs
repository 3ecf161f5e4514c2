//! Contacts: who they are, what changed, what HubSpot answers.

use super::{answered, event_of, external, failed, item, keys, outcome_with, person, requests, shown, skipped, unread};
use crate::Hubspot;
use serde_json::{Value, json};
use tidegate_plugin_sdk::{Answer, ContactKey, Field, Outcome, Payload, Phone, testing};

fn phone(number: &str, region: Option<&str>) -> ContactKey {
    ContactKey::Phone(Phone { number: number.to_owned(), region: region.map(str::to_owned) })
}

#[test]
fn a_person_is_read_and_its_version_is_hubspots() {
    let properties = json!({
        "email": "ada@example.com", "phone": "(555) 555-5555", "mobilephone": "0170 1234567", "firstname": "Ada", "lastname": "Neri", "hs_language": "de",
        "hs_country_region_code": "DE", "country": "Germany", "lifecyclestage": "lead", "company": "", "jobtitle": null,
    });
    let event = shown(&json!({}), &properties);
    assert_eq!((event.kind.as_str(), event.occurred_at.as_str()), ("contact.created", "2026-06-25T07:19:29.536Z"));
    let entity = event.entity.expect("an entity");
    assert_eq!((entity.id.as_str(), entity.version.as_deref()), ("508369434347", Some("2026-06-25T07:19:30.101Z")));
    let contact = event.contact.expect("somebody");
    assert_eq!(
        contact.keys,
        [phone("0170 1234567", Some("DE")), ContactKey::Email("ada@example.com".to_owned()), external("508369434347")]
    );
    assert_eq!((contact.first_name.as_deref(), contact.last_name.as_deref()), (Some("Ada"), Some("Neri")));
    assert_eq!((contact.language.as_deref(), contact.country.as_deref()), (Some("de"), Some("DE")));
    assert_eq!(contact.fields, [Field { name: "lifecyclestage".to_owned(), value: Some("lead".to_owned()) }]);
}

#[test]
fn a_country_that_is_no_code_is_no_region() {
    let of = |settings: &str, properties: Value| {
        let answer = |_: &_| answered(200, &person("1", &properties));
        keys(event_of(outcome_with(settings, &json!({"objectId": 1}), answer)).contact).remove(0)
    };
    let named = json!({"phone": "0170 1234567", "country": "Germany"});
    assert_eq!(of("{}", named.clone()), phone("0170 1234567", None));
    assert_eq!(of(r#"{"default_country": "DE"}"#, named), phone("0170 1234567", Some("DE")));
    assert_eq!(of("{}", json!({"phone": "0170 1234567", "country": "AT"})), phone("0170 1234567", Some("AT")));
}

#[test]
fn the_settings_choose_phones_and_fields() {
    let settings = r#"{"phones": ["wa_number"], "properties": ["favourite_colour", "city"]}"#;
    let asked = requests(
        testing::interpret_for::<Hubspot>(&testing::connection(settings), &[item(&json!({"objectId": 1}))]).remove(0),
    );
    let query = asked[0].url.split_once("?properties=").expect("properties").1;
    assert_eq!(
        query,
        "email,firstname,lastname,hs_language,hs_country_region_code,country,wa_number,lifecyclestage,hs_lead_status,company,jobtitle,city,favourite_colour"
    );
    let properties = json!({"wa_number": "+491701234567", "phone": "+4930123456", "favourite_colour": "sea"});
    let answer = |_: &_| answered(200, &person("1", &properties));
    let contact = event_of(outcome_with(settings, &json!({"objectId": 1}), answer)).contact.expect("somebody");
    assert_eq!(contact.keys[0], phone("+491701234567", None));
    assert_eq!(contact.fields[0].name, "favourite_colour");
    let bad = testing::connection(r#"{"properties": ["a&b"]}"#);
    let (_, reason, _) = failed(testing::interpret_for::<Hubspot>(&bad, &[item(&json!({}))]).remove(0));
    assert!(reason.ends_with("found \"a&b\""), "{reason}");
}

#[test]
fn every_change_of_a_contact_asks_the_same() {
    let url = |parts: Value| requests(unread(&parts)).remove(0).url;
    let created = url(json!({}));
    assert_eq!(
        created,
        url(
            json!({"subscriptionType": "contact.propertyChange", "propertyName": "email", "propertyValue": "a@example.com"})
        )
    );
    assert_eq!(
        created,
        url(
            json!({"subscriptionType": "object.propertyChange", "objectTypeId": "0-1", "propertyName": "x", "propertyValue": "1"})
        )
    );
}

#[test]
fn a_changed_property_is_told_and_one_that_was_cleared_is_cleared() {
    let changed = |name: &str, value: Value, properties: Value| {
        shown(
            &json!({"subscriptionType": "contact.propertyChange", "propertyName": name, "propertyValue": value}),
            &properties,
        )
    };
    let event = changed("company", json!("Acme"), json!({"company": "Acme"}));
    assert_eq!(
        (event.kind.as_str(), event.extra.as_str()),
        ("contact.updated", r#"{"change_source":"CRM_UI","property":"company","value":"Acme"}"#)
    );
    let fields = |event: tidegate_plugin_sdk::Event| event.contact.expect("somebody").fields;
    assert_eq!(
        fields(changed("company", json!(""), json!({"company": null}))),
        [Field { name: "company".to_owned(), value: None }]
    );
    assert_eq!(
        fields(changed("company", json!(""), json!({"company": "New"})))[0].value.as_deref(),
        Some("New"),
        "it is newer than the change"
    );
    assert_eq!(fields(changed("shoe_size", json!(""), json!({}))), [], "a property that is no field");
}

#[test]
fn a_sensitive_value_is_left_out() {
    let change = json!({"subscriptionType": "contact.propertyChange", "propertyName": "passport_number", "propertyValue": "REDACTED"});
    let expected = r#"{"change_source":"CRM_UI","property":"passport_number","sensitive":true}"#;
    assert_eq!(shown(&change, &json!({})).extra, expected);
    let marked = json!({"subscriptionType": "object.propertyChange", "objectTypeId": "0-1", "propertyName": "passport_number", "propertyValue": "X1", "isSensitive": true});
    assert_eq!(shown(&marked, &json!({})).extra, expected);
}

#[test]
fn a_new_stage_of_life_is_a_trigger() {
    let change = json!({"subscriptionType": "contact.propertyChange", "propertyName": "lifecyclestage", "propertyValue": "customer"});
    let Outcome::Done(done) = outcome_with("{}", &change, |_| answered(200, &person("1", &json!({})))) else {
        panic!("expected events")
    };
    assert_eq!(
        (done.triggers[0].name.as_str(), done.triggers[0].variables.as_str()),
        ("lifecycle-stage-changed", r#"{"stage":"customer"}"#)
    );
}

#[test]
fn a_contact_that_was_merged_meanwhile_answers_by_its_new_id() {
    let event = event_of(outcome_with("{}", &json!({"objectId": 200}), |_| {
        answered(200, &person("100", &json!({"email": "a@example.com"})))
    }));
    assert_eq!(event.entity.expect("an entity").id, "100");
    assert_eq!(keys(event.contact), [ContactKey::Email("a@example.com".to_owned()), external("100"), external("200")]);
}

#[test]
fn a_contact_that_is_gone_by_now_is_skipped() {
    let outcome =
        outcome_with("{}", &json!({}), |_| answered(404, &json!({"status": "error", "message": "resource not found"})));
    assert_eq!(outcome, Outcome::Skip("the contact is no longer in HubSpot".to_owned()));
}

#[test]
fn what_hubspot_refuses_is_told_in_words() {
    let with = |status: u16| failed(outcome_with("{}", &json!({}), |_| answered(status, &json!({}))));
    for status in [401, 403] {
        let (_, reason, retryable) = with(status);
        assert!(reason.contains("crm.objects.contacts.read") && !retryable, "{reason}");
    }
    for status in [429, 500, 503] {
        assert!(with(status).2, "{status}");
    }
    assert!(!with(400).2);
    let (field, reason, _) =
        failed(outcome_with("{}", &json!({}), |_| answered(200, &json!({"properties": {"email": []}}))));
    assert_eq!(
        (field, reason.as_str()),
        (None, "HubSpot's answer can't be read, /properties/email: expected a string or a number, found an array")
    );
    let (_, reason, _) = failed(outcome_with("{}", &json!({}), |_| Answer::Failed("host not found".to_owned())));
    assert_eq!(reason, "the provider gave no answer: host not found");
}

#[test]
fn a_privacy_deletion_and_its_deletion_need_nothing_but_the_id() {
    for (kind, event_kind) in [
        ("contact.deletion", "contact.deleted"),
        ("contact.privacyDeletion", "contact.erasure_requested"),
        ("object.deletion", "contact.deleted"),
    ] {
        let event =
            event_of(unread(&json!({"subscriptionType": kind, "objectTypeId": "0-1", "changeFlag": "DELETED"})));
        assert_eq!((event.kind.as_str(), keys(event.contact)), (event_kind, vec![external("508369434347")]));
    }
}

#[test]
fn a_merge_may_give_the_survivor_a_new_id() {
    let merged = |parts: Value| {
        let event = event_of(unread(&parts));
        let Payload::Contact(change) = event.payload else { panic!("expected a contact") };
        (event.entity.expect("an entity").id, change.merged_ids, keys(event.contact))
    };
    let ids = |list: &[&str]| list.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let same = json!({"subscriptionType": "contact.merge", "objectId": 100, "primaryObjectId": 100, "mergedObjectIds": [200, 300], "newObjectId": 100});
    assert_eq!(
        merged(same),
        ("100".to_owned(), ids(&["200", "300"]), vec![external("100"), external("200"), external("300")])
    );
    let new = json!({"subscriptionType": "object.merge", "objectTypeId": "0-1", "objectId": 100, "primaryObjectId": 100, "mergedObjectIds": [200, 100], "newObjectId": 9_007_199_254_740_993_u64});
    let expected = vec![external("9007199254740993"), external("100"), external("200")];
    assert_eq!(merged(new), ("9007199254740993".to_owned(), ids(&["100", "200"]), expected));
    assert!(skipped(&json!({"subscriptionType": "deal.merge"})).contains("merge"));
}
