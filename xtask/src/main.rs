//! The project's own tasks. `cargo xtask ci` checks everything, as CI does; `cargo xtask tidy` checks only the layout, in a second; `cargo xtask planted` checks that
//! the tests notice what they are for; `cargo xtask bindings` and `cargo xtask languages` keep plugins in other languages in step; `cargo xtask judges` and `cargo xtask plugin-tables` hold signatures and READMEs to what others and the plugins do; `cargo xtask freeze` releases a version
//! of the plugin contract. It knows no package of the product.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a task talks to the person who runs it")]

mod bindings;
mod ci;
mod edges;
mod freeze;
mod judges;
mod languages;
mod markdown;
mod planted;
mod plugin_tables;
mod readme;
mod released;
mod runner;
mod tidy;
mod workspace;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask ci     check everything, as CI does
       cargo xtask tidy   check the layout: package edges, files, released contracts, planted bugs
       cargo xtask freeze VERSION [--check]
                          release the plugin contract as VERSION (1.0): a guarded copy under wit/; with --check only say what that would do
       cargo xtask bindings
                          make what plugins in other languages see of the contract out of wit/
       cargo xtask languages
                          build the examples in every language, run their fixtures in the real host, and show what each costs
       cargo xtask plugin-tables
                          make the tables of topics in the plugins' READMEs out of manifests and fixtures
       cargo xtask judges [SEED]
                          let other people's libraries check our signatures, make some for us to check, and read and write what we exchange with Meta
       cargo xtask planted [--target-dir DIR]
                          plant each bug of tests/planted in a copy of the tree, and demand that its test fails; builds in DIR (target/planted)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["ci"] => ci::run(),
        ["tidy"] => tidy::run(),
        ["bindings"] => bindings::write(),
        ["languages"] => languages::run(),
        ["plugin-tables"] => plugin_tables::write(),
        ["judges"] => judges::run(None),
        ["judges", seed] => judges::run(Some(seed)),
        ["planted"] => planted::run(&workspace::root().join("target/planted")),
        ["freeze", version] => freeze::run(version, false),
        ["freeze", version, "--check"] | ["freeze", "--check", version] => freeze::run(version, true),
        ["planted", "--target-dir", target] => planted::run(Path::new(target)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
