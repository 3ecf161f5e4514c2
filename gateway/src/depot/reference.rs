//! How a configuration or a command names a plugin: `shopify`, `shopify@0.2.0`, `shopify@0.2.0#sha256:…`, `plugins/mine.wasm`.

use crate::config;

/// Between a name and the digest that it is pinned to.
const DIGEST: &str = "#sha256:";

/// A plugin's name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reference {
    /// A file.
    File {
        /// Its path.
        path: String,
        /// What its bytes must hash to.
        digest: Option<String>,
    },
    /// The version of a plugin that is active.
    Active {
        /// Its id.
        id: String,
    },
    /// One version of a plugin.
    Version {
        /// Its id.
        id: String,
        /// The version.
        version: String,
        /// What its bytes must hash to.
        digest: Option<String>,
    },
}

impl Reference {
    /// Reads a name.
    ///
    /// # Errors
    /// What was expected.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, digest) = match text.split_once(DIGEST) {
            Some((name, digest)) => (name, Some(read_digest(digest)?)),
            None => (text, None),
        };
        if config::is_path(name) {
            return Ok(Self::File { path: name.to_owned(), digest });
        }
        match (name.split_once('@'), digest) {
            (Some((id, version)), digest) if !id.is_empty() && !version.is_empty() => {
                Ok(Self::Version { id: id.to_owned(), version: version.to_owned(), digest })
            }
            (None, None) if !name.is_empty() => Ok(Self::Active { id: name.to_owned() }),
            (None, Some(_)) => {
                Err(format!("{text:?} is pinned to a digest and to no version: write {name}@VERSION{DIGEST}…"))
            }
            _ => {
                Err(format!("expected a plugin such as shopify, shopify@0.2.0 or path/to/plugin.wasm, found {text:?}"))
            }
        }
    }
}

/// A digest as `sha256:…` or the bare hex.
///
/// # Errors
/// It is none.
pub(crate) fn read_digest(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
    if digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(digits);
    }
    Err(format!("expected a digest such as sha256: and 64 hex digits, found {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_named_by_id_version_digest_or_file() {
        let hex = "0A".repeat(32);
        let held = hex.to_lowercase();
        let file = |path: &str, digest: Option<&str>| Reference::File {
            path: path.to_owned(),
            digest: digest.map(str::to_owned),
        };
        let version = |digest: Option<&str>| Reference::Version {
            id: "a-b".to_owned(),
            version: "0.2.0-rc.1".to_owned(),
            digest: digest.map(str::to_owned),
        };
        let check = |text: &str, expected: Reference| assert_eq!(Reference::parse(text), Ok(expected), "{text}");
        check("a-b", Reference::Active { id: "a-b".to_owned() });
        check("a-b@0.2.0-rc.1", version(None));
        check(&format!("a-b@0.2.0-rc.1#sha256:{hex}"), version(Some(&held)));
        check("./a@b.wasm", file("./a@b.wasm", None));
        check(&format!("a.wasm#sha256:{hex}"), file("a.wasm", Some(&held)));
        for wrong in ["", "@1", "a@", "a#sha256:12", &format!("a#sha256:{hex}"), "a@1#sha256:xx"] {
            assert!(Reference::parse(wrong).is_err(), "{wrong}");
        }
    }
}
