//! SMS by Twilio: one sender is a number or a messaging service of an account, and a send is one `POST …/Accounts/{AccountSid}/Messages.json`.
//! Source: <https://www.twilio.com/docs/messaging/api/message-resource>, and Twilio's OpenAPI (`twilio-oai`, 2026-04).

mod answer;
mod config;
mod errors;
mod request;

use std::fmt;

use reqwest::{
    Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use tidegate_model::message::ChannelKind;

use crate::{Channel, HttpClient, Outgoing, SendFuture, SendResult, channel::noted, transport};

use answer::parse_answer;
use request::request_form;

pub use config::{Credentials, CredentialsError, TwilioConfig, TwilioConfigError};
pub use errors::ERRORS;
pub(crate) use errors::refusal_of;
pub use request::{MAX_SMS_CHARS, OUR_ID, SmsContentError};

/// Sends by one number or messaging service of a Twilio account.
pub struct TwilioSender {
    client: HttpClient,
    config: TwilioConfig,
    url: Url,
    authorization: HeaderValue,
}

impl TwilioSender {
    /// A sender on the shared client.
    ///
    /// # Errors
    /// Names the setting that is wrong; trying again does not help.
    pub fn new(client: HttpClient, config: TwilioConfig) -> Result<Self, TwilioConfigError> {
        let url = config.messages_url()?;
        let authorization = config.credentials.header();
        Ok(Self { client, config, url, authorization })
    }

    async fn attempt(&self, outgoing: &Outgoing) -> SendResult {
        let form = match request_form(&self.config, outgoing) {
            Ok(form) => form,
            Err(error) => return SendResult::Refused(error.refusal()),
        };
        let request = self
            .client
            .post(self.url.clone())
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
            .timeout(self.config.timeout)
            .body(form);
        match request.send().await {
            // Whatever stands between may repeat what it was sent.
            Ok(response) => {
                let result = transport::read(response, parse_answer).await;
                result.reworded(|words| self.config.credentials.redact(words))
            }
            Err(error) => transport::failure(error),
        }
    }
}

impl Channel for TwilioSender {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Sms
    }

    fn send(&self, outgoing: Outgoing) -> SendFuture<'_> {
        Box::pin(async move { noted(&self.config.name, outgoing.id, self.attempt(&outgoing)).await })
    }
}

impl fmt::Debug for TwilioSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwilioSender").field("config", &self.config).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
