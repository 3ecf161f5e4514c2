//! The payloads of events, field by field, from the contract's types to the model's.

use super::{
    bindings::tidegate::plugin::types as wit,
    read::{Inside, Read, json},
};
use tidegate_model::event::Payload;

mod commerce;
mod crm;
mod messaging;

/// Largest JSON of a plugin's own payload, or of a message's content, in bytes.
const JSON_BYTES: usize = 256 << 10;

/// Name of the payload's case, which is the noun of its kinds (but for `status` and `custom`).
pub(super) fn name(payload: &wit::Payload) -> &'static str {
    match payload {
        wit::Payload::Order(_) => "order",
        wit::Payload::Shipment(_) => "shipment",
        wit::Payload::Cart(_) => "cart",
        wit::Payload::Contact(_) => "contact",
        wit::Payload::Lead(_) => "lead",
        wit::Payload::Deal(_) => "deal",
        wit::Payload::Appointment(_) => "appointment",
        wit::Payload::Form(_) => "form",
        wit::Payload::Message(_) => "message",
        wit::Payload::Status(_) => "status",
        wit::Payload::Sender(_) => "sender",
        wit::Payload::Template(_) => "template",
        wit::Payload::Connection(_) => "connection",
        wit::Payload::Custom(_) => "custom",
    }
}

pub(super) fn read(payload: wit::Payload) -> Read<Payload> {
    let field = name(&payload);
    let read = match payload {
        wit::Payload::Order(order) => commerce::order(order).map(|order| Payload::Order(Box::new(order))),
        wit::Payload::Shipment(shipment) => {
            commerce::shipment(shipment).map(|shipment| Payload::Shipment(Box::new(shipment)))
        }
        wit::Payload::Cart(cart) => commerce::cart(cart).map(|cart| Payload::Cart(Box::new(cart))),
        wit::Payload::Contact(change) => Ok(Payload::ContactChange(crm::contact_change(change))),
        wit::Payload::Lead(lead) => crm::lead(lead).map(Payload::Lead),
        wit::Payload::Deal(deal) => crm::deal(deal).map(Payload::Deal),
        wit::Payload::Appointment(appointment) => {
            crm::appointment(appointment).map(|one| Payload::Appointment(Box::new(one)))
        }
        wit::Payload::Form(form) => crm::form(form).map(Payload::Form),
        wit::Payload::Message(message) => {
            messaging::message(message).map(|message| Payload::Message(Box::new(message)))
        }
        wit::Payload::Status(status) => messaging::status(status).map(|status| Payload::Status(Box::new(status))),
        wit::Payload::Sender(sender) => messaging::sender(sender).map(Payload::Sender),
        wit::Payload::Template(template) => messaging::template(template).map(Payload::Template),
        wit::Payload::Connection(change) => Ok(Payload::ConnectionChange(messaging::connection(change))),
        wit::Payload::Custom(text) => return json("custom", &text, JSON_BYTES).map(Payload::Custom),
    };
    read.inside(field)
}
