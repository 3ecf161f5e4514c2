//! The double and the channels over real HTTP, on a stepped clock: what one sends the other takes, refuses, loses and reports as Meta and Twilio would.
#![expect(clippy::unwrap_used, reason = "these are tests, their helpers too")]

mod control;
mod failures;
mod leads;
mod sending;
mod sms;
mod statuses;
mod support;
mod webhooks;
