//! Judges: libraries of others. They make and check signatures, against our code, on cases that are drawn anew each time (`gateway/signature/tests/judges`), and they
//! read Meta's webhooks beside our plugin (`plugins/meta/tests/judges`) and write messages beside our channel (`gateway/channels/tests/judges`).

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::runner::{run as program, succeeds};
use crate::workspace::root;

/// The programs of the judges.
const JUDGES: &str = "gateway/signature/tests/judges";
/// The program that has pywa read what our plugin for Meta reads.
const READER: &str = "plugins/meta/tests/judges";
/// The program that has pywa send what our channel for WhatsApp sends.
const WRITER: &str = "gateway/channels/tests/judges";
/// The libraries and their versions, which also made the stored answers.
const LIBRARIES: &str = "gateway/signature/tests/vectors/generate";

/// Installs the libraries under `target/`, and lets all judges sit. Without a seed one is drawn.
pub(crate) fn run(seed: Option<&str>) -> Result<()> {
    let seed: u32 = match seed {
        Some(seed) => seed.parse().with_context(|| format!("expected a seed such as 7, found {seed:?}"))?,
        None => u32::try_from(RandomState::new().hash_one("seed") >> 32).unwrap_or_default(),
    };
    ensure!(
        succeeds("npm", &["--version"]),
        "npm is missing, and with it the judges of npm: install Node.js 20 or later"
    );
    ensure!(
        succeeds("python3", &["-c", "import ensurepip, venv"]),
        "python3 with venv is missing, and with it the judges of PyPI: install Python 3.10 or later"
    );
    let folder = root().join("target/judges");
    lay(&folder)?;
    let python = install(&folder)?;
    let ours = build()?;
    println!("the judges sit with the seed {seed}");
    let seed = seed.to_string();
    sit(Command::new("node").arg(folder.join("judge.cjs")).arg(&ours).arg(&seed))?;
    sit(Command::new(&python).arg(folder.join("judge.py")).arg(&ours).arg(&seed))?;
    sit(Command::new(&python).arg(folder.join("pywa_reads.py")).arg(root()))?;
    sit(Command::new(python).arg(folder.join("pywa_writes.py")).arg(root()))
}

/// Copies the programs and the lists of libraries beside where these are installed.
fn lay(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let files = [
        (JUDGES, "judge.cjs"),
        (JUDGES, "judge.py"),
        (READER, "pywa_reads.py"),
        (WRITER, "pywa_writes.py"),
        (LIBRARIES, "package.json"),
        (LIBRARIES, "requirements.txt"),
    ];
    for (from, name) in files {
        let from = root().join(from).join(name);
        std::fs::copy(&from, folder.join(name)).with_context(|| from.display().to_string())?;
    }
    Ok(())
}

/// Installs the libraries; gives the Python that has them.
fn install(folder: &Path) -> Result<PathBuf> {
    let quiet = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
    make(Command::new("npm").current_dir(folder).args(quiet), "packages from npm")?;
    let python = folder.join("env");
    if !python.join("bin/pip").exists() {
        make(Command::new("python3").args(["-m", "venv"]).arg(&python), "a Python environment")?;
    }
    let mut pip = Command::new(python.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    make(pip.arg(folder.join("requirements.txt")), "packages from PyPI")?;
    Ok(python.join("bin/python"))
}

/// Builds the program that signs and checks with our code, in the profile of this one, and gives its path.
fn build() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let built = own.parent().context("this program is in no folder")?;
    let mut arguments = vec!["build", "--quiet", "-p", "tidegate-signature", "--example", "judged"];
    if built.ends_with("release") {
        arguments.push("--release");
    }
    program("cargo", &arguments)?;
    Ok(built.join("examples/judged"))
}

fn make(command: &mut Command, what: &str) -> Result<()> {
    let output = command.output().with_context(|| format!("{what}: the program cannot be run"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        bail!("{what} (is there a network?): failed\n{}", String::from_utf8_lossy(&said));
    }
    Ok(())
}

fn sit(judge: &mut Command) -> Result<()> {
    let status = judge.status().context("a judge cannot be run")?;
    ensure!(status.success(), "a judge disagrees ({status})");
    Ok(())
}
