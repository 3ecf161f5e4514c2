//! What is posted for a message: a pure function of it. Limits that a message can be known to break are refused here, before anything leaves.
//! Shapes: <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages> and "Template messages".

use serde_json::{Map, Value, json};
use tidegate_model::{
    contact::WhatsappAddress,
    message::{Content, Parameter},
};

use crate::{Action, Outgoing, ProviderRefusal, Scope};

/// Longest text of a free-form message, in characters (Meta, "Text messages").
pub const MAX_TEXT_CHARS: usize = 4096;

/// The message cannot be sent as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// It is not ours to send.
    #[error("a received message cannot be sent")]
    Received,
    /// Nothing to say.
    #[error("the text is empty")]
    EmptyText,
    /// Too much to say.
    #[error("the text has {chars} characters, WhatsApp takes {MAX_TEXT_CHARS}: shorten it")]
    LongText {
        /// Its length.
        chars: usize,
    },
    /// A template without name or language.
    #[error("the template has no {0}")]
    Template(&'static str),
    /// Some variables have names and some have not.
    #[error("some of the template's parameters have names and some have none: a template has one kind")]
    MixedParameters,
}

impl ContentError {
    pub(crate) fn refusal(&self) -> ProviderRefusal {
        ProviderRefusal {
            code: "content".to_owned(),
            title: "The message cannot be sent as it is".to_owned(),
            details: Some(self.to_string()),
            http_status: None,
            provider_id: None,
            action: Action::Fail,
            scope: Scope::Message,
        }
    }
}

/// The body to post for a message.
///
/// Our id goes along as `biz_opaque_callback_data` (Meta takes 512 characters, an id has 30): the statuses
/// bring it back. It is no idempotency key: Meta sends what is posted twice, twice.
///
/// A number is written with its `+`: without it Meta takes the digits for a national number of the business's own country.
///
/// # Errors
/// [`ContentError`]; trying again does not help.
pub fn request_body(outgoing: &Outgoing) -> Result<Value, ContentError> {
    let mut body = Map::new();
    body.insert("messaging_product".to_owned(), json!("whatsapp"));
    body.insert("recipient_type".to_owned(), json!("individual"));
    match &outgoing.to {
        WhatsappAddress::Phone(phone) => body.insert("to".to_owned(), json!(phone.as_str())),
        WhatsappAddress::UserId(id) => body.insert("recipient".to_owned(), json!(id)),
    };
    let (kind, payload) = payload(&outgoing.content)?;
    body.insert("type".to_owned(), json!(kind));
    body.insert(kind.to_owned(), payload);
    body.insert("biz_opaque_callback_data".to_owned(), json!(outgoing.id.to_string()));
    Ok(Value::Object(body))
}

fn payload(content: &Content) -> Result<(&'static str, Value), ContentError> {
    match content {
        Content::Text { text } => Ok(("text", text_payload(text)?)),
        Content::Template { name, language, parameters, .. } => {
            Ok(("template", template_payload(name, language, parameters)?))
        }
        Content::Received { .. } => Err(ContentError::Received),
    }
}

fn text_payload(text: &str) -> Result<Value, ContentError> {
    if text.trim().is_empty() {
        return Err(ContentError::EmptyText);
    }
    let chars = text.chars().count();
    if chars > MAX_TEXT_CHARS {
        return Err(ContentError::LongText { chars });
    }
    Ok(json!({ "body": text }))
}

fn template_payload(name: &str, language: &str, parameters: &[Parameter]) -> Result<Value, ContentError> {
    if name.is_empty() {
        return Err(ContentError::Template("name"));
    }
    if language.is_empty() {
        return Err(ContentError::Template("language"));
    }
    let mut template = json!({ "name": name, "language": { "code": language } });
    if !parameters.is_empty() {
        template["components"] = json!([{ "type": "body", "parameters": body_parameters(parameters)? }]);
    }
    Ok(template)
}

fn body_parameters(parameters: &[Parameter]) -> Result<Vec<Value>, ContentError> {
    let named = parameters.iter().filter(|p| p.name.is_some()).count();
    if named != 0 && named != parameters.len() {
        return Err(ContentError::MixedParameters);
    }
    Ok(parameters.iter().map(body_parameter).collect())
}

fn body_parameter(parameter: &Parameter) -> Value {
    match &parameter.name {
        Some(name) => {
            json!({ "type": "text", "parameter_name": name, "text": parameter.value })
        }
        None => json!({ "type": "text", "text": parameter.value }),
    }
}

#[cfg(test)]
mod tests;
