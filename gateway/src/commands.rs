//! Commands: what a person may do to a running gateway. The HTTP face and the command line call these, never a stage.

mod replay;
mod reply;

pub(crate) use replay::replay;
pub(crate) use reply::{Reply, reply};
