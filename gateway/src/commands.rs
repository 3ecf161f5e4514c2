//! Commands: what a person may do to a running gateway. The HTTP face and the command line call these, never a stage.

mod replay;
mod reply;
mod sender;

pub(crate) use replay::replay;
pub(crate) use reply::{Reply, reply};
pub(crate) use sender::{Pause, pause, resume, senders};
