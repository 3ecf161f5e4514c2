//! `cargo xtask languages`: builds the example plugins as their authors would, runs their fixtures in the real host, and shows what each language costs there. It knows
//! no package of the product: a program of theirs runs the fixtures (`plugin-sdk/testing/examples/measure.rs`).

mod tools;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::bindings;
use crate::workspace::root;
use tools::Tools;

/// Where the examples are.
const EXAMPLES: &str = "examples/plugins";
/// The example in Rust, whose fixtures the others share.
const RUST: &str = "rust";
/// A plugin for each language that uses all of its glue, and cases for all of them.
const TESTS: &str = "tests/languages";
/// The case that is measured.
const CASE: &str = "order-created";
/// What a copy of an example does not take along.
const NOT_COPIED: [&str; 3] = ["build", "node_modules", "target"];

/// A language that is not Rust: its folder, and how an author checks and builds.
struct Language {
    folder: &'static str,
    /// The test's plugin, in place of the example's.
    plugin: &'static str,
    instead_of: &'static str,
    steps: &'static [&'static str],
}

const LANGUAGES: [Language; 3] = [
    Language {
        folder: "js",
        plugin: "plugin.ts",
        instead_of: "plugin.js",
        steps: &["npm run --silent check", "npm run --silent build"],
    },
    Language { folder: "python", plugin: "plugin.py", instead_of: "plugin.py", steps: &["make"] },
    Language { folder: "c", plugin: "plugin.c", instead_of: "plugin.c", steps: &["make"] },
];

/// Checks all languages; stops at the first mistake.
pub(crate) fn run() -> Result<()> {
    bindings::check()?;
    let work = root().join("target/languages");
    let tools = Tools::ready(&work.join("tools"))?;
    let measure = measure()?;
    let mut table = vec![row(RUST, &costs(&measure, &root().join(EXAMPLES).join(RUST), None)?)];
    for language in &LANGUAGES {
        let folder = language.example(&work)?;
        tools.build(&folder, language.steps)?;
        table.push(row(language.folder, &costs(&measure, &folder, Some("build/plugin.wasm"))?));
        let folder = language.test(&work)?;
        tools.build(&folder, language.steps)?;
        let cases = fixtures(&measure, &folder, "build/plugin.wasm", None)?["cases"].clone();
        println!("{}: {cases} cases of {TESTS}", language.folder);
    }
    print(&table);
    Ok(())
}

impl Language {
    /// A copy of the example, as `tidegate plugin new` would write it: with files where the tree has links.
    fn example(&self, work: &Path) -> Result<PathBuf> {
        let copy = work.join(self.folder);
        lay(&root().join(EXAMPLES).join(self.folder), &copy)?;
        Ok(copy)
    }

    /// A copy of the example with the test's plugin, manifest and cases in place of its own.
    fn test(&self, work: &Path) -> Result<PathBuf> {
        let copy = work.join(format!("{}-test", self.folder));
        lay(&root().join(EXAMPLES).join(self.folder), &copy)?;
        std::fs::remove_file(copy.join(self.instead_of))?;
        std::fs::remove_dir_all(copy.join("fixtures"))?;
        let (all, own) = (root().join(TESTS), root().join(TESTS).join(self.folder));
        std::fs::copy(own.join(self.plugin), copy.join(self.plugin)).with_context(|| self.plugin)?;
        std::fs::copy(all.join("plugin.toml"), copy.join("plugin.toml")).context("plugin.toml")?;
        add(&all.join("fixtures"), &copy.join("fixtures"))?;
        if own.join("fixtures").exists() {
            add(&own.join("fixtures"), &copy.join("fixtures"))?;
        }
        Ok(copy)
    }
}

/// Copies a folder in place of an earlier copy, whose tools are left.
fn lay(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        for entry in std::fs::read_dir(to)? {
            let entry = entry?;
            match (entry.file_name().to_str(), entry.file_type()?.is_dir()) {
                (Some("node_modules"), _) => {}
                (_, true) => std::fs::remove_dir_all(entry.path())?,
                (_, false) => std::fs::remove_file(entry.path())?,
            }
        }
    }
    add(from, to)
}

