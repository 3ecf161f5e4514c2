//! A plugin for a later version of the contract, which this gateway does not speak: the tests do. It says the same as the hostile plugin does for the same topics,
//! with the words of that version.
#![expect(unsafe_code, reason = "the generated glue is made of pointers")]

mod bindings {
    //! Generated from both versions of the contract.

    wit_bindgen::generate!({
        path: ["../../../../../wit", "../wit"],
        world: "tidegate:plugin/plugin@0.2.0",
        generate_all,
    });
}

use bindings::{
    exports::tidegate::plugin0_2_0::normalizer::Guest,
    tidegate::{
        plugin0_1_0::{
            host::{Level, log},
            types::{Connection, Item},
        },
        plugin0_2_0::types::{Done, Event, Order, Outcome, Payload, Review},
    },
};

struct Next;

impl Guest for Next {
    fn interpret(_: Connection, items: Vec<Item>) -> Vec<Outcome> {
        items.iter().map(one).collect()
    }
}

fn one(item: &Item) -> Outcome {
    log(Level::Debug, "a plugin of 0.2");
    let (kind, payload) = match item.topic.as_str() {
        "answer/gift" => ("order.placed", Payload::Order(gift())),
        "answer/review" => ("review.posted", Payload::Review(review())),
        other => return Outcome::Skip(format!("no answer to {other}")),
    };
    let event = Event {
        event_key: "a".to_owned(),
        kind: kind.to_owned(),
        occurred_at: "2026-03-30T14:30:00+02:00".to_owned(),
        contact: None,
        entity: None,
        payload,
        extra: "{}".to_owned(),
    };
    Outcome::Done(Done { events: vec![event], triggers: Vec::new(), state: None })
}

fn review() -> Review {
    Review { id: "r1".to_owned(), stars: 4, text: Some("Good tea.".to_owned()) }
}

fn gift() -> Order {
    Order {
        id: "o1".to_owned(),
        number: Some("#1".to_owned()),
        status: None,
        payment_status: None,
        fulfillment_status: None,
        total: None,
        subtotal: None,
        shipping: None,
        tax: None,
        discount: None,
        refunded: None,
        items: Vec::new(),
        shipping_address: None,
        billing_address: None,
        status_url: None,
        cart_id: None,
        discount_codes: Vec::new(),
        tags: Vec::new(),
        note: None,
        gift_message: Some("For you".to_owned()),
        cancel_reason: None,
        placed_at: None,
    }
}

bindings::export!(Next with_types_in bindings);
