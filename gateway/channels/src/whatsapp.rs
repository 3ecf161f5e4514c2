//! WhatsApp Cloud API: one sender is one business number, and a send is one `POST /{version}/{phone-number-id}/messages`.
//! Source: <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages>.

mod answer;
mod config;
mod errors;
mod request;
mod token;

use std::fmt;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use tidegate_model::message::ChannelKind;

use crate::{Channel, HttpClient, Outgoing, SendFuture, SendResult, channel::noted, transport};

pub use answer::parse_answer;
pub use config::{ConfigError, WhatsappConfig};
pub use errors::{ERRORS, error_row, refusal_of};
pub use request::{ContentError, MAX_TEXT_CHARS, request_body};
pub use token::{Token, TokenError};

/// Sends by one WhatsApp business number.
pub struct WhatsappSender {
    client: HttpClient,
    config: WhatsappConfig,
    url: reqwest::Url,
    authorization: HeaderValue,
}

impl WhatsappSender {
    /// A sender on the shared client.
    ///
    /// # Errors
    /// Names the setting that is wrong; trying again does not help.
    pub fn new(client: HttpClient, config: WhatsappConfig) -> Result<Self, ConfigError> {
        let url = config.messages_url()?;
        let authorization = config.access_token.header();
        Ok(Self { client, config, url, authorization })
    }

    /// The sender's name in the configuration.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Meta's id of the number.
    pub fn phone_number_id(&self) -> &str {
        &self.config.phone_number_id
    }

    async fn attempt(&self, outgoing: &Outgoing) -> SendResult {
        let body = match request_body(outgoing) {
            Ok(body) => body.to_string(),
            Err(error) => return SendResult::Refused(error.refusal()),
        };
        let request = self
            .client
            .post(self.url.clone())
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .timeout(self.config.timeout)
            .body(body);
        match request.send().await {
            // Graph repeats a token that it cannot read ("Malformed access token …").
            Ok(response) => {
                let result = transport::read(response, parse_answer).await;
                result.reworded(|words| self.config.access_token.redact(words))
            }
            Err(error) => transport::failure(error),
        }
    }
}

impl Channel for WhatsappSender {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Whatsapp
    }

    fn send(&self, outgoing: Outgoing) -> SendFuture<'_> {
        Box::pin(async move { noted(&self.config.name, outgoing.id, self.attempt(&outgoing)).await })
    }
}

impl fmt::Debug for WhatsappSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhatsappSender").field("config", &self.config).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
