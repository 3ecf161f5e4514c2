//! Ergonomic construction of events: defaults for what has no derived one, and the builder.

use crate::{
    Answer, Appointment, Cart, ConnectionChange, ContactChange, ContactInfo, Deal, Direction, Entity, Event, Form,
    Lead, Message, Money, Order, Payload, Response, Sender, Shipment, Status, Template, json,
};

impl Event {
    /// An event that happened at an instant (RFC 3339). `key` tells it from the other events of the same item; the event's id derives from it.
    pub fn new(kind: &str, key: &str, occurred_at: &str) -> Self {
        Self {
            event_key: key.to_owned(),
            kind: kind.to_owned(),
            occurred_at: occurred_at.to_owned(),
            contact: None,
            entity: None,
            payload: Payload::default(),
            extra: "{}".to_owned(),
        }
    }

    /// Whose it is. A person with nothing that identifies them is nobody.
    #[must_use]
    pub fn with_contact(mut self, contact: ContactInfo) -> Self {
        self.contact = (!contact.keys.is_empty()).then_some(contact);
        self
    }

    /// What it is about: the thing's type and id, and when the provider last changed it (an instant).
    #[must_use]
    pub fn with_entity(mut self, entity_type: &str, id: &str, version: Option<&str>) -> Self {
        self.entity = Some(Entity {
            entity_type: entity_type.to_owned(),
            id: id.to_owned(),
            version: version.map(str::to_owned),
        });
        self
    }

    /// Its details.
    #[must_use]
    pub fn with_payload(mut self, payload: impl Into<Payload>) -> Self {
        self.payload = payload.into();
        self
    }

    /// More details under documented keys.
    #[must_use]
    pub fn with_extra(mut self, extra: json::Object) -> Self {
        self.extra = extra.finish();
        self
    }
}

impl Money {
    /// An amount (a decimal) in a currency (ISO 4217). `None` when either is missing, or the currency is no three letters.
    pub fn of(amount: Option<&str>, currency: Option<&str>) -> Option<Self> {
        let currency = currency.filter(|code| code.len() == 3 && code.bytes().all(|b| b.is_ascii_alphabetic()))?;
        Some(Self { amount: amount?.to_owned(), currency: currency.to_owned() })
    }
}

/// An empty object of an own kind.
impl Default for Payload {
    fn default() -> Self {
        Self::Custom("{}".to_owned())
    }
}

impl Default for Direction {
    fn default() -> Self {
        Self::Inbound
    }
}

impl Default for Answer {
    fn default() -> Self {
        Self::Response(Response::default())
    }
}

macro_rules! payload_of {
    ($($record:ident => $case:ident),* $(,)?) => {
        $(impl From<$record> for Payload {
            fn from(details: $record) -> Self {
                Self::$case(details)
            }
        })*
    };
}

payload_of! {
    Order => Order,
    Shipment => Shipment,
    Cart => Cart,
    ContactChange => Contact,
    Lead => Lead,
    Deal => Deal,
    Appointment => Appointment,
    Form => Form,
    Message => Message,
    Status => Status,
    Sender => Sender,
    Template => Template,
    ConnectionChange => Connection,
}
