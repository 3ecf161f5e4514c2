//! Statuses of messages that we sent. They come out of order; `delivered` may never come.

use crate::{common::Person, error::MetaError, value::Around};
use serde::Deserialize;
use tidegate_plugin_sdk::{Event, Pricing, Status, json, json::Instant, json::Object, json::Text};

/// A status. `conversation` is gone since v24, `pricing` comes once, the recipient may be a user id or a group.
#[derive(Deserialize)]
pub(crate) struct WaStatus<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    timestamp: Instant<'a>,
    #[serde(borrow)]
    recipient_id: Option<Text<'a>>,
    #[serde(borrow)]
    recipient_user_id: Option<Text<'a>>,
    #[serde(borrow)]
    recipient_type: Option<Text<'a>>,
    #[serde(borrow)]
    recipient_participant_id: Option<Text<'a>>,
    #[serde(borrow)]
    recipient_participant_user_id: Option<Text<'a>>,
    #[serde(borrow)]
    biz_opaque_callback_data: Option<Text<'a>>,
    #[serde(borrow)]
    conversation: Option<Conversation<'a>>,
    #[serde(borrow)]
    pricing: Option<WaPricing<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    errors: Vec<MetaError<'a>>,
}

#[derive(Deserialize)]
struct Conversation<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    expiration_timestamp: Option<Instant<'a>>,
    #[serde(borrow)]
    origin: Option<Origin<'a>>,
}

#[derive(Deserialize)]
struct Origin<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct WaPricing<'a> {
    billable: Option<bool>,
    #[serde(borrow)]
    pricing_model: Option<Text<'a>>,
    #[serde(borrow)]
    category: Option<Text<'a>>,
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
}

/// `message.status_changed`; `None` for words that are no rung of the ladder (`deleted`, `warning`).
pub(crate) fn event(key: &str, status: &WaStatus<'_>, around: &Around<'_, '_>) -> Option<Event> {
    if !matches!(status.status.as_str(), "sent" | "delivered" | "read" | "played" | "failed") {
        return None;
    }
    let canonical = Status {
        message_id: status.id.as_str().to_owned(),
        channel: "whatsapp".to_owned(),
        sender: around.sender.to_owned(),
        state: status.status.as_str().to_owned(),
        callback_data: json::string(status.biz_opaque_callback_data.as_ref()),
        recipient: json::string(status.recipient_id.as_ref())
            .or_else(|| json::string(status.recipient_user_id.as_ref())),
        errors: status.errors.iter().map(MetaError::error).collect(),
        pricing: status.pricing.as_ref().map(WaPricing::pricing),
    };
    let event = Event::new("message.status_changed", key, status.timestamp.as_str())
        .with_contact(status.person().contact(around.profiles));
    Some(event.with_entity("message", &status.id, None).with_payload(canonical).with_extra(status.extra(around)))
}

impl<'a> WaStatus<'a> {
    /// Whether it is the same status, sent twice.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.id == other.id
            && self.status == other.status
            && self.timestamp == other.timestamp
            && self.recipient_participant_id == other.recipient_participant_id
    }

    fn is_of_group(&self) -> bool {
        self.recipient_type.as_deref() == Some("group")
    }

    fn person(&self) -> Person<'_> {
        if self.is_of_group() {
            return Person::new(self.recipient_participant_id.as_ref(), self.recipient_participant_user_id.as_ref());
        }
        Person::new(self.recipient_id.as_ref(), self.recipient_user_id.as_ref())
    }

    fn extra(&self, around: &Around<'_, '_>) -> Object {
        let conversation = self.conversation.as_ref();
        let origin = conversation.and_then(|conversation| conversation.origin.as_ref());
        Object::new()
            .text("display_number", around.display_number)
            .text("group_id", self.recipient_id.as_deref().filter(|_| self.is_of_group()))
            .text("conversation_id", conversation.and_then(|conversation| json::filled(conversation.id.as_deref())))
            .text("conversation_category", origin.and_then(|origin| json::filled(origin.kind.as_deref())))
            .text(
                "conversation_expires_at",
                conversation.and_then(|conversation| conversation.expiration_timestamp.as_ref().map(Instant::as_str)),
            )
    }
}

impl WaPricing<'_> {
    fn pricing(&self) -> Pricing {
        Pricing {
            billable: self.billable,
            model: json::string(self.pricing_model.as_ref()),
            category: json::string(self.category.as_ref()),
            pricing_type: json::string(self.kind.as_ref()),
        }
    }
}
