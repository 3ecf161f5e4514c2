//! What a message says, by its type.

use super::WaMessage;
use serde::Deserialize;
use tidegate_plugin_sdk::{Error, Media, json, json::Object, json::Raw, json::Text};

#[derive(Deserialize)]
pub(super) struct TextBody<'a> {
    #[serde(borrow)]
    body: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct WaMedia<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    mime_type: Option<Text<'a>>,
    #[serde(borrow)]
    url: Option<Text<'a>>,
    #[serde(borrow)]
    filename: Option<Text<'a>>,
    #[serde(borrow)]
    sha256: Option<Text<'a>>,
    #[serde(borrow)]
    caption: Option<Text<'a>>,
    voice: Option<bool>,
    animated: Option<bool>,
}

/// A reaction without an emoji takes the former one back.
#[derive(Deserialize)]
pub(super) struct Reaction<'a> {
    #[serde(borrow)]
    message_id: Option<Text<'a>>,
    #[serde(borrow)]
    emoji: Option<Text<'a>>,
}

/// The quick-reply button of a template.
#[derive(Deserialize)]
pub(super) struct Button<'a> {
    #[serde(borrow)]
    payload: Option<Text<'a>>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Interactive<'a> {
    #[serde(borrow)]
    button_reply: Option<Choice<'a>>,
    #[serde(borrow)]
    list_reply: Option<Choice<'a>>,
    #[serde(borrow)]
    nfm_reply: Option<FlowReply<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    title: Option<Text<'a>>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
}

/// A filled-in WhatsApp Flow. The answers are JSON in a string.
#[derive(Deserialize)]
struct FlowReply<'a> {
    #[serde(borrow)]
    response_json: Option<Text<'a>>,
    #[serde(borrow)]
    body: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Edit<'a> {
    #[serde(borrow)]
    original_message_id: Option<Text<'a>>,
    #[serde(borrow)]
    message: Option<Edited<'a>>,
}

#[derive(Deserialize)]
struct Edited<'a> {
    #[serde(borrow)]
    text: Option<TextBody<'a>>,
    #[serde(borrow)]
    image: Option<WaMedia<'a>>,
    #[serde(borrow)]
    video: Option<WaMedia<'a>>,
    #[serde(borrow)]
    document: Option<WaMedia<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Revoke<'a> {
    #[serde(borrow)]
    original_message_id: Option<Text<'a>>,
}

/// What an unsupported message is.
#[derive(Deserialize)]
pub(super) struct Flagged<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
}

/// The text that a customer adds to an order.
#[derive(Deserialize)]
struct OrderText<'a> {
    #[serde(borrow)]
    text: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Place<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    address: Option<Text<'a>>,
}

/// What a message says, in canonical words.
#[derive(Default)]
pub(super) struct Details<'t> {
    pub(super) message_type: &'t str,
    pub(super) text: Option<String>,
    pub(super) reply_id: Option<String>,
    /// The message that a reaction is about.
    pub(super) concerns: Option<String>,
    pub(super) media: Option<Media>,
    pub(super) content: Option<String>,
}

/// Reads a message by the part that is there. `errors` stand beside the messages and tell why a part is missing.
pub(super) fn of<'t>(message: &'t WaMessage<'_>, errors: Option<Raw<'_>>) -> Result<Details<'t>, Error> {
    let media = [&message.image, &message.video, &message.audio, &message.document, &message.sticker];
    if let Some(media) = media.into_iter().find_map(Option::as_ref) {
        return Ok(with_media(type_of(message), media));
    }
    if let Some(text) = &message.text {
        return Ok(Details { message_type: "text", text: json::string(text.body.as_ref()), ..Details::default() });
    }
    if let Some(details) = answer(message) {
        return Ok(details);
    }
    if let Some(details) = changed(message) {
        return Ok(details);
    }
    with_object(message, errors)
}

fn type_of<'t>(message: &'t WaMessage<'_>) -> &'t str {
    json::filled(message.message_type.as_deref()).unwrap_or("unknown")
}

fn with_media<'t>(message_type: &'t str, media: &WaMedia<'_>) -> Details<'t> {
    let content = Object::new().bool("voice", media.voice).bool("animated", media.animated);
    let canonical = Media {
        id: json::string(media.id.as_ref()),
        mime_type: json::string(media.mime_type.as_ref()),
        url: json::string(media.url.as_ref()),
        file_name: json::string(media.filename.as_ref()),
        sha256: json::string(media.sha256.as_ref()),
    };
    Details {
        message_type,
        text: json::string(media.caption.as_ref()),
        media: Some(canonical),
        content: filled(content),
        ..Details::default()
    }
}

