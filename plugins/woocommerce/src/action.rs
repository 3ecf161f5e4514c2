//! Webhooks with the topic Action: a WordPress hook was called. WooCommerce sends the hook's name and its first argument, whatever that is.

use serde::Deserialize;
use tidegate_plugin_sdk::{Error, Event, Interpretation, Item, Payload, json, json::Object, json::Raw, json::Text};

#[derive(Deserialize)]
struct Called<'a> {
    #[serde(borrow)]
    action: Option<Text<'a>>,
    #[serde(borrow)]
    arg: Option<Raw<'a>>,
}

pub(crate) fn called(item: &Item) -> Result<Interpretation, Error> {
    let called: Called<'_> = json::parse(&item.body)?;
    let action = json::filled(called.action.as_deref())
        .ok_or_else(|| Error::field("/action", "expected the name of the WordPress hook, found none"))?;
    let payload = Object::new().text("action", Some(action)).raw("arg", called.arg.map(Raw::as_str));
    let event = Event::new("action.called", "action", &item.received_at);
    Ok(event.with_payload(Payload::Custom(payload.finish())).into())
}
