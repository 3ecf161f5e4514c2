//! Which package may depend on which: the `edges` block of ARCHITECTURE.md against what `cargo metadata` tells.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::markdown::blocks;
use crate::workspace::{read, root};

/// A package of the workspace and what it depends on there.
#[derive(Debug)]
struct Package {
    /// Its name without `tidegate-`.
    name: String,
    /// Its folder, from the root.
    folder: String,
    depends: Vec<Dependency>,
}

#[derive(Debug)]
struct Dependency {
    /// The name without `tidegate-`.
    name: String,
    /// Whether only tests, examples and benches use it.
    dev: bool,
}

/// One line of the block: `flows -> model, dev:store`. The left side is a name, or a folder's content (`plugins/*`) for packages that have no line of their own.
#[derive(Debug, PartialEq, Eq)]
struct Rule {
    left: String,
    /// What it may depend on.
    may: BTreeSet<String>,
    /// What only its tests may depend on besides.
    may_dev: BTreeSet<String>,
}

/// A sentence for each edge that is not allowed, and for each package that is missing from the list or gone.
pub(crate) fn problems() -> Result<Vec<String>> {
    let rules = rules(&read("ARCHITECTURE.md")?)?;
    Ok(compare(&rules, &packages()?))
}

fn packages() -> Result<Vec<Package>> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("cargo metadata failed")?;
    Ok(metadata
        .workspace_packages()
        .into_iter()
        .map(|package| Package {
            name: short(&package.name),
            folder: folder(&package.manifest_path),
            depends: package
                .dependencies
                .iter()
                .filter(|dependency| dependency.path.is_some())
                .map(|dependency| Dependency {
                    name: short(&dependency.name),
                    dev: dependency.kind == DependencyKind::Development,
                })
                .collect(),
        })
        .collect())
}

fn short(name: &str) -> String {
    name.strip_prefix("tidegate-").unwrap_or(name).to_owned()
}

fn folder(manifest: &cargo_metadata::camino::Utf8Path) -> String {
    let inside = manifest.as_std_path().strip_prefix(root()).unwrap_or(manifest.as_std_path());
    inside.parent().map(|folder| folder.display().to_string()).unwrap_or_default()
}

fn rules(text: &str) -> Result<Vec<Rule>> {
    let blocks = blocks(text);
    let mut found = blocks.iter().filter(|block| block.info == ["edges"]);
    let (Some(block), None) = (found.next(), found.next()) else {
        bail!("ARCHITECTURE.md: write the allowed dependencies in one block fenced as ```edges");
    };
    let mut rules: Vec<Rule> = Vec::new();
    for (text, line) in block.lines.iter().zip(block.line + 1..) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let rule = rule(text).with_context(|| format!("ARCHITECTURE.md:{line}: `{text}`"))?;
        ensure!(
            rules.iter().all(|known| known.left != rule.left),
            "ARCHITECTURE.md:{line}: `{}` has a line already",
            rule.left
        );
        rules.push(rule);
    }
    Ok(rules)
}

fn rule(text: &str) -> Result<Rule> {
    let (left, right) =
        text.split_once("->").context("write `package -> package, dev:package`, or `package ->` for none")?;
    let left = name(left)?;
    let (mut may, mut may_dev) = (BTreeSet::new(), BTreeSet::new());
    for entry in right.split(',').map(str::trim).filter(|_| !right.trim().is_empty()) {
        match entry.strip_prefix("dev:") {
            Some(entry) => may_dev.insert(name(entry)?),
            None => may.insert(name(entry)?),
        };
    }
    Ok(Rule { left, may, may_dev })
}

fn name(text: &str) -> Result<String> {
    let text = text.trim();
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_/*".contains(&byte);
    ensure!(!text.is_empty() && text.bytes().all(known), "`{text}` is not a package's name");
    Ok(text.to_owned())
}

fn compare(rules: &[Rule], packages: &[Package]) -> Vec<String> {
    let mut problems = Vec::new();
    for package in packages {
        let (name, folder) = (&package.name, &package.folder);
        match rule_of(rules, package) {
            Some(rule) => problems.extend(package.depends.iter().filter_map(|depends| forbidden(package, rule, depends))),
            None => problems.push(format!(
                "`{name}` ({folder}) has no line in the `edges` block of ARCHITECTURE.md: add `{name} -> …` with what it may depend on"
            )),
        }
    }
    for rule in rules {
        let names = [&rule.left].into_iter().chain(&rule.may).chain(&rule.may_dev);
        for name in names.filter(|name| !packages.iter().any(|package| is(name, package))) {
            problems.push(format!(
                "the `edges` block of ARCHITECTURE.md names `{name}`, which is no package of the workspace: remove it"
            ));
        }
    }
    problems
}

/// The package's own line, else the one for its folder.
fn rule_of<'a>(rules: &'a [Rule], package: &Package) -> Option<&'a Rule> {
    let own = rules.iter().find(|rule| rule.left == package.name);
    own.or_else(|| rules.iter().find(|rule| is(&rule.left, package)))
}

fn is(name: &str, package: &Package) -> bool {
    match name.strip_suffix("/*") {
        Some(folder) => package.folder.rsplit_once('/').is_some_and(|(parent, _)| parent == folder),
        None => name == package.name,
    }
}

fn forbidden(package: &Package, rule: &Rule, depends: &Dependency) -> Option<String> {
    let (from, to, manifest) = (&package.name, &depends.name, format!("{}/Cargo.toml", package.folder));
    let for_tests = rule.may_dev.contains(to);
    if rule.may.contains(to) || depends.dev && for_tests {
        return None;
    }
    let left = &rule.left;
    Some(if for_tests {
        format!(
            "`{from}` depends on `{to}` outside of its tests, ARCHITECTURE.md allows it for tests only (`dev:{to}`): make it a dev-dependency in {manifest}"
        )
    } else {
        let dev = if depends.dev { "dev:" } else { "" };
        format!(
            "`{from}` depends on `{to}`, which ARCHITECTURE.md does not allow: remove it from {manifest}, or argue for `{dev}{to}` on the line `{left} -> …`"
        )
    })
}

#[cfg(test)]
mod tests;
