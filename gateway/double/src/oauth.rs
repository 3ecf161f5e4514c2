//! A provider's OAuth 2.0: a page where a person says yes, and a token endpoint. Strict about the app, its redirect URLs, the verifier and tokens that were used; says
//! what is wrong as RFC 6749 has it. A person who is led to the page says yes at once, unless told to say no.

use crate::account::{Answer, Asked, lock};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

/// How a provider does it.
#[derive(Debug, Clone)]
pub struct OauthApp {
    /// The app's id and secret.
    pub client: (String, String),
    /// Where it may be led back to.
    pub redirects: Vec<String>,
    /// Whether the app proves itself by basic authentication, and codes are bound to who asked for them (PKCE); else id and secret are in the body.
    pub is_basic: bool,
    /// Whether a refresh token is used once.
    pub single_use: bool,
    /// Life of an access token, in seconds.
    pub life_s: i64,
}

/// The page and the endpoint.
#[derive(Debug)]
pub(crate) struct Oauth {
    app: OauthApp,
    held: Mutex<Held>,
    /// The next person says no.
    says_no: AtomicBool,
}

#[derive(Debug, Default)]
struct Held {
    made: u32,
    codes: HashMap<String, Code>,
    refresh: Vec<String>,
    /// With the second that each ends at.
    access: HashMap<String, i64>,
}

#[derive(Debug)]
struct Code {
    redirect: String,
    challenge: Option<String>,
}

fn refusal(status: u16, error: &str, words: &str) -> Answer {
    Answer::json(status, &json!({"error": error, "error_description": words}))
}

fn page(status: u16, text: &str) -> Answer {
    Answer::new(status, "text/html; charset=utf-8", format!("<p>{text}</p>"))
}

impl Oauth {
    pub(crate) fn new(app: OauthApp) -> Self {
        Self { app, held: Mutex::default(), says_no: AtomicBool::new(false) }
    }

    /// Whether an access token is good.
    pub(crate) fn is_live(&self, token: &str, now_s: i64) -> bool {
        lock(&self.held).access.get(token).is_some_and(|ends_s| now_s < *ends_s)
    }

    /// The next person says no.
    pub(crate) fn say_no(&self) {
        self.says_no.store(true, SeqCst);
    }

    /// The app is thrown out: no token of it is good any more.
    pub(crate) fn revoke(&self) {
        let mut held = lock(&self.held);
        held.refresh.clear();
        held.access.clear();
    }

    /// Access tokens end before their time.
    pub(crate) fn end_access(&self) {
        lock(&self.held).access.clear();
    }

    /// Answers what goes to the page or the endpoint; `None` when it goes elsewhere.
    pub(crate) fn answer(&self, asked: &Asked, now_s: i64) -> Option<Answer> {
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/oauth/authorize") => Some(self.authorize(&asked.parameters())),
            ("POST", "/oauth/token" | "/oauth/v3/token") => {
                Some(self.token(asked, now_s).unwrap_or_else(|refused| refused))
            }
            _ => None,
        }
    }

    /// Gives an app that asks by itself a token, as Shopify does: without a kind, and without another token to renew it with.
    pub(crate) fn own(&self, asked: &Asked, now_s: i64) -> Answer {
        let form = asked.form();
        if let Err(refused) = self.check_client(asked, &form) {
            return refused;
        }
        if form.get("grant_type").map(String::as_str) != Some("client_credentials") {
            return refusal(400, "unsupported_grant_type", "The authorization grant type is not supported.");
        }
        let mut held = lock(&self.held);
        let access = held.next("shpat");
        held.access.insert(access.clone(), now_s + self.app.life_s);
        Answer::json(200, &json!({"access_token": access, "scope": "read_orders", "expires_in": self.app.life_s}))
    }

    /// Leads the person back. Nobody is led to an address that is not the app's.
    fn authorize(&self, query: &BTreeMap<String, String>) -> Answer {
        let text = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        if text("client_id") != self.app.client.0 {
            return page(400, "Unknown client");
        }
        let redirect = text("redirect_uri");
        let Some(mut url) =
            reqwest::Url::parse(redirect).ok().filter(|_| self.app.redirects.iter().any(|held| held == redirect))
        else {
            return page(400, "The redirect URI does not match one of the app's");
        };
        let is_bound = !text("code_challenge").is_empty() && text("code_challenge_method") == "S256";
        let led = if self.says_no.swap(false, SeqCst) {
            [
                ("error", "access_denied".to_owned()),
                ("error_description", "The resource owner denied the request.".to_owned()),
            ]
        } else if text("response_type") != "code" || (self.app.is_basic && !is_bound) {
            [
                ("error", "invalid_request".to_owned()),
                ("error_description", "response_type or code_challenge".to_owned()),
            ]
        } else {
            let challenge = is_bound.then(|| text("code_challenge").to_owned());
            let mut held = lock(&self.held);
            let code = held.next("code");
            held.codes.insert(code.clone(), Code { redirect: redirect.to_owned(), challenge });
            [("code", code), ("scope", text("scope").to_owned())]
        };
        url.query_pairs_mut().extend_pairs(led).append_pair("state", text("state"));
        Answer::new(302, "text/html; charset=utf-8", String::new()).with("location", url.to_string())
    }

    fn token(&self, asked: &Asked, now_s: i64) -> Result<Answer, Answer> {
        let form = asked.form();
        let text = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        self.check_client(asked, &form)?;
        let mut held = lock(&self.held);
        let mut kept = None;
        match text("grant_type") {
            "authorization_code" => {
                let void = || refusal(400, "invalid_grant", "The provided authorization grant is invalid.");
                let code = held.codes.remove(text("code")).ok_or_else(void)?;
                let verified = URL_SAFE_NO_PAD.encode(Sha256::digest(text("code_verifier")));
                let is_bound = code.challenge.is_none_or(|challenge| challenge == verified);
                if code.redirect != text("redirect_uri") || !is_bound {
                    return Err(void());
                }
            }
            "refresh_token" => {
                let used = text("refresh_token");
                let place = held.refresh.iter().position(|held| held == used);
                let place =
                    place.ok_or_else(|| refusal(400, "invalid_grant", "The refresh token is invalid or was used."))?;
                if self.app.single_use {
                    held.refresh.remove(place);
                } else {
                    kept = Some(used.to_owned());
                }
            }
            _ => return Err(refusal(400, "unsupported_grant_type", "The authorization grant type is not supported.")),
        }
        let access = held.next("access");
        held.access.insert(access.clone(), now_s + self.app.life_s);
        let refresh = kept.unwrap_or_else(|| {
            let refresh = held.next("refresh");
            held.refresh.push(refresh.clone());
            refresh
        });
        let given = json!({"token_type": "Bearer", "access_token": access, "refresh_token": refresh, "expires_in": self.app.life_s});
        Ok(Answer::json(200, &given).with("cache-control", "no-store".to_owned()))
    }

    fn check_client(&self, asked: &Asked, form: &BTreeMap<String, String>) -> Result<(), Answer> {
        let (id, secret) = &self.app.client;
        let is_it = if self.app.is_basic {
            let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
            asked.header("authorization") == basic && !form.contains_key("client_secret")
        } else {
            form.get("client_id") == Some(id) && form.get("client_secret") == Some(secret)
        };
        if is_it { Ok(()) } else { Err(refusal(401, "invalid_client", "Client authentication failed.")) }
    }
}

