//! Twilio's callbacks to canonical events: what became of SMS that we sent, and what people write. One item is one form. It knows Twilio's forms, and no gateway.

mod common;
mod console;
mod inbound;
mod status;

use tidegate_plugin_sdk::{Context, Error, Interpretation, Item, Plugin, export, form};

/// The plugin.
#[derive(Debug)]
pub struct Twilio;

impl Plugin for Twilio {
    fn interpret(_: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
        let fields = form::parse(&item.body);
        match item.topic.as_str() {
            "received" | "receiving" => inbound::received(item, &fields),
            "" => Err(Error::field("/MessageStatus", "expected a status of a message, found none")),
            word => status::changed(item, &fields, word),
        }
    }
}

export!(Twilio, connector);

#[cfg(test)]
mod tests;
