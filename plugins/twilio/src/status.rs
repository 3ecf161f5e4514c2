//! Statuses of messages that we sent. They come out of order and twice, and carry no time of their own.

use crate::common;
use tidegate_plugin_sdk::{
    Error, Event, Interpretation, Item, ProviderError, Status, form, form::Fields, json::Object,
};

/// The parameter of the callback's URL with our id of the message.
const OUR_ID: &str = "mid";

/// `message.status_changed`
pub(crate) fn changed(item: &Item, fields: &Fields<'_>, word: &str) -> Result<Interpretation, Error> {
    if let Some(channel) = common::other_channel(fields) {
        return Err(common::not_sms(channel));
    }
    let state = state(word).ok_or_else(|| Error::skip(format!("the status {} moves no message", shown(word))))?;
    let id = common::message_id(fields)?;
    let query = item.header(":query").map(form::parse).unwrap_or_default();
    let status = Status {
        message_id: id.to_owned(),
        channel: "sms".to_owned(),
        sender: common::sender(fields, "From")?.to_owned(),
        state: state.to_owned(),
        callback_data: query.get(OUR_ID).map(str::to_owned),
        recipient: fields.get("To").map(str::to_owned),
        errors: error(fields).into_iter().collect(),
        pricing: None,
    };
    let extra = Object::new()
        .text("twilio_status", Some(word))
        .text("number", fields.get("From"))
        .text("carrier_done_at", fields.get("RawDlrDoneDate"));
    let event = Event::new("message.status_changed", "status", &item.received_at);
    Ok(event.with_entity("message", id, None).with_payload(status).with_extra(extra).into())
}

/// The rung that a word of Twilio's means.
fn state(word: &str) -> Option<&'static str> {
    Some(match word {
        "accepted" | "scheduled" | "queued" | "sending" => "accepted",
        "sent" => "sent",
        "delivered" => "delivered",
        "read" => "read",
        "undelivered" | "failed" | "canceled" => "failed",
        _ => return None,
    })
}

/// Why it failed, by Twilio's dictionary of errors. A status that went well says `0`, or nothing.
fn error(fields: &Fields<'_>) -> Option<ProviderError> {
    let code = fields.get("ErrorCode").filter(|code| *code != "0")?;
    Some(ProviderError {
        code: code.to_owned(),
        title: fields.get("ErrorMessage").map(str::to_owned),
        details: fields.get("ChannelStatusMessage").map(str::to_owned),
    })
}

fn shown(word: &str) -> String {
    word.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect()
}
