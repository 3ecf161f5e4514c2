//! Planted bugs: each patch under `tests/planted/` breaks a promise of durability, and names the test that must notice.
//!
//! `cargo xtask planted` builds a copy of the tree with each of them in turn. `cargo xtask tidy` only holds that each still fits.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::workspace::{files, root};

/// Where the patches are.
const FOLDER: &str = "tests/planted";
/// Behind the version of every package of the copy. Cargo tells packages of a target directory apart by name and version, not by where their workspace is: without
/// this, a build of the real tree in the same directory would take what was built with a bug in it.
const VERSION: &str = "-planted";

/// A patch, and the test that must fail with it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bug {
    /// Its file, from the root.
    file: PathBuf,
    /// The package of the test.
    package: String,
    /// The test's whole name in the package's library.
    test: String,
}

/// Plants every bug in a copy of the tree, which is built in `target`, and demands that its test fails with it and passes without it.
pub(crate) fn run(target: &Path) -> Result<()> {
    let bugs = bugs()?;
    let target = std::path::absolute(target)?;
    let tree = target.join("planted-tree");
    copy_tree(&tree)?;
    for bug in &bugs {
        ensure!(passes(bug, &tree, &target)?, "{} fails without any bug", bug.test);
    }
    let mut missed = Vec::new();
    for bug in &bugs {
        apply(&bug.file, &tree, &[])?;
        let is_caught = !passes(bug, &tree, &target)?;
        apply(&bug.file, &tree, &["--reverse"])?;
        println!("{} {} {}", bug.file.display(), if is_caught { "is caught by" } else { "is MISSED by" }, bug.test);
        if !is_caught {
            missed.push(bug.file.display().to_string());
        }
    }
    std::fs::remove_dir_all(&tree)?;
    ensure!(missed.is_empty(), "planted bugs were missed: {}", missed.join(", "));
    Ok(())
}

/// A sentence for each patch that does not fit the tree any more, or whose test is gone.
pub(crate) fn problems() -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for bug in bugs()? {
        if let Err(error) = apply(&bug.file, root(), &["--check"]) {
            problems.push(format!("{error:#}: make the patch anew, it must break the same promise"));
        }
        if !is_there(&bug)? {
            problems.push(format!("{}: there is no test {}", bug.file.display(), bug.test));
        }
    }
    Ok(problems)
}

fn bugs() -> Result<Vec<Bug>> {
    let patches =
        files()?.into_iter().filter(|file| file.starts_with(FOLDER) && file.extension() == Some(OsStr::new("patch")));
    let bugs: Vec<Bug> =
        patches.map(|file| parse(&file, &std::fs::read_to_string(root().join(&file))?)).collect::<Result<_>>()?;
    ensure!(!bugs.is_empty(), "{FOLDER} has no patches");
    Ok(bugs)
}

/// Reads the line `Test: PACKAGE NAME` above the patch.
fn parse(file: &Path, text: &str) -> Result<Bug> {
    let head = text.lines().take_while(|line| !line.starts_with("--- "));
    let line = head.filter_map(|line| line.strip_prefix("Test: ")).next();
    let named = line.and_then(|line| line.trim().split_once(' '));
    let (package, test) =
        named.with_context(|| format!("{}: write `Test: PACKAGE NAME` above the patch", file.display()))?;
    Ok(Bug { file: file.to_owned(), package: package.to_owned(), test: test.to_owned() })
}

