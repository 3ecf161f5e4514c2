//! What a gateway writes to its log, and what must never be in it.

use std::path::{Path, PathBuf};

/// Lines of a log that are shown when a test fails.
const SHOWN: usize = 60;

/// A gateway's log, and the words that may not be in it.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    /// Secrets and personal data, each with what it is.
    private: Vec<(&'static str, String)>,
}

impl Log {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, private: Vec::new() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// From now on the log may not hold this.
    pub(crate) fn keep_out(&mut self, what: &'static str, text: &str) {
        if !text.trim().is_empty() && !self.private.iter().any(|(_, held)| held == text) {
            self.private.push((what, text.to_owned()));
        }
    }

    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(&self.path).unwrap_or_default()
    }

    /// Which kinds of private words are in the log, with the line.
    pub(crate) fn leaks(&self) -> Vec<String> {
        let text = self.text();
        let line = |word: &str| text.lines().find(|line| line.contains(word)).map(str::to_owned);
        self.private
            .iter()
            .filter_map(|(what, word)| Some(format!("{what} {word:?} is in the log: {}", line(word)?)))
            .collect()
    }

    /// The last lines.
    pub(crate) fn tail(&self) -> String {
        let text = self.text();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(SHOWN)..].join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_word_in_the_log_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::new(dir.path().join("log"));
        std::fs::write(log.path(), "ready\nsent to +447700900001\n").unwrap();
        log.keep_out("a number", "+447700900002");
        assert!(log.leaks().is_empty());
        log.keep_out("a number", "447700900001");
        assert_eq!(log.leaks(), ["a number \"447700900001\" is in the log: sent to +447700900001"]);
    }
}
