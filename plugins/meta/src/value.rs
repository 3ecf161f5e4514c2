//! The value of `messages`, which carries three things: messages, statuses, errors. And that of `smb_message_echoes`.

use crate::{
    common::{self, Metadata, Profile, Sent},
    error::MetaError,
    identity,
    message::{self, WaMessage},
    status::{self, WaStatus},
};
use serde::Deserialize;
use tidegate_plugin_sdk::{Direction, Error, Event, Interpretation, Item, Sender, json, json::Raw};

/// The value. Every part may be missing.
#[derive(Deserialize)]
struct Value<'a> {
    #[serde(borrow, default)]
    metadata: Metadata<'a>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    contacts: Vec<Profile<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    messages: Vec<WaMessage<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    message_echoes: Vec<WaMessage<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    statuses: Vec<WaStatus<'a>>,
    #[serde(borrow)]
    errors: Option<Raw<'a>>,
}

/// What an event of the value needs to know about what is around it.
pub(crate) struct Around<'t, 'a> {
    /// Our number.
    pub(crate) sender: &'t str,
    /// Our number, for people.
    pub(crate) display_number: Option<&'t str>,
    pub(crate) profiles: &'t [Profile<'a>],
    /// Errors that stand beside the messages.
    pub(crate) errors: Option<Raw<'a>>,
}

pub(crate) fn messages(item: &Item) -> Result<Interpretation, Error> {
    let value: Value<'_> = common::value(item)?;
    let around = value.around()?;
    let mut events = Vec::with_capacity(value.messages.len() + value.statuses.len());
    for (index, message) in value.messages.iter().enumerate() {
        if value.messages[..index].iter().any(|earlier| earlier.id == message.id) {
            continue;
        }
        let key = key("message", index);
        match &message.system {
            Some(system) => events.extend(identity::system(&key, message, system, &around)),
            None => events.push(message::event(&key, message, Direction::Inbound, &around)?),
        }
    }
    for (index, status) in value.statuses.iter().enumerate() {
        if !value.statuses[..index].iter().any(|earlier| earlier.is_same(status)) {
            events.extend(status::event(&key("status", index), status, &around));
        }
    }
    if let (true, Some(errors)) = (value.messages.is_empty(), around.errors) {
        events.extend(number_errors(errors, &around, &common::sent(item)?)?);
    }
    found(events, "neither messages nor statuses that are known")
}

pub(crate) fn echoes(item: &Item) -> Result<Interpretation, Error> {
    let value: Value<'_> = common::value(item)?;
    let around = value.around()?;
    let echoes = value.message_echoes.iter().enumerate();
    let events: Result<Vec<_>, _> =
        echoes.map(|(index, echo)| message::event(&key("echo", index), echo, Direction::Outbound, &around)).collect();
    found(events?, "no message")
}

impl<'a> Value<'a> {
    fn around(&self) -> Result<Around<'_, 'a>, Error> {
        Ok(Around {
            sender: self.metadata.sender()?,
            display_number: json::filled(self.metadata.display_phone_number.as_deref()),
            profiles: &self.contacts,
            errors: self.errors,
        })
    }
}

/// Errors of our number that belong to no message: one event each.
fn number_errors(errors: Raw<'_>, around: &Around<'_, '_>, sent: &Sent) -> Result<Vec<Event>, Error> {
    let errors: Vec<MetaError<'_>> = errors.parse().map_err(|error| error.under("/value/errors"))?;
    let event = |(index, error): (usize, &MetaError<'_>)| {
        let error = error.error();
        let sender = Sender {
            id: around.sender.to_owned(),
            display_number: around.display_number.map(str::to_owned),
            provider_event: Some(error.code),
            reason: error.details.or(error.title),
            ..Sender::default()
        };
        Event::new("sender.error_reported", &key("error", index), &sent.at)
            .with_entity("sender", around.sender, None)
            .with_payload(sender)
    };
    Ok(errors.iter().enumerate().map(event).collect())
}

/// The events, or why there are none.
pub(crate) fn found(events: Vec<Event>, otherwise: &str) -> Result<Interpretation, Error> {
    if events.is_empty() {
        return Err(Error::skip(format!("there are {otherwise} in it")));
    }
    Ok(events.into())
}

/// Tells the events of one value apart.
pub(crate) fn key(what: &str, index: usize) -> String {
    let index = index.to_string();
    [what, "-", &index].concat()
}
