//! The `tidegate` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(tidegate::run())
}
