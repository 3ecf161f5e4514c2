//! Guests, customers, staff; phones of buyers and addressees.

use super::{contact, event, order_body, phone, skipped};
use serde_json::{Value, json};
use tidegate_plugin_sdk::ContactKey;

fn keys(with: &Value) -> Vec<ContactKey> {
    event("order.updated", &order_body(with)).contact.map(|contact| contact.keys).unwrap_or_default()
}

fn email() -> ContactKey {
    ContactKey::Email("ada@example.com".to_owned())
}

#[test]
fn a_guest_has_no_customer_and_is_known_by_the_billing_address() {
    assert_eq!(keys(&json!({"customer_id": 0})), [phone("340 1234567", Some("IT")), email()]);
    let customer = keys(&json!({"customer_id": 25}));
    assert_eq!(customer[2], ContactKey::ExternalId("25".to_owned()));
    assert_eq!(keys(&json!({"billing": [], "shipping": ""})), [], "an empty address is nobody's");
}

#[test]
fn the_shipping_phone_stands_in_for_the_buyer_s_own_but_not_for_another_person_s() {
    let with = |first_name: &str, billing_phone: &str| {
        json!({
            "billing": {"first_name": "Ada", "last_name": "Neri", "country": "IT", "email": "ada@example.com", "phone": billing_phone},
            "shipping": {"first_name": first_name, "last_name": "Neri", "country": "DE", "phone": "0151 2345678"},
        })
    };
    assert_eq!(keys(&with("Ada", "340 1234567")), [phone("340 1234567", Some("IT")), email()]);
    assert_eq!(keys(&with("Ada", "")), [phone("0151 2345678", Some("DE")), email()]);
    assert_eq!(keys(&with("Ugo", "")), [email()], "a gift");
    let anybody = json!({"billing": {"email": "ada@example.com", "country": "IT"}, "shipping": {"first_name": "Ada", "phone": "340 1234567"}});
    assert_eq!(keys(&anybody), [phone("340 1234567", Some("IT")), email()], "no name, and the billing country");
}

#[test]
fn an_address_with_nothing_in_it_is_none() {
    let order = super::order(&json!({"shipping": {"first_name": "", "address_1": "", "country": ""}}));
    assert_eq!(order.shipping_address, None);
    assert_eq!(order.billing_address.unwrap().name.as_deref(), Some("Ada Neri"));
}

#[test]
fn a_customer_is_known_by_the_account_s_email() {
    let body = json!({
        "id": 25, "role": "customer", "email": "ada@example.com", "first_name": "", "is_paying_customer": true, "date_modified_gmt": "2026-03-01T10:00:00",
        "billing": {"first_name": "Ada", "last_name": "Neri", "email": "office@example.com", "phone": "340 1234567", "country": "IT"},
    });
    let contact = contact("customer.updated", &body);
    assert_eq!(contact.keys, [phone("340 1234567", Some("IT")), email(), ContactKey::ExternalId("25".to_owned())]);
    assert_eq!((contact.first_name.as_deref(), contact.country.as_deref()), (Some("Ada"), Some("IT")));
    let fields: Vec<_> =
        contact.fields.iter().map(|field| (field.name.as_str(), field.value.as_deref().unwrap())).collect();
    assert_eq!(fields, [("role", "customer"), ("paying_customer", "yes")]);
}

#[test]
fn customers_are_made_changed_and_deleted() {
    let body = json!({"id": 25, "email": "ada@example.com", "date_created_gmt": "2026-02-01T10:00:00", "date_modified_gmt": "2026-03-01T10:00:00"});
    let created = event("customer.created", &body);
    assert_eq!((created.kind.as_str(), created.occurred_at.as_str()), ("contact.created", "2026-02-01T10:00:00Z"));
    let updated = event("customer.updated", &body);
    assert_eq!((updated.kind.as_str(), updated.occurred_at.as_str()), ("contact.updated", "2026-03-01T10:00:00Z"));
    let deleted = event("customer.deleted", &json!({"id": 25}));
    assert_eq!(deleted.kind, "contact.deleted");
    assert_eq!(deleted.contact.unwrap().keys, [ContactKey::ExternalId("25".to_owned())]);
}

#[test]
fn staff_is_no_customer() {
    for role in ["administrator", "shop_manager"] {
        let reason = skipped("customer.updated", &json!({"id": 1, "role": role, "email": "boss@example.com"}));
        assert_eq!(reason, format!("the role {role} is staff, not a customer"));
    }
    assert_eq!(event("customer.updated", &json!({"id": 1, "role": "subscriber"})).kind, "contact.updated");
}