impl Held {
    /// Another text, which is like none before.
    fn next(&mut self, kind: &str) -> String {
        self.made += 1;
        let mixed = Sha256::digest(format!("{kind} {}", self.made));
        format!("{kind}-{}-{}", self.made, URL_SAFE_NO_PAD.encode(&mixed[..18]))
    }
}

/// The token that a request brings; empty without one.
pub(crate) fn bearer(asked: &Asked) -> &str {
    asked.header("authorization").strip_prefix("Bearer ").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderMap, Method};
    use serde_json::Value;

    fn asked(method: Method, path: &str, query: &str, body: &str) -> Asked {
        let (path, query, body) = (path.to_owned(), query.to_owned(), body.to_owned().into());
        Asked { method, path, query, headers: HeaderMap::new(), body }
    }

    fn oauth(single_use: bool) -> Oauth {
        let (client, redirects) =
            (("app".to_owned(), "s3cret".to_owned()), vec!["http://localhost:1/callback".to_owned()]);
        Oauth::new(OauthApp { client, redirects, is_basic: false, single_use, life_s: 100 })
    }

    fn post(oauth: &Oauth, form: &str) -> (u16, Value) {
        let body = format!("client_id=app&client_secret=s3cret&{form}");
        oauth.answer(&asked(Method::POST, "/oauth/token", "", &body), 0).expect("the endpoint").parts()
    }

    #[test]
    fn a_code_and_a_single_use_token_are_taken_once() {
        for single_use in [true, false] {
            let oauth = oauth(single_use);
            let query = "client_id=app&response_type=code&state=x&redirect_uri=http://localhost:1/callback";
            let led = oauth.answer(&asked(Method::GET, "/oauth/authorize", query, ""), 0).expect("the page");
            let place = led.header("location").expect("it leads back");
            let code = place.split("code=").nth(1).and_then(|rest| rest.split('&').next()).expect("with a code");
            let exchange =
                format!("grant_type=authorization_code&code={code}&redirect_uri=http://localhost:1/callback");
            let (status, given) = post(&oauth, &exchange);
            assert_eq!(status, 200, "{given}");
            assert_eq!(post(&oauth, &exchange).1["error"], "invalid_grant");
            let access = given["access_token"].as_str().expect("a token");
            assert!(oauth.is_live(access, 99) && !oauth.is_live(access, 100));
            let renew =
                format!("grant_type=refresh_token&refresh_token={}", given["refresh_token"].as_str().expect("another"));
            assert_eq!(
                [post(&oauth, &renew).0, post(&oauth, &renew).0],
                if single_use { [200, 400] } else { [200, 200] }
            );
            oauth.revoke();
            assert!(!oauth.is_live(access, 0) && post(&oauth, &renew).0 == 400);
        }
    }

    #[test]
    fn who_is_not_the_app_gets_nothing() {
        let oauth = oauth(false);
        let wrong =
            asked(Method::POST, "/oauth/token", "", "client_id=app&client_secret=other&grant_type=refresh_token");
        assert_eq!(oauth.answer(&wrong, 0).expect("the endpoint").parts().1["error"], "invalid_client");
        let elsewhere = "client_id=app&response_type=code&redirect_uri=http://evil.example/callback";
        assert_eq!(
            oauth.answer(&asked(Method::GET, "/oauth/authorize", elsewhere, ""), 0).expect("the page").parts().0,
            400
        );
    }
}
