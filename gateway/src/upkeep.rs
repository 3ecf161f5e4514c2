//! Upkeep of a store: backup, restoring, compaction, repair, and what is in it. Shared by the command line and the control socket; knows no stage.

mod backup;
mod figures;
mod underway;

pub(crate) use backup::{Backup, UpkeepFault, backup_running, backup_stopped, compact, note_of, restore};
pub(crate) use figures::{Figures, figures};
pub(crate) use underway::{Underway, Waiting};
