//! Embeds the example plugins, `examples/plugins/*`: the projects that `tidegate plugin new` makes. Writes a table of their files; what tools build there is left out.

use std::{
    env, fmt, fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Folders and files that tools make, and the contract's files, which are written anew.
const LEFT_OUT: [&str; 12] = [
    "target",
    "build",
    "dist",
    "node_modules",
    "__pycache__",
    ".venv",
    "venv",
    "generated",
    "wit",
    "Cargo.lock",
    "wit_world",
    "componentize_py_async_support",
];
/// Files that are no text.
const NO_TEXT: [&str; 3] = ["wasm", "pyc", "o"];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            println!("cargo::error={reason}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let variable = |name: &str| env::var(name).map_err(|error| format!("{name}: {error}"));
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("..");
    let examples = root.join("examples/plugins");
    let mut table = Table::default();
    let mut folders = read(&examples)?;
    folders.retain(|path| path.is_dir());
    for folder in folders {
        let language = name(&folder);
        let mut files = Vec::new();
        collect(&folder, &mut files)?;
        for file in files {
            let inside = file.strip_prefix(&folder).unwrap_or(&file).display().to_string();
            table.add(&language, &inside, &file)?;
        }
    }
    let out = PathBuf::from(variable("OUT_DIR")?).join("templates.rs");
    fs::write(&out, table.to_string()).map_err(|error| about(&out, &error))
}

/// The files of a project, in the order of their paths.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    for path in read(folder)? {
        if LEFT_OUT.contains(&name(&path).as_str()) {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_none_or(|ending| NO_TEXT.iter().all(|other| ending != *other)) {
            println!("cargo::rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
    Ok(())
}

fn read(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| about(folder, &error))?;
    let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(|error| about(folder, &error))?;
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn about(path: &Path, error: &impl fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

/// The source of the table.
#[derive(Default)]
struct Table(String);

impl Table {
    fn add(&mut self, language: &str, inside: &str, file: &Path) -> Result<(), String> {
        let file = file.canonicalize().map_err(|error| about(file, &error))?;
        self.0 += &format!(
            "    TemplateFile {{ language: {language:?}, path: {inside:?}, text: include_str!({file:?}) }},\n"
        );
        Ok(())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/// Every file of every example.\nstatic FILES: &[TemplateFile] = &[\n{}];\n", self.0)
    }
}
