//! A fetch whose answer is used before it is there.

use tidegate_plugin_sdk::{Context, Error, Event, Interpretation, Item, Plugin, Request, Response, export};

struct Hello;

impl Plugin for Hello {
    fn interpret(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
        let answer: Response = ctx.fetch(Request::get("https://api.example.com/1"));
        Ok(Event::new("hello.said", &answer.body, &item.received_at).into())
    }
}

export!(Hello);

fn main() {}
