//! The vault: seals the secrets that the gateway itself makes or is given (signing secrets, tokens), so that the store and its backups hold none in the clear.
//! XChaCha20-Poly1305 under a master key, bound to what the secret is for: a sealed value that is moved to another row does not open. It knows no rows.

use crate::config::SecretsSection;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use sha2::{Digest, Sha256};
use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// The key file, in the data directory.
const KEY_FILE: &str = "master.key";
/// Shortest master key that is taken from the configuration, in characters: 32 random bytes have 43 in base64.
const LEAST_KEY_CHARS: usize = 32;
/// Begins every sealed value: the form.
const FORM: &str = "x1";
/// Bytes of a nonce.
const NONCE_BYTES: usize = 24;

/// Why a secret can't be sealed or opened. None shows a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VaultFault {
    /// The master key of the configuration is no good.
    #[error("secrets.master_key: {0}")]
    Key(String),
    /// The key file can't be read or made.
    #[error("the key file {} can't be used: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system has no randomness.
    #[error("the system gives no random bytes: {0}")]
    Random(String),
    /// It was sealed under another master key.
    #[error(
        "it was sealed under another master key ({found}, and this one is {held}): set secrets.master_key to that key, or put its master.key back into the data directory"
    )]
    OtherKey {
        /// The sealing key's short name.
        found: String,
        /// The present key's.
        held: String,
    },
    /// It is no sealed value, or was changed, or belongs elsewhere.
    #[error("it is damaged: it does not open under the key that it was sealed with")]
    Damaged,
}

/// Seals and opens.
pub(crate) struct Vault {
    section: SecretsSection,
    file: PathBuf,
    /// Read when it is first needed: most gateways have nothing to seal.
    key: Mutex<Option<Key>>,
}

#[derive(Clone)]
struct Key {
    bytes: [u8; 32],
    /// A short name that tells it from others, and nothing about it.
    name: String,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Vault {
    /// The vault of a data directory. Nothing is read yet.
    pub(crate) fn new(section: &SecretsSection, data: &Path) -> Self {
        Self { section: section.clone(), file: data.join(KEY_FILE), key: Mutex::default() }
    }

    /// Seals a secret for a purpose. Makes the key file when there is no key yet; it is on disk before this returns.
    ///
    /// # Errors
    /// The key can't be read or made.
    pub(crate) fn seal(&self, purpose: &str, secret: &str) -> Result<String, VaultFault> {
        let key = self.key(true)?;
        let mut nonce = [0; NONCE_BYTES];
        random(&mut nonce)?;
        let payload = Payload { msg: secret.as_bytes(), aad: purpose.as_bytes() };
        let sealed = XChaCha20Poly1305::new(&key.bytes.into())
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| VaultFault::Damaged)?;
        Ok(format!("{FORM}:{}:{}:{}", key.name, STANDARD_NO_PAD.encode(nonce), STANDARD_NO_PAD.encode(sealed)))
    }

    /// Opens what was sealed for this purpose.
    ///
    /// # Errors
    /// It was sealed under another key, or is damaged.
    pub(crate) fn open(&self, purpose: &str, sealed: &str) -> Result<String, VaultFault> {
        let parts: Vec<&str> = sealed.split(':').collect();
        let [FORM, name, nonce, text] = parts.as_slice() else { return Err(VaultFault::Damaged) };
        let key = self.key(false)?;
        if *name != key.name {
            return Err(VaultFault::OtherKey { found: (*name).to_owned(), held: key.name });
        }
        let bytes = |text: &str| STANDARD_NO_PAD.decode(text).map_err(|_| VaultFault::Damaged);
        let nonce: [u8; NONCE_BYTES] = bytes(nonce)?.try_into().map_err(|_| VaultFault::Damaged)?;
        let opened = XChaCha20Poly1305::new(&key.bytes.into())
            .decrypt(&XNonce::from(nonce), Payload { msg: &bytes(text)?, aad: purpose.as_bytes() })
            .map_err(|_| VaultFault::Damaged)?;
        String::from_utf8(opened).map_err(|_| VaultFault::Damaged)
    }

    fn key(&self, make: bool) -> Result<Key, VaultFault> {
        let mut held = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = &*held {
            return Ok(key.clone());
        }
        let key = derive(&self.text(make)?);
        *held = Some(key.clone());
        Ok(key)
    }

