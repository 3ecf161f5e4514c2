//! Where a plugin's requests may go: what its manifest asks for, what the operator grants, and what is reached although it is private. Every hop of a redirect is
//! judged alike. Pure.

use reqwest::Url;
use tidegate_model::reach::{Authority, HostPattern};

/// What an operator grants to one plugin, as it is written in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants {
    /// `plugins.ID.fetch`.
    pub fetch: Vec<HostPattern>,
    /// `plugins.ID.private_hosts`.
    pub private_hosts: Vec<Authority>,
    /// Whether what the manifest asks for is granted by itself: it is a bundled plugin.
    pub all_asked: bool,
}

/// Where the requests of one connection may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Id of the plugin, as the configuration names it.
    pub plugin: String,
    /// Hosts that the manifest asks for, filled in for the connection: `api.example.com`, `*.example.com`, `shop.internal:8443`.
    pub asked: Vec<String>,
    /// What is granted of it.
    pub grants: Grants,
    /// Hosts that are not read, for want of a credential.
    pub without_credential: Vec<MissingCredential>,
}

/// A credential that a connection was not given, although a host needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingCredential {
    /// The host, as in [`Rules::asked`].
    pub host: String,
    /// The line to add, in words.
    pub line: String,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// To a public address.
    Public,
    /// To a host that the operator named, wherever it is.
    Private,
}

/// Why a request is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The operator has not granted it: the line to add, in words.
    #[error("{0}")]
    NotGranted(String),
    /// Nobody can grant it.
    #[error("{0}")]
    Never(String),
}

impl Rules {
    /// Whether a request to this URL may be made.
    ///
    /// # Errors
    /// Why not, with the line to add where one helps.
    pub fn check(&self, url: &str) -> Result<(), Refusal> {
        let url = Url::parse(url).map_err(|error| Refusal::Never(format!("it is no URL: {error}")))?;
        self.way(&url).map(|_| ())
    }

    /// Whether a host that the manifest asks for is granted. What is not a public name must be a private host.
    ///
    /// # Errors
    /// The line to add, in words.
    pub fn granted(&self, asked: &str) -> Result<(), String> {
        let private = Authority::parse(asked).is_some_and(|authority| self.grants.private_hosts.contains(&authority));
        let is_name = HostPattern::parse(asked).is_some();
        let held = |held: &HostPattern| held.to_string() == asked || held.covers(asked.trim_start_matches("*."));
        if private || (is_name && (self.grants.all_asked || self.grants.fetch.iter().any(held))) {
            return Ok(());
        }
        Err(self.line(if is_name { "fetch" } else { "private_hosts" }, asked))
    }

    pub(crate) fn way(&self, url: &Url) -> Result<Way, Refusal> {
        let never = |reason: String| Err(Refusal::Never(reason));
        if !url.username().is_empty() || url.password().is_some() {
            return never("its URL names a user: credentials are added by the gateway".to_owned());
        }
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        let Some(authority) = Authority::parse(&host).map(|held| Authority { port: url.port(), ..held }) else {
            return never(format!("{:?} is no host", short(&host)));
        };
        let with_port = Authority { port: url.port_or_known_default(), ..authority.clone() };
        let is_covered = |asked: &str| covers(asked, &authority) || covers(asked, &with_port);
        if !self.asked.iter().any(|asked| is_covered(asked)) {
            return never(format!("the manifest of the plugin {} does not ask for {authority}", self.plugin));
        }
        if let Some(missing) = self.without_credential.iter().find(|missing| is_covered(&missing.host)) {
            return Err(Refusal::NotGranted(missing.line.clone()));
        }
        let private = self.grants.private_hosts.iter().any(|held| *held == authority || *held == with_port);
        if private && matches!(url.scheme(), "https" | "http") {
            return Ok(Way::Private);
        }
        if !authority.is_public_name() {
            return Err(Refusal::NotGranted(self.line("private_hosts", &authority.to_string())));
        }
        if url.scheme() != "https" {
            return never(format!(
                "expected https, found {}: only private_hosts may be read without TLS",
                short(url.scheme())
            ));
        }
        if self.grants.all_asked || self.grants.fetch.iter().any(|held| held.covers(&host)) {
            return Ok(Way::Public);
        }
        Err(Refusal::NotGranted(self.line("fetch", &host)))
    }

    fn line(&self, key: &str, host: &str) -> String {
        format!("plugins.{}.{key} needs \"{host}\"", self.plugin)
    }
}

