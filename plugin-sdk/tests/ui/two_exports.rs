//! `export!` twice in a crate.

use tidegate_plugin_sdk::{Context, Error, Event, Interpretation, Item, Plugin, export};

struct One;
struct Other;

impl Plugin for One {
    fn interpret(_: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
        Ok(Event::new("one.said", "one", &item.received_at).into())
    }
}

impl Plugin for Other {
    fn interpret(_: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
        Ok(Event::new("other.said", "other", &item.received_at).into())
    }
}

export!(One);
export!(Other);

fn main() {}
