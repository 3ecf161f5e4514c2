//! What a plugin tells about a person: keys parsed, texts trimmed. What is no phone or email never fails an event.

use super::{
    bindings::tidegate::plugin::types as wit,
    read::{Bad, Inside, Read, at_most, each, maybe_instant, optional, required, word},
};
use std::collections::BTreeMap;
use tidegate_model::{
    contact::{ConsentStatement, ContactInfo, ContactKey},
    phone::E164,
};

/// Most keys, fields, tags and consents of one contact.
const MOST: usize = 256;
/// Longest id, in bytes.
const ID_BYTES: usize = 256;

pub(super) fn read(connection: &str, info: wit::ContactInfo) -> Read<ContactInfo> {
    at_most("keys", &info.keys, MOST)?;
    at_most("fields", &info.fields, MOST)?;
    at_most("tags", info.tags.as_deref().unwrap_or_default(), MOST)?;
    at_most("consents", &info.consents, MOST)?;
    let mut read = ContactInfo { consents: each("consents", info.consents, consent)?, ..ContactInfo::default() };
    for (index, key) in info.keys.into_iter().enumerate() {
        add_key(&mut read, connection, info.country.as_deref(), key).inside(index).inside("keys")?;
    }
    read.tags = info.tags.map(|tags| tags.into_iter().filter_map(|tag| trimmed(Some(tag))).collect());
    for (index, field) in info.fields.into_iter().enumerate() {
        let name = required("name", field.name).inside(index).inside("fields")?;
        read.fields.insert(name, trimmed(field.value));
    }
    let known = [
        ("name", info.name),
        ("first_name", info.first_name),
        ("last_name", info.last_name),
        ("language", info.language),
        ("country", info.country.map(country)),
        ("time_zone", info.time_zone),
    ];
    known.into_iter().for_each(|(name, value)| set(&mut read.fields, name, value));
    Ok(read)
}

/// Sets a field that the plugin knows; what it does not know stays as it is held.
fn set(fields: &mut BTreeMap<String, Option<String>>, name: &str, value: Option<String>) {
    if let Some(value) = trimmed(value) {
        fields.insert(name.to_owned(), Some(value));
    }
}

fn trimmed(text: Option<String>) -> Option<String> {
    optional(text).map(|text| text.trim().to_owned())
}

/// Two letters in upper case; anything else stays as the provider wrote it.
fn country(text: String) -> String {
    let code = text.trim();
    if code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphabetic()) { code.to_ascii_uppercase() } else { text }
}

fn add_key(read: &mut ContactInfo, connection: &str, country: Option<&str>, key: wit::ContactKey) -> Read<()> {
    match key {
        wit::ContactKey::Phone(phone) => match E164::parse(&phone.number, phone.region.as_deref().or(country)) {
            Some(number) => add(read, ContactKey::Phone(number)),
            None => read.unreadable_phones.extend(trimmed(Some(phone.number))),
        },
        wit::ContactKey::WhatsappId(id) => {
            let digits = whatsapp_id(&id)?;
            let phone = E164::from_whatsapp_id(digits);
            add(read, ContactKey::WhatsappId(digits.to_owned()));
            phone.into_iter().for_each(|phone| add(read, ContactKey::Phone(phone)));
        }
        wit::ContactKey::WhatsappUserId(id) => {
            add(read, ContactKey::WhatsappUserId(identifier("whatsapp-user-id", id)?))
        }
        wit::ContactKey::Email(email) => ContactKey::email(&email).into_iter().for_each(|key| add(read, key)),
        wit::ContactKey::ExternalId(id) => add(read, ContactKey::external(connection, &identifier("external-id", id)?)),
    }
    Ok(())
}

fn add(read: &mut ContactInfo, key: ContactKey) {
    if !read.keys.contains(&key) {
        read.keys.push(key);
    }
}

fn whatsapp_id(text: &str) -> Read<&str> {
    let good = (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    // The id is personal data: only its length is shown.
    if good {
        Ok(text)
    } else {
        Err(Bad::new("whatsapp-id", format!("expected 1 to 20 digits, found another text of {} bytes", text.len())))
    }
}

fn identifier(field: &str, id: String) -> Read<String> {
    if id.is_empty() || id.len() > ID_BYTES || id.contains(char::is_whitespace) {
        return Err(Bad::new(
            field,
            format!("expected an id of 1 to {ID_BYTES} bytes without spaces, found a text of {} bytes", id.len()),
        ));
    }
    Ok(id)
}

fn consent(consent: wit::Consent) -> Read<ConsentStatement> {
    Ok(ConsentStatement {
        channel: word("channel", consent.channel, &["whatsapp", "sms", "email"])?,
        scope: word("scope", consent.scope, &["transactional", "marketing"])?,
        state: word("state", consent.state, &["granted", "denied", "pending", "unknown"])?,
        at: maybe_instant("at", consent.at)?,
        method: trimmed(consent.method),
    })
}
