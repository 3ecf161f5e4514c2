//! Free-form messages besides interactive ones: text, media, location, contacts, reaction.

use serde_json::Value;

use super::{
    error::GraphError,
    shape::{Object, Result},
};

/// Reads the payload of a free-form message; gives the text as the person reads it.
pub(crate) fn read(kind: &str, value: &Value) -> Result<String> {
    match kind {
        "text" => text(value),
        "image" | "video" | "document" => media(kind, value, true),
        "audio" | "sticker" => media(kind, value, false),
        "location" => location(value),
        "contacts" => contacts(value),
        "reaction" => reaction(value),
        _ => Err(GraphError::of(131051)),
    }
}

fn text(value: &Value) -> Result<String> {
    let object = Object::strict(value, "text", &["body", "preview_url"])?;
    if object.get("preview_url").is_some_and(|value| !value.is_boolean()) {
        return Err(GraphError::parameter("Param text['preview_url'] must be a boolean."));
    }
    object.text("body", 4096).map(str::to_owned)
}

fn media(kind: &str, value: &Value, captioned: bool) -> Result<String> {
    let keys: &[&str] = match kind {
        "document" => &["id", "link", "caption", "filename"],
        "audio" => &["id", "link", "voice"],
        "sticker" => &["id", "link"],
        _ => &["id", "link", "caption"],
    };
    let object = Object::strict(value, kind, keys)?;
    if object.get("id").is_some() == object.get("link").is_some() {
        return Err(GraphError::with(131009, format!("{kind} needs exactly one of id and link")));
    }
    let caption = if captioned { object.optional_text("caption", 1024)? } else { None };
    Ok(caption.unwrap_or_default().to_owned())
}

fn location(value: &Value) -> Result<String> {
    let keys = ["latitude", "longitude", "name", "address"];
    let object = Object::strict(value, "location", &keys)?;
    object.need("latitude")?;
    object.need("longitude")?;
    let name = object.optional_text("name", 1000)?;
    Ok(name.unwrap_or_default().to_owned())
}

fn contacts(value: &Value) -> Result<String> {
    match value {
        Value::Array(people) if !people.is_empty() => Ok(String::new()),
        _ => Err(GraphError::parameter("Param contacts must be a non-empty array.")),
    }
}

fn reaction(value: &Value) -> Result<String> {
    let object = Object::strict(value, "reaction", &["message_id", "emoji"])?;
    object.text("message_id", 512)?;
    let emoji = object.optional_text("emoji", 16)?;
    Ok(emoji.unwrap_or_default().to_owned())
}
