//! The `tidegate` program.

use std::process::ExitCode;

/// An event is thousands of small allocations that are made in one thread and freed in another.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    ExitCode::from(tidegate::run())
}
