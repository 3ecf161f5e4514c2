//! The plugin host from outside, with a plugin that does what plugins must not do (`tests/guests/hostile`).

mod answers;
mod containment;
mod loading;
mod support;
