//! Sends messages through providers, and says what became of each attempt. It decides nothing: whether, when and how often to send is its caller's matter.
//! It knows no store, no flow and no clock; answers and webhooks that come later enter by the front door, not here.

mod channel;
mod client;
mod whatsapp;

pub use channel::{Action, Channel, Outgoing, ProviderRefusal, Scope, SendFuture, SendResult};
pub use client::{ClientError, HttpClient};
pub use whatsapp::{
    ConfigError, ContentError, ERRORS, ErrorRow, MAX_TEXT_CHARS, Token, TokenError, WhatsappConfig, WhatsappSender,
    error_row, parse_answer, refusal_of, request_body,
};
