//! A plugin that does what plugins must not do. The topic of the first item says what: some attack the host, some break the contract, some only look around.
#![expect(unsafe_code, reason = "the generated glue is made of pointers")]

mod answer;
mod attack;
mod look;

mod bindings {
    //! Generated from the contract, without the SDK: an attacker does not use it.

    wit_bindgen::generate!({ path: "../../../../../wit", world: "plugin" });
}

use bindings::{
    exports::tidegate::plugin::normalizer::Guest,
    tidegate::plugin::types::{Connection, Item, Outcome},
};

struct Hostile;

impl Guest for Hostile {
    fn interpret(connection: Connection, items: Vec<Item>) -> Vec<Outcome> {
        let topic = items.first().map(|item| item.topic.clone()).unwrap_or_default();
        match topic.as_str() {
            "few" => Vec::new(),
            "many" => items.iter().map(|_| skip("x")).chain([skip("one more")]).collect(),
            "crowd" => vec![skip(""); 600_000],
            _ => items.iter().map(|item| one(&connection, item)).collect(),
        }
    }
}

fn one(connection: &Connection, item: &Item) -> Outcome {
    match item.topic.split_once('/') {
        Some(("attack", what)) => attack::run(what),
        Some(("look", what)) => skip(&look::run(what, connection, item)),
        Some(("answer", what)) => answer::make(what),
        _ => skip("nothing to do"),
    }
}

fn skip(reason: &str) -> Outcome {
    Outcome::Skip(reason.to_owned())
}

bindings::export!(Hostile with_types_in bindings);
