//! The layout's rules: what every file of the tree keeps to.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::workspace::{files, root};
use crate::{edges, planted, plugin_tables, released};

/// What no Rust file contains, each with what to do instead. In pieces, so that this file passes.
const BANNED: [(&str, &str); 3] = [
    (concat!("todo", "!("), "write the whole thing"),
    (concat!("unimplemented", "!("), "write the whole thing"),
    (concat!("#[", "ignore"), "make the test fast and sure, or remove it"),
];

/// Folders of one machine; a path into them means nothing on another one.
const MACHINE_FOLDERS: [&str; 2] = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];

/// Prints what is wrong, and fails if anything is.
pub(crate) fn run() -> Result<()> {
    let all =
        [edges::problems()?, released::problems()?, planted::problems()?, plugin_tables::problems()?, problems()?]
            .concat();
    for problem in &all {
        println!("{problem}");
    }
    ensure!(all.is_empty(), "the layout breaks its rules in {} places", all.len());
    println!("tidy");
    Ok(())
}

/// A sentence for each place where a file breaks a rule.
fn problems() -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for file in files()? {
        let bytes = std::fs::read(root().join(&file)).with_context(|| file.display().to_string())?;
        // What is not text (a component, an image) has no lines to check.
        if let Ok(text) = String::from_utf8(bytes) {
            problems.extend(check(&file, &text));
        }
    }
    Ok(problems)
}

fn check(file: &Path, text: &str) -> Vec<String> {
    let name = file.display();
    let mut problems = Vec::new();
    if file.extension().is_some_and(|ending| ending == "rs") {
        if file.file_name().is_some_and(|name| name == "mod.rs") {
            problems.push(format!("{name}: name the file after its module, beside the folder"));
        }
        if !opens_with_a_doc(text) {
            problems.push(format!("{name}: open the file with a `//!` comment: what it is, and what it may not know"));
        }
        problems.extend(places(file, text, |line| {
            BANNED.iter().find(|(word, _)| line.contains(word)).map(|(word, instead)| format!("`{word}`: {instead}"))
        }));
    }
    problems.extend(places(file, text, |line| {
        machine_path(line)
            .map(|folder| format!("`{folder}` is a folder of one machine: write a path from the root of the project"))
    }));
    problems
}

fn places(file: &Path, text: &str, find: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let found = text.lines().zip(1..).filter_map(|(line, number)| Some((number, find(line)?)));
    found.map(|(number, what)| format!("{}:{number}: {what}", file.display())).collect()
}

/// Whether the first line that is not an inner attribute is a `//!` comment.
fn opens_with_a_doc(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("#!"));
    lines.next().is_some_and(|line| line.starts_with("//!"))
}

/// The machine's folder that the line has a path into. A longer path or an address that only contains the name is none.
fn machine_path(line: &str) -> Option<&'static str> {
    let before_path = |byte: u8| !byte.is_ascii_alphanumeric() && !b"._-~}*/".contains(&byte);
    MACHINE_FOLDERS
        .into_iter()
        .find(|folder| line.match_indices(folder).any(|(at, _)| at == 0 || before_path(line.as_bytes()[at - 1])))
}

#[cfg(test)]
mod tests;
