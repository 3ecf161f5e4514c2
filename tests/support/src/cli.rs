//! Commands of the program, run to their end.

use serde_json::Value;
use std::{
    path::Path,
    process::{Command, Stdio},
};

/// What a command printed, and how it ended.
#[derive(Debug, Clone)]
pub struct Printed {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Printed {
    /// Standard output of a command that must have ended well.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn good(&self) -> &str {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        &self.out
    }

    /// The lines of a good command as JSON values.
    ///
    /// # Panics
    /// When it did not end well, or a line is no JSON.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.good().lines().map(read).collect()
    }
}

/// Runs a command, with no `TIDEGATE_…` variable of the surroundings.
pub(crate) async fn run(program: &Path, arguments: &[&str], folder: &Path) -> Printed {
    let mut command = bare(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    let ran = tokio::task::spawn_blocking(move || command.output()).await.expect("a command's thread does not panic");
    let ran = ran.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Printed { code: ran.status.code(), out: text(&ran.stdout), err: text(&ran.stderr) }
}

/// The program without configuration from the surroundings.
pub(crate) fn bare(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("TIDEGATE_")) {
            command.env_remove(name);
        }
    }
    command
}
