//! A plugin's project: a folder with a `plugin.toml`, built by cargo or by the command of its `[build]`.

use crate::cli::Failure;
use anyhow::{Context, anyhow};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tidegate_plugin_host::{Build, Manifest, embed};
use tidegate_plugin_pack::{Crate, Lock, build_with};

/// Where cargo builds the plugin of a project: not where the author's own `cargo build` and `cargo test` work at the same time.
const TARGET: &str = "target/plugin";

/// A folder with a `plugin.toml` that can be read.
pub(super) struct Project {
    pub(super) dir: PathBuf,
    pub(super) manifest: Manifest,
    text: String,
}

impl Project {
    /// Opens the project in a folder.
    pub(super) fn open(dir: &Path) -> Result<Self, Failure> {
        let text = manifest_text(dir)?;
        let file = dir.join("plugin.toml");
        let manifest = Manifest::parse(&file.display().to_string(), &text);
        let manifest = manifest.map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Self { dir: dir.to_owned(), manifest, text })
    }

    /// Where its cases are.
    pub(super) fn fixtures(&self) -> PathBuf {
        self.dir.join("fixtures")
    }

    /// The packed component, built from the source.
    pub(super) fn pack(&self) -> Result<Vec<u8>, Failure> {
        let component = match &self.manifest.build {
            Some(build) => self.run(build)?,
            None => self.cargo()?,
        };
        self.embed(&component)
    }

    /// A component with this project's manifest inside.
    pub(super) fn embed(&self, component: &[u8]) -> Result<Vec<u8>, Failure> {
        Ok(embed(component, &self.text).map_err(anyhow::Error::from)?)
    }

    fn cargo(&self) -> Result<Vec<u8>, Failure> {
        let package = self.package()?;
        let target_dir = std::path::absolute(self.dir.join(TARGET)).map_err(anyhow::Error::from)?;
        let plugin = Crate { package: &package, dir: &self.dir, target_dir: &target_dir };
        Ok(build_with(plugin, Lock::MayChange).map_err(anyhow::Error::from)?)
    }

    /// The name in its `Cargo.toml`.
    fn package(&self) -> Result<String, Failure> {
        let path = self.dir.join("Cargo.toml");
        let text = fs::read_to_string(&path).map_err(|error| {
            Failure::Usage(format!(
                "{}: {error}; a plugin that is no Rust crate says in plugin.toml how it is built: [build] with `command` and `component`",
                path.display()
            ))
        })?;
        let table: toml::Table = text.parse().with_context(|| path.display().to_string())?;
        let name = table.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str);
        name.map(str::to_owned)
            .ok_or_else(|| Failure::Usage(format!("{}: expected a [package] with a name", path.display())))
    }

    fn run(&self, build: &Build) -> Result<Vec<u8>, Failure> {
        let mut shell = Command::new("sh");
        shell.args(["-c", &build.command]).current_dir(&self.dir).stdin(Stdio::null());
        let output = shell.output().context("sh can't be run")?;
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            return Err(Failure::Work(anyhow!(
                "the build `{}` failed ({}) in {}:\n{said}",
                build.command,
                output.status,
                self.dir.display()
            )));
        }
        let path = self.dir.join(&build.component);
        let component = fs::read(&path).with_context(|| {
            format!("the build `{}` made no {}: mend `component` under [build]", build.command, path.display())
        })?;
        Ok(component)
    }
}

/// The text of a folder's `plugin.toml`.
pub(super) fn manifest_text(dir: &Path) -> Result<String, Failure> {
    let path = dir.join("plugin.toml");
    fs::read_to_string(&path).map_err(|error| {
        Failure::Usage(format!(
            "{}: {error}; name the folder of a plugin, or make one with `tidegate plugin new`",
            path.display()
        ))
    })
}

/// The bytes of a component.
pub(super) fn read_component(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

/// The packed component of a file, or of a project that is built for it.
pub(super) fn packed(given: &Path) -> Result<Vec<u8>, Failure> {
    if given.is_dir() { Project::open(given)?.pack() } else { read_component(given) }
}
