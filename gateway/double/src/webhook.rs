//! Webhooks back to the gateway: what they say, how they are signed, how they are delivered.

mod courier;
mod escaped;
mod line;
mod payload;

pub(crate) use courier::{Lanes, Parcel, client, lanes, run};
pub(crate) use line::Line;
pub use payload::Button;
pub(crate) use payload::{Inbound, InboundKind, Pricing, StatusUpdate, Update, What, Who};
