//! Requests that a plugin's connector makes: reads, and writes where the operator lets it write. A write may tell the provider the connection's webhook secret and the
//! endpoint's verify token, which are put in here and taken out of whatever comes back. Nothing is shared between callers, and nothing is made twice.

use crate::{
    batch::Make,
    credentials::{Hidden, scrub_secret},
    reach::{Fetched, Reach},
    rules::covers,
};
use reqwest::Url;
use tidegate_model::{
    connector::{SECRET_PLACEHOLDER, VERIFY_TOKEN_PLACEHOLDER},
    outcome::{Answer, Request},
    reach::Authority,
};

/// Where a plugin may write for one connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Writes {
    /// Hosts that the manifest asks for, filled in for the connection.
    pub asked: Vec<String>,
    /// Hosts that the operator grants: `plugins.ID.write`.
    pub granted: Vec<String>,
    /// Whether what the manifest asks for is granted by itself: it is a bundled plugin.
    pub all_asked: bool,
}

impl Writes {
    /// What is asked for and not granted: the lines to add.
    pub fn not_granted(&self, plugin: &str) -> Vec<String> {
        let granted = |asked: &&String| !self.all_asked && !self.granted.contains(asked);
        self.asked.iter().filter(granted).map(|asked| line(plugin, asked)).collect()
    }

    /// Whether a host is written to.
    ///
    /// # Errors
    /// Why not, with the line to add where one helps.
    fn check(&self, plugin: &str, authority: &Authority) -> Result<(), String> {
        if !self.asked.iter().any(|asked| covers(asked, authority)) {
            return Err(format!("the manifest of the plugin {plugin} does not ask to write to {authority}"));
        }
        if self.all_asked || self.granted.iter().any(|held| covers(held, authority)) {
            return Ok(());
        }
        Err(line(plugin, &authority.to_string()))
    }
}

fn line(plugin: &str, host: &str) -> String {
    format!("plugins.{plugin}.write needs \"{host}\"")
}

/// What a request of a connector does.
#[derive(Debug, Clone, Copy)]
pub enum Purpose<'s> {
    /// It looks.
    Read,
    /// It changes something, and may tell the provider secrets.
    Write(Told<'s>),
}

/// What a provider may be told, by what stands for it in a body.
#[derive(Debug, Clone, Copy, Default)]
pub struct Told<'s> {
    /// What it signs with.
    pub webhook_secret: Option<&'s Hidden>,
    /// What it asks the endpoint's address with.
    pub verify_token: Option<&'s Hidden>,
}

impl<'s> Told<'s> {
    /// The request with what its body asks for, and the secrets that are in it.
    ///
    /// # Errors
    /// What to configure, when there is nothing to put in.
    fn put_into(self, request: &Request) -> Result<(Request, Vec<&'s Hidden>), String> {
        let (mut request, mut secrets) = (request.clone(), Vec::new());
        for (placeholder, secret, lacks) in [
            (
                SECRET_PLACEHOLDER,
                self.webhook_secret,
                "the plugin's manifest needs `secret = \"generated\"` under [connector]",
            ),
            (VERIFY_TOKEN_PLACEHOLDER, self.verify_token, "the endpoint needs a verify_token"),
        ] {
            let Some(body) = request.body.as_mut().filter(|body| body.contains(placeholder)) else { continue };
            let secret = secret.ok_or(lacks)?;
            *body = body.replace(placeholder, &secret.in_json());
            secrets.push(secret);
        }
        Ok((request, secrets))
    }
}

impl Reach {
    /// Makes one request of a connector.
    pub async fn call(&self, request: &Request, purpose: Purpose<'_>) -> Fetched {
        let Purpose::Write(told) = purpose else { return self.make(request).await };
        if let Err(reason) = self.may_write(&request.url) {
            return Fetched::Refused(reason);
        }
        let (request, secrets) = match told.put_into(request) {
            Ok(told) => told,
            Err(reason) => return Fetched::Refused(reason),
        };
        let fetched = self.make(&request).await;
        secrets.into_iter().fold(fetched, hide)
    }

