//! Everything that CI checks, step by step, with the time of each.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::readme::{Step, readme, steps};
use crate::runner::{Background, run as program, succeeds};
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
    follow(times, "README.md", readme)?;
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