/// Copies what is in a folder; links become what they lead to.
fn add(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| from.display().to_string())? {
        let name = entry?.file_name();
        let (source, target) = (from.join(&name), to.join(&name));
        if NOT_COPIED.iter().any(|left| name == *left) {
            continue;
        }
        if source.is_dir() {
            add(&source, &target)?;
        } else {
            std::fs::copy(&source, &target).with_context(|| source.display().to_string())?;
        }
    }
    Ok(())
}

/// Builds the program that runs fixtures, in the profile of this one, and gives its path. The service is named beside it so that the dependencies are those that were
/// built before.
fn measure() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let built = own.parent().context("this program is in no folder")?;
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root()).args([
        "build",
        "--quiet",
        "-p",
        "tidegate",
        "-p",
        "tidegate-plugin-testing",
        "--example",
        "measure",
    ]);
    if built.ends_with("release") {
        cargo.arg("--release");
    }
    ensure!(
        cargo.status().context("cargo cannot be run")?.success(),
        "plugin-sdk/testing/examples/measure.rs does not build"
    );
    Ok(built.join("examples/measure"))
}

/// Runs the fixtures and measures; without a component the folder is a crate, which is built.
fn costs(measure: &Path, folder: &Path, component: Option<&str>) -> Result<Value> {
    Ok(fixtures(measure, folder, component.unwrap_or("."), Some(CASE))?["figures"].clone())
}

fn fixtures(measure: &Path, folder: &Path, plugin: &str, case: Option<&str>) -> Result<Value> {
    let mut run = Command::new(measure);
    run.current_dir(folder).args([plugin, "plugin.toml", "fixtures"]).args(case);
    let output = run.output().context("the program that runs fixtures cannot be run")?;
    if !output.status.success() {
        bail!("{}:\n{}", folder.display(), String::from_utf8_lossy(&output.stderr).replace("\\n", "\n"));
    }
    serde_json::from_slice(&output.stdout).context("the figures cannot be read")
}

fn row(language: &str, figures: &Value) -> [String; 7] {
    let number = |name: &str| figures[name].as_f64().unwrap_or_default();
    [
        language.to_owned(),
        format!("{:.0} KiB", number("bytes") / 1024.0),
        format!("{:.0} ms", number("compile_ms")),
        format!("{:.1} ms", number("load_ms")),
        format!("{:.0} µs", number("start_us")),
        format!("{:.0} µs", number("item_us")),
        format!("{:.0} µs", number("further_item_us")),
    ]
}

fn print(rows: &[[String; 7]]) {
    let head = ["language", "size", "compile", "load", "start", "one item", "further item"].map(str::to_owned);
    for row in std::iter::once(&head).chain(rows) {
        let cells: Vec<String> = row.iter().map(|cell| format!("{cell:>12}")).collect();
        println!("|{} |", cells.join(" |"));
    }
}

#[cfg(test)]
mod tests {
    use super::lay;

    #[test]
    fn a_copy_has_files_for_links_and_keeps_its_tools() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to, linked) = (dir.path().join("from"), dir.path().join("to"), dir.path().join("linked"));
        for folder in [&from, &linked, &to.join("node_modules"), &to.join("old"), &from.join("build")] {
            std::fs::create_dir_all(folder).unwrap();
        }
        std::fs::write(linked.join("case"), "1").unwrap();
        std::os::unix::fs::symlink("../linked", from.join("fixtures")).unwrap();
        lay(&from, &to).unwrap();
        assert!(to.join("node_modules").exists() && !to.join("old").exists() && !to.join("build").exists());
        assert!(!to.join("fixtures").is_symlink());
        assert_eq!(std::fs::read_to_string(to.join("fixtures/case")).unwrap(), "1");
    }
}
