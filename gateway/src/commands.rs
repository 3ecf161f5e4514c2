//! Commands: what a person may do to a running gateway. The HTTP face and the command line call these, never a stage.

mod authorize;
mod connection;
mod plugins;
mod queue;
mod replay;
mod reply;
mod sender;

pub(crate) use authorize::{Authorize, Callback, authorize_connection, end_authorization};
pub(crate) use connection::{Subscribe, check_connection, subscribe_connection, unsubscribe_connection};
pub(crate) use plugins::{
    Desk, Install, PLUGINS, Rollback, Uninstall, Upgrade, install, rollback, uninstall, upgrade, versions,
};
pub(crate) use queue::{Picked, discard, retry};
pub(crate) use replay::{Compare, Replay, compare, load_aside, replay};
pub(crate) use reply::{Reply, reply};
pub(crate) use sender::{Pause, is_paused, pause, resume, senders};
