//! The plugin host from outside, with a plugin that does what plugins must not do (`tests/guests/hostile`).

#![expect(clippy::unwrap_used, reason = "what is unwrapped here is what the tests are about")]

mod answers;
mod bombs;
mod containment;
mod contract;
mod loading;
mod measuring;
mod support;
