//! Compiled plugins on disk: one private directory, one file for each component and engine. What is read back is checked byte for byte before it is trusted, and
//! a file that is not as it was written is made anew.

use crate::error::HostError;
use sha2::{Digest as _, Sha256};
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write},
    path::{Path, PathBuf},
};
use wasmtime::{Engine, component::Component};

/// First bytes of a cache file; the number changes when what follows does.
const MAGIC: &[u8; 16] = b"tidegate-cwasm-1";
/// Magic and SHA-256 of the rest.
const HEADER_LEN: usize = 16 + 32;

/// A directory of compiled plugins.
#[derive(Debug)]
pub(crate) struct Cache {
    dir: PathBuf,
}

impl Cache {
    /// Opens or makes the directory, for its owner only.
    pub(crate) fn open(dir: &Path) -> Result<Self, HostError> {
        private_dir(dir).map_err(|source| HostError::CacheDir { path: dir.to_owned(), source })?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// The compiled component from its file, when that is whole.
    pub(crate) fn find(&self, engine: &Engine, digest: &str) -> Option<Component> {
        deserialize(engine, &read(&self.file(engine, digest))?)
    }

    /// Compiles the component and writes it. A directory that can't be written slows starts down, and fails nothing.
    pub(crate) fn compile(&self, engine: &Engine, digest: &str, bytes: &[u8]) -> wasmtime::Result<Component> {
        let path = self.file(engine, digest);
        let compiled = engine.precompile_component(bytes)?;
        if let Err(error) = write(&self.dir, &path, &compiled) {
            tracing::warn!(path = %path.display(), %error, "can't keep the compiled plugin; it will be compiled again at the next start");
        }
        deserialize(engine, &compiled)
            .ok_or_else(|| wasmtime::format_err!("the engine does not take back what it compiled"))
    }

    fn file(&self, engine: &Engine, digest: &str) -> PathBuf {
        self.dir.join(format!("{digest}-{:016x}.cwasm", compatibility(engine)))
    }
}

/// A number that differs between engines that can't share compiled code.
fn compatibility(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

/// The compiled code in a file; `None` when there is none or it is not as it was written.
fn read(path: &Path) -> Option<Vec<u8>> {
    let mut file = fs::read(path).ok()?;
    if file.len() < HEADER_LEN
        || &file[..16] != MAGIC
        || file[16..HEADER_LEN] != Sha256::digest(&file[HEADER_LEN..])[..]
    {
        tracing::warn!(path = %path.display(), "the compiled plugin on disk is damaged; it is compiled again");
        return None;
    }
    Some(file.split_off(HEADER_LEN))
}

/// Writes a file whole or not at all.
fn write(dir: &Path, path: &Path, compiled: &[u8]) -> io::Result<()> {
    let part =
        dir.join(format!("{}.{}.part", path.file_name().unwrap_or_default().to_string_lossy(), std::process::id()));
    let mut file = fs::File::create(&part)?;
    file.write_all(MAGIC)?;
    file.write_all(&Sha256::digest(compiled))?;
    file.write_all(compiled)?;
    file.sync_data()?;
    fs::rename(&part, path)
}

#[expect(unsafe_code, reason = "the engine runs native code that was compiled before; there is no safe way to load it")]
fn deserialize(engine: &Engine, compiled: &[u8]) -> Option<Component> {
    // SAFETY: the bytes are `precompile_component`'s own, either of this call or out of a file in a directory that only this user may write, whose SHA-256 was
    // compared with the one written beside it. The engine itself refuses code of another version or configuration.
    unsafe { Component::deserialize(engine, compiled) }.ok()
}

#[cfg(unix)]
fn private_dir(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    // Fails when the directory is another user's, who could put code into it.
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn private_dir(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)
}
