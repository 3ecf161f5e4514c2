//! Everything that CI checks, step by step, with the time of each.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cargo_metadata::Message;

use crate::readme::{Step, TEST_COMMAND, readme, steps};
use crate::runner::{Background, output, run as program, succeeds};
use crate::workspace::read;
use crate::{judges, languages, tidy};

/// The guide whose commands are run after the README's, which build the program.
pub(crate) const GUIDE: &str = "docs/plugin-guide.md";

/// Checks all; stops at the first step that fails.
pub(crate) fn run() -> Result<()> {
    // First, so that a README that CI cannot follow is told before anything is built.
    let (readme, guide) = (readme(&read("README.md")?)?, steps(GUIDE, &read(GUIDE)?)?);
    let mut times = Times::default();
    let done = checks(&mut times, &readme, &guide);
    times.print();
    done
}

fn checks(times: &mut Times, readme: &[Step], guide: &[Step]) -> Result<()> {
    times.step("cargo fmt --all --check", || program("cargo", &["fmt", "--all", "--check"]))?;
    times.step("cargo xtask tidy", tidy::run)?;
    let clippy = "clippy --release --workspace --all-targets -- -D warnings";
    times.step(&format!("cargo {clippy}"), || program("cargo", &clippy.split(' ').collect::<Vec<_>>()))?;
    let tests = readme.iter().position(|step| step.command == TEST_COMMAND).map_or(0, |at| at + 1);
    let (tests, tour) = readme.split_at(tests);
    follow(times, "README.md", tests)?;
    times.step("the program is built of what the tests were built of", built_once)?;
    follow(times, "README.md", tour)?;
    // It installs the tools that the guide's commands for other languages need.
    times.step("cargo xtask languages", languages::run)?;
    times.step("cargo xtask judges", || judges::run(None))?;
    follow(times, GUIDE, guide)?;
    deny(times)
}

/// Runs the commands of a text.
fn follow(times: &mut Times, file: &str, steps: &[Step]) -> Result<()> {
    let mut background = Background::default();
    for step in steps {
        let name = format!("{} ({file}:{})", step.command, step.line);
        times.step(&name, || background.run(step))?;
    }
    times.step(&format!("end what runs in the background ({file})"), || background.end())
}

/// Fails when the program needs a crate that the tests did not build: with one feature more, wasmtime and all above it would be built twice.
fn built_once() -> Result<()> {
    let messages = output("cargo", &["build", "--release", "--bin", "tidegate", "--message-format", "json"])?;
    let again = built_now(&messages)?;
    ensure!(
        again.is_empty(),
        "these crates were built again for the program, with other features than for the tests: give them the same in Cargo.toml\n{}",
        again.join("\n")
    );
    Ok(())
}

/// Crates of others that cargo had to build, by what it printed as JSON.
fn built_now(messages: &[u8]) -> Result<Vec<String>> {
    let mut built = Vec::new();
    for message in Message::parse_stream(messages) {
        let Message::CompilerArtifact(artifact) = message? else { continue };
        if !artifact.fresh && !artifact.package_id.repr.starts_with("path+") {
            built.push(artifact.package_id.repr);
        }
    }
    Ok(built)
}

fn deny(times: &mut Times) -> Result<()> {
    if !succeeds("cargo", &["deny", "--version"]) {
        println!(
            "\ncargo deny is not installed: bans, licences and sources were not checked (cargo install cargo-deny --locked)"
        );
        return Ok(());
    }
    let check = ["deny", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"];
    times.step(&format!("cargo {}", check.join(" ")), || program("cargo", &check))
}

/// How long each step took.
#[derive(Default)]
struct Times {
    taken: Vec<(String, Duration)>,
}

impl Times {
    #[expect(clippy::disallowed_methods, reason = "the time of a step is shown to a person, and decides nothing")]
    fn step(&mut self, name: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
        println!("\n=== {name}");
        let begun = Instant::now();
        let done = run();
        let taken = begun.elapsed();
        println!("=== {:.1} s", taken.as_secs_f64());
        self.taken.push((name.to_owned(), taken));
        done.with_context(|| format!("the step `{name}` failed"))
    }

    fn print(&self) {
        println!("\nTimes");
        for (name, taken) in &self.taken {
            println!("{:8.1} s  {name}", taken.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::built_now;
    use serde_json::json;

    #[test]
    fn crates_of_others_that_were_built_again_are_named() {
        let artifact = |package: &str, fresh: bool| {
            let target =
                json!({"name": "a", "kind": ["lib"], "crate_types": ["lib"], "src_path": "/a.rs", "edition": "2024"});
            let profile = json!({"opt_level": "3", "debug_assertions": false, "overflow_checks": false, "test": false});
            json!({
                "reason": "compiler-artifact", "package_id": package, "manifest_path": "/Cargo.toml", "target": target,
                "profile": profile, "features": [], "filenames": [], "executable": null, "fresh": fresh,
            })
        };
        let messages = [
            artifact("registry+https://example.com#wasmparser@0.1.0", true),
            artifact("registry+https://example.com#wasmtime@1.0.0", false),
            artifact("path+file:///gateway#tidegate@0.1.0", false),
            json!({"reason": "build-finished", "success": true}),
        ];
        let printed: String = messages.iter().map(|message| format!("{message}\n")).collect();
        assert_eq!(built_now(printed.as_bytes()).unwrap(), ["registry+https://example.com#wasmtime@1.0.0"]);
    }
}
