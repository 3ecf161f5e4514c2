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
    assert_eq!(contact.apply(&info, at(5)), Applied::default());
    assert_eq!(contact.apply(&info, at(4)), Applied::default());
    assert_eq!(contact, held);
}

/// What is known after each of the orders of what is told.
fn check_any_order<T: PartialEq + std::fmt::Debug>(
    told: &[(i64, ContactInfo)],
    known: impl Fn(&Contact) -> T,
    expected: &T,
) {
    let mut orders = vec![Vec::new()];
    for place in 0..told.len() {
        orders = orders
            .into_iter()
            .flat_map(|order| (0..=place).map(move |at| [&order[..at], &[place], &order[at..]].concat()))
            .collect();
    }
    for order in orders {
        let mut held = contact(b"a");
        for &place in &order {
            let (ms, info) = &told[place];
            held.apply(info, at(*ms));
            held.apply(info, at(*ms));
        }
        assert_eq!(known(&held), *expected, "{order:?}");
        // The same, when it was told of two people who turn out to be one.
        let (mut one, mut other) = (contact(b"a"), contact(b"b"));
        for (turn, &place) in order.iter().enumerate() {
            let (ms, info) = &told[place];
            let held = if turn % 2 == 0 { &mut one } else { &mut other };
            held.apply(info, at(*ms));
        }
        one.absorb(other);
        assert_eq!(known(&one), *expected, "{order:?}, and a merge");
    }
}

fn first_name(contact: &Contact) -> Option<String> {
    contact.field("first_name").map(str::to_owned)
}

fn name(value: Option<&str>) -> ContactInfo {
    let fields = [("first_name".to_owned(), value.map(str::to_owned))].into();
    ContactInfo { fields, ..ContactInfo::default() }
}

#[test]
fn a_value_that_is_told_again_counts_from_its_newer_time() {
    let told = [(1, named("Ada")), (2, named("Grace")), (3, named("Ada"))];
    check_any_order(&told, first_name, &Some("Ada".to_owned()));
}

#[test]
fn a_field_that_was_cleared_stays_cleared_when_its_old_value_comes_late() {
    check_any_order(&[(1, named("Ada")), (2, name(None))], first_name, &None);
    check_any_order(&[(1, name(None)), (2, named("Ada"))], first_name, &Some("Ada".to_owned()));
}

#[test]
fn of_two_values_of_one_time_the_same_counts_in_any_order() {
    check_any_order(&[(1, named("Ada")), (1, named("Grace"))], first_name, &Some("Grace".to_owned()));
    check_any_order(&[(1, named("Ada")), (1, name(None))], first_name, &Some("Ada".to_owned()));
}

#[test]
fn tags_that_are_told_again_count_from_their_newer_time() {
    let tagged = |tags: &[&str]| ContactInfo {
        tags: Some(tags.iter().map(|&tag| tag.to_owned()).collect()),
        ..ContactInfo::default()
    };
    let tags = |contact: &Contact| contact.tags.clone();
    check_any_order(&[(1, tagged(&["vip"])), (2, tagged(&[])), (3, tagged(&["vip"]))], tags, &vec!["vip".to_owned()]);
    check_any_order(&[(1, tagged(&["a"])), (1, tagged(&["b"]))], tags, &vec!["b".to_owned()]);
    check_any_order(&[(1, tagged(&["a"])), (2, tagged(&[]))], tags, &Vec::new());
}

#[test]
fn a_denial_is_not_overruled_by_a_consent_of_the_same_time_or_an_older_one() {
    let said = |state: &str, ms: i64| ContactInfo {
        consents: vec![ConsentStatement {
            channel: "sms".to_owned(),
            scope: "marketing".to_owned(),
            state: state.to_owned(),
            at: Some(at(ms)),
            method: None,
        }],
        ..ContactInfo::default()
    };
    let state = |contact: &Contact| contact.consents[0].state.clone();
    let check = |told: &[(&str, i64)], expected: &str| {
        let told: Vec<_> = told.iter().map(|(word, ms)| (0, said(word, *ms))).collect();
        check_any_order(&told, state, &expected.to_owned());
    };
    check(&[("granted", 1), ("denied", 2), ("granted", 3)], "granted");
    check(&[("denied", 1), ("granted", 2), ("denied", 3)], "denied");
    check(&[("denied", 5), ("granted", 5)], "denied");
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
