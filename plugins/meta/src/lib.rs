//! Meta webhooks to canonical events: WhatsApp and lead ads. One item is one change of one account, named by its field. It knows Meta's payloads, and no gateway.

mod account;
mod app;
mod common;
mod error;
mod graph;
mod identity;
mod lead;
mod message;
mod number;
mod preference;
mod status;
mod template;
mod value;

use tidegate_plugin_sdk::{Context, Error, Interpretation, Item, Plugin, export};

/// The plugin.
#[derive(Debug)]
pub struct Meta;

impl Plugin for Meta {
    fn interpret(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
        match item.topic.as_str() {
            "messages" => value::messages(item),
            "smb_message_echoes" => value::echoes(item),
            "user_preferences" => preference::changed(item),
            "user_id_update" => identity::user_id_changed(item),
            "message_template_status_update" | "message_template_quality_update" => template::changed(item),
            "template_category_update" => template::category_changed(item),
            "phone_number_quality_update" => number::quality_changed(item),
            "business_capability_update" => number::capability_changed(item),
            "account_update" => account::changed(item),
            "account_review_update" => account::reviewed(item),
            "account_alerts" => account::alerted(item),
            "leadgen" => lead::submitted(ctx, item),
            "" => Err(Error::field("/field", "expected the name of the field that changed, found none")),
            other => Err(Error::skip(format!("the field {other} means nothing for messages"))),
        }
    }
}

export!(Meta, connector);

#[cfg(test)]
mod tests;
