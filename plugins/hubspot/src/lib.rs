//! HubSpot webhooks to canonical events. One item is one change of one object; what the change does not tell is read from HubSpot. It knows HubSpot's payloads, and
//! no gateway.

mod app;
mod change;
mod contact;
mod crm;
mod deal;
mod settings;

use change::{Change, Object};
use tidegate_plugin_sdk::{Context, Error, Interpretation, Item, Plugin, export, json};

/// The plugin.
#[derive(Debug)]
pub struct Hubspot;

impl Plugin for Hubspot {
    fn interpret(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
        let change: Change<'_> = json::parse(&item.body)?;
        let (object, action) = change.what()?;
        match (object, action) {
            (Object::Contact, "creation") => contact::present(ctx, item, &change, "contact.created"),
            (Object::Contact, "propertyChange" | "restore") => contact::present(ctx, item, &change, "contact.updated"),
            (Object::Contact, "deletion") => contact::gone(item, &change, "contact.deleted"),
            (Object::Contact, "privacyDeletion") => contact::gone(item, &change, "contact.erasure_requested"),
            (Object::Contact, "merge") => contact::merged(item, &change),
            (Object::Deal, "creation") => deal::created(ctx, item, &change),
            (Object::Deal, "propertyChange") => deal::changed(ctx, item, &change),
            (Object::Contact, other) => Err(Error::skip(format!("a contact's {other} means nothing for messages"))),
            (Object::Deal, other) => Err(Error::skip(format!("a deal's {other} means nothing for messages"))),
        }
    }
}

export!(Hubspot, connector);

#[cfg(test)]
mod tests;
