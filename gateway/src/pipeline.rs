//! The path of an event, one file a stage, in the order of the path: receive, split, interpret (with fetch), record, trigger, advance, send.
//!
//! Stages never call each other; the runner composes them and commits once for all.

mod advance;
mod fetch;
mod handshake;
mod health;
mod interpret;
mod reach;
mod receive;
mod record;
mod refused;
mod reply;
mod runner;
mod send;
mod setback;
mod split;
mod status;
mod trigger;
mod unknown;
mod window;

pub(crate) use advance::stop;
pub(crate) use fetch::{
    answers_key, forget as forget_fetch, goes_with_others, is_fetch, lane_aside, read as read_for,
    settle as settle_fetch, waiting,
};
pub(crate) use handshake::handshake;
pub(crate) use health::{close, concerns, put};
pub(crate) use interpret::label;
pub(crate) use receive::{
    Accepted, BodyFault, Incoming, Mark, ReceiveFault, is_unsigned, read_body, receive, receive_read,
};
pub(crate) use runner::{
    Applied, Examined, Now, Progress, ReplayRequest, Runner, apply, examine, interpretations_in, interpretations_of,
    of_the_moment, resume_all,
};
pub(crate) use send::{Attempted, Prepared, prepare, queue, settle};

#[cfg(test)]
mod any_order;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod traps;
