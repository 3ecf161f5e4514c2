//! `tidegate plugin new`: a project that builds, passes its tests, and is to be changed.

use super::templates;
use crate::cli::{Failure, output};
use anyhow::Context;
use clap::{Args, ValueEnum};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tidegate_plugin_host::is_plugin_id;

/// Names that the compiler or the plugin's own dependencies have.
const TAKEN_IN_RUST: [&str; 14] = [
    "alloc", "async", "core", "crate", "extern", "fn", "mod", "pub", "self", "serde", "std", "struct", "super", "test",
];

/// A language that plugins are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    /// Built with cargo.
    Rust,
    /// JavaScript or TypeScript; built with npm.
    Js,
    /// Built with componentize-py.
    Python,
    /// Built with clang.
    C,
}

impl Language {
    /// Its folder in `examples/plugins`.
    pub(super) const fn folder(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Js => "js",
            Self::Python => "python",
            Self::C => "c",
        }
    }

    #[cfg(test)]
    pub(super) fn all() -> impl Iterator<Item = Self> {
        Self::value_variants().iter().copied()
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct NewArgs {
    /// The plugin's id: lower-case words joined by `-`.
    name: String,
    /// What it is written in.
    #[arg(long, value_enum)]
    lang: Language,
    /// Its folder; by default its name.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// For Rust: take the SDK from this folder (`plugin-sdk` of a checkout) instead of the git repository.
    #[arg(long, value_name = "PATH")]
    sdk: Option<PathBuf>,
}

pub(super) fn run(args: &NewArgs) -> Result<u8, Failure> {
    let NewArgs { name, lang, .. } = args;
    check_name(name, *lang)?;
    let sdk = args.sdk.as_deref().map(|path| sdk(path, *lang)).transpose()?;
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from(name));
    check_folder(&dir)?;
    let sdk_text = sdk.as_ref().map(|path| path.display().to_string());
    let files = templates::project(*lang, name, sdk_text.as_deref());
    if files.is_empty() {
        return Err(Failure::Usage(format!("this program was built without an example in {}", lang.folder())));
    }
    for (path, text) in &files {
        write(&dir.join(path), text)?;
    }
    if let Some(lock) = sdk.as_deref().and_then(|sdk| fs::read_to_string(sdk.parent()?.join("Cargo.lock")).ok()) {
        // The versions that the SDK was tested with: without a network there are no others.
        write(&dir.join("Cargo.lock"), &lock)?;
    }
    let shown = dir.display();
    output::line(format!("{name} is in {shown}: {} files, README.md says what they are", files.len()));
    output::line("next:");
    for (command, what) in [
        ("test", "builds it and runs its fixtures"),
        ("check", "says what is wrong or could be better"),
        ("pack", "makes the file that a gateway loads"),
    ] {
        output::line(format!(
            "  tidegate plugin {:<width$}  # {what}",
            format!("{command} {shown}"),
            width = 7 + shown.to_string().len()
        ));
    }
    Ok(0)
}

fn check_name(name: &str, language: Language) -> Result<(), Failure> {
    if !is_plugin_id(name) {
        return Err(Failure::Usage(format!(
            "{name:?} is no plugin id: use lower-case words of letters and digits joined by `-`, such as my-shop, at most 64 characters"
        )));
    }
    if language == Language::Rust && TAKEN_IN_RUST.contains(&name) {
        return Err(Failure::Usage(format!(
            "a Rust crate can't be named {name}: choose another name, such as {name}-events"
        )));
    }
    Ok(())
}

fn check_folder(dir: &Path) -> Result<(), Failure> {
    if dir.exists() && !dir.is_dir() {
        return Err(Failure::Usage(format!("{} is a file: name a folder with --dir", dir.display())));
    }
    let taken = fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        let words = "is not empty, and nothing in it is changed: name another folder with --dir";
        return Err(Failure::Usage(format!("{} {words}", dir.display())));
    }
    Ok(())
}

/// The folder of the SDK's crate, of a path to it or to the checkout around it.
fn sdk(path: &Path, language: Language) -> Result<PathBuf, Failure> {
    if language != Language::Rust {
        return Err(Failure::Usage("--sdk is for Rust: the other languages need none".to_owned()));
    }
    let is_sdk = |dir: &Path| {
        fs::read_to_string(dir.join("Cargo.toml")).is_ok_and(|text| text.contains("name = \"tidegate-plugin-sdk\""))
    };
    let found = [path.to_owned(), path.join("plugin-sdk")].into_iter().find(|dir| is_sdk(dir));
    let found = found.ok_or_else(|| {
        Failure::Usage(format!("--sdk {}: expected the folder plugin-sdk of a checkout of Tidegate", path.display()))
    })?;
    Ok(found.canonicalize().with_context(|| found.display().to_string())?)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    Ok(folder.and_then(|()| fs::write(path, text)).with_context(|| path.display().to_string())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, language: Language) -> String {
        check_name(name, language).map_or_else(|failure| failure.to_string(), |()| "taken".to_owned())
    }

    #[test]
    fn a_name_that_is_no_id_is_refused_with_words() {
        for bad in ["", "My-shop", "my_shop", "2go", "my--shop", "shop-", "über", "a/b", &"x".repeat(65)] {
            assert!(refused(bad, Language::C).contains("is no plugin id"), "{bad}");
        }
        for good in ["shop", "my-shop-2", &"x".repeat(64)] {
            assert_eq!(refused(good, Language::Rust), "taken");
        }
        assert!(refused("serde", Language::Rust).contains("serde-events"));
        assert_eq!(refused("serde", Language::Js), "taken");
    }

    #[test]
    fn a_folder_that_is_taken_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        check_folder(dir.path()).unwrap();
        check_folder(&dir.path().join("new")).unwrap();
        fs::write(dir.path().join("file"), "x").unwrap();
        assert!(check_folder(dir.path()).unwrap_err().to_string().contains("is not empty"));
        assert!(check_folder(&dir.path().join("file")).unwrap_err().to_string().contains("is a file"));
    }
}
