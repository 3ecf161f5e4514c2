//! Compiled plugins are shared by the gateways of all tests: compiling them is most of a start on an empty directory. A gateway checks what it finds there.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// Gives a gateway's data directory the plugins that others compiled.
pub(super) fn lend(program: &Path, data: &Path) {
    let own = data.join("plugins");
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&own);
    // Without them the gateway compiles its own.
    let _ = made.and_then(|()| copy_missing(&shared(program), &own));
}

/// Keeps what a gateway compiled.
pub(super) fn keep(program: &Path, data: &Path) {
    let shared = shared(program);
    let _ = fs::create_dir_all(&shared).and_then(|()| copy_missing(&data.join("plugins"), &shared));
}

/// target/tmp/compiled-plugins, beside target/release/tidegate.
fn shared(program: &Path) -> PathBuf {
    program.ancestors().nth(2).unwrap_or(program).join("tmp/compiled-plugins")
}

/// Other tests copy at the same time: a file appears whole or not at all.
fn copy_missing(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let (name, path) = entry.map(|entry| (entry.file_name(), entry.path()))?;
        let target = to.join(name);
        if path.extension().is_none_or(|extension| extension != "cwasm") || target.exists() {
            continue;
        }
        let whole = tempfile::Builder::new().tempfile_in(to)?;
        fs::copy(&path, whole.path())?;
        whole.persist(&target).map_err(|error| error.error)?;
    }
    Ok(())
}
