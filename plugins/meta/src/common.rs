//! What all fields share: the change, its envelope, whom it is about.

use serde::Deserialize;
use tidegate_plugin_sdk::{ContactInfo, Error, Item, json, json::Instant, json::Text};

/// One change, with the value of its field.
#[derive(Deserialize)]
struct Change<V> {
    value: V,
}

/// Reads the change's value.
pub(crate) fn value<'a, V: Deserialize<'a>>(item: &'a Item) -> Result<V, Error> {
    json::parse::<Change<V>>(&item.body).map(|change| change.value)
}

/// What surrounds a change.
#[derive(Deserialize, Default)]
struct Envelope<'a> {
    #[serde(borrow)]
    entry: Option<Entry<'a>>,
}

#[derive(Deserialize, Default)]
struct Entry<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    time: Option<Instant<'a>>,
}

/// The account, and when Meta sent the change.
pub(crate) struct Sent {
    /// Id of the WhatsApp business account.
    pub(crate) account: Option<String>,
    /// Fields about accounts, numbers and templates carry a time; else when it was received.
    pub(crate) at: String,
}

pub(crate) fn sent(item: &Item) -> Result<Sent, Error> {
    let envelope: Envelope<'_> = item.envelope.as_deref().map(json::parse).transpose()?.unwrap_or_default();
    let entry = envelope.entry.unwrap_or_default();
    let at = entry.time.map_or_else(|| item.received_at.clone(), |time| time.as_str().to_owned());
    Ok(Sent { account: json::string(entry.id.as_ref()), at })
}

/// Our number.
#[derive(Deserialize, Default)]
pub(crate) struct Metadata<'a> {
    #[serde(borrow)]
    pub(crate) display_phone_number: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) phone_number_id: Option<Text<'a>>,
}

impl Metadata<'_> {
    /// Our number's id, else the number.
    pub(crate) fn sender(&self) -> Result<&str, Error> {
        let id = json::filled(self.phone_number_id.as_deref())
            .or_else(|| json::filled(self.display_phone_number.as_deref()));
        id.ok_or_else(|| Error::field("/value/metadata/phone_number_id", "expected the id of our number, found none"))
    }
}

/// Somebody's profile. Nothing in it is sure to be there: who hides the number has no `wa_id`.
#[derive(Deserialize)]
pub(crate) struct Profile<'a> {
    #[serde(borrow)]
    profile: Option<Names<'a>>,
    #[serde(borrow)]
    wa_id: Option<Text<'a>>,
    #[serde(borrow)]
    user_id: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Names<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    username: Option<Text<'a>>,
}

/// How a message or status names a person.
#[derive(Clone, Copy, Default)]
pub(crate) struct Person<'t> {
    /// WhatsApp id: digits.
    pub(crate) wa_id: Option<&'t str>,
    /// Business-scoped user id.
    pub(crate) user_id: Option<&'t str>,
}

impl<'t> Person<'t> {
    pub(crate) fn new(wa_id: Option<&'t Text<'_>>, user_id: Option<&'t Text<'_>>) -> Self {
        Self { wa_id: json::filled(wa_id.map(Text::as_str)), user_id: json::filled(user_id.map(Text::as_str)) }
    }

    /// What is known about the person.
    ///
    /// Profiles are found by id: they do not line up with messages. A profile that shares no id gives its name only, and only when it is the one profile there is
    /// (Meta writes `wa_id` and `from` differently in some countries).
    pub(crate) fn contact(self, profiles: &[Profile<'_>]) -> ContactInfo {
        let matched = profiles.iter().find(|profile| profile.is_of(self));
        let mut contact = ContactInfo::default();
        add_whatsapp_id(&mut contact, self.wa_id);
        add_whatsapp_id(&mut contact, matched.and_then(|profile| profile.wa_id.as_deref()));
        contact.add_whatsapp_user_id(self.user_id);
        contact.add_whatsapp_user_id(matched.and_then(|profile| profile.user_id.as_deref()));
        let named = matched.or(match profiles {
            [only] => Some(only),
            _ => None,
        });
        if let Some(names) = named.and_then(|profile| profile.profile.as_ref()) {
            contact.name = json::string(names.name.as_ref());
            contact.add_field("whatsapp_username", names.username.as_deref());
        }
        contact
    }
}

impl Profile<'_> {
    fn is_of(&self, person: Person<'_>) -> bool {
        let same = |one: Option<&str>, other: Option<&str>| one.is_some() && one == other;
        same(self.wa_id.as_deref(), person.wa_id) || same(self.user_id.as_deref(), person.user_id)
    }
}

/// Adds a WhatsApp id. Meta writes digits; what is anything else identifies nobody.
pub(crate) fn add_whatsapp_id(contact: &mut ContactInfo, id: Option<&str>) {
    contact.add_whatsapp_id(id.filter(|id| id.len() <= 20 && id.bytes().all(|b| b.is_ascii_digit())));
}