/// Whether a host of the manifest, filled in, covers one that is to be read.
pub(crate) fn covers(asked: &str, authority: &Authority) -> bool {
    match HostPattern::parse(asked) {
        Some(pattern) => authority.port.is_none() && pattern.covers(&authority.host),
        None => Authority::parse(asked).as_ref() == Some(authority),
    }
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        let pattern = |text: &str| HostPattern::parse(text).unwrap();
        let private = |text: &str| Authority::parse(text).unwrap();
        Rules {
            plugin: "shop".to_owned(),
            asked: [
                "api.example.com",
                "*.shops.example",
                "127.0.0.1:9000",
                "shop.internal:8443",
                "cheap.example",
                "lan.example",
            ]
            .map(str::to_owned)
            .to_vec(),
            grants: Grants {
                fetch: vec![pattern("api.example.com"), pattern("*.shops.example")],
                private_hosts: vec![private("127.0.0.1:9000"), private("lan.example:443")],
                all_asked: false,
            },
            without_credential: Vec::new(),
        }
    }

    #[test]
    fn a_request_goes_only_where_it_was_asked_for_and_granted() {
        let check = |url: &str, expected: Result<Way, &str>| {
            let found = rules().way(&Url::parse(url).unwrap());
            match (&found, expected) {
                (Ok(way), Ok(expected)) => assert_eq!(*way, expected, "{url}"),
                (Err(refusal), Err(words)) => assert!(refusal.to_string().contains(words), "{url}: {refusal}"),
                _ => panic!("{url}: {found:?}"),
            }
        };
        check("https://api.example.com/x", Ok(Way::Public));
        check("https://API.example.com:443/x", Ok(Way::Public));
        check("https://a.shops.example/x", Ok(Way::Public));
        check("http://127.0.0.1:9000/x", Ok(Way::Private));
        check("https://lan.example/x", Ok(Way::Private));
        check("http://lan.example/x", Err("expected https"));
        check("http://api.example.com/x", Err("expected https"));
        check("https://cheap.example/x", Err("plugins.shop.fetch needs \"cheap.example\""));
        check("https://shop.internal:8443/x", Err("plugins.shop.private_hosts needs \"shop.internal:8443\""));
        check("https://shop.internal/x", Err("does not ask for shop.internal"));
        check("https://api.example.com:8443/x", Err("does not ask for api.example.com:8443"));
        check("https://evil.example/x", Err("does not ask for"));
        check("http://127.0.0.1:9001/x", Err("does not ask for"));
        check("http://127.1:9000/x", Ok(Way::Private));
        check("https://0x7f000001/x", Err("does not ask for 127.0.0.1"));
        check("https://2130706433/x", Err("does not ask for 127.0.0.1"));
        check("https://[::ffff:127.0.0.1]/x", Err("does not ask for"));
        check("https://user@api.example.com/x", Err("names a user"));
        check("https://user:pass@api.example.com/x", Err("names a user"));
        check("https://api.example.com./x", Err("no host"));
        check("file:///etc/passwd", Err("no host"));
    }

    #[test]
    fn a_bundled_plugin_is_granted_what_it_asks_for_and_nothing_private() {
        let mut rules = rules();
        rules.grants = Grants { all_asked: true, ..Grants::default() };
        assert_eq!(rules.check("https://cheap.example/x"), Ok(()));
        assert!(rules.check("https://shop.internal:8443/x").is_err());
        assert!(rules.check("http://127.0.0.1:9000/x").is_err());
    }

    #[test]
    fn a_host_whose_credential_is_missing_is_not_read_without_it() {
        let mut rules = rules();
        let line = "connections.acme.credentials needs token".to_owned();
        rules.without_credential = vec![MissingCredential { host: "*.shops.example".to_owned(), line: line.clone() }];
        assert_eq!(rules.check("https://api.example.com/x"), Ok(()));
        let refusal = rules.check("https://a.shops.example/x").unwrap_err();
        assert_eq!(refusal, Refusal::NotGranted(line));
    }

    #[test]
    fn what_is_asked_and_not_granted_is_named_by_the_line_to_add() {
        let told: Vec<String> = rules().asked.iter().filter_map(|asked| rules().granted(asked).err()).collect();
        assert_eq!(
            told,
            [
                "plugins.shop.private_hosts needs \"shop.internal:8443\"",
                "plugins.shop.fetch needs \"cheap.example\"",
                "plugins.shop.fetch needs \"lan.example\"",
            ]
        );
    }
}
