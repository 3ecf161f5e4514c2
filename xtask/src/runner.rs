//! Runs commands from the workspace's root: one after the other, and some in the background until the end.

use std::ffi::OsString;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::readme::Step;
use crate::workspace::root;

/// How long a background command may take to end after it was asked to.
const END_WITHIN: Duration = Duration::from_secs(15);

/// How often it is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Commands that run in the background; ended, each by its own process id, when this is dropped.
#[derive(Default)]
pub(crate) struct Background {
    running: Vec<(String, Child)>,
}

impl Background {
    /// Runs a text's command: to its end, or from now on in the background.
    pub(crate) fn run(&mut self, step: &Step) -> Result<()> {
        if step.background {
            // `exec` makes the child's process id that of the command; `env` lets it begin with variables.
            let child = shell(&format!("exec env {}", step.command)).spawn()?;
            self.running.push((step.command.clone(), child));
            return Ok(());
        }
        check(&step.command, shell(&step.command).status()?)
    }

    /// Ends what runs in the background; fails if a command had failed by itself.
    pub(crate) fn end(mut self) -> Result<()> {
        let failed: Vec<String> =
            self.running.drain(..).rev().filter_map(|(command, child)| end(&command, child)).collect();
        ensure!(failed.is_empty(), "{}", failed.join("; "));
        Ok(())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        for (command, child) in self.running.drain(..).rev() {
            end(&command, child);
        }
    }
}

/// Runs a program to its end.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let status = command(program).args(arguments).status().with_context(|| format!("{program} cannot be run"))?;
    check(&format!("{program} {}", arguments.join(" ")), status)
}

/// Runs a program to its end, and gives what it printed.
pub(crate) fn output(program: &str, arguments: &[&str]) -> Result<Vec<u8>> {
    let mut command = command(program);
    let ran = command.args(arguments).stderr(Stdio::inherit()).output();
    let ran = ran.with_context(|| format!("{program} cannot be run"))?;
    check(&format!("{program} {}", arguments.join(" ")), ran.status)?;
    Ok(ran.stdout)
}

/// Whether a program can be run and succeeds; it prints nothing.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    command(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn shell(text: &str) -> Command {
    let mut shell = command("sh");
    shell.args(["-c", text]);
    shell
}

/// A command at the root, with the programs of this build on its path, and without what cargo told this process about its own package: cargo would build again
/// what reads it.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    if let Some(path) = own_path() {
        command.env("PATH", path);
    }
    for (name, _) in std::env::vars_os() {
        let own =
            name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"));
        if own {
            command.env_remove(&name);
        }
    }
    command
}

/// The search path, with the folder that this program was built into at its front.
fn own_path() -> Option<OsString> {
    let program = std::env::current_exe().ok()?;
    let others = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(program.parent()?.to_owned()).chain(std::env::split_paths(&others));
    std::env::join_paths(folders).ok()
}

fn check(command: &str, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{command}` failed ({status})");
    }
    Ok(())
}

/// Asks a command to end, then makes it; gives what to say if it had ended with a failure by itself.
fn end(command: &str, mut child: Child) -> Option<String> {
    if let Ok(Some(status)) = child.try_wait() {
        return (!status.success()).then(|| format!("`{command} &` ended by itself ({status})"));
    }
    let id = child.id().to_string();
    let asked = succeeds("kill", &["-TERM", &id]);
    let looks = END_WITHIN.as_millis() / LOOK_EVERY.as_millis();
    for _ in 0..if asked { looks } else { 0 } {
        if let Ok(Some(_)) = child.try_wait() {
            return None;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    // An error means that it is gone already.
    let _ = child.kill();
    let _ = child.wait();
    None
}

#[cfg(test)]
mod tests {
    use super::Background;
    use crate::readme::Step;

    fn step(command: &str, background: bool) -> Step {
        Step { line: 1, command: command.to_owned(), background }
    }

    #[test]
    fn a_command_that_fails_is_named() {
        let mut background = Background::default();
        assert!(background.run(&step("true && test -f Cargo.toml", false)).is_ok());
        let error = background.run(&step("exit 3", false)).unwrap_err();
        assert_eq!(error.to_string(), "`exit 3` failed (exit status: 3)");
    }

    #[test]
    fn a_command_in_the_background_is_ended_at_the_end() {
        let mut background = Background::default();
        background.run(&step("NAME=x sleep 600", true)).unwrap();
        let id = background.running[0].1.id();
        background.end().unwrap();
        assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
    }

    #[test]
    fn a_command_in_the_background_that_failed_is_told() {
        let mut background = Background::default();
        background.run(&step("false", true)).unwrap();
        background.running[0].1.wait().unwrap();
        let error = background.end().unwrap_err();
        assert_eq!(error.to_string(), "`false &` ended by itself (exit status: 1)");
    }
}
