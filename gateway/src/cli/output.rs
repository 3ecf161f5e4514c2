//! What commands print: text for people, JSON lines for programs. The only place that writes to standard output.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command's result belongs on standard output, its errors on standard error"
)]

use comfy_table::{Table, presets};
use serde::Serialize;
use std::fmt::Display;

/// A line of text.
pub(super) fn line(text: impl Display) {
    println!("{text}");
}

/// One JSON object on a line of its own.
pub(super) fn json(value: &impl Serialize) {
    match serde_json::to_string(value) {
        Ok(text) => println!("{text}"),
        Err(error) => eprintln!("error: {error}"),
    }
}

/// A table; nothing but a note when it has no rows.
pub(super) fn table(header: &[&str], rows: Vec<Vec<String>>, none: &str) {
    if rows.is_empty() {
        println!("{none}");
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    println!("{table}");
}

/// Why a command failed, with its causes.
pub(super) fn error(failure: &super::Failure) {
    match failure {
        super::Failure::Usage(text) => eprintln!("error: {text}"),
        super::Failure::Work(error) => eprintln!("error: {error:#}"),
    }
}
