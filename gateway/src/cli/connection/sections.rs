//! Writes the sections of a new connection behind what is in a configuration file. What is there stays as it is, byte for byte; the file is replaced whole, or not at
//! all.

use super::needs::Sections;
use anyhow::{Context, anyhow};
use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

/// The sections as text. It holds no secret: only where each is.
pub(super) fn text(sections: &Sections) -> String {
    let mut text = String::new();
    let quoted = |value: &str| toml::Value::String(value.to_owned()).to_string();
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(text, "{key} = {value}");
    };
    if let Some(endpoint) = &sections.endpoint {
        line("\n[[endpoints]]\nname", &quoted(&sections.endpoint_name));
        line("plugin", &quoted(&endpoint.plugin));
        match &endpoint.secret {
            Some(secret) => line("secrets", &format!("[{}]", quoted(secret))),
            None => line("unsigned", "true"),
        }
        if let Some(token) = &endpoint.verify_token {
            line("verify_token", &quoted(token));
        }
    }
    line("\n[[connections]]\nname", &quoted(&sections.name));
    line("endpoint", &quoted(&sections.endpoint_name));
    line("workspace", &quoted(&sections.workspace));
    if let Some(account) = &sections.account {
        line("account", &quoted(account));
    }
    for (place, (key, value)) in sections.settings.iter().enumerate() {
        let head = if place == 0 { "\n[connections.settings]\n" } else { "" };
        let _ = writeln!(text, "{head}{}", entry(key, value.clone()));
    }
    for (place, (name, secret)) in sections.credentials.iter().enumerate() {
        let head = if place == 0 { "\n[connections.credentials]\n" } else { "" };
        let _ = writeln!(text, "{head}{}", entry(name, toml::Value::String(secret.clone())));
    }
    text
}

/// A key with its value on a line, each quoted where it must be: what stands between the braces of an inline table.
fn entry(key: &str, value: toml::Value) -> String {
    let table = toml::Value::Table(toml::Table::from_iter([(key.to_owned(), value)])).to_string();
    let inner = table.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inner.unwrap_or(&table).trim().to_owned()
}

/// A file's text with the sections behind it, in its own line ends.
pub(super) fn joined(before: &str, added: &str) -> String {
    let end = if before.contains("\r\n") { "\r\n" } else { "\n" };
    let closed = if before.is_empty() || before.ends_with('\n') { "" } else { end };
    let added = if before.is_empty() { added.trim_start_matches('\n') } else { added };
    format!("{before}{closed}{}", added.replace('\n', end))
}

/// What is added, in the form that `patch` reads.
pub(super) fn difference(path: &Path, before: &str, after: &str) -> String {
    let shown = path.display();
    let lines = before.lines().count();
    let mut text = format!("--- {shown}\n+++ {shown}\n");
    // A last line without an end gets one.
    let open = if before.is_empty() || before.ends_with('\n') { None } else { before.lines().last() };
    let kept = lines - usize::from(open.is_some());
    let new: Vec<&str> = after.lines().skip(kept).collect();
    let (removed, from) = if open.is_some() { (1, lines) } else { (0, lines) };
    let _ = writeln!(text, "@@ -{from},{removed} +{},{} @@", kept + 1, new.len());
    if let Some(open) = open {
        let _ = writeln!(text, "-{open}\n\\ No newline at end of file");
    }
    for line in new {
        let _ = writeln!(text, "+{line}");
    }
    text
}

/// A configuration file that is to be replaced.
pub(super) struct ConfigFile {
    /// Where it lies, behind links.
    path: PathBuf,
    /// What is in it.
    pub before: String,
}

impl ConfigFile {
    /// Reads it.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let name = || format!("the configuration {} can't be read", path.display());
        let path = fs::canonicalize(path).with_context(name)?;
        let before = fs::read_to_string(&path).with_context(name)?;
        Ok(Self { path, before })
    }

    /// The new text in a file beside it, with its mode, on disk: to be checked, and then put in place. It goes when it is dropped.
    pub(super) fn beside(&self, after: &str) -> anyhow::Result<tempfile::NamedTempFile> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let written = || -> std::io::Result<_> {
            let mut file = tempfile::Builder::new().prefix(".tidegate-").suffix(".toml").tempfile_in(folder)?;
            file.write_all(after.as_bytes())?;
            file.as_file().set_permissions(fs::metadata(&self.path)?.permissions())?;
            file.as_file().sync_all()?;
            Ok(file)
        };
        written().with_context(|| format!("no file can be written beside {}", self.path.display()))
    }

    /// Puts the new file in place of this one, unless somebody changed this one meanwhile.
    pub(super) fn replace(&self, new: tempfile::NamedTempFile) -> anyhow::Result<()> {
        let held = fs::read_to_string(&self.path).with_context(|| format!("{} can't be read", self.path.display()))?;
        if held != self.before {
            return Err(anyhow!("{} was changed meanwhile: nothing was written, try again", self.path.display()));
        }
        new.persist(&self.path).with_context(|| format!("{} can't be replaced", self.path.display()))?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::File::open(folder).and_then(|folder| folder.sync_all()).context("the folder can't be synced")
    }
}

#[cfg(test)]
mod tests;
