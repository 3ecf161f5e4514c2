//! How a connection is authorized by OAuth 2.0, as a manifest says it: data, which the gateway follows.

use super::{Auth, AuthKind, Manifest, check::Mistake, check::at};
use crate::fetch::{fill, is_template};
use serde::{Deserialize, Serialize};
use tidegate_model::outcome::ConnectionInfo;

/// Most scopes of one app.
const SCOPES: usize = 64;

/// `[auth.oauth]`, for `kind = "oauth"`: a person authorizes the connection, or the app asks by itself, and the gateway keeps the tokens.
///
/// `user` and `secret` beside it name the credentials that are the app's client id and client secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oauth {
    /// How tokens are come by.
    #[serde(default, skip_serializing_if = "OauthGrant::is_usual")]
    pub grant: OauthGrant,
    /// Where a person says yes: `https://app.example.com/oauth/authorize`. The host may be one that the connection names. Nowhere for `client_credentials`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorize: Option<String>,
    /// Where tokens are asked for, at a host of `fetch`: `https://api.example.com/oauth/token`.
    pub token: String,
    /// What is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Whether a code is bound to who asked for it (PKCE with S256).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pkce: bool,
    /// How the app proves itself at the token endpoint.
    #[serde(default)]
    pub client: OauthClientProof,
}

/// How tokens are come by (RFC 6749, 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OauthGrant {
    /// A person says yes in a browser.
    #[default]
    AuthorizationCode,
    /// The app asks by itself, with its id and secret.
    ClientCredentials,
}

impl OauthGrant {
    fn is_usual(&self) -> bool {
        *self == Self::AuthorizationCode
    }
}

/// How an app proves itself at a token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OauthClientProof {
    /// Id and secret in the body.
    #[default]
    Body,
    /// Id and secret by HTTP's basic authentication.
    Basic,
}

impl Oauth {
    /// Fills in a URL of the manifest for a connection; `None` when the connection does not say its host.
    ///
    /// # Errors
    /// The connection's value is no host: which, and what was expected.
    pub fn fill_url(template: &str, connection: &ConnectionInfo) -> Result<Option<String>, String> {
        let Some((host, path)) = parts(template) else { return Ok(None) };
        let Some(host) = fill(host, connection)?.host else { return Ok(None) };
        let is_here = host.starts_with("127.0.0.1:") || host.starts_with("localhost:");
        // As a plugin asks there: nobody has a certificate for this machine.
        Ok(Some(format!("{}://{host}{path}", if is_here { "http" } else { "https" })))
    }
}

impl Manifest {
    /// The entries that hold for a connection. Of those that fill one header of one host one does: the first that `is_given`, else the first.
    pub fn auth_for(&self, is_given: impl Fn(&Auth) -> bool) -> Vec<&Auth> {
        let holds = |auth: &&Auth| {
            let held = self.choices(auth).find(|held| is_given(held)).or(self.choices(auth).next());
            held.is_some_and(|held| std::ptr::eq(held, *auth))
        };
        self.auth.iter().filter(holds).collect()
    }

    /// The entries that this one is a choice of: a host is given one token in a header, whatever its name is and whoever gives it.
    pub fn choices<'m>(&'m self, auth: &'m Auth) -> impl Iterator<Item = &'m Auth> {
        let header = token_header(auth);
        let is_alike = move |held: &Auth| header.is_some() && token_header(held) == header && held.host == auth.host;
        self.auth.iter().filter(move |held| std::ptr::eq(*held, auth) || is_alike(held))
    }
}

/// The header that an entry fills with a token, in lower case.
fn token_header(auth: &Auth) -> Option<String> {
    match (auth.kind, &auth.name) {
        (AuthKind::Bearer, _) | (AuthKind::Oauth, None) => Some("authorization".to_owned()),
        (AuthKind::Header | AuthKind::Oauth, Some(name)) => Some(name.to_ascii_lowercase()),
        (AuthKind::Basic | AuthKind::Query | AuthKind::Header, _) => None,
    }
}

/// Host and path.
fn parts(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("https://")?;
    Some(rest.split_at(rest.find('/')?))
}

