//! Calendly webhooks to canonical events. One booking of one person, or one submitted form, in each webhook. It knows Calendly's payloads, and no gateway.

mod account;
mod answer;
mod appointment;
mod form;
mod invitee;
mod known;
mod settings;

use tidegate_plugin_sdk::{Context, Error, Interpretation, Item, Plugin, export};

/// The plugin.
#[derive(Debug)]
pub struct Calendly;

impl Plugin for Calendly {
    fn interpret(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
        match item.topic.as_str() {
            "invitee.created" => appointment::created(ctx, item),
            "invitee.canceled" => appointment::cancelled(ctx, item),
            "invitee_no_show.created" => appointment::missed(ctx, item),
            "invitee_no_show.deleted" => appointment::not_missed(ctx, item),
            "routing_form_submission.created" => form::submitted(ctx, item),
            topic if topic.starts_with("event_type.") => {
                Err(Error::skip("a kind of meeting was changed: that is nobody's appointment"))
            }
            topic if topic.starts_with("meeting_recap.") => {
                Err(Error::skip("a recap of a meeting means nothing for messages"))
            }
            topic if topic.starts_with("contact.") => {
                Err(Error::skip("contacts of Calendly are not read: bookings and forms tell who somebody is"))
            }
            "" => Err(Error::field("/event", "expected the name of the event, found none")),
            other => Err(Error::skip(format!("{other} means nothing for messages"))),
        }
    }
}

export!(Calendly, connector);

#[cfg(test)]
mod tests;
