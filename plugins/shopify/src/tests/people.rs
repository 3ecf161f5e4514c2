//! Customers, phones, emails, consent, privacy.

use super::{contact, event, failed, phone, skipped};
use serde_json::{Value, json};
use tidegate_plugin_sdk::{Consent, ContactKey, Payload};

fn phone_of(body: &Value) -> Option<ContactKey> {
    let contact = event("orders/updated", body).contact?;
    contact.keys.into_iter().find(|key| matches!(key, ContactKey::Phone(_)))
}

#[test]
fn protected_customer_data_is_null_and_fails_nothing() {
    let body = json!({"id": 1, "email": null, "phone": null, "customer": null, "shipping_address": null, "billing_address": null});
    assert_eq!(event("orders/create", &body).contact, None);
    let redacted = json!({"id": 1, "customer": {"id": 5, "email": null, "phone": null, "first_name": null, "default_address": {"country_code": null}}});
    assert_eq!(contact("orders/create", &redacted).keys, [ContactKey::ExternalId("5".to_owned())]);
}

#[test]
fn phones_are_taken_in_order_of_preference_with_the_country_of_their_address() {
    let mut body = json!({
        "id": 1, "phone": "+44 7700 900101", "customer": {"id": 2, "phone": "+447700900102", "default_address": {"phone": "07700 900103", "country_code": "GB"}},
        "shipping_address": {"phone": "(202) 555-0104", "country_code": "US"}, "billing_address": {"phone": "202-555-0105", "country_code": "CA"},
    });
    assert_eq!(phone_of(&body), Some(phone("+44 7700 900101", Some("GB"))));
    body["phone"] = json!(null);
    assert_eq!(phone_of(&body), Some(phone("+447700900102", Some("GB"))));
    body["customer"]["phone"] = json!("  ");
    assert_eq!(phone_of(&body), Some(phone("07700 900103", Some("GB"))));
    body["customer"]["default_address"] = json!(null);
    assert_eq!(phone_of(&body), Some(phone("(202) 555-0104", Some("US"))));
    body["shipping_address"]["phone"] = json!("555-555-SHIP");
    assert_eq!(phone_of(&body), Some(phone("202-555-0105", Some("CA"))));
    body["billing_address"] = json!(null);
    assert_eq!(phone_of(&body), Some(phone("555-555-SHIP", Some("US"))));
}

#[test]
fn a_checkout_may_have_only_the_number_for_marketing() {
    let body = json!({"id": 1, "phone": null, "sms_marketing_phone": "+12025550106"});
    assert_eq!(contact("checkouts/update", &body).keys, [phone("+12025550106", None)]);
}

#[test]
fn two_emails_in_one_order_are_one_person() {
    let body = json!({"id": 1, "email": "jon@example.com", "contact_email": "jon@example.com", "customer": {"id": 2, "email": "john@example.com"}});
    assert_eq!(
        contact("orders/create", &body).keys,
        [ContactKey::Email("john@example.com".to_owned()), ContactKey::ExternalId("2".to_owned())]
    );
    let guest = json!({"id": 1, "email": "", "contact_email": "jon@example.com"});
    assert_eq!(contact("orders/create", &guest).keys, [ContactKey::Email("jon@example.com".to_owned())]);
}

#[test]
fn names_come_from_an_address_when_the_customer_has_none() {
    let body = json!({"id": 1, "email": "a@example.com", "customer_locale": "it", "customer": {"id": 2, "first_name": null}, "billing_address": {"first_name": "Ada", "last_name": "Neri", "country_code": "IT"}});
    let contact = contact("orders/create", &body);
    assert_eq!((contact.first_name.as_deref(), contact.last_name.as_deref()), (Some("Ada"), Some("Neri")));
    assert_eq!((contact.language.as_deref(), contact.country.as_deref()), (Some("it"), Some("IT")));
}

fn consent(channel: &str, state: &str, at: &str, method: Option<&str>) -> Consent {
    Consent {
        channel: channel.to_owned(),
        scope: "marketing".to_owned(),
        state: state.to_owned(),
        at: Some(at.to_owned()),
        method: method.map(str::to_owned),
    }
}

#[test]
fn the_customer_payload_of_2025_has_no_tags_counts_or_consents() {
    let contact = contact("customers/update", &json!({"id": 2, "email": "a@example.com", "state": "enabled"}));
    assert_eq!((contact.tags, contact.consents), (None, vec![]));
    assert_eq!(contact.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(), ["account_state"]);
}

