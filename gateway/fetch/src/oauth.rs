//! OAuth 2.0 with an authorization code (RFC 6749, PKCE by RFC 7636), or with the app's own credentials: the URL that a person opens, the requests to the token endpoint,
//! and what its answers mean. Pure: it makes no request, reads no clock and draws no random number. Nothing in here is ever a plugin's answer.

mod answer;

pub use answer::{Granted, TokenFault, Tokens, read_answer};

use crate::credentials::Hidden;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use reqwest::Url;
use sha2::{Digest, Sha256};

/// Bytes of randomness of one authorization: half for the state, half for the verifier.
pub const RANDOM_BYTES: usize = 64;

/// A provider's OAuth, filled in for one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OauthProvider {
    /// Where a person says yes; `None` when the app asks for its tokens by itself.
    pub authorize: Option<Url>,
    /// Where codes and refresh tokens are exchanged, or the app asks.
    pub token: Url,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// Whether a code is bound to who asked for it (PKCE, S256).
    pub pkce: bool,
    /// How the client proves itself at the token endpoint.
    pub proof: ClientProof,
}

/// How a client proves itself at the token endpoint (RFC 6749, 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientProof {
    /// Id and secret in the body.
    Body,
    /// Id and secret by `Authorization: Basic`.
    Basic,
}

/// An app at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OauthClient {
    /// Its id: it stands in URLs.
    pub id: String,
    /// Its secret.
    pub secret: Hidden,
}

/// One authorization that was begun: what comes back must fit it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    redirect: String,
    state: Hidden,
    verifier: Hidden,
}

/// A request to a token endpoint. Its body and its header are secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// Where to.
    pub url: Url,
    /// `Authorization`, when the client proves itself there.
    pub authorization: Option<Hidden>,
    /// A form.
    pub body: Hidden,
}

/// Why what came back from the provider's page is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackFault {
    /// It belongs to another authorization, or somebody made it up.
    #[error("it does not belong to this authorization: begin again, and open the URL that is printed then")]
    Foreign,
    /// The person said no, or the provider can't.
    #[error("the provider did not authorize: {0}")]
    Denied(String),
    /// It has neither a code nor an error.
    #[error("it has no code: expected the address that the provider leads to, with `code` and `state`")]
    NoCode,
}

impl Attempt {
    /// Begins one. `random` is used for nothing else; `redirect` is where the provider leads back to.
    pub fn new(random: &[u8; RANDOM_BYTES], redirect: impl Into<String>) -> Self {
        let (state, verifier) = random.split_at(RANDOM_BYTES / 2);
        let text = |bytes| Hidden::new(URL_SAFE_NO_PAD.encode(bytes));
        Self { redirect: redirect.into(), state: text(state), verifier: text(verifier) }
    }

    /// What a person opens; `None` when nobody is asked.
    pub fn url(&self, provider: &OauthProvider, client: &OauthClient) -> Option<Url> {
        let mut url = provider.authorize.clone()?;
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &client.id)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("state", self.state.expose());
        if !provider.scopes.is_empty() {
            query.append_pair("scope", &provider.scopes.join(" "));
        }
        if provider.pkce {
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.expose()));
            query.append_pair("code_challenge", &challenge).append_pair("code_challenge_method", "S256");
        }
        drop(query);
        Some(url)
    }

    /// The code in the query that the provider led back with.
    ///
    /// # Errors
    /// It belongs to another authorization; the provider did not authorize; or there is none.
    pub fn code(&self, query: &str) -> Result<Hidden, CallbackFault> {
        let Ok(url) = Url::parse(&format!("http://localhost/?{query}")) else { return Err(CallbackFault::NoCode) };
        let value = |name: &str| {
            let mut found = url.query_pairs().filter(|(held, _)| held == name).map(|(_, value)| value.into_owned());
            // Of a parameter that is there twice nobody knows which one is meant.
            found.next().filter(|_| found.next().is_none())
        };
        // Digests are compared, so that how long it takes tells nothing of the state.
        let is_ours = value("state").is_some_and(|state| Sha256::digest(state) == Sha256::digest(self.state.expose()));
        match (is_ours, value("code"), value("error")) {
            (false, None, None) => Err(CallbackFault::NoCode),
            (false, _, _) => Err(CallbackFault::Foreign),
            (true, _, Some(error)) => {
                Err(CallbackFault::Denied(answer::plain(value("error_description").as_deref().unwrap_or(&error))))
            }
            (true, Some(code), None) if !code.is_empty() => Ok(Hidden::new(code)),
            (true, _, None) => Err(CallbackFault::NoCode),
        }
    }

    /// Exchanges the code. A code can be exchanged once.
    pub fn exchange(&self, provider: &OauthProvider, client: &OauthClient, code: &Hidden) -> TokenRequest {
        let mut fields =
            vec![("grant_type", "authorization_code"), ("code", code.expose()), ("redirect_uri", &self.redirect)];
        if provider.pkce {
            fields.push(("code_verifier", self.verifier.expose()));
        }
        request(provider, client, &fields)
    }
}

/// Asks for another access token. Where refresh tokens are used once, a second request with the same one fails.
pub fn refresh(provider: &OauthProvider, client: &OauthClient, refresh_token: &Hidden) -> TokenRequest {
    request(provider, client, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())])
}

/// Asks for an access token of the app's own (client credentials: RFC 6749, 4.4).
pub(crate) fn own(provider: &OauthProvider, client: &OauthClient) -> TokenRequest {
    let scopes = provider.scopes.join(" ");
    let mut fields = vec![("grant_type", "client_credentials")];
    if !scopes.is_empty() {
        fields.push(("scope", &scopes));
    }
    request(provider, client, &fields)
}

fn request(provider: &OauthProvider, client: &OauthClient, fields: &[(&str, &str)]) -> TokenRequest {
    let mut fields = fields.to_vec();
    let authorization = match provider.proof {
        ClientProof::Body => {
            fields.extend([("client_id", client.id.as_str()), ("client_secret", client.secret.expose())]);
            None
        }
        ClientProof::Basic => {
            let pair = format!("{}:{}", encoded(&client.id), encoded(client.secret.expose()));
            Some(Hidden::new(format!("Basic {}", STANDARD.encode(pair))))
        }
    };
    TokenRequest { url: provider.token.clone(), authorization, body: Hidden::new(form(&fields)) }
}

fn form(fields: &[(&str, &str)]) -> String {
    let written = fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    written.collect::<Vec<_>>().join("&")
}

/// A text as a form has it (`application/x-www-form-urlencoded`).
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'*');
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => written.push('+'),
            byte if plain(byte) => written.push(char::from(byte)),
            byte => written.push_str(&format!("%{byte:02X}")),
        }
    }
    written
}

#[cfg(test)]
mod tests;
