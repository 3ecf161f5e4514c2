//! Credentials of a connection: added to requests to their hosts, and to no other; never shown, and taken out of everything that comes back.

use crate::rules::covers;
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{
    RequestBuilder, Url,
    header::{AUTHORIZATION, HeaderName, HeaderValue},
};
use std::fmt;
use tidegate_model::reach::Authority;

/// Shorter secrets are not looked for in what comes back: they would be found in any text.
const LEAST_SCRUBBED: usize = 6;

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

impl Hidden {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// The text, as it stands between the quotes of a JSON text.
    pub(crate) fn in_json(&self) -> String {
        let quoted = serde_json::Value::from(self.0.as_str()).to_string();
        quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().to_owned()
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How one credential is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `Authorization: Bearer …`.
    Bearer(Hidden),
    /// `Authorization: Basic …`.
    Basic {
        /// The user.
        user: Hidden,
        /// The password.
        password: Hidden,
    },
    /// A header.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: Hidden,
    },
    /// A parameter of the URL.
    Query {
        /// Its name.
        name: String,
        /// Its value.
        value: Hidden,
    },
}

/// A credential, and the host that is given it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Host of the manifest, filled in.
    pub host: String,
    /// How it is added.
    pub kind: Kind,
}

impl Credential {
    /// Whether it can be sent at all.
    ///
    /// # Errors
    /// What is wrong with it, without showing it.
    pub fn check(&self) -> Result<(), &'static str> {
        let fits = match &self.kind {
            Kind::Query { .. } => true,
            kind => header_of(kind).is_some(),
        };
        if fits { Ok(()) } else { Err("it has characters that a header can't have (a line end?)") }
    }

    fn is_for(&self, authority: &Authority) -> bool {
        covers(&self.host, authority)
    }

    fn secrets(&self) -> Vec<&Hidden> {
        match &self.kind {
            Kind::Bearer(secret) | Kind::Header { value: secret, .. } | Kind::Query { value: secret, .. } => {
                vec![secret]
            }
            Kind::Basic { user, password } => vec![user, password],
        }
    }
}

/// Adds to the URL what belongs there for its host.
pub(crate) fn in_url(credentials: &[Credential], authority: &Authority, url: &mut Url) {
    for held in credentials.iter().filter(|held| held.is_for(authority)) {
        if let Kind::Query { name, value } = &held.kind {
            url.query_pairs_mut().append_pair(name, &value.0);
        }
    }
}

/// Adds to the headers what belongs there for a host.
pub(crate) fn in_headers(
    credentials: &[Credential],
    authority: &Authority,
    mut request: RequestBuilder,
) -> RequestBuilder {
    for (name, value) in
        credentials.iter().filter(|held| held.is_for(authority)).filter_map(|held| header_of(&held.kind))
    {
        request = request.header(name, value);
    }
    request
}

fn header_of(kind: &Kind) -> Option<(HeaderName, HeaderValue)> {
    let (name, text) = match kind {
        Kind::Bearer(token) => (AUTHORIZATION, format!("Bearer {}", token.0)),
        Kind::Basic { user, password } => {
            (AUTHORIZATION, format!("Basic {}", STANDARD.encode(format!("{}:{}", user.0, password.0))))
        }
        Kind::Header { name, value } => (HeaderName::from_bytes(name.as_bytes()).ok()?, value.0.clone()),
        Kind::Query { .. } => return None,
    };
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

/// Takes every secret out of a text: a server may say what it was told.
pub(crate) fn scrub(credentials: &[Credential], text: String) -> String {
    without(credentials.iter().flat_map(forms), text)
}

/// Takes one secret out of a text.
pub(crate) fn scrub_secret(secret: &Hidden, text: String) -> String {
    without(forms_of(secret).into_iter(), text)
}

fn without(forms: impl Iterator<Item = String>, mut text: String) -> String {
    for form in forms {
        if form.len() >= LEAST_SCRUBBED && text.contains(&form) {
            text = text.replace(&form, "***");
        }
    }
    text
}

/// A credential's secrets as they may be met: plain, as parts of a URL, in the form of basic authentication.
fn forms(held: &Credential) -> Vec<String> {
    let mut forms: Vec<String> = held.secrets().into_iter().flat_map(forms_of).collect();
    if let Kind::Basic { user, password } = &held.kind {
        forms.push(STANDARD.encode(format!("{}:{}", user.0, password.0)));
    }
    forms
}

fn forms_of(hidden @ Hidden(secret): &Hidden) -> Vec<String> {
    let mut forms = vec![hidden.in_json()];
    let mut url = Url::parse("http://a.example").ok();
    if let Some(url) = &mut url {
        url.query_pairs_mut().append_pair("x", secret);
        forms.extend(url.query().and_then(|query| query.strip_prefix("x=")).map(str::to_owned));
    }
    forms.push(secret.clone());
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(kind: Kind) -> Credential {
        Credential { host: "api.example.com".to_owned(), kind }
    }

    #[test]
    fn a_secret_is_taken_out_in_every_form() {
        let all = [
            credential(Kind::Query { name: "key".to_owned(), value: Hidden::new("s3cret+/=") }),
            credential(Kind::Basic { user: Hidden::new("ck_user"), password: Hidden::new("cs_pass") }),
        ];
        let check = |text: &str, expected: &str| assert_eq!(scrub(&all, text.to_owned()), expected);
        check("https://api.example.com/?key=s3cret%2B%2F%3D&x=1", "https://api.example.com/?key=***&x=1");
        check("you said s3cret+/=", "you said ***");
        check("Basic Y2tfdXNlcjpjc19wYXNz, ck_user", "Basic ***, ***");
        check("nothing", "nothing");
    }

    #[test]
    fn a_secret_is_never_shown() {
        let shown = format!("{:?}", credential(Kind::Bearer(Hidden::new("hunter2hunter2"))));
        assert!(!shown.contains("hunter2") && shown.contains("***"), "{shown}");
    }

    #[test]
    fn a_secret_that_no_header_can_hold_is_told() {
        assert!(credential(Kind::Bearer(Hidden::new("a\nb"))).check().is_err());
        assert!(credential(Kind::Bearer(Hidden::new("ab"))).check().is_ok());
    }

    #[test]
    fn a_parameter_goes_to_its_host_only() {
        let held = [credential(Kind::Query { name: "key".to_owned(), value: Hidden::new("a b") })];
        let check = |url: &str, expected: &str| {
            let mut url = Url::parse(url).unwrap();
            let authority = Authority { host: url.host_str().unwrap().to_owned(), port: url.port() };
            in_url(&held, &authority, &mut url);
            assert_eq!(url.as_str(), expected);
        };
        check("https://api.example.com/x?y=1", "https://api.example.com/x?y=1&key=a+b");
        check("https://other.example.com/x", "https://other.example.com/x");
    }
}
