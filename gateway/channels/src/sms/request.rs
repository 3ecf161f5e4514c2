//! What is posted for a message: a pure function of it. Limits that a message can be known to break are refused here, before anything leaves.

use reqwest::Url;
use tidegate_model::{contact::WhatsappAddress, message::Content};

use super::TwilioConfig;
use crate::{Action, Outgoing, ProviderRefusal, Scope};

/// Longest text of an SMS at Twilio, in characters (`Body`).
pub const MAX_SMS_CHARS: usize = 1600;
/// The parameter of the callback's URL that carries our id of the message.
pub const OUR_ID: &str = "mid";
/// Callbacks that fail are made again, up to five times within 15 seconds; by default only one whose connection failed is. Twilio does not send the fragment.
///
/// Source: <https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides>.
const RETRIES: &str = "rc=5&rp=all";

/// The message cannot be sent as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SmsContentError {
    /// It is not ours to send.
    #[error("a received message cannot be sent")]
    Received,
    /// A WhatsApp template.
    #[error("a template cannot be sent by SMS: write the text in the flow's step, `send: {{ sms: … }}`")]
    Template,
    /// Nobody has its number.
    #[error("an SMS goes to a phone number, and this person has hidden theirs")]
    NoNumber,
    /// Nothing to say.
    #[error("the text is empty")]
    Empty,
    /// Too much to say.
    #[error("the text has {chars} characters, Twilio takes {MAX_SMS_CHARS}: shorten it")]
    Long {
        /// Its length.
        chars: usize,
    },
}

impl SmsContentError {
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

/// The form to post for a message.
///
/// Twilio has no idempotency key, and gives nothing back that we send along but the address of its callbacks: our id is in there. So a message whose answer was lost is
/// known by its first callback.
///
/// # Errors
/// [`SmsContentError`]; trying again does not help.
pub(super) fn request_form(config: &TwilioConfig, outgoing: &Outgoing) -> Result<String, SmsContentError> {
    let WhatsappAddress::Phone(to) = &outgoing.to else { return Err(SmsContentError::NoNumber) };
    let body = text(&outgoing.content)?;
    let callback = format!("{}?{OUR_ID}={}#{RETRIES}", config.status_callback, outgoing.id);
    let validity = config.validity_s.map(|seconds| seconds.to_string());
    let pairs = [
        ("To", Some(to.as_str())),
        ("From", config.from.as_deref()),
        ("MessagingServiceSid", config.messaging_service.as_deref()),
        ("Body", Some(body)),
        ("StatusCallback", Some(callback.as_str())),
        ("ValidityPeriod", validity.as_deref()),
    ];
    Ok(form(pairs.into_iter().filter_map(|(name, value)| Some((name, value?)))))
}

fn text(content: &Content) -> Result<&str, SmsContentError> {
    let text = match content {
        Content::Text { text } => text,
        Content::Template { .. } => return Err(SmsContentError::Template),
        Content::Received { .. } => return Err(SmsContentError::Received),
    };
    if text.trim().is_empty() {
        return Err(SmsContentError::Empty);
    }
    match text.chars().count() {
        chars if chars > MAX_SMS_CHARS => Err(SmsContentError::Long { chars }),
        _ => Ok(text),
    }
}

/// `application/x-www-form-urlencoded`, as a URL's query is written.
fn form<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut url = Url::parse("http://form").expect("a host alone is a URL");
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}