    /// The text that the key is derived from.
    fn text(&self, make: bool) -> Result<String, VaultFault> {
        if !self.section.master_key.is_empty() {
            let text = self.section.master_key.resolve(&|name| std::env::var(name).ok()).map_err(VaultFault::Key)?;
            if text.chars().count() < LEAST_KEY_CHARS {
                let problem =
                    format!("it has fewer than {LEAST_KEY_CHARS} characters; `openssl rand -base64 32` makes one");
                return Err(VaultFault::Key(problem));
            }
            return Ok(text);
        }
        let fault = |source| VaultFault::File { path: self.file.clone(), source };
        match fs::read_to_string(&self.file) {
            Ok(text) => {
                let mode = fs::metadata(&self.file).map_err(fault)?.permissions().mode();
                if mode & 0o077 != 0 {
                    let problem = "others may read it: `chmod 600` it, and consider the secrets under it as known";
                    return Err(fault(io::Error::new(io::ErrorKind::PermissionDenied, problem)));
                }
                Ok(text.trim().to_owned())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && make => self.make_file(),
            Err(error) => Err(fault(error)),
        }
    }

    /// A key file that is whole or not there: under its name only when it is on disk.
    fn make_file(&self) -> Result<String, VaultFault> {
        let mut bytes = [0; 32];
        random(&mut bytes)?;
        let text = hex::encode(bytes);
        let fault = |source| VaultFault::File { path: self.file.clone(), source };
        let aside = self.file.with_extension("key.new");
        let written = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::rename(&aside, &self.file)?;
            fs::File::open(self.file.parent().unwrap_or(Path::new(".")))?.sync_all()
        };
        written().map_err(fault)?;
        tracing::info!(file = %self.file.display(), "a master key was made: keep a copy of it apart from the backups");
        Ok(text)
    }
}

/// A new secret for signing: 64 letters and digits, which no provider changes on the way.
///
/// # Errors
/// The system has no randomness.
pub(crate) fn new_secret() -> Result<String, VaultFault> {
    let mut bytes = [0; 32];
    random(&mut bytes)?;
    Ok(hex::encode(bytes))
}

/// Bytes from the system's randomness.
///
/// # Errors
/// It has none.
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), VaultFault> {
    getrandom::fill(bytes).map_err(|error| VaultFault::Random(error.to_string()))
}

fn derive(text: &str) -> Key {
    let of = |purpose: &str| Sha256::new_with_prefix(purpose).chain_update(text);
    let bytes: [u8; 32] = of("tidegate master key 1\0").finalize().into();
    let name = hex::encode(&of("tidegate master key name 1\0").finalize()[..4]);
    Key { bytes, name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretText;

    fn vault(key: &str, dir: &Path) -> Vault {
        Vault::new(&SecretsSection { master_key: SecretText::new(key) }, dir)
    }

    #[test]
    fn what_is_sealed_opens_for_its_purpose_under_its_key_and_not_otherwise() {
        let dir = tempfile::tempdir().unwrap();
        let first = vault("one-master-key-of-forty-characters-00001", dir.path());
        let sealed = first.seal("webhook of 3", "s3cret").unwrap();
        assert!(!sealed.contains("s3cret"));
        assert_eq!(first.open("webhook of 3", &sealed).unwrap(), "s3cret");
        assert_ne!(first.seal("webhook of 3", "s3cret").unwrap(), sealed, "a nonce is used once");
        assert!(matches!(first.open("webhook of 4", &sealed), Err(VaultFault::Damaged)));
        let other = vault("two-master-key-of-forty-characters-00002", dir.path());
        assert!(matches!(other.open("webhook of 3", &sealed), Err(VaultFault::OtherKey { .. })));
        let last = sealed.len() - 1;
        let changed = format!("{}{}", &sealed[..last], if sealed.ends_with('A') { 'B' } else { 'A' });
        assert!(first.open("webhook of 3", &changed).is_err());
        for text in ["", "x1", "x1:::", "x2:a:b:c"] {
            assert!(first.open("webhook of 3", text).is_err(), "{text}");
        }
        assert!(matches!(vault("too short", dir.path()).seal("x", "y"), Err(VaultFault::Key(_))));
        assert!(!dir.path().join(KEY_FILE).exists(), "a key of the configuration needs no file");
    }

    #[test]
    fn a_key_file_is_made_once_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        assert!(vault("", dir.path()).open("x", "x1:a:b:c").is_err());
        assert!(!dir.path().join(KEY_FILE).exists(), "opening makes no key");
        let sealed = vault("", dir.path()).seal("x", "s3cret").unwrap();
        assert_eq!(vault("", dir.path()).open("x", &sealed).unwrap(), "s3cret");
        let file = dir.path().join(KEY_FILE);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let fault = vault("", dir.path()).open("x", &sealed).unwrap_err().to_string();
        assert!(fault.contains("chmod 600"), "{fault}");
    }

    #[test]
    fn secrets_are_of_letters_and_digits_and_each_another() {
        let made: Vec<String> = (0..8).map(|_| new_secret().unwrap()).collect();
        assert!(made.iter().all(|text| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())));
        assert!(made.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