/// Whether a file of the tree has the test: the last part of its name, in a file of the module before.
fn is_there(bug: &Bug) -> Result<bool> {
    let name = format!("fn {}()", bug.test.rsplit("::").next().unwrap_or_default());
    for file in files()?.iter().filter(|file| file.extension() == Some(OsStr::new("rs"))) {
        let text = std::fs::read_to_string(root().join(file)).with_context(|| file.display().to_string())?;
        if text.contains(&name) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn copy_tree(tree: &Path) -> Result<()> {
    match std::fs::remove_dir_all(tree) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    for file in files()? {
        let copy = tree.join(&file);
        std::fs::create_dir_all(copy.parent().context("a file has a folder")?)?;
        std::fs::copy(root().join(&file), &copy).with_context(|| file.display().to_string())?;
    }
    let manifest = tree.join("Cargo.toml");
    let text = renamed(&std::fs::read_to_string(&manifest)?)?;
    Ok(std::fs::write(manifest, text)?)
}

/// The workspace's manifest with another version for all its packages.
fn renamed(manifest: &str) -> Result<String> {
    let (before, package) =
        manifest.split_once("[workspace.package]").context("Cargo.toml has no [workspace.package]")?;
    let (name, rest) = package.split_once("version = \"").context("[workspace.package] has no version")?;
    let (version, rest) = rest.split_once('"').context("the version has no end")?;
    Ok(format!("{before}[workspace.package]{name}version = \"{version}{VERSION}\"{rest}"))
}

fn apply(patch: &Path, tree: &Path, options: &[&str]) -> Result<()> {
    // A copy within the repository's folder is no part of the repository.
    let above = tree.parent().unwrap_or(tree);
    let mut git = Command::new("git");
    git.args(["apply", "-p1"]).args(options).arg(root().join(patch)).current_dir(tree);
    let ran = git.env("GIT_CEILING_DIRECTORIES", above).output().context("git cannot be run: install it")?;
    if !ran.status.success() {
        let said = String::from_utf8_lossy(&ran.stderr);
        bail!("{} does not fit: {}", patch.display(), said.lines().next().unwrap_or("git does not say why"));
    }
    Ok(())
}

/// Runs one test. A build that fails is no test that fails.
fn passes(bug: &Bug, tree: &Path, target: &Path) -> Result<bool> {
    println!("cargo test --release -p {} --lib {}", bug.package, bug.test);
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--release", "--quiet", "-p", &bug.package, "--lib", "--target-dir"]).arg(target);
    let ran = cargo.args(["--", "--exact", &bug.test]).current_dir(tree).output().context("cargo cannot be run")?;
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    match (ran.status.success(), out.contains("1 passed"), out.contains("1 failed")) {
        (true, true, _) => Ok(true),
        (false, _, true) => Ok(false),
        _ => bail!("{} was not run\n{out}{err}", bug.test),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_planted_bug_fits_the_tree_and_has_its_test() {
        assert_eq!(problems().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn packages_of_the_copy_have_a_version_of_their_own() {
        let manifest = "a = 1\n[workspace.package]\nversion = \"0.1.0\"\nedition = \"2024\"\n";
        let expected = "a = 1\n[workspace.package]\nversion = \"0.1.0-planted\"\nedition = \"2024\"\n";
        assert_eq!(renamed(manifest).unwrap(), expected);
        assert!(renamed("[package]\nversion = \"1.0.0\"\n").is_err());
        let real = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        assert!(renamed(&real).unwrap().contains("-planted\""));
        // Every package takes it: one with a version of its own would be mixed up. Examples are projects of their own; no patch is planted there, and nothing depends on
        // them.
        let is_package = |file: &&std::path::PathBuf| {
            file.ends_with("Cargo.toml") && file.components().count() > 1 && !file.starts_with("examples")
        };
        for manifest in files().unwrap().iter().filter(is_package) {
            let text = std::fs::read_to_string(root().join(manifest)).unwrap();
            assert!(text.contains("version.workspace = true"), "{}", manifest.display());
        }
    }

    #[test]
    fn the_head_of_a_patch_names_a_package_and_a_test() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            let bug = parse(Path::new("a.patch"), text).ok();
            assert_eq!(bug.as_ref().map(|bug| (&*bug.package, &*bug.test)), expected, "{text}");
        };
        check("What.\nTest: store a::b\n--- a/x\n", Some(("store", "a::b")));
        check("Test: store\n--- a/x\n", None);
        check("--- a/x\n+Test: store a::b\n", None);
        check("", None);
    }

    #[test]
    fn a_test_that_is_gone_is_seen() {
        let bug = |test: &str| Bug { file: PathBuf::new(), package: "xtask".to_owned(), test: test.to_owned() };
        assert!(is_there(&bug("planted::tests::a_test_that_is_gone_is_seen")).unwrap());
        assert!(!is_there(&bug(concat!("planted::tests::", "there_is_none_of_this_name"))).unwrap());
    }
}