/// Buttons, lists, flows, reactions.
fn answer<'t>(message: &WaMessage<'_>) -> Option<Details<'t>> {
    if let Some(button) = &message.button {
        return Some(Details {
            message_type: "button",
            text: json::string(button.text.as_ref()),
            reply_id: json::string(button.payload.as_ref()),
            ..Details::default()
        });
    }
    if let Some(reaction) = &message.reaction {
        let emoji = json::string(reaction.emoji.as_ref());
        let content = Object::new().bool("removed", emoji.is_none().then_some(true));
        return Some(Details {
            message_type: "reaction",
            text: emoji,
            concerns: json::string(reaction.message_id.as_ref()),
            content: filled(content),
            ..Details::default()
        });
    }
    let interactive = message.interactive.as_ref()?;
    let chosen = interactive.button_reply.as_ref().map(|choice| ("button", choice));
    if let Some((message_type, choice)) =
        chosen.or_else(|| interactive.list_reply.as_ref().map(|choice| ("list_reply", choice)))
    {
        let content = Object::new().text("description", json::filled(choice.description.as_deref()));
        let (text, reply_id) = (json::string(choice.title.as_ref()), json::string(choice.id.as_ref()));
        return Some(Details { message_type, text, reply_id, content: filled(content), ..Details::default() });
    }
    interactive.nfm_reply.as_ref().map(flow_reply)
}

fn flow_reply<'t>(reply: &FlowReply<'_>) -> Details<'t> {
    let response = reply.response_json.as_deref();
    let content = Object::new().text("name", json::filled(reply.name.as_deref()));
    let content = match response.filter(|response| json::parse::<Raw<'_>>(response).is_ok()) {
        Some(json) => content.raw("response", Some(json)),
        None => content.text("response", response),
    };
    Details {
        message_type: "flow_reply",
        text: json::string(reply.body.as_ref()),
        content: filled(content),
        ..Details::default()
    }
}

/// Messages about an earlier one.
fn changed<'t>(message: &WaMessage<'_>) -> Option<Details<'t>> {
    let original =
        |id: Option<&Text<'_>>| filled(Object::new().text("original_message_id", json::filled(id.map(Text::as_str))));
    if let Some(revoke) = &message.revoke {
        return Some(Details {
            message_type: "revoke",
            content: original(revoke.original_message_id.as_ref()),
            ..Details::default()
        });
    }
    let edit = message.edit.as_ref()?;
    let text = edit.message.as_ref().and_then(Edited::text);
    Some(Details {
        message_type: "edit",
        text,
        content: original(edit.original_message_id.as_ref()),
        ..Details::default()
    })
}

impl Edited<'_> {
    /// The new text or caption.
    fn text(&self) -> Option<String> {
        let body = self.text.as_ref().and_then(|text| json::string(text.body.as_ref()));
        let captions = [&self.image, &self.video, &self.document].into_iter().flatten();
        body.or_else(|| captions.filter_map(|media| json::string(media.caption.as_ref())).next())
    }
}

/// Locations, shared contacts, orders; and what WhatsApp gives no content for.
fn with_object<'t>(message: &'t WaMessage<'_>, errors: Option<Raw<'_>>) -> Result<Details<'t>, Error> {
    let message_type = type_of(message);
    if let Some(location) = message.location {
        let place: Place<'_> = location.parse().map_err(|error| error.under("/location"))?;
        let text = json::string(place.name.as_ref()).or_else(|| json::string(place.address.as_ref()));
        return Ok(Details { message_type, text, content: Some(location.as_str().to_owned()), ..Details::default() });
    }
    if let Some(order) = message.order {
        let text = order.parse::<OrderText<'_>>().map_err(|error| error.under("/order"))?.text;
        return Ok(Details {
            message_type,
            text: json::string(text.as_ref()),
            content: Some(order.as_str().to_owned()),
            ..Details::default()
        });
    }
    let content = Object::new()
        .raw("contacts", message.contacts.map(Raw::as_str))
        .text("type", message.unsupported.as_ref().and_then(|flagged| json::filled(flagged.kind.as_deref())))
        .raw("errors", message.errors.or(errors).map(Raw::as_str));
    Ok(Details { message_type, content: filled(content), ..Details::default() })
}

fn filled(content: Object) -> Option<String> {
    (!content.is_empty()).then(|| content.finish())
}
