//! A later version of the contract, as `worlds/v0_2.rs` would be: what is new is said in the words of the version before, whose readers do the rest.

use crate::{
    guest::Guest,
    plugin::Identity,
    worlds::{
        Call, Contract, Failed, Making, World,
        v0_1::{self, bindings::tidegate::plugin::types as before, into},
    },
};
use serde_json::{Map, Value, json};
use tidegate_model::outcome::{ConnectionInfo, Item};
use wasmtime::{Store, component::HasSelf};

mod bindings {
    //! Generated from the later version's files, and from those of the version that it builds on, whose types are used again.

    wasmtime::component::bindgen!({
        path: ["../../wit", "tests/next/wit"],
        world: "tidegate:plugin/plugin@0.2.0",
        imports: { default: trappable },
        exports: { default: async },
        with: {
            "tidegate:plugin/types@0.1.0": crate::worlds::v0_1::bindings::tidegate::plugin::types,
            "tidegate:plugin/host@0.1.0": crate::worlds::v0_1::bindings::tidegate::plugin::host,
        },
    });
}

use bindings::{Plugin, PluginPre, tidegate::plugin0_2_0::types as wit};

/// This version, for the host.
pub(super) const CONTRACT: Contract = Contract {
    version: "0.2",
    sdk: "0.2",
    wit: &[v0_1::WIT, &[include_str!("../../../tests/next/wit/next.wit")]],
    connecting: None,
    imports: &["tidegate:plugin/host@0.1.", "tidegate:plugin/types@0.1.", "tidegate:plugin/types@0.2."],
    link: |linker| Plugin::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest),
    bind: |pre| Ok(Box::new(PluginPre::new(pre)?)),
};

impl World for PluginPre<Guest> {
    fn interpret<'c>(
        &'c self,
        store: &'c mut Store<Guest>,
        identity: &'c Identity,
        connection: &'c ConnectionInfo,
        items: &'c [Item],
    ) -> Call<'c> {
        Box::pin(async move {
            let instance = self.instantiate_async(&mut *store).await.map_err(Failed::Engine)?;
            let (guest_connection, guest_items) = (into::connection(connection), into::items(items));
            let answer = instance
                .tidegate_plugin0_2_0_normalizer()
                .call_interpret(&mut *store, &guest_connection, &guest_items)
                .await;
            let answer = answer.map_err(Failed::Engine)?.into_iter().map(outcome).collect();
            v0_1::outcomes(identity, connection, items, answer)
        })
    }

    fn instantiate<'c>(&'c self, store: &'c mut Store<Guest>) -> Making<'c> {
        Box::pin(async move { self.instantiate_async(store).await.map(drop) })
    }
}

impl wit::Host for Guest {}

fn outcome(outcome: wit::Outcome) -> before::Outcome {
    match outcome {
        wit::Outcome::Done(wit::Done { events, triggers, state }) => {
            before::Outcome::Done(before::Done { events: events.into_iter().map(event).collect(), triggers, state })
        }
        wit::Outcome::Need(requests) => before::Outcome::Need(requests),
        wit::Outcome::Skip(reason) => before::Outcome::Skip(reason),
        wit::Outcome::Failed(failure) => before::Outcome::Failed(failure),
    }
}

fn event(event: wit::Event) -> before::Event {
    let wit::Event { event_key, kind, occurred_at, contact, entity, payload, extra } = event;
    let (payload, extra) = match payload {
        wit::Payload::Order(mut order) => {
            let gift_message = order.gift_message.take();
            (before::Payload::Order(self::order(order)), with(extra, "gift_message", gift_message))
        }
        wit::Payload::Review(wit::Review { id, stars, text }) => {
            (before::Payload::Custom(json!({"id": id, "stars": stars, "text": text}).to_string()), extra)
        }
        wit::Payload::Shipment(shipment) => (before::Payload::Shipment(shipment), extra),
        wit::Payload::Cart(cart) => (before::Payload::Cart(cart), extra),
        wit::Payload::Contact(change) => (before::Payload::Contact(change), extra),
        wit::Payload::Lead(lead) => (before::Payload::Lead(lead), extra),
        wit::Payload::Deal(deal) => (before::Payload::Deal(deal), extra),
        wit::Payload::Appointment(appointment) => (before::Payload::Appointment(appointment), extra),
        wit::Payload::Form(form) => (before::Payload::Form(form), extra),
        wit::Payload::Message(message) => (before::Payload::Message(message), extra),
        wit::Payload::Status(status) => (before::Payload::Status(status), extra),
        wit::Payload::Sender(sender) => (before::Payload::Sender(sender), extra),
        wit::Payload::Template(template) => (before::Payload::Template(template), extra),
        wit::Payload::Connection(change) => (before::Payload::Connection(change), extra),
        wit::Payload::Custom(text) => (before::Payload::Custom(text), extra),
    };
    before::Event { event_key, kind, occurred_at, contact, entity, payload, extra }
}

/// A field of this version is a key of `extra` in the one before, which the host promotes. Text that is no object is left for the reader to refuse.
fn with(extra: String, key: &str, value: Option<String>) -> String {
    match (value, serde_json::from_str::<Map<String, Value>>(&extra)) {
        (Some(value), Ok(mut members)) => {
            members.insert(key.to_owned(), Value::String(value));
            Value::Object(members).to_string()
        }
        (None, _) | (_, Err(_)) => extra,
    }
}

fn order(order: wit::Order) -> before::Order {
    before::Order {
        id: order.id,
        number: order.number,
        status: order.status,
        payment_status: order.payment_status,
        fulfillment_status: order.fulfillment_status,
        total: order.total,
        subtotal: order.subtotal,
        shipping: order.shipping,
        tax: order.tax,
        discount: order.discount,
        refunded: order.refunded,
        items: order.items,
        shipping_address: order.shipping_address,
        billing_address: order.billing_address,
        status_url: order.status_url,
        cart_id: order.cart_id,
        discount_codes: order.discount_codes,
        tags: order.tags,
        note: order.note,
        cancel_reason: order.cancel_reason,
        placed_at: order.placed_at,
    }
}