/// The first mistake of one entry.
pub(super) fn mistake(manifest: &Manifest, index: usize, auth: &Auth) -> Option<Mistake> {
    let key = |name: &str| format!("auth.{index}.oauth{}{name}", if name.is_empty() { "" } else { "." });
    let oauth = match (auth.kind, &auth.oauth) {
        (AuthKind::Oauth, Some(oauth)) => oauth,
        (AuthKind::Oauth, None) => {
            return at(key(""), "this kind needs [auth.oauth], with `token`, and `authorize` or `grant`");
        }
        (_, Some(_)) => return at(key(""), "only `kind = \"oauth\"` has it"),
        (_, None) => return None,
    };
    match (oauth.grant, &oauth.authorize) {
        (OauthGrant::AuthorizationCode, None) => {
            return at(key("authorize"), "expected where a person says yes, or `grant = \"client_credentials\"`");
        }
        (OauthGrant::ClientCredentials, Some(_)) => {
            return at(key("authorize"), "nobody is asked for `client_credentials`");
        }
        (OauthGrant::ClientCredentials, None) if oauth.pkce => {
            return at(key("pkce"), "there is no code to bind for `client_credentials`");
        }
        (OauthGrant::AuthorizationCode, Some(_)) | (OauthGrant::ClientCredentials, None) => {}
    }
    for (name, url) in oauth.authorize.iter().map(|url| ("authorize", url)).chain([("token", &oauth.token)]) {
        let fits = |(host, path): (&str, &str)| is_template(host) && !path.contains(['?', '#', '%', '\\', ' ']);
        if !parts(url).is_some_and(fits) {
            return at(key(name), format!("expected https://HOST/PATH, the host as in `fetch`, found {url:?}"));
        }
    }
    let host = parts(&oauth.token).map_or("", |(host, _)| host);
    if !manifest.capabilities.fetch.iter().any(|held| held == host) {
        let reason = format!(
            "{host:?} is not in `fetch` under [capabilities]: the operator grants where the app's secret is sent"
        );
        return at(key("token"), reason);
    }
    if oauth.scopes.len() > SCOPES {
        return at(key("scopes"), format!("expected at most {SCOPES}, found {}", oauth.scopes.len()));
    }
    if let Some(bad) = oauth.scopes.iter().find(|scope| !is_scope(scope)) {
        return at(key("scopes"), format!("expected one scope in each text, without spaces, found {bad:?}"));
    }
    // A connection has one authorization, whichever of its hosts it is for.
    let other = manifest.auth.iter().find(|held| held.kind == AuthKind::Oauth && said(held) != said(auth));
    other.and_then(|_| {
        at(
            format!("auth.{index}.user"),
            "a connection has one authorization: say the same in each oauth entry, but for the host",
        )
    })
}

fn said(auth: &Auth) -> (&Option<String>, &str, &Option<Oauth>) {
    (&auth.user, &auth.secret, &auth.oauth)
}

