//! What people tell WhatsApp about marketing messages of a business. A typed STOP is a message like any other; this is the switch in the app.

use crate::{
    common::{self, Person, Profile},
    value,
};
use serde::Deserialize;
use tidegate_plugin_sdk::{
    Consent, ContactChange, Error, Event, Interpretation, Item, json, json::Instant, json::Object, json::Text,
};

#[derive(Deserialize)]
struct Value<'a> {
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    contacts: Vec<Profile<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    user_preferences: Vec<Preference<'a>>,
}

#[derive(Deserialize)]
struct Preference<'a> {
    #[serde(borrow)]
    wa_id: Option<Text<'a>>,
    #[serde(borrow)]
    user_id: Option<Text<'a>>,
    #[serde(borrow)]
    category: Option<Text<'a>>,
    #[serde(borrow)]
    value: Option<Text<'a>>,
    #[serde(borrow)]
    detail: Option<Text<'a>>,
    #[serde(borrow)]
    signup_id: Option<Text<'a>>,
    #[serde(borrow)]
    timestamp: Instant<'a>,
}

pub(crate) fn changed(item: &Item) -> Result<Interpretation, Error> {
    let value: Value<'_> = common::value(item)?;
    let preferences = value.user_preferences.iter().enumerate();
    let events = preferences
        .filter_map(|(index, preference)| preference.event(&value::key("preference", index), &value.contacts));
    value::found(events.collect(), "no preferences that are known")
}

impl Preference<'_> {
    fn event(&self, key: &str, profiles: &[Profile<'_>]) -> Option<Event> {
        if self.category.as_deref() != Some("marketing_messages") {
            return None;
        }
        let state = match self.value.as_deref()? {
            "stop" => "denied",
            "resume" | "signup" => "granted",
            _ => return None,
        };
        let mut contact = Person::new(self.wa_id.as_ref(), self.user_id.as_ref()).contact(profiles);
        contact.consents.push(Consent {
            channel: "whatsapp".to_owned(),
            scope: "marketing".to_owned(),
            state: state.to_owned(),
            at: Some(self.timestamp.as_str().to_owned()),
            method: json::string(self.detail.as_ref()),
        });
        let extra = Object::new().text("signup_id", json::filled(self.signup_id.as_deref()));
        let event = Event::new("contact.consent_changed", key, self.timestamp.as_str()).with_contact(contact);
        Some(event.with_payload(ContactChange::default()).with_extra(extra))
    }
}
