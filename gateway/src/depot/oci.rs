//! Plugins out of a registry, by the OCI distribution API (v1.1): a manifest by tag or digest, its one layer of WebAssembly, both held against their digests. Only
//! https, but for registries on this machine. It reads, and never writes.

mod login;
mod reference;

pub(crate) use reference::{OCI, OciReference};

use super::{COMPONENT_BYTES, digest_of};
use crate::config::RegistryLogin;
use login::Login;
use reqwest::{Client, Response, StatusCode, Url, header};
use serde::Deserialize;
use std::time::Duration;

/// Largest manifest: registries refuse larger ones.
const MANIFEST_BYTES: usize = 4 << 20;
/// What a manifest is called.
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// What the layer of a plugin is called: by the CNCF's artifact format for WebAssembly, and by tools before it.
const LAYER_TYPES: [&str; 2] = ["application/wasm", "application/vnd.wasm.content.layer.v1+wasm"];
/// Time to reach a registry.
const CONNECT: Duration = Duration::from_secs(10);
/// Time for one request, with its body.
const REQUEST: Duration = Duration::from_secs(180);
/// Redirects that are followed: registries send readers of blobs to where these lie.
const REDIRECTS: usize = 5;

/// Why nothing was pulled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PullFault {
    /// The reference is none.
    #[error("{0}")]
    Reference(String),
    /// The registry can't be reached, or its answer breaks off.
    #[error("the registry {host} does not answer: {reason}")]
    Unreachable {
        /// The registry.
        host: String,
        /// Why.
        reason: String,
    },
    /// There is no such thing.
    #[error("the registry has no {0}: look at the name and the tag, and whether it is private")]
    Missing(String),
    /// It wants to know who asks.
    #[error(
        "the registry {0} lets nobody read this without a login, or not with this one: look at [[plugin_sources.registries]] with host = {0:?}"
    )]
    Denied(String),
    /// It answers otherwise than the distribution API.
    #[error("the registry {host} answers {found}")]
    Answer {
        /// The registry.
        host: String,
        /// What came.
        found: String,
    },
    /// What is there is no plugin.
    #[error("{reference} is no plugin: {reason}")]
    NoPlugin {
        /// What was asked for.
        reference: String,
        /// Why.
        reason: String,
    },
    /// The bytes are not those that were named.
    #[error("the registry gave other bytes than {expected}: sha256:{found} came; nothing was installed")]
    Digest {
        /// What was named.
        expected: String,
        /// What came.
        found: String,
    },
    /// More than is taken.
    #[error("{what} has {bytes} bytes; {most} are taken at most")]
    TooLarge {
        /// What.
        what: &'static str,
        /// Its length, or what came of it.
        bytes: u64,
        /// The limit.
        most: usize,
    },
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: String,
    size: u64,
}

/// A plugin as a registry has it.
#[derive(Debug)]
pub(crate) struct Pulled {
    /// The packed component.
    pub component: Vec<u8>,
    /// Digest of the manifest that named it: what a tag stood for.
    pub manifest_digest: String,
}

/// Pulls a plugin.
///
/// # Errors
/// Why not, with what to do.
pub(crate) async fn pull(reference: &OciReference, logins: &[RegistryLogin]) -> Result<Pulled, PullFault> {
    let mut registry = Registry::new(reference, logins)?;
    let name = reference.manifest_name();
    let manifest = registry.get(&format!("manifests/{name}"), MANIFEST_TYPE).await?;
    let manifest = registry.read(manifest, "the manifest", MANIFEST_BYTES).await?;
    let manifest_digest = digest_of(&manifest);
    if let Some(expected) = reference.digest() {
        same(&format!("sha256:{expected}"), &manifest)?;
    }
    let layer = layer(reference, &manifest)?;
    let digest = layer.digest.strip_prefix("sha256:").filter(|digits| digits.len() == 64);
    if digest.is_none() {
        let reason = format!("its layer has the digest {:?}; sha256 is expected", layer.digest);
        return Err(PullFault::NoPlugin { reference: reference.to_string(), reason });
    }
    if layer.size > COMPONENT_BYTES as u64 {
        return Err(PullFault::TooLarge { what: "the plugin", bytes: layer.size, most: COMPONENT_BYTES });
    }
    let blob = registry.get(&format!("blobs/{}", layer.digest), "*/*").await?;
    let most = usize::try_from(layer.size).unwrap_or(COMPONENT_BYTES);
    let component = registry.read(blob, "the plugin", most).await?;
    same(&layer.digest, &component)?;
    Ok(Pulled { component, manifest_digest })
}

