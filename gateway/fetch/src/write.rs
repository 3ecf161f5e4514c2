//! Requests that a plugin's connector makes: reads, and writes where the operator lets it write. A write may carry the connection's webhook secret, which is put in
//! here and taken out of whatever comes back. Nothing is shared between callers, and nothing is made twice.

use crate::{
    batch::Make,
    credentials::{Hidden, scrub_secret},
    reach::{Fetched, Reach},
    rules::covers,
};
use reqwest::Url;
use tidegate_model::{
    connector::SECRET_PLACEHOLDER,
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
    /// It changes something, and may tell the provider the secret.
    Write(Option<&'s Hidden>),
}

impl Reach {
    /// Makes one request of a connector.
    pub async fn call(&self, request: &Request, purpose: Purpose<'_>) -> Fetched {
        let Purpose::Write(secret) = purpose else { return self.make(request).await };
        if let Err(reason) = self.may_write(&request.url) {
            return Fetched::Refused(reason);
        }
        let Some(secret) = secret else { return self.make(request).await };
        let mut told = request.clone();
        told.body = told.body.map(|body| body.replace(SECRET_PLACEHOLDER, secret.expose()));
        hide(self.make(&told).await, secret)
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
