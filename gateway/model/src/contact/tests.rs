//! How webhooks change a contact.

use super::*;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn named(name: &str) -> ContactInfo {
    ContactInfo { fields: [("first_name".to_owned(), Some(name.to_owned()))].into(), ..ContactInfo::default() }
}

fn contact(seed: &[u8]) -> Contact {
    Contact::new(ContactId::derive(0, &[seed]), at(0))
}

#[test]
fn the_newest_source_time_wins_in_any_order() {
    for order in [[(1, "Ada"), (2, "Grace")], [(2, "Grace"), (1, "Ada")]] {
        let mut contact = contact(b"a");
        for (ms, name) in order {
            contact.apply(&named(name), at(ms));
        }
        assert_eq!(contact.field("first_name"), Some("Grace"));
    }
}

#[test]
fn the_same_webhook_twice_changes_nothing() {
    let mut contact = contact(b"a");
    let info = ContactInfo {
        keys: vec![ContactKey::email("Ada@Example.com").unwrap()],
        tags: Some(vec!["vip".to_owned()]),
        consents: vec![ConsentStatement {
            channel: "email".to_owned(),
            scope: "marketing".to_owned(),
            state: "granted".to_owned(),
            at: None,
            method: None,
        }],
        ..named("Ada")
    };
    assert!(contact.apply(&info, at(5)).changed);
    let held = contact.clone();
    assert_eq!(contact.apply(&info, at(6)), Applied::default());
    assert_eq!(contact, held);
}

#[test]
fn a_merge_keeps_both_sides_newest_fields_and_its_history() {
    let (mut a, mut b) = (contact(b"a"), contact(b"b"));
    a.set_field("first_name", Some("Ada".to_owned()), at(1));
    b.set_field("first_name", Some("Grace".to_owned()), at(2));
    b.set_field("country", Some("US".to_owned()), at(1));
    let id = b.id;
    a.absorb(b);
    assert_eq!((a.field("first_name"), a.field("country")), (Some("Grace"), Some("US")));
    assert_eq!(a.merged, [id]);
}

#[test]
fn emails_are_folded_and_what_is_none_is_refused() {
    assert_eq!(ContactKey::email(" Ada@Example.COM "), Some(ContactKey::Email("ada@example.com".to_owned())));
    for bad in ["", "ada", "@example.com", "ada@", "ada@example", "a b@example.com"] {
        assert_eq!(ContactKey::email(bad), None, "{bad}");
    }
}

#[test]
fn whatsapp_goes_to_a_phone_before_a_user_id() {
    let mut contact = contact(b"a");
    contact.keys.push(ContactKey::WhatsappUserId("US.1".to_owned()));
    assert_eq!(contact.whatsapp_address(), Some(WhatsappAddress::UserId("US.1".to_owned())));
    contact.keys.push(ContactKey::WhatsappId("15550001111".to_owned()));
    assert_eq!(contact.whatsapp_address(), E164::from_whatsapp_id("15550001111").map(WhatsappAddress::Phone));
}

#[test]
fn debug_shows_no_personal_data() {
    let mut contact = contact(b"a");
    contact.keys.push(ContactKey::email("ada@example.com").unwrap());
    contact.apply(&named("Ada"), at(1));
    let shown = format!("{contact:?}");
    assert!(!shown.contains("ada@") && !shown.contains("Ada"), "{shown}");
}
