//! The canonical event: what happened, in the same words for every provider. The mirror of the plugin contract's types, with instants, amounts and phones parsed.

use crate::{EventId, Timestamp, contact::ContactInfo};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

mod commerce;
mod crm;
mod messaging;

pub use commerce::{Address, Cart, LineItem, Order, Shipment};
pub use crm::{Answer, Appointment, ContactChange, Deal, Form, Lead};
pub use messaging::{
    ChannelMessage, ConnectionChange, Direction, Media, Pricing, ProviderError, Referral, SenderChange, Status,
    TemplateChange,
};

/// A canonical event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Id, derived from the item and the plugin's `event-key`.
    pub id: EventId,
    /// The connection it came by.
    pub connection: String,
    /// What happened: `order.placed`, …
    pub kind: Kind,
    /// When it happened at the source.
    pub occurred_at: Timestamp,
    /// The thing it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<Entity>,
    /// Whom it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactInfo>,
    /// Details.
    #[serde(flatten)]
    pub payload: Payload,
    /// More details, under documented keys.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

/// The thing an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// `order`, `shipment`, …
    #[serde(rename = "type")]
    pub entity_type: String,
    /// Id at the provider.
    pub id: String,
    /// When the provider last changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Timestamp>,
}

/// The kind of an event: `noun.verb` in lower case, e.g. `order.placed` or a plugin's own `x.y`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Kind(String);

/// Every kind of the canonical model.
pub const KINDS: &[&str] = &[
    "order.placed",
    "order.paid",
    "order.updated",
    "order.cancelled",
    "order.refunded",
    "order.fulfilled",
    "shipment.created",
    "shipment.updated",
    "shipment.out_for_delivery",
    "shipment.delivered",
    "shipment.delayed",
    "cart.updated",
    "contact.created",
    "contact.updated",
    "contact.deleted",
    "contact.merged",
    "contact.consent_changed",
    "contact.erasure_requested",
    "contact.export_requested",
    "lead.submitted",
    "deal.created",
    "deal.stage_changed",
    "appointment.booked",
    "appointment.rescheduled",
    "appointment.cancelled",
    "appointment.no_show",
    "form.submitted",
    "message.received",
    "message.status_changed",
    "sender.quality_changed",
    "sender.limit_changed",
    "sender.blocked",
    "template.status_changed",
    "connection.uninstalled",
    "connection.disabled",
];

impl Kind {
    /// Longest kind.
    pub const MAX_LEN: usize = 64;

    /// Reads a kind.
    ///
    /// # Errors
    /// When it is not `noun.verb` of `a-z`, `0-9`, `_`.
    pub fn new(text: impl Into<String>) -> Result<Self, KindError> {
        let text = text.into();
        let word = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_lowercase())
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        match text.split_once('.') {
            Some((noun, verb)) if word(noun) && word(verb) && text.len() <= Self::MAX_LEN => Ok(Self(text)),
            _ => Err(KindError { found: text.chars().take(80).collect() }),
        }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the canonical model defines it (else a plugin's manifest must).
    pub fn is_canonical(&self) -> bool {
        KINDS.contains(&self.as_str())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Kind {
    type Error = KindError;

    fn try_from(text: String) -> Result<Self, KindError> {
        Self::new(text)
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> Self {
        kind.0
    }
}

/// The text is no event kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an event kind of the form noun.verb in lower case (such as order.placed), found {found:?}")]
pub struct KindError {
    found: String,
}

/// Details of an event: one case for each kind of thing. In JSON the case is the name of a field (`"order": {…}`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// `order.*`
    Order(Box<Order>),
    /// `shipment.*`
    Shipment(Box<Shipment>),
    /// `cart.*`
    Cart(Box<Cart>),
    /// `contact.*`
    ContactChange(ContactChange),
    /// `lead.*`
    Lead(Lead),
    /// `deal.*`
    Deal(Deal),
    /// `appointment.*`
    Appointment(Box<Appointment>),
    /// `form.*`
    Form(Form),
    /// `message.received`
    Message(Box<ChannelMessage>),
    /// `message.status_changed`
    Status(Box<Status>),
    /// `sender.*`
    Sender(SenderChange),
    /// `template.*`
    Template(TemplateChange),
    /// `connection.*`
    ConnectionChange(ConnectionChange),
    /// A plugin's own kind.
    Custom(Value),
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Amount, exact.
    pub amount: Decimal,
    /// ISO 4217.
    pub currency: String,
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_noun_dot_verb() {
        for kind in KINDS {
            assert!(Kind::new(*kind).unwrap().is_canonical());
        }
        assert!(!Kind::new("warranty.registered").unwrap().is_canonical());
        for bad in ["", "order", "Order.placed", "order.", ".placed", "order.placed.now", "order placed.x"] {
            assert!(Kind::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_payload_is_a_field_named_after_its_case() {
        let event = Event {
            id: EventId::derive(0, &[b"x"]),
            connection: "shop".to_owned(),
            kind: Kind::new("cart.updated").unwrap(),
            occurred_at: Timestamp::from_ms(0),
            entity: None,
            contact: None,
            payload: Payload::Cart(Box::new(Cart { id: "c1".to_owned(), ..Cart::default() })),
            extra: Map::new(),
        };
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["cart"]["id"], "c1");
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
    }
}
