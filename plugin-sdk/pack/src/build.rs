//! Builds a plugin's crate to a component: one cargo run, with the settings that a plugin wants (small, fast, no unwinding) and without those of the build it runs in.

use std::{
    env, fmt, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// The target that plugins in Rust are built for. Its allocator gives memory back to the instance, `wasm32-unknown-unknown`'s grows it with every call.
pub const TARGET: &str = "wasm32-wasip2";

/// Settings of the surrounding build that must not reach the plugin: flags and wrappers for the host's code, target, directories.
const FOREIGN_VARIABLES: &[&str] = &[
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_TARGET_DIR",
    "CARGO_INCREMENTAL",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "LLVM_PROFILE_FILE",
];

/// The release profile of a plugin.
const PROFILE: &[(&str, &str)] = &[
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3"),
    ("CARGO_PROFILE_RELEASE_LTO", "true"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_STRIP", "symbols"),
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
];

/// The crate of a plugin.
#[derive(Debug, Clone, Copy)]
pub struct Crate<'a> {
    /// Name of the package.
    pub package: &'a str,
    /// Folder of the crate, or of its workspace.
    pub dir: &'a Path,
    /// Where cargo puts what it builds; must not be the target directory of a build that is running.
    pub target_dir: &'a Path,
}

/// What may become of the lock file beside the crate, or beside its workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// It is used as it is: a build that is to be the same everywhere, or that runs inside another one.
    AsItIs,
    /// Cargo makes it, or adds what is missing: the build of an author who has just changed a dependency.
    MayChange,
}

/// Why a plugin was not built. Written for the person who ran cargo.
#[derive(Debug)]
pub enum BuildError {
    /// The target is not installed, and rustup could not install it.
    NoTarget,
    /// A program did not start.
    Start {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// Cargo failed; its messages.
    Cargo {
        /// The package.
        package: String,
        /// What cargo wrote.
        messages: String,
    },
    /// Cargo built something else.
    NoComponent {
        /// The file that was expected.
        path: PathBuf,
        /// Why it can't be read.
        source: io::Error,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTarget => {
                write!(f, "plugins need the target {TARGET}, which is not installed; run: rustup target add {TARGET}")
            }
            Self::Start { program, source } => write!(f, "can't run {program}: {source}"),
            Self::Cargo { package, messages } => write!(f, "the plugin {package} does not build:\n{messages}"),
            Self::NoComponent { path, source } => write!(
                f,
                "cargo built no component at {}: {source} (a plugin's crate must be a library, and must not set [lib] name)",
                path.display()
            ),
        }
    }
}

impl std::error::Error for BuildError {}

/// Builds the crate and returns the component's bytes, without a manifest. The lock file of the crate's workspace is used as it is.
///
/// # Errors
/// When the target is missing or cargo fails.
pub fn build(plugin: Crate<'_>) -> Result<Vec<u8>, BuildError> {
    build_with(plugin, Lock::AsItIs)
}

/// As [`build()`], and says what may become of the lock file.
///
/// # Errors
/// As [`build()`].
pub fn build_with(plugin: Crate<'_>, lock: Lock) -> Result<Vec<u8>, BuildError> {
    ensure_target()?;
    let mut cargo = command("cargo", "CARGO");
    cargo
        .current_dir(plugin.dir)
        .args([
            "rustc",
            "--release",
            "--lib",
            "--crate-type",
            "cdylib",
            "--target",
            TARGET,
            "--package",
            plugin.package,
        ])
        .arg("--target-dir")
        .arg(plugin.target_dir)
        .args((lock == Lock::AsItIs).then_some("--locked"))
        .envs(PROFILE.iter().copied());
    FOREIGN_VARIABLES.iter().for_each(|name| {
        cargo.env_remove(name);
    });
    let output = cargo.output().map_err(|source| BuildError::Start { program: "cargo".to_owned(), source })?;
    if !output.status.success() {
        let messages = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(BuildError::Cargo { package: plugin.package.to_owned(), messages });
    }
    let file = format!("{}.wasm", plugin.package.replace('-', "_"));
    let path = plugin.target_dir.join(TARGET).join("release").join(file);
    fs::read(&path).map_err(|source| BuildError::NoComponent { path, source })
}

/// Installs the target when it is missing and rustup is there.
fn ensure_target() -> Result<(), BuildError> {
    if has_target()? {
        return Ok(());
    }
    let added = command("rustup", "").args(["target", "add", TARGET]).output();
    match added {
        Ok(output) if output.status.success() && has_target()? => Ok(()),
        Ok(_) | Err(_) => Err(BuildError::NoTarget),
    }
}

fn has_target() -> Result<bool, BuildError> {
    let output = command("rustc", "RUSTC")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|source| BuildError::Start { program: "rustc".to_owned(), source })?;
    Ok(Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}

/// The program, or the one that the variable names.
fn command(program: &str, variable: &str) -> Command {
    Command::new(env::var_os(variable).unwrap_or_else(|| program.into()))
}