/// RFC 6749, 3.3.
fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (b'!'..=b'~').contains(&byte) && !matches!(byte, b'"' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "id = \"a\"\nname = \"A\"\nversion = \"1.0.0\"\n[capabilities]\nfetch = [\"api.example.com\", \"{settings.host}\"]\n";
    const ENTRY: &str =
        "[[auth]]\nhost = \"api.example.com\"\nkind = \"oauth\"\nuser = \"client_id\"\nsecret = \"client_secret\"\n";
    const OAUTH: &str = "[auth.oauth]\nauthorize = \"https://app.example.com/oauth/authorize\"\ntoken = \"https://api.example.com/oauth/token\"\n";

    fn parse(rest: &str) -> Result<Manifest, String> {
        Manifest::parse("plugin.toml", &format!("{HEAD}{rest}")).map_err(|error| error.to_string())
    }

    #[test]
    fn an_authorization_is_read() {
        let manifest =
            parse(&format!("{ENTRY}{OAUTH}scopes = [\"users:read\"]\npkce = true\nclient = \"basic\"")).unwrap();
        let oauth = manifest.auth[0].oauth.as_ref().unwrap();
        assert_eq!((oauth.scopes.len(), oauth.pkce, oauth.client), (1, true, OauthClientProof::Basic));
        let plain = parse(&format!("{ENTRY}{OAUTH}")).unwrap();
        let oauth = plain.auth[0].oauth.as_ref().unwrap();
        assert_eq!((oauth.scopes.len(), oauth.pkce, oauth.client), (0, false, OauthClientProof::Body));
    }

    #[test]
    fn each_mistake_is_named_with_its_key() {
        let check = |rest: &str, expected: &str| {
            let error = parse(rest).unwrap_err();
            assert!(error.contains(expected), "{rest}: {error}");
        };
        check(ENTRY, "auth.0.oauth: this kind needs [auth.oauth]");
        check(
            &format!("{}{OAUTH}", ENTRY.replace("\"oauth\"", "\"basic\"")),
            "auth.0.oauth: only `kind = \"oauth\"` has it",
        );
        check(&format!("{}{OAUTH}", ENTRY.replace("user = \"client_id\"\n", "")), "auth.0.user: `oauth` needs");
        check(&format!("{ENTRY}name = \"x y\"\n{OAUTH}"), "auth.0.name: expected the name of a header");
        check(&format!("{ENTRY}{OAUTH}grant = \"client_credentials\""), "auth.0.oauth.authorize: nobody is asked");
        let own = "[auth.oauth]\ntoken = \"https://api.example.com/oauth/token\"\n";
        check(&format!("{ENTRY}{own}"), "auth.0.oauth.authorize: expected where a person says yes");
        check(
            &format!("{ENTRY}{own}grant = \"client_credentials\"\npkce = true"),
            "auth.0.oauth.pkce: there is no code",
        );
        let with = |from: &str, to: &str| format!("{ENTRY}{}", OAUTH.replace(from, to));
        check(
            &with("https://app.example.com/oauth/authorize", "http://app.example.com/x"),
            "auth.0.oauth.authorize: expected https://HOST/PATH",
        );
        check(
            &with("https://app.example.com/oauth/authorize", "https://app.example.com"),
            "auth.0.oauth.authorize: expected https://HOST/PATH",
        );
        check(&with("oauth/authorize", "a?b=c"), "auth.0.oauth.authorize: expected https://HOST/PATH");
        check(
            &with("https://app.example.com/", "https://u:p@app.example.com/"),
            "auth.0.oauth.authorize: expected https://HOST/PATH",
        );
        check(
            &with("api.example.com/oauth/token", "other.example.com/token"),
            "auth.0.oauth.token: \"other.example.com\" is not in `fetch`",
        );
        check(&format!("{ENTRY}{OAUTH}scopes = [\"a b\"]"), "auth.0.oauth.scopes: expected one scope");
        check(&format!("{ENTRY}{OAUTH}secrets = 1"), "secrets");
        let second = ENTRY.replace("client_id", "other_id");
        check(&format!("{ENTRY}{OAUTH}{second}{OAUTH}"), "auth.0.user: a connection has one authorization");
    }

    #[test]
    fn of_a_token_and_an_authorization_for_one_host_one_holds() {
        let bearer = "[[auth]]\nhost = \"api.example.com\"\nkind = \"bearer\"\nsecret = \"access_token\"\n";
        let header = "[[auth]]\nhost = \"api.example.com\"\nkind = \"header\"\nname = \"x-app\"\nsecret = \"app\"\n";
        let manifest = parse(&format!("{header}{bearer}{ENTRY}{OAUTH}")).unwrap();
        let check = |given: &[&str], expected: &[&str]| {
            let held = manifest.auth_for(|auth| given.contains(&auth.secret.as_str()));
            assert_eq!(held.iter().map(|auth| auth.secret.as_str()).collect::<Vec<_>>(), expected, "{given:?}");
        };
        let own = "[auth.oauth]\ngrant = \"client_credentials\"\ntoken = \"https://api.example.com/oauth/token\"\n";
        let named =
            parse(&format!("{}{own}{header}{bearer}", ENTRY.replace("kind", "name = \"X-App\"\nkind"))).unwrap();
        let held = named.auth_for(|auth| auth.secret != "client_secret");
        assert_eq!(held.iter().map(|auth| auth.secret.as_str()).collect::<Vec<_>>(), ["app", "access_token"]);
        assert_eq!(named.auth_for(|_| true).len(), 2, "the app's token is in another header than the access token");
        check(&[], &["app", "access_token"]);
        check(&["access_token"], &["app", "access_token"]);
        check(&["client_secret"], &["app", "client_secret"]);
        check(&["access_token", "client_secret"], &["app", "access_token"]);
    }

    #[test]
    fn a_url_is_filled_in_for_a_connection() {
        let check = |template: &str, settings: &str, expected: Result<Option<&str>, ()>| {
            let info = ConnectionInfo { name: "x".to_owned(), account: None, settings: settings.to_owned() };
            let found = Oauth::fill_url(template, &info).map_err(|_| ());
            assert_eq!(found, expected.map(|url| url.map(str::to_owned)), "{template} {settings}");
        };
        check("https://api.example.com/oauth/token", "{}", Ok(Some("https://api.example.com/oauth/token")));
        check("https://{settings.host}/token", "{}", Ok(None));
        check(
            "https://{settings.host}/token",
            r#"{"host":"proxy.example.com"}"#,
            Ok(Some("https://proxy.example.com/token")),
        );
        check("https://{settings.host}/token", r#"{"host":"127.0.0.1:9000"}"#, Ok(Some("http://127.0.0.1:9000/token")));
        check(
            "https://{settings.host}/token",
            r#"{"host":"127.0.0.1.evil.example:9000"}"#,
            Ok(Some("https://127.0.0.1.evil.example:9000/token")),
        );
        check("https://{settings.host}/token", r#"{"host":"a@b"}"#, Err(()));
    }
}
