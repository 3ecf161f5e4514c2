//! `[plugins.ID]`: what a plugin is granted of what its manifest asks for. Its own section, beside those who use it.

use super::ConfigFault;
use serde::{Deserialize, Serialize};
use tidegate_fetch::Grants;
use tidegate_model::reach::{Authority, HostPattern};

/// `[plugins.ID]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PluginGrants {
    /// Hosts that it may read from: `api.example.com`, `*.example.com`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fetch: Vec<String>,
    /// Hosts that it may read from wherever they are, also without TLS: `shop.internal:8443`, `127.0.0.1:9000`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub private_hosts: Vec<String>,
    /// Hosts that its connector may write to, of those that it may read from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub write: Vec<String>,
}

impl PluginGrants {
    /// As the rules know them.
    pub(crate) fn grants(&self, all_asked: bool) -> Grants {
        Grants {
            fetch: self.fetch.iter().filter_map(|text| HostPattern::parse(text)).collect(),
            private_hosts: self.private_hosts.iter().filter_map(|text| Authority::parse(text)).collect(),
            all_asked,
        }
    }

    pub(super) fn check(&self, id: &str) -> Result<(), ConfigFault> {
        if let Some(bad) = self.fetch.iter().find(|text| HostPattern::parse(text).is_none()) {
            let hint = match Authority::parse(bad) {
                Some(_) => format!("; a host of your own network goes to plugins.{id}.private_hosts"),
                None => String::new(),
            };
            let problem =
                format!("expected hosts such as \"api.example.com\" or \"*.example.com\", found {bad:?}{hint}");
            return Err(ConfigFault::key(format!("plugins.{id}.fetch"), problem));
        }
        let is_host = |text: &&String| HostPattern::parse(text).is_some() || Authority::parse(text).is_some();
        if let Some(bad) = self.write.iter().find(|text| !is_host(text)) {
            let problem =
                format!("expected hosts such as \"api.example.com\" or \"shop.internal:8443\", found {bad:?}");
            return Err(ConfigFault::key(format!("plugins.{id}.write"), problem));
        }
        if let Some(bad) = self.private_hosts.iter().find(|text| Authority::parse(text).is_none()) {
            let problem = format!("expected hosts such as \"shop.internal:8443\" or \"127.0.0.1:9000\", found {bad:?}");
            return Err(ConfigFault::key(format!("plugins.{id}.private_hosts"), problem));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_name_hosts_and_say_what_they_expect() {
        let check = |fetch: &str, private: &str, expected: Option<&str>| {
            let list = |text: &str| if text.is_empty() { vec![] } else { vec![text.to_owned()] };
            let grants = PluginGrants { fetch: list(fetch), private_hosts: list(private), write: Vec::new() };
            match (grants.check("shop"), expected) {
                (Ok(()), None) => {}
                (Err(fault), Some(words)) => assert!(fault.to_string().contains(words), "{fault}"),
                (found, _) => panic!("{fetch} {private}: {found:?}"),
            }
        };
        check("api.example.com", "127.0.0.1:9000", None);
        check("*.example.com", "shop.internal", None);
        check("https://api.example.com", "", Some("plugins.shop.fetch: expected hosts"));
        check("127.0.0.1:9000", "", Some("goes to plugins.shop.private_hosts"));
        check("", "http://127.0.0.1:9000", Some("plugins.shop.private_hosts: expected hosts"));
    }
}