/// The one layer of WebAssembly.
fn layer(reference: &OciReference, manifest: &[u8]) -> Result<Layer, PullFault> {
    let wrong = |reason: String| PullFault::NoPlugin { reference: reference.to_string(), reason };
    let read: Manifest =
        serde_json::from_slice(manifest).map_err(|error| wrong(format!("its manifest can't be read: {error}")))?;
    let mut found: Vec<Layer> =
        read.layers.into_iter().filter(|layer| LAYER_TYPES.contains(&layer.media_type.as_str())).collect();
    match (found.pop(), found.is_empty()) {
        (Some(layer), true) => Ok(layer),
        (None, _) => Err(wrong(format!("it has no layer of the type {}", LAYER_TYPES[0]))),
        (Some(_), false) => Err(wrong("it has several layers of WebAssembly".to_owned())),
    }
}

fn same(expected: &str, bytes: &[u8]) -> Result<(), PullFault> {
    let found = digest_of(bytes);
    if expected.strip_prefix("sha256:") == Some(&found) {
        return Ok(());
    }
    Err(PullFault::Digest { expected: expected.to_owned(), found })
}

/// One repository, asked with a login where one is wanted.
struct Registry<'a> {
    client: Client,
    base: Url,
    host: String,
    login: Login<'a>,
}

impl<'a> Registry<'a> {
    fn new(reference: &OciReference, logins: &'a [RegistryLogin]) -> Result<Self, PullFault> {
        let host = reference.host().to_owned();
        let unreachable =
            |error: &dyn std::fmt::Display| PullFault::Unreachable { host: host.clone(), reason: error.to_string() };
        let here = reference.is_here();
        // Where it sends us is held to the same rule: https, or this machine when the registry is on it.
        let redirects = reqwest::redirect::Policy::custom(move |attempt| {
            if attempt.previous().len() > REDIRECTS {
                attempt.error("the registry sends us from place to place")
            } else if attempt.url().scheme() == "https" || (here && reference::is_loopback(attempt.url())) {
                attempt.follow()
            } else {
                attempt.error("the registry sends us to a place without https")
            }
        });
        let mut client = Client::builder().connect_timeout(CONNECT).timeout(REQUEST).redirect(redirects);
        if here {
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| unreachable(&error))?;
        let base = reference.base();
        let login = Login::new(reference, logins.iter().find(|login| login.host == host));
        Ok(Self { client, base, host, login })
    }

    /// Asks for something; when the registry wants a login, once more with it.
    async fn get(&mut self, path: &str, accept: &str) -> Result<Response, PullFault> {
        let first = self.send(path, accept).await?;
        if first.status() != StatusCode::UNAUTHORIZED {
            return self.judge(path, first);
        }
        let challenge = first.headers().get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let challenge = challenge.unwrap_or_default().to_owned();
        self.login.answer(&self.client, &challenge).await?;
        let second = self.send(path, accept).await?;
        self.judge(path, second)
    }

    async fn send(&self, path: &str, accept: &str) -> Result<Response, PullFault> {
        let url = format!("{}{path}", self.base);
        let request = self.client.get(url).header(header::ACCEPT, accept);
        self.login.sign(request).send().await.map_err(|error| self.unreachable(&error))
    }

    fn judge(&self, path: &str, response: Response) -> Result<Response, PullFault> {
        match response.status() {
            status if status.is_success() => Ok(response),
            StatusCode::NOT_FOUND => Err(PullFault::Missing(format!("{}{path}", self.base))),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(PullFault::Denied(self.host.clone())),
            status => Err(PullFault::Answer { host: self.host.clone(), found: status.to_string() }),
        }
    }

    /// Reads a body, and not a byte more than is taken.
    async fn read(&self, mut response: Response, what: &'static str, most: usize) -> Result<Vec<u8>, PullFault> {
        if let Some(bytes) = response.content_length().filter(|bytes| *bytes > most as u64) {
            return Err(PullFault::TooLarge { what, bytes, most });
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > most {
                return Err(PullFault::TooLarge { what, bytes: body.len() as u64, most });
            }
        }
        Ok(body)
    }

    fn unreachable(&self, error: &reqwest::Error) -> PullFault {
        PullFault::Unreachable { host: self.host.clone(), reason: words(error) }
    }
}

/// An error with its causes, without the URL: a redirect's may hold a signed token.
fn words(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "it took too long".to_owned()
    } else if error.is_redirect() {
        "a redirect was refused".to_owned()
    } else if error.is_connect() {
        "no connection".to_owned()
    } else {
        "its answer broke off".to_owned()
    };
    let mut cause = std::error::Error::source(error);
    while let Some(held) = cause {
        // Only the innermost says what it was.
        if held.source().is_none() {
            text.push_str(&format!(" ({held})"));
        }
        cause = held.source();
    }
    text
}

#[cfg(test)]
mod tests;
