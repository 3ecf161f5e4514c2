//! Twilio's Messages API: takes SMS strictly, calls back with signed statuses, and lets people text back. One account has numbers and messaging services.

mod account;
mod callback;
mod error;
mod request;
mod server;
mod taking;

pub(crate) use account::{Account, check, signature};
pub use account::{Service, TwilioAccount};
pub(crate) use callback::{Callback, deliver};
pub(crate) use error::TwilioError;
pub(crate) use server::messages;
pub(crate) use taking::{OptOuts, StatusJob};

#[cfg(test)]
mod tests;
