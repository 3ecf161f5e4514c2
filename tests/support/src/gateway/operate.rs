//! What an operator does to a running gateway: edits its files, and has it read them again.

use super::Gateway;
use std::{fs, time::Duration};

impl Gateway {
    /// Changes a part of a file of its folder: `tidegate.toml`, `flows/0.yaml`.
    ///
    /// # Panics
    /// When the file does not hold the part.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.config.with_file_name(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(text.contains(from), "{from:?} is not in {file}:\n{text}");
        put(&path, &text.replacen(from, to, 1));
    }

    /// Writes a file of its folder.
    ///
    /// # Panics
    /// When that fails.
    pub fn write(&self, file: &str, text: &str) {
        put(&self.config.with_file_name(file), text);
    }

    /// Moves the gateway's and the provider's time on, and waits for nothing.
    ///
    /// # Panics
    /// When the gateway's clock can't be moved.
    pub async fn step_clock(&self, by: Duration) {
        let to_ms = self.now_ms() + i64::try_from(by.as_millis()).expect("the time is in range");
        self.step(to_ms).await;
        self.clock.set(to_ms).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Asks it to read its configuration again (SIGHUP), and does not wait.
    ///
    /// # Panics
    /// When it was not running.
    pub fn ask_to_reload(&self) {
        self.process.as_ref().expect("the gateway runs").ask_to_reload();
    }
}

/// A file is replaced whole: the gateway may read it at any moment.
fn put(path: &std::path::Path, text: &str) {
    let part = path.with_extension("part");
    let written = fs::write(&part, text).and_then(|()| fs::rename(&part, path));
    written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
