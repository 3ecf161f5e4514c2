//! Freezes the plugin contract as a released version: a folder of its own under `wit/`, and a digest of each file in `wit/released.txt`, which `tidy` holds the folder
//! to from then on. What could not be kept for ever is refused before anything is written.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use wit_parser::{Docs, InterfaceId, Resolve, SourceMap, Type, TypeDef, TypeDefKind, TypeId};

use crate::workspace::root;

/// What a released version will be.
#[derive(Debug)]
struct Plan {
    /// Its folder, from `wit/`.
    folder: String,
    /// Its files, from `wit/`, with their text.
    files: Vec<(PathBuf, String)>,
    /// What keeps it from being released.
    problems: Vec<String>,
}

/// Freezes `wit/` as this version (`1.0`), or only says what that would do.
pub(crate) fn run(version: &str, only_check: bool) -> Result<()> {
    let wit = root().join("wit");
    let plan = plan(&wit, version)?;
    for problem in &plan.problems {
        println!("{problem}");
    }
    ensure!(plan.problems.is_empty(), "the contract can't be released as {version}: {} problems", plan.problems.len());
    let verb = if only_check { "would write" } else { "wrote" };
    if !only_check {
        write(&wit, &plan)?;
    }
    for (file, text) in &plan.files {
        println!("{verb} wit/{} ({} lines)", file.display(), text.lines().count());
    }
    println!("{verb} {} lines to wit/released.txt", plan.files.len());
    println!(
        "next: point the bindings of the host and of the SDK to wit/{}, and commit all of it together",
        plan.folder
    );
    Ok(())
}

/// The version's files, and what is wrong with them.
fn plan(wit: &Path, version: &str) -> Result<Plan> {
    let numbers: Vec<u32> = version.split('.').map(str::parse).collect::<Result<_, _>>().unwrap_or_default();
    ensure!(numbers.len() == 2, "write the version as MAJOR.MINOR, such as 1.0, not `{version}`");
    let folder = format!("v{version}");
    ensure!(
        !wit.join(&folder).exists(),
        "wit/{folder} is there already: a released version never changes; release another"
    );
    let released = fs::read_to_string(wit.join("released.txt")).context("wit/released.txt cannot be read")?;
    let prefix = format!("  {folder}/");
    ensure!(!released.contains(&prefix), "wit/released.txt names files of {folder} already");
    let files = sources(wit)?;
    let renamed = files.into_iter().map(|(name, text)| Ok((name.clone(), rename(&name, &text, version)?)));
    let renamed = renamed.collect::<Result<Vec<_>>>()?;
    let problems = problems(&renamed)?;
    let files = renamed.into_iter().map(|(name, text)| (Path::new(&folder).join(name), text)).collect();
    Ok(Plan { folder, files, problems })
}

/// The files of the contract that is being worked on, by name.
fn sources(wit: &Path) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(wit).with_context(|| wit.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "wit") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            found.push((name, fs::read_to_string(&path).with_context(|| path.display().to_string())?));
        }
    }
    found.sort();
    ensure!(!found.is_empty(), "{} holds no .wit files", wit.display());
    Ok(found)
}

/// The file with the version in its `package` line, which is its first.
fn rename(name: &str, text: &str, version: &str) -> Result<String> {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let Some((package, _)) = first.strip_prefix("package ").and_then(|line| line.split_once('@')) else {
        bail!("wit/{name}: expected `package name@version;` in the first line, found `{first}`");
    };
    Ok(format!("package {package}@{version}.0;\n{rest}"))
}

/// What a released contract may not have: numbers that a guest language rounds, and items that nobody explained.
fn problems(files: &[(String, String)]) -> Result<Vec<String>> {
    let mut sources = SourceMap::new();
    files.iter().for_each(|(name, text)| sources.push_str(name, text.as_str()));
    let group = sources.parse().map_err(|(_, error)| anyhow::anyhow!("the contract is not valid: {error}"))?;
    let mut resolve = Resolve::new();
    let package = resolve.push_group(group).map_err(|error| anyhow::anyhow!("the contract is not valid: {error}"))?;
    let mut rules = Rules { resolve: &resolve, problems: Vec::new() };
    for (name, id) in &resolve.packages[package].worlds {
        rules.documented(&format!("world {name}"), &resolve.worlds[*id].docs);
    }
    for (name, id) in &resolve.packages[package].interfaces {
        rules.interface(name, *id);
    }
    Ok(rules.problems)
}

