//! The smallest plugin. In a crate of its own it is `src/lib.rs`, with `crate-type = ["cdylib"]`.

use tidegate_plugin_sdk::{Context, Error, Event, Interpretation, Item, Plugin, export};

struct Hello;

impl Plugin for Hello {
    fn interpret(_: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
        Ok(Event::new("hello.said", &item.id, &item.received_at).into())
    }
}
export!(Hello);
