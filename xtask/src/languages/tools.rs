//! The tools of the languages: Node.js, Python and make from the system, everything else in a folder under `target/`, in the versions that the examples pin.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::runner::succeeds;
use crate::workspace::root;

/// What must be on the machine: how to see it, Debian's packages that have it, and what to say when it is missing.
const SYSTEM: [(&str, &[&str], &[&str], &str); 3] = [
    ("npm", &["--version"], &["nodejs", "npm"], "npm is missing: install Node.js 20 or later"),
    (
        "python3",
        &["-c", "import ensurepip, venv"],
        &["python3", "python3-venv"],
        "python3 with venv is missing: install Python 3.10 or later",
    ),
    ("make", &["--version"], &["make"], "make is missing"),
];
/// Examples whose tools come from `PyPI`.
const FROM_PYPI: [&str; 2] = ["python", "c"];

/// The programs by which the makefiles see that the tools are there.
const TOUCHED: [&str; 2] = ["bin/componentize-py", "bin/wasm-tools"];

/// Tools that are there.
pub(super) struct Tools {
    /// A Python environment with all of them.
    python: PathBuf,
    /// What npm has downloaded.
    npm_cache: PathBuf,
}

impl Tools {
    /// Installs what is missing.
    pub(super) fn ready(folder: &Path) -> Result<Self> {
        for (program, arguments, packages, missing) in SYSTEM {
            if !succeeds(program, arguments) {
                install(packages);
                ensure!(succeeds(program, arguments), "{missing}");
            }
        }
        let tools = Self { python: folder.join("python"), npm_cache: folder.join("npm") };
        tools.ready_python()?;
        Ok(tools)
    }

    fn ready_python(&self) -> Result<()> {
        let pip = self.python.join("bin/pip");
        if !pip.exists() {
            run(Command::new("python3").args(["-m", "venv"]).arg(&self.python), "a Python environment")?;
        }
        let mut install = Command::new(pip);
        install.args(["install", "--quiet", "--disable-pip-version-check"]);
        for example in FROM_PYPI {
            install.arg("--requirement").arg(root().join("examples/plugins").join(example).join("requirements.txt"));
        }
        run(&mut install, "tools from PyPI (is there a network?)")
    }

    /// Installs what the project itself names, and runs its steps.
    pub(super) fn build(&self, folder: &Path, steps: &[&str]) -> Result<()> {
        if folder.join("package.json").exists() && !folder.join("node_modules/.package-lock.json").exists() {
            let mut npm = Command::new("npm");
            // Not `ci`, which refuses a lock file without the tools of platforms that have none.
            npm.current_dir(folder).args([
                "install",
                "--no-save",
                "--no-audit",
                "--no-fund",
                "--loglevel=error",
                "--cache",
            ]);
            run(npm.arg(&self.npm_cache), "packages from npm (is there a network?)")?;
        }
        // Newer than the copied requirements.txt: make need not install them again.
        succeeds(
            "touch",
            &TOUCHED.map(|tool| self.python.join(tool).to_string_lossy().into_owned()).each_ref().map(String::as_str),
        );
        steps.iter().try_for_each(|step| {
            let mut shell = Command::new("sh");
            shell
                .current_dir(folder)
                .args(["-c", step])
                .env("TOOLS", &self.python)
                .env("MAKEFLAGS", "--old-file=requirements.txt");
            run(&mut shell, &format!("`{step}` in {}", folder.display()))
        })
    }
}

/// Installs Debian's packages where that is possible; what is still missing is told afterwards.
fn install(packages: &[&str]) {
    if succeeds("sh", &["-c", "test \"$(id -u)\" = 0"]) && succeeds("apt-get", &["--version"]) {
        let install = [&["install", "--yes", "--no-install-recommends"], packages].concat();
        let _ = succeeds("apt-get", &["update"]) && succeeds("apt-get", &install);
    }
}

/// Runs a command without its output, which is shown when it fails.
fn run(command: &mut Command, what: &str) -> Result<()> {
    let output = command.output().with_context(|| format!("{what}: the program cannot be run"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        bail!("{what}: failed\n{}", String::from_utf8_lossy(&said));
    }
    Ok(())
}
