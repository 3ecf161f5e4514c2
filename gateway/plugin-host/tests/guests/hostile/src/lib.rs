//! A plugin that does what plugins must not do. The topic of the first item says what: some attack the host, some break the contract, some only look around.
#![expect(unsafe_code, reason = "the generated glue is made of pointers")]

mod answer;
mod attack;
mod look;

mod bindings {
    //! Generated from the contract, without the SDK: an attacker does not use it.

    wit_bindgen::generate!({ path: "../../../../../wit", world: "plugin" });
}

mod wasi {
    //! What an attacker calls directly that a language's library would not.

    wit_bindgen::generate!({
        inline: r"
            package hostile:wasi@0.1.0;
            world direct {
                import wasi:clocks/monotonic-clock@0.2.0;
                import wasi:random/random@0.2.0;
            }
            package wasi:io@0.2.0 {
                interface poll {
                    resource pollable { ready: func() -> bool; block: func(); }
                    poll: func(in: list<borrow<pollable>>) -> list<u32>;
                }
            }
            package wasi:clocks@0.2.0 {
                interface monotonic-clock {
                    use wasi:io/poll@0.2.0.{pollable};
                    type instant = u64;
                    type duration = u64;
                    now: func() -> instant;
                    resolution: func() -> duration;
                    subscribe-instant: func(when: instant) -> pollable;
                    subscribe-duration: func(when: duration) -> pollable;
                }
            }
            package wasi:random@0.2.0 {
                interface random {
                    get-random-bytes: func(len: u64) -> list<u8>;
                    get-random-u64: func() -> u64;
                }
            }
        ",
        generate_all,
    });
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
        Some(("answer", what)) => answer::make(what, item),
        _ => skip("nothing to do"),
    }
}

fn skip(reason: &str) -> Outcome {
    Outcome::Skip(reason.to_owned())
}

bindings::export!(Hostile with_types_in bindings);