struct Rules<'r> {
    resolve: &'r Resolve,
    problems: Vec<String>,
}

impl Rules<'_> {
    fn interface(&mut self, name: &str, id: InterfaceId) {
        let interface = &self.resolve.interfaces[id];
        self.documented(&format!("interface {name}"), &interface.docs);
        for (type_name, id) in &interface.types {
            self.definition(&format!("{name}.{type_name}"), *id);
        }
        for (function_name, function) in &interface.functions {
            let place = format!("{name}.{function_name}");
            self.documented(&place, &function.docs);
            for param in &function.params {
                self.allowed(&format!("{place}, parameter {}", param.name), param.ty);
            }
            if let Some(result) = function.result {
                self.allowed(&format!("{place}, result"), result);
            }
        }
    }

    fn definition(&mut self, place: &str, id: TypeId) {
        let TypeDef { kind, docs, .. } = &self.resolve.types[id];
        match kind {
            // `use` of another interface's type, which is explained there.
            TypeDefKind::Type(Type::Id(_)) => {}
            TypeDefKind::Record(record) => {
                self.documented(place, docs);
                for field in &record.fields {
                    let place = format!("{place}.{}", field.name);
                    self.documented(&place, &field.docs);
                    self.allowed(&place, field.ty);
                }
            }
            TypeDefKind::Variant(variant) => {
                self.documented(place, docs);
                for case in &variant.cases {
                    let place = format!("{place}.{}", case.name);
                    self.documented(&place, &case.docs);
                    if let Some(ty) = case.ty {
                        self.allowed(&place, ty);
                    }
                }
            }
            TypeDefKind::Enum(one) => {
                self.documented(place, docs);
                for case in &one.cases {
                    self.documented(&format!("{place}.{}", case.name), &case.docs);
                }
            }
            other => {
                self.documented(place, docs);
                self.kind(place, other);
            }
        }
    }

    fn documented(&mut self, place: &str, docs: &Docs) {
        if docs.contents.as_deref().is_none_or(|text| text.trim().is_empty()) {
            self.problems.push(format!("{place} has no `///` that says what it is"));
        }
    }

    fn allowed(&mut self, place: &str, ty: Type) {
        match ty {
            Type::S64 | Type::U64 => {
                self.problems
                    .push(format!("{place} is a 64-bit integer, which languages read differently: make it a string"));
            }
            Type::F32 | Type::F64 => {
                self.problems.push(format!("{place} is a float, which rounds: make it a string with a decimal"));
            }
            Type::ErrorContext => {
                self.problems.push(format!("{place} is an error context, which not every language has"))
            }
            // A type with a name is checked where it is defined.
            Type::Id(id) if self.resolve.types[id].name.is_none() => self.kind(place, &self.resolve.types[id].kind),
            _ => {}
        }
    }

    /// What a type without a name is made of.
    fn kind(&mut self, place: &str, kind: &TypeDefKind) {
        match kind {
            TypeDefKind::Option(inner) | TypeDefKind::List(inner) | TypeDefKind::Type(inner) => {
                self.allowed(place, *inner)
            }
            TypeDefKind::Tuple(tuple) => tuple.types.iter().for_each(|inner| self.allowed(place, *inner)),
            TypeDefKind::Result(result) => {
                [result.ok, result.err].into_iter().flatten().for_each(|inner| self.allowed(place, inner));
            }
            other => self.problems.push(format!("{place} is a {}, which not every language has", other.as_str())),
        }
    }
}

/// Writes the folder, then the list that guards it.
fn write(wit: &Path, plan: &Plan) -> Result<()> {
    fs::create_dir(wit.join(&plan.folder)).with_context(|| format!("wit/{} cannot be made", plan.folder))?;
    let list = wit.join("released.txt");
    let mut released = fs::read_to_string(&list).context("wit/released.txt cannot be read")?;
    if !released.ends_with('\n') {
        released.push('\n');
    }
    for (file, text) in &plan.files {
        fs::write(wit.join(file), text).with_context(|| format!("wit/{} cannot be written", file.display()))?;
        let digest = hex::encode(Sha256::digest(text));
        released.push_str(&format!("{digest}  {}\n", file.display()));
    }
    fs::write(&list, released).context("wit/released.txt cannot be written")
}

#[cfg(test)]
mod tests;
