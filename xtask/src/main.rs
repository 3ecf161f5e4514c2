//! The project's own tasks. `cargo xtask ci` checks everything, as CI does; `cargo xtask tidy` checks only the layout, in a second. It knows no package of the product.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a task talks to the person who runs it")]

mod ci;
mod edges;
mod markdown;
mod readme;
mod released;
mod runner;
mod tidy;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask ci     check everything, as CI does
       cargo xtask tidy   check the layout: package edges, files, released contracts";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let task = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["ci"] => ci::run,
        ["tidy"] => tidy::run,
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match task() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
