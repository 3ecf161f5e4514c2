//! One request to `/{phone-number-id}/messages`: read strictly, or refused with Graph's error. It knows no window and no limit: those need state.

use serde_json::Value;

use super::{
    error::GraphError,
    interactive, other,
    shape::{Object, Result},
    template,
};
use crate::{
    config::{Category, Template},
    record::SentParameter,
};

/// Longest `biz_opaque_callback_data` (Meta's changelog, 2024-01-26).
const MAX_CALLBACK_DATA_CHARS: usize = 512;
/// Keys of every message, besides the one that is called as its type.
const ENVELOPE: &[&str] =
    &["messaging_product", "recipient_type", "to", "recipient", "type", "context", "biz_opaque_callback_data"];

/// Types of messages.
const TYPES: &[&str] = &[
    "audio",
    "contacts",
    "document",
    "image",
    "interactive",
    "location",
    "reaction",
    "sticker",
    "template",
    "text",
    "video",
];

/// What a request asks for.
#[derive(Debug)]
pub(crate) enum Ask<'a> {
    Send(Box<Send<'a>>),
    /// Mark a received message as read.
    MarkRead {
        message_id: String,
    },
}

/// A message to send.
#[derive(Debug)]
pub(crate) struct Send<'a> {
    pub(crate) to: Person,
    /// The recipient as it was written.
    pub(crate) input: String,
    pub(crate) callback_data: Option<String>,
    pub(crate) message_type: String,
    pub(crate) template: Option<&'a Template>,
    pub(crate) parameters: Vec<SentParameter>,
    pub(crate) text: String,
}

impl Send<'_> {
    pub(crate) fn category(&self) -> Category {
        self.template.map_or(Category::Service, |template| template.category)
    }
}

/// Whom a message goes to, or comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Person {
    /// WhatsApp id: digits.
    Phone(String),
    /// Business-scoped user id.
    User(String),
}

impl Person {
    pub(crate) fn key(&self) -> &str {
        match self {
            Self::Phone(key) | Self::User(key) => key,
        }
    }

    /// Reads digits, a number as people write it, or a user id (`US.1349…`).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        phone(text).map(Self::Phone).or_else(|| is_user_id(text).then(|| Self::User(text.to_owned())))
    }
}

/// Whom a body names, before it is read: for rules that strike a person.
pub(crate) fn recipient(body: &Value) -> Option<String> {
    let text = |key| body.get(key).and_then(Value::as_str);
    let person = Person::parse(text("to").or_else(|| text("recipient"))?)?;
    Some(person.key().to_owned())
}

/// Reads a request's body. `sender` is the number itself, in digits.
pub(crate) fn read<'a>(body: &Value, sender: &str, templates: &'a [Template]) -> Result<Ask<'a>> {
    let open = Object::open(body, "message")?;
    match open.get("messaging_product").and_then(Value::as_str) {
        Some("whatsapp") => {}
        Some(_) => {
            return Err(GraphError::parameter("Param messaging_product must be one of {WHATSAPP}."));
        }
        None => {
            return Err(GraphError::parameter("The parameter messaging_product is required."));
        }
    }
    if open.get("status").is_some() {
        return mark_read(body);
    }
    let kind = open.optional_text("type", 32)?.unwrap_or("text");
    if !TYPES.contains(&kind) {
        return Err(GraphError::parameter(format!(
            "Param type must be one of {{{}}} - got \"{kind}\".",
            TYPES.join(", ").to_uppercase()
        )));
    }
    let mut keys = ENVELOPE.to_vec();
    keys.push(kind);
    let object = Object::strict(body, "message", &keys)?;
    check_recipient_type(&object)?;
    let (to, input) = address(&object)?;
    if to.key() == sender {
        return Err(GraphError::of(131021));
    }
    check_context(&object)?;
    let callback_data = object.optional_text("biz_opaque_callback_data", MAX_CALLBACK_DATA_CHARS)?;
    let message = Send {
        to,
        input,
        callback_data: callback_data.map(str::to_owned),
        message_type: kind.to_owned(),
        template: None,
        parameters: Vec::new(),
        text: String::new(),
    };
    payload(&object, message, templates).map(|message| Ask::Send(Box::new(message)))
}

fn payload<'a>(object: &Object<'_>, message: Send<'a>, templates: &'a [Template]) -> Result<Send<'a>> {
    let kind = message.message_type.clone();
    if kind == "template" {
        let filled = template::read(object.need("template")?, templates)?;
        let to_user = matches!(message.to, Person::User(_));
        if to_user && filled.template.category == Category::Authentication {
            return Err(GraphError::of(131062));
        }
        return Ok(Send {
            template: Some(filled.template),
            parameters: filled.parameters,
            text: filled.text,
            ..message
        });
    }
    let value = object.need(&kind)?;
    let text = if kind == "interactive" { interactive::read(value)? } else { other::read(&kind, value)? };
    Ok(Send { text, ..message })
}

fn mark_read<'a>(body: &Value) -> Result<Ask<'a>> {
    let keys = ["messaging_product", "status", "message_id", "typing_indicator"];
    let object = Object::strict(body, "message", &keys)?;
    if object.text("status", 16)? != "read" {
        return Err(GraphError::parameter("Param status must be one of {READ}."));
    }
    let message_id = object.text("message_id", 512)?.to_owned();
    Ok(Ask::MarkRead { message_id })
}

fn check_recipient_type(object: &Object<'_>) -> Result<()> {
    match object.optional_text("recipient_type", 16)? {
        None | Some("individual") => Ok(()),
        Some(_) => Err(GraphError::parameter("Param recipient_type must be one of {INDIVIDUAL}.")),
    }
}

fn check_context(object: &Object<'_>) -> Result<()> {
    match object.get("context") {
        Some(context) => Object::strict(context, "context", &["message_id"])?.text("message_id", 512).map(|_| ()),
        None => Ok(()),
    }
}

/// `to`, or `recipient`; with both, `to` wins.
fn address(object: &Object<'_>) -> Result<(Person, String)> {
    if let Some(input) = object.optional_text("to", 64)? {
        let digits =
            phone(input).ok_or_else(|| GraphError::with(131009, "to is not a phone number with its country code"))?;
        return Ok((Person::Phone(digits), input.to_owned()));
    }
    let Some(input) = object.optional_text("recipient", 160)? else {
        return Err(GraphError::parameter("The parameter to is required."));
    };
    if !is_user_id(input) {
        return Err(GraphError::with(131009, "recipient is not a business-scoped user id"));
    }
    Ok((Person::User(input.to_owned()), input.to_owned()))
}

/// The digits of a number; `+`, spaces, hyphens and parentheses may stand between. Real Meta takes digits without a `+` for a national number when they can be one;
/// here they always stand for the whole number.
fn phone(text: &str) -> Option<String> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    let good = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    good.then_some(digits)
}

/// `US.1349…`, or with a portfolio's prefix `US.ENT.1181…`.
fn is_user_id(text: &str) -> bool {
    let Some((country, rest)) = text.split_once('.') else {
        return false;
    };
    let id = rest.strip_prefix("ENT.").unwrap_or(rest);
    country.len() == 2
        && country.bytes().all(|b| b.is_ascii_uppercase())
        && (1..=128).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric())
}
