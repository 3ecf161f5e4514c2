//! People who change their number or their user id. They stay the same person: the event carries the old and the new keys.

use crate::{
    common::{self, Profile, add_whatsapp_id},
    message::WaMessage,
    value::{self, Around},
};
use serde::Deserialize;
use tidegate_plugin_sdk::{
    ContactChange, ContactInfo, Error, Event, Interpretation, Item, json, json::Instant, json::Object, json::Text,
};

/// What WhatsApp itself says in a conversation. It is written by nobody, so it is no message.
#[derive(Deserialize)]
pub(crate) struct System<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    wa_id: Option<Text<'a>>,
    /// The older name of `wa_id`.
    #[serde(borrow)]
    new_wa_id: Option<Text<'a>>,
    #[serde(borrow)]
    user_id: Option<Text<'a>>,
    #[serde(borrow)]
    previous_user_id: Option<Text<'a>>,
}

/// `contact.updated`, when the message tells of a change that matters.
///
/// The new keys come first. The old and new numbers in the notice's text are not read: people choose their names.
pub(crate) fn system(
    key: &str,
    message: &WaMessage<'_>,
    system: &System<'_>,
    around: &Around<'_, '_>,
) -> Option<Event> {
    let kind = system.kind.as_deref()?;
    if !matches!(
        kind,
        "user_changed_number" | "user_changed_user_id" | "customer_changed_number" | "customer_identity_changed"
    ) {
        return None;
    }
    let mut contact = ContactInfo::default();
    add_whatsapp_id(&mut contact, system.new_wa_id.as_deref());
    add_whatsapp_id(&mut contact, system.wa_id.as_deref());
    add_whatsapp_id(&mut contact, message.from.as_deref());
    for id in [&system.user_id, &system.previous_user_id, &message.from_user_id] {
        contact.add_whatsapp_user_id(id.as_deref());
    }
    let extra = Object::new().text("change", Some(kind)).text("display_number", around.display_number);
    let event = Event::new("contact.updated", key, message.timestamp.as_str()).with_contact(contact);
    Some(event.with_payload(ContactChange::default()).with_extra(extra))
}

/// `user_id_update`: a new business-scoped user id, because the number changed.
#[derive(Deserialize)]
struct Value<'a> {
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    contacts: Vec<Profile<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    user_id_update: Vec<Update<'a>>,
}

#[derive(Deserialize)]
struct Update<'a> {
    #[serde(borrow)]
    wa_id: Option<Text<'a>>,
    #[serde(borrow)]
    user_id: Ids<'a>,
    #[serde(borrow)]
    timestamp: Option<Instant<'a>>,
}

#[derive(Deserialize)]
struct Ids<'a> {
    #[serde(borrow)]
    previous: Option<Text<'a>>,
    #[serde(borrow)]
    current: Option<Text<'a>>,
}

pub(crate) fn user_id_changed(item: &Item) -> Result<Interpretation, Error> {
    let value: Value<'_> = common::value(item)?;
    let sent = common::sent(item)?;
    let event = |(index, update): (usize, &Update<'_>)| {
        let at = update.timestamp.as_ref().map_or(sent.at.as_str(), Instant::as_str);
        let person = common::Person::new(update.wa_id.as_ref(), update.user_id.current.as_ref());
        let mut contact = person.contact(&value.contacts);
        contact.add_whatsapp_user_id(update.user_id.previous.as_deref());
        let extra = Object::new().text("change", Some("user_id_update"));
        Event::new("contact.updated", &value::key("update", index), at)
            .with_contact(contact)
            .with_payload(ContactChange::default())
            .with_extra(extra)
    };
    value::found(value.user_id_update.iter().enumerate().map(event).collect(), "no changed ids")
}
