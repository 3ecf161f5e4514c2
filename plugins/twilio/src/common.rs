//! What statuses and inbound messages share: which message, and which of our senders.

use tidegate_plugin_sdk::{Error, form::Fields};

/// Twilio's id of the message. `SmsSid` is its older name.
pub(crate) fn message_id<'f>(fields: &'f Fields<'_>) -> Result<&'f str, Error> {
    fields
        .get("MessageSid")
        .or_else(|| fields.get("SmsSid"))
        .ok_or_else(|| Error::field("/MessageSid", "expected the id of the message, found none"))
}

/// Our side: the messaging service where one is told, else the number (`From` of what we sent, `To` of what we got).
pub(crate) fn sender<'f>(fields: &'f Fields<'_>, number: &str) -> Result<&'f str, Error> {
    match fields.get("MessagingServiceSid") {
        Some(service) => Ok(service),
        None => fields.required(number),
    }
}

/// What goes by Twilio and is no SMS: it has a channel before the number (`whatsapp:+1…`).
pub(crate) fn other_channel<'f>(fields: &'f Fields<'_>) -> Option<&'f str> {
    let named = |name| fields.get(name).and_then(|text| text.split_once(':')).map(|(channel, _)| channel);
    named("From").or_else(|| named("To"))
}

/// It is understood, and not what is read here.
pub(crate) fn not_sms(channel: &str) -> Error {
    let channel: String = channel.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    Error::skip(format!("it goes by the channel {channel}: only SMS is read from Twilio"))
}
