//! The domain clock: the time that decisions are made by. It runs with the system, faster, or in steps from outside, and can be read from another process through a
//! local socket. This is the only package that reads the machine's clock; it knows nothing of what the time is used for.

mod domain;
mod machine;
mod mode;
mod socket;
mod wire;

pub use domain::{ClockError, DomainClock, RECHECK};
pub use machine::Stopwatch;
pub use mode::{ClockMode, MAX_MS, MAX_SPEED, ModeError};
pub use socket::{ClientError, ClockClient, MAX_CONNECTIONS, bind, serve};
pub use wire::Reading;
