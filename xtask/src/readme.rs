//! The commands that a README or a guide tells its reader to type, so that CI types them too.

use anyhow::{Result, bail, ensure};

use crate::markdown::{Block, blocks};

/// The command that runs the tests: the README must tell it, and CI runs it from there.
pub(crate) const TEST_COMMAND: &str = "cargo test --release --workspace";

/// Other names of the shell: a block under one of them would be missed.
const OTHER_SHELLS: [&str; 5] = ["bash", "console", "shell", "shell-session", "zsh"];

/// One command of a README or a guide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// The line that it begins on, counted from 1.
    pub(crate) line: usize,
    /// The command, for `sh -c`; a background command without its `&`.
    pub(crate) command: String,
    /// Whether it ended in `&`: it runs until the last step is done.
    pub(crate) background: bool,
}

/// The commands of the README. One of them must be the command that runs the tests.
pub(crate) fn readme(text: &str) -> Result<Vec<Step>> {
    let all = steps("README.md", text)?;
    ensure!(
        all.iter().any(|step| step.command == TEST_COMMAND && !step.background),
        "README.md: no block fenced as ```sh has the line `{TEST_COMMAND}`, so that CI would run no test"
    );
    Ok(all)
}

/// The commands of all blocks fenced as `sh`, in order. A block fenced as `sh ci=skip` is passed over; it has to begin with a comment that says why.
///
/// In a block, every line is a command, unless some begin with `$ `: then those are, and the others show their output. Comments are passed over, and a `\` at the
/// end joins the next line.
pub(crate) fn steps(file: &str, text: &str) -> Result<Vec<Step>> {
    let mut all = Vec::new();
    for block in blocks(text) {
        let line = block.line;
        match block.info[..] {
            ["sh"] => all.extend(commands(file, &block)?),
            ["sh", "ci=skip"] => ensure!(
                block.lines.first().is_some_and(|first| first.trim_start().starts_with('#')),
                "{file}:{line}: a block that CI skips begins with a comment that says why"
            ),
            ["sh", ..] => bail!("{file}:{line}: write ```sh or ```sh ci=skip"),
            [other, ..] if OTHER_SHELLS.contains(&other) => {
                bail!("{file}:{line}: write ```sh instead of ```{other}, so that CI runs the commands");
            }
            _ => {}
        }
    }
    Ok(all)
}

fn commands(file: &str, block: &Block<'_>) -> Result<Vec<Step>> {
    let prompted = block.lines.iter().any(|line| line.trim_start().starts_with("$ "));
    let mut steps = Vec::new();
    let mut lines = block.lines.iter().map(|line| line.trim()).zip(block.line + 1..);
    while let Some((first, line)) = lines.next() {
        let Some(first) = command_of(first, prompted) else { continue };
        let mut command = first.to_owned();
        while let Some(open) = command.strip_suffix('\\') {
            let next = lines.next().map_or("", |(next, _)| next);
            command = format!("{open}{next}");
        }
        steps.push(step(file, line, &command)?);
    }
    Ok(steps)
}

fn command_of(line: &str, prompted: bool) -> Option<&str> {
    let command = if prompted { line.strip_prefix("$ ")?.trim_start() } else { line };
    (!command.is_empty() && !command.starts_with('#')).then_some(command)
}

fn step(file: &str, line: usize, command: &str) -> Result<Step> {
    ensure!(
        !command.contains("<<"),
        "{file}:{line}: CI cannot type a here-document: put the text in a file under examples/"
    );
    let waits = command.ends_with("&&");
    ensure!(!waits, "{file}:{line}: the command ends in `&&`: write the next one on the same line");
    let (command, background) = match command.strip_suffix('&') {
        Some(command) => (command.trim_end(), true),
        None => (command, false),
    };
    Ok(Step { line, command: command.to_owned(), background })
}

#[cfg(test)]
mod tests;
