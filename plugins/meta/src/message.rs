//! Messages of every type, from a person or (an echo) from the business's phone app.

use crate::{common::Person, identity::System, value::Around};
use content::{Button, Edit, Flagged, Interactive, Reaction, Revoke, TextBody, WaMedia};
use serde::Deserialize;
use tidegate_plugin_sdk::{
    Direction, Error, Event, Message, Referral, json, json::Instant, json::Object, json::Raw, json::Text,
};

mod content;

/// A message. Which of the parts is there depends on `type`.
#[derive(Deserialize)]
pub(crate) struct WaMessage<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) from: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) from_user_id: Option<Text<'a>>,
    #[serde(borrow)]
    to: Option<Text<'a>>,
    #[serde(borrow)]
    to_user_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) timestamp: Instant<'a>,
    #[serde(borrow, rename = "type")]
    message_type: Option<Text<'a>>,
    #[serde(borrow)]
    group_id: Option<Text<'a>>,
    #[serde(borrow)]
    context: Option<ReplyTo<'a>>,
    #[serde(borrow)]
    referral: Option<WaReferral<'a>>,
    #[serde(borrow)]
    text: Option<TextBody<'a>>,
    #[serde(borrow)]
    image: Option<WaMedia<'a>>,
    #[serde(borrow)]
    video: Option<WaMedia<'a>>,
    #[serde(borrow)]
    audio: Option<WaMedia<'a>>,
    #[serde(borrow)]
    document: Option<WaMedia<'a>>,
    #[serde(borrow)]
    sticker: Option<WaMedia<'a>>,
    #[serde(borrow)]
    location: Option<Raw<'a>>,
    #[serde(borrow)]
    contacts: Option<Raw<'a>>,
    #[serde(borrow)]
    reaction: Option<Reaction<'a>>,
    #[serde(borrow)]
    button: Option<Button<'a>>,
    #[serde(borrow)]
    interactive: Option<Interactive<'a>>,
    #[serde(borrow)]
    order: Option<Raw<'a>>,
    #[serde(borrow)]
    edit: Option<Edit<'a>>,
    #[serde(borrow)]
    revoke: Option<Revoke<'a>>,
    #[serde(borrow)]
    unsupported: Option<Flagged<'a>>,
    #[serde(borrow)]
    errors: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(crate) system: Option<System<'a>>,
}

/// What the message answers, or that it was passed on.
#[derive(Deserialize)]
struct ReplyTo<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    forwarded: Option<bool>,
    frequently_forwarded: Option<bool>,
    #[serde(borrow)]
    referred_product: Option<Raw<'a>>,
}

/// The advertisement that the person came by.
#[derive(Deserialize)]
struct WaReferral<'a> {
    #[serde(borrow)]
    source_type: Option<Text<'a>>,
    #[serde(borrow)]
    source_id: Option<Text<'a>>,
    #[serde(borrow)]
    source_url: Option<Text<'a>>,
    #[serde(borrow)]
    headline: Option<Text<'a>>,
    #[serde(borrow)]
    ctwa_clid: Option<Text<'a>>,
}

/// `message.received`
pub(crate) fn event(
    key: &str,
    message: &WaMessage<'_>,
    direction: Direction,
    around: &Around<'_, '_>,
) -> Result<Event, Error> {
    let details = content::of(message, around.errors)?;
    let person = match direction {
        Direction::Inbound => Person::new(message.from.as_ref(), message.from_user_id.as_ref()),
        Direction::Outbound => Person::new(message.to.as_ref(), message.to_user_id.as_ref()),
    };
    let context = message.context.as_ref();
    let canonical = Message {
        id: message.id.as_str().to_owned(),
        channel: "whatsapp".to_owned(),
        sender: around.sender.to_owned(),
        direction,
        message_type: details.message_type.to_owned(),
        text: details.text,
        reply_id: details.reply_id,
        in_reply_to: details.concerns.or_else(|| context.and_then(|context| json::string(context.id.as_ref()))),
        media: details.media,
        referral: message.referral.as_ref().map(WaReferral::referral),
        content: details.content,
    };
    let event =
        Event::new("message.received", key, message.timestamp.as_str()).with_contact(person.contact(around.profiles));
    Ok(event.with_entity("message", &message.id, None).with_payload(canonical).with_extra(extra(message, around)))
}

fn extra(message: &WaMessage<'_>, around: &Around<'_, '_>) -> Object {
    let context = message.context.as_ref();
    Object::new()
        .text("display_number", around.display_number)
        .text("group_id", json::filled(message.group_id.as_deref()))
        .bool("forwarded", context.and_then(|context| context.forwarded))
        .bool("frequently_forwarded", context.and_then(|context| context.frequently_forwarded))
        .raw("referred_product", context.and_then(|context| context.referred_product).map(Raw::as_str))
}

impl WaReferral<'_> {
    fn referral(&self) -> Referral {
        Referral {
            source_type: json::string(self.source_type.as_ref()),
            source_id: json::string(self.source_id.as_ref()),
            source_url: json::string(self.source_url.as_ref()),
            headline: json::string(self.headline.as_ref()),
            click_id: json::string(self.ctwa_clid.as_ref()),
        }
    }
}
