//! What rows mean: JSON records with a version, fixed binary work and timer rows, bodies; and [`Changes`], what a stage asks
//! the store to do.
//!
//! Written once for all engines. Knows keys and encodings, no engine; the application's own records implement [`Record`].

mod body;
mod changes;
mod dead_letter;
mod dedupe;
mod error;
mod guards;
mod pack;
mod read;
mod record;
mod registry;
mod timers;
mod work;

pub use body::{BodyError, BodyParts, MAX_BODY_BYTES, MAX_HEAD_BYTES, body_chunks, join_body, read_body, split_body};
pub use changes::Changes;
pub use dead_letter::{DeadLetter, DeadLetterKey, Discard, FirstFailure, Standing};
pub use dedupe::{Dedupe, day_of};
pub use error::{ReadError, RecordError};
pub use guards::{Sweep, sweep_idle_guards};
pub use read::{Cursor, DamagedRow, Listed, Page, get, list, readable_rows, walk};
pub use record::{Layout, Record, decode, encode};
pub use registry::{Named, Registry};
pub use timers::{Deferred, Promoted, count_timers, hasten, promote_due};
pub use work::WorkRow;
