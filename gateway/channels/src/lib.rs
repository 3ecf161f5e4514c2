//! Sends messages through providers, and says what became of each attempt. It decides nothing: whether, when and how often to send is its caller's matter.
//! It knows no store, no flow and no clock; answers and webhooks that come later enter by the front door, not here.

mod address;
mod channel;
mod client;
mod sms;
mod table;
#[cfg(test)]
mod testing;
mod transport;
mod whatsapp;

pub use channel::{Action, Channel, Outgoing, ProviderRefusal, Scope, SendFuture, SendResult};
pub use client::{ClientError, HttpClient};
pub use sms::{
    Credentials, CredentialsError, ERRORS as TWILIO_ERRORS, MAX_SMS_CHARS, OUR_ID, SmsContentError, TwilioConfig,
    TwilioConfigError, TwilioSender,
};
pub use table::{ErrorRow, refusal_on};
pub use whatsapp::{
    ConfigError, ContentError, ERRORS, MAX_TEXT_CHARS, Token, TokenError, WhatsappConfig, WhatsappSender, error_row,
    parse_answer, refusal_of, request_body,
};
