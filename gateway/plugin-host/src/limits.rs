//! What one call may use, and what it used up.

use wasmtime::ResourceLimiter;

/// Longest log line; longer ones are cut.
pub(crate) const LOG_LINE_BYTES: usize = 4 << 10;
/// Log lines of one call.
const LOG_LINES: u32 = 256;
/// Bytes of log lines of one call.
const LOG_BYTES: usize = 64 << 10;
/// Most random bytes that a plugin gets in one request; hash maps ask for 16.
pub(crate) const RANDOM_BYTES: u64 = 64 << 10;
/// Handles (streams, pollables) that a call may hold at once: each is memory of the host's. A runtime opens a dozen.
pub(crate) const HANDLES: usize = 1_024;
/// Entries of all tables of an instance (functions that are called by pointer).
const TABLE_ENTRIES: usize = 20_000;
/// Core instances, tables and memories of one component. Python's and JavaScript's runtimes are made of many parts.
pub(crate) const CORE_INSTANCES: u32 = 64;
pub(crate) const TABLES: u32 = 16;
pub(crate) const MEMORIES: u32 = 4;

/// The budgets of one call.
#[derive(Debug)]
pub(crate) struct Budgets {
    memory_bytes: usize,
    memory_left: usize,
    memory_denied: bool,
    tables_left: usize,
    log_lines_left: u32,
    log_bytes_left: usize,
    /// The budget that ended the call.
    broken: Option<&'static str>,
}

/// A budget is used up; ends the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the call used up its {0}")]
pub(crate) struct Broken(pub(crate) &'static str);

impl Budgets {
    pub(crate) const fn new(memory_bytes: usize) -> Self {
        Self {
            memory_bytes,
            memory_left: memory_bytes,
            memory_denied: false,
            tables_left: TABLE_ENTRIES,
            log_lines_left: LOG_LINES,
            log_bytes_left: LOG_BYTES,
            broken: None,
        }
    }

    /// Bytes of memory that the call had; memory never shrinks.
    pub(crate) const fn memory_used(&self) -> usize {
        self.memory_bytes - self.memory_left
    }

    /// Whether memory was refused. A plugin that copes with it goes on; one that does not crashes.
    pub(crate) const fn memory_denied(&self) -> bool {
        self.memory_denied
    }

    pub(crate) const fn broken(&self) -> Option<&'static str> {
        self.broken
    }

    /// Takes a log line of so many bytes.
    pub(crate) fn take_log(&mut self, bytes: usize) -> Result<(), Broken> {
        let lines = self.log_lines_left.checked_sub(1);
        match (lines, self.log_bytes_left.checked_sub(bytes)) {
            (Some(lines), Some(bytes)) => {
                self.log_lines_left = lines;
                self.log_bytes_left = bytes;
                Ok(())
            }
            _ => {
                self.broken = Some("log lines");
                Err(Broken("log lines"))
            }
        }
    }
}

impl ResourceLimiter for Budgets {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let Some(left) = self.memory_left.checked_sub(desired.saturating_sub(current)) else {
            self.memory_denied = true;
            return Ok(false);
        };
        self.memory_left = left;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let Some(left) = self.tables_left.checked_sub(desired.saturating_sub(current)) else {
            return Ok(false);
        };
        self.tables_left = left;
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        TABLES as usize
    }

    fn memories(&self) -> usize {
        MEMORIES as usize
    }
}

/// The start of a text, at most so many bytes, cut between characters.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_share_one_budget() {
        let mut budgets = Budgets::new(100);
        assert!(budgets.memory_growing(0, 60, None).unwrap());
        assert!(budgets.memory_growing(0, 40, None).unwrap());
        assert!(!budgets.memory_denied());
        assert_eq!(budgets.memory_used(), 100);
        assert!(!budgets.memory_growing(60, 61, None).unwrap());
        assert!(budgets.memory_denied());
    }

    #[test]
    fn log_lines_end_by_number_and_by_size() {
        let mut many = Budgets::new(0);
        assert!((0..LOG_LINES).all(|_| many.take_log(1).is_ok()));
        assert_eq!(many.take_log(0), Err(Broken("log lines")));
        let mut large = Budgets::new(0);
        assert!((0..16).all(|_| large.take_log(LOG_LINE_BYTES).is_ok()));
        assert_eq!(large.take_log(1), Err(Broken("log lines")));
        assert_eq!(large.broken(), Some("log lines"));
    }

    #[test]
    fn a_line_is_cut_between_characters() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 9), "aé");
    }
}