    fn may_write(&self, url: &str) -> Result<(), String> {
        let url = Url::parse(url).map_err(|error| format!("it is no URL: {error}"))?;
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        self.writes.check(&self.rules.plugin, &Authority { host, port: url.port() })
    }
}

fn hide(fetched: Fetched, secret: &Hidden) -> Fetched {
    let hidden = |text: String| scrub_secret(secret, text);
    match fetched {
        Fetched::Answer(Answer::Response { status, headers, body }) => Fetched::Answer(Answer::Response {
            status,
            headers: headers.into_iter().map(|(name, value)| (name, hidden(value))).collect(),
            body: hidden(body),
        }),
        Fetched::Answer(Answer::Failed(reason)) => Fetched::Answer(Answer::Failed(hidden(reason))),
        Fetched::Later { after, reason } => Fetched::Later { after, reason: hidden(reason) },
        Fetched::Refused(reason) => Fetched::Refused(hidden(reason)),
        Fetched::Unauthorized(reason) => Fetched::Unauthorized(hidden(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_writes_only_where_it_asked_and_was_granted() {
        let own = Writes {
            asked: vec!["shop.example.com".to_owned(), "127.0.0.1:9000".to_owned()],
            granted: vec!["127.0.0.1:9000".to_owned()],
            all_asked: false,
        };
        let check = |writes: &Writes, host: &str, expected: Option<&str>| {
            let found = writes.check("woo", &Authority::parse(host).unwrap());
            assert_eq!(found.err().as_deref(), expected, "{host}");
        };
        check(&own, "127.0.0.1:9000", None);
        check(&own, "shop.example.com", Some("plugins.woo.write needs \"shop.example.com\""));
        check(&own, "127.0.0.1:9001", Some("the manifest of the plugin woo does not ask to write to 127.0.0.1:9001"));
        check(&Writes { all_asked: true, ..own.clone() }, "shop.example.com", None);
        assert_eq!(own.not_granted("woo"), ["plugins.woo.write needs \"shop.example.com\""]);
    }

    #[test]
    fn a_body_gets_what_it_asks_for_and_nothing_is_sent_without_it() {
        let (secret, token) = (Hidden::new("s3cret"), Hidden::new("say \"please\""));
        let told = Told { webhook_secret: Some(&secret), verify_token: Some(&token) };
        let check = |told: Told<'_>, body: &str, expected: Result<(&str, usize), &str>| {
            let (method, url) = ("PUT".to_owned(), "https://a.example/hooks/1".to_owned());
            let request = Request { method, url, headers: Vec::new(), body: Some(body.to_owned()) };
            let found = told.put_into(&request).map(|(request, secrets)| (request.body.unwrap(), secrets.len()));
            let expected = expected.map(|(body, secrets)| (body.to_owned(), secrets)).map_err(str::to_owned);
            assert_eq!(found, expected, "{body}");
        };
        check(told, "{}", Ok(("{}", 0)));
        check(told, r#"{"s":"{{webhook_secret}}"}"#, Ok((r#"{"s":"s3cret"}"#, 1)));
        check(told, r#"["{{verify_token}}","{{webhook_secret}}"]"#, Ok((r#"["say \"please\"","s3cret"]"#, 2)));
        check(Told::default(), "[1]", Ok(("[1]", 0)));
        check(Told::default(), "{{verify_token}}", Err("the endpoint needs a verify_token"));
    }

    #[test]
    fn the_secret_is_taken_out_of_what_comes_back() {
        let secret = Hidden::new("s3cret-of-the-hook");
        let fetched = Fetched::Answer(Answer::Response {
            status: 200,
            headers: vec![("link".to_owned(), "<https://a.example/?s=s3cret-of-the-hook>".to_owned())],
            body: "{\"secret\":\"s3cret-of-the-hook\"}".to_owned(),
        });
        assert!(!format!("{:?}", hide(fetched, &secret)).contains("s3cret"));
    }
}