#[test]
fn the_customer_payload_before_2025_has_them() {
    let body = json!({
        "id": 2, "tags": "vip, spring sale,", "orders_count": 3, "total_spent": "12.00",
        "email_marketing_consent": {"state": "subscribed", "opt_in_level": "confirmed_opt_in", "consent_updated_at": "2024-01-01T00:00:00Z"},
        "sms_marketing_consent": {"state": "unsubscribed", "opt_in_level": null, "consent_updated_at": "2024-02-01T00:00:00Z", "consent_collected_from": "SHOPIFY"},
    });
    let contact = contact("customers/update", &body);
    assert_eq!(contact.tags, Some(vec!["vip".to_owned(), "spring sale".to_owned()]));
    assert_eq!(contact.fields[0].value.as_deref(), Some("3"));
    let expected = [
        consent("email", "granted", "2024-01-01T00:00:00Z", Some("confirmed_opt_in")),
        consent("sms", "denied", "2024-02-01T00:00:00Z", Some("SHOPIFY")),
    ];
    assert_eq!(contact.consents, expected);
}

#[test]
fn the_oldest_customer_payload_accepts_marketing() {
    let body = |accepts: bool| json!({"id": 2, "accepts_marketing": accepts, "accepts_marketing_updated_at": "2021-12-31T19:00:00-05:00", "email_marketing_consent": null});
    assert_eq!(
        contact("customers/update", &body(true)).consents,
        [consent("email", "granted", "2021-12-31T19:00:00-05:00", None)]
    );
    assert_eq!(
        contact("customers/update", &body(false)).consents,
        [consent("email", "denied", "2021-12-31T19:00:00-05:00", None)]
    );
}

#[test]
fn a_consent_without_its_own_time_never_overrules_a_later_one() {
    let stated = |state: Value, at: Value| {
        contact("orders/create", &json!({"id": 1, "customer": {"id": 2, "sms_marketing_consent": {"state": state, "consent_updated_at": at}}})).consents
    };
    assert_eq!(stated(json!("subscribed"), json!(null)), []);
    assert_eq!(stated(json!("not_subscribed"), json!("2024-01-01T00:00:00Z")), []);
    assert_eq!(stated(json!(null), json!("2024-01-01T00:00:00Z")), []);
}

#[test]
fn the_consent_topics_name_the_customer_in_two_ways() {
    let sms = json!({"id": 2, "phone": "+12025550107", "sms_marketing_consent": {"state": "subscribed", "opt_in_level": "single_opt_in", "consent_updated_at": "2024-01-01T00:00:00Z"}});
    let contact_of_sms = contact("customers_marketing_consent/update", &sms);
    assert_eq!(contact_of_sms.keys, [phone("+12025550107", None), ContactKey::ExternalId("2".to_owned())]);
    assert_eq!(contact_of_sms.consents, [consent("sms", "granted", "2024-01-01T00:00:00Z", Some("single_opt_in"))]);
    let email = json!({"customer_id": 2, "email_address": "a@example.com", "email_marketing_consent": {"state": "not_subscribed", "consent_updated_at": "2024-01-01T00:00:00Z"}});
    let contact_of_email = contact("customers_email_marketing_consent/update", &email);
    assert_eq!(
        contact_of_email.keys,
        [ContactKey::Email("a@example.com".to_owned()), ContactKey::ExternalId("2".to_owned())]
    );
    assert_eq!(contact_of_email.consents, [consent("email", "unknown", "2024-01-01T00:00:00Z", None)]);
    assert_eq!(
        skipped("customers_marketing_consent/update", &json!({"id": 2, "sms_marketing_consent": {"state": null}})),
        "the consent's state is not told"
    );
}

#[test]
fn privacy_requests_may_name_the_person_by_email_only() {
    let event = event(
        "customers/data_request",
        &json!({"shop_id": 1, "orders_requested": [10, 11], "customer": {"email": "a@example.com"}, "data_request": {"id": 9999}}),
    );
    assert_eq!((event.kind.as_str(), event.entity), ("contact.export_requested", None));
    assert_eq!(event.contact.unwrap().keys, [ContactKey::Email("a@example.com".to_owned())]);
    let Payload::Contact(change) = event.payload else { panic!("expected a contact") };
    assert_eq!(
        (change.order_ids, change.request_id.as_deref()),
        (vec!["10".to_owned(), "11".to_owned()], Some("9999"))
    );
    let (field, _) = failed("customers/redact", r#"{"customer": {"email": ""}, "orders_to_redact": []}"#);
    assert_eq!(field.as_deref(), Some("/customer"));
}
