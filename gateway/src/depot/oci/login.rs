//! Saying who asks: a bearer token that the registry's token service gives (also to nobody in particular), or a plain login. Shows no password and no token.

use super::{OciReference, PullFault, reference::is_loopback, words};
use crate::config::RegistryLogin;
use reqwest::{Client, RequestBuilder, Url};
use serde::Deserialize;

/// Longest answer of a token service.
const TOKEN_BYTES: usize = 64 << 10;

/// What goes with each request to a registry.
pub(super) struct Login<'a> {
    host: String,
    here: bool,
    scope: String,
    known: Option<&'a RegistryLogin>,
    said: Said,
}

enum Said {
    Nothing,
    Basic { password: String },
    Bearer(String),
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl<'a> Login<'a> {
    /// Says nothing until it is asked.
    pub(super) fn new(reference: &OciReference, known: Option<&'a RegistryLogin>) -> Self {
        let scope = format!("repository:{}:pull", reference.repository());
        Self { host: reference.host().to_owned(), here: reference.is_here(), scope, known, said: Said::Nothing }
    }

    /// Adds it to a request.
    pub(super) fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        match (&self.said, self.known) {
            (Said::Bearer(token), _) => request.bearer_auth(token),
            (Said::Basic { password }, Some(known)) => request.basic_auth(&known.username, Some(password)),
            _ => request,
        }
    }

    /// Does what the registry asks for.
    ///
    /// # Errors
    /// It is not known here, or the token service refuses.
    pub(super) async fn answer(&mut self, client: &Client, challenge: &str) -> Result<(), PullFault> {
        let (scheme, rest) = challenge.split_once(' ').unwrap_or((challenge, ""));
        let again = !matches!(self.said, Said::Nothing);
        if scheme.eq_ignore_ascii_case("bearer") && !again {
            self.said = Said::Bearer(self.token(client, &parameters(rest)).await?);
        } else if scheme.eq_ignore_ascii_case("basic") && !again && self.known.is_some() {
            self.said = Said::Basic { password: self.password()?.unwrap_or_default() };
        } else {
            return Err(PullFault::Denied(self.host.clone()));
        }
        Ok(())
    }

    fn password(&self) -> Result<Option<String>, PullFault> {
        let Some(known) = self.known else { return Ok(None) };
        let resolved = known.password.resolve(&|name| std::env::var(name).ok());
        resolved.map(Some).map_err(|problem| {
            PullFault::Reference(format!("plugin_sources.registries.{}.password: {problem}", self.host))
        })
    }

    async fn token(&self, client: &Client, parameters: &[(String, String)]) -> Result<String, PullFault> {
        let of = |key: &str| parameters.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        let odd = |found: &str| PullFault::Answer { host: self.host.clone(), found: found.to_owned() };
        let mut url =
            of("realm").and_then(|realm| Url::parse(realm).ok()).ok_or_else(|| odd("401 and no place to log in"))?;
        if url.scheme() != "https" && !(self.here && is_loopback(&url)) {
            return Err(odd("401 and a place to log in without https"));
        }
        if let Some(service) = of("service") {
            url.query_pairs_mut().append_pair("service", service);
        }
        url.query_pairs_mut().append_pair("scope", of("scope").unwrap_or(&self.scope));
        let mut request = client.get(url);
        if let (Some(known), Some(password)) = (self.known, self.password()?) {
            request = request.basic_auth(&known.username, Some(password));
        }
        let unreachable =
            |error: reqwest::Error| PullFault::Unreachable { host: self.host.clone(), reason: words(&error) };
        let mut response = request.send().await.map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(PullFault::Denied(self.host.clone()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > TOKEN_BYTES {
                return Err(odd("a token without an end"));
            }
        }
        let token: Token = serde_json::from_slice(&body).map_err(|_| odd("a login that is no JSON"))?;
        token.token.or(token.access_token).ok_or_else(|| odd("a login without a token"))
    }
}

/// `realm="…",service="…"` as names and values.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        found.push((name.trim().to_ascii_lowercase(), value.to_owned()));
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_taken_apart() {
        let found =
            parameters(r#"realm="https://a.example/token",service="a.example", scope="repository:b:pull,push",x=1"#);
        let expected = [
            ("realm", "https://a.example/token"),
            ("service", "a.example"),
            ("scope", "repository:b:pull,push"),
            ("x", "1"),
        ];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(parameters("").is_empty() && parameters("nonsense").is_empty());
    }
}
