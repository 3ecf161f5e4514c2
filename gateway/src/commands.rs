//! Commands: what a person may do to a running gateway. The HTTP face and the command line call these, never a stage.

mod replay;
mod reply;

pub use replay::replay;
pub use reply::{Reply, reply};
