//! The right signature, and an event returned as it is.

use tidegate_plugin_sdk::{Context, Error, Event, Interpretation, Item, Plugin, export};

struct Hello;

impl Plugin for Hello {
    fn interpret(_: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
        Ok(Event::new("hello.said", &item.id, &item.received_at))
    }
}

export!(Hello);

fn main() {}
