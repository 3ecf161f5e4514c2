//! What is to be pulled: `oci://ghcr.io/acme/shopify:0.2.0`, or by digest, `oci://ghcr.io/acme/shopify@sha256:…`.

use crate::depot::reference::read_digest;
use reqwest::Url;
use std::fmt;

/// Before every reference.
pub(crate) const OCI: &str = "oci://";

/// A plugin in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OciReference {
    base: Url,
    host: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl OciReference {
    /// Reads a reference.
    ///
    /// # Errors
    /// What was expected.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected oci://host/repository:tag or oci://host/repository@sha256:…, found {text:?}");
        let rest = text.strip_prefix(OCI).ok_or_else(wrong)?;
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) if digest.starts_with("sha256:") => (rest, Some(read_digest(digest)?)),
            Some(_) => return Err(wrong()),
            None => (rest, None),
        };
        let (host, path) = rest.split_once('/').ok_or_else(wrong)?;
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (path, None),
        };
        if !is_host(host)
            || !is_repository(repository)
            || !tag.is_none_or(is_tag)
            || (tag.is_none() && digest.is_none())
        {
            return Err(wrong());
        }
        let parse = |scheme: &str| Url::parse(&format!("{scheme}://{host}/v2/{repository}/")).ok();
        let secure =
            parse("https").filter(|url| url.username().is_empty() && url.password().is_none()).ok_or_else(wrong)?;
        let base = if is_loopback(&secure) { parse("http").ok_or_else(wrong)? } else { secure };
        let (host, repository) = (host.to_ascii_lowercase(), repository.to_owned());
        Ok(Self { base, host, repository, tag: tag.map(str::to_owned), digest })
    }

    /// Host and port.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The repository.
    pub(super) fn repository(&self) -> &str {
        &self.repository
    }

    /// The digest that its manifest must have, in hex.
    pub(super) fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// By what the manifest is asked for.
    pub(super) fn manifest_name(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => format!("sha256:{digest}"),
            (None, tag) => tag.clone().unwrap_or_default(),
        }
    }

    /// The repository's part of the API.
    pub(super) fn base(&self) -> Url {
        self.base.clone()
    }

    /// Whether the registry is on this machine.
    pub(super) fn is_here(&self) -> bool {
        is_loopback(&self.base)
    }
}

impl fmt::Display for OciReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{OCI}{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@sha256:{digest}"),
            None => Ok(()),
        }
    }
}

/// Whether a place is on this machine, by its address: a name could be anybody's.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host_str().unwrap_or_default() {
        "localhost" => true,
        host => host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()),
    }
}

/// A name or an address, with a port or without: nothing that a URL would read as something else.
fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
}

/// Path parts of lower-case letters, digits and single separators between them, as the API has them.
fn is_repository(text: &str) -> bool {
    let part = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        part.bytes().all(|byte| plain(byte) || b"._-".contains(&byte))
            && part.bytes().next().is_some_and(plain)
            && part.bytes().last().is_some_and(plain)
    };
    text.len() <= 255 && text.split('/').all(part)
}

fn is_tag(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=128).contains(&text.len())
        && text.bytes().next().is_some_and(plain)
        && text.bytes().all(|byte| plain(byte) || b".-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_have_a_host_a_repository_and_a_tag_or_a_digest() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let check = |text: &str, base: &str, name: &str| {
            let read = OciReference::parse(text).unwrap_or_else(|problem| panic!("{problem}"));
            assert_eq!((read.base().as_str(), read.manifest_name().as_str()), (base, name), "{text}");
            assert_eq!(read.to_string(), text);
        };
        check("oci://ghcr.io/acme/shop:0.2.0", "https://ghcr.io/v2/acme/shop/", "0.2.0");
        check("oci://127.0.0.1:5000/shop:a", "http://127.0.0.1:5000/v2/shop/", "a");
        check("oci://[::1]:5000/shop:a", "http://[::1]:5000/v2/shop/", "a");
        check(&format!("oci://a.example:443/b@{digest}"), "https://a.example/v2/b/", &digest);
        check(&format!("oci://a.example/b:t@{digest}"), "https://a.example/v2/b/", &digest);
        for wrong in [
            "ghcr.io/acme/shop:1",
            "oci://ghcr.io/acme/shop",
            "oci://ghcr.io",
            "oci://ghcr.io/Acme/shop:1",
            "oci://ghcr.io/acme//shop:1",
            "oci://ghcr.io/../shop:1",
            "oci://ghcr.io/shop:",
            "oci://ghcr.io/shop@sha256:12",
            "oci://ghcr.io/shop@md5:12",
            "oci://user:password@ghcr.io/shop:1",
            "oci:///shop:1",
            "oci://ghcr.io/shop:1?x=1",
        ] {
            assert!(OciReference::parse(wrong).is_err(), "{wrong}");
        }
    }
}
