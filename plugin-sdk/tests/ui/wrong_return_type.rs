//! An event in place of an interpretation: `.into()` makes one of it.

use tidegate_plugin_sdk::{Context, Error, Event, Item, Plugin, export};

struct Hello;

impl Plugin for Hello {
    fn interpret(_: &mut Context<'_>, item: &Item) -> Result<Event, Error> {
        Ok(Event::new("hello.said", &item.id, &item.received_at))
    }
}

export!(Hello);

fn main() {}
