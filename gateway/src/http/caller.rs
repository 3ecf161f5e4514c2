//! Who calls: the address of the connection, or what a proxy that is trusted says. Nothing is decided by it; it is shown in logs, shortened.

use axum::http::HeaderMap;
use ipnet::IpNet;
use std::{fmt, net::IpAddr};

const X_FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED: &str = "forwarded";

/// Networks of proxies whose word is taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies(Vec<IpNet>);

impl Proxies {
    /// From `10.0.0.0/8`, or a single address.
    ///
    /// # Errors
    /// The one that is no network.
    pub(crate) fn parse(networks: &[String]) -> Result<Self, String> {
        let read = |text: &String| {
            let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            network.map_err(|_| format!("{text:?} is no network such as 10.0.0.0/8 or fd00::/8"))
        };
        networks.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    fn holds(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address.to_canonical()))
    }
}

/// The address of who calls: the last one in the chain of proxies that is no trusted proxy. Two chains that differ, or one that can't be read, are not believed.
pub(super) fn caller(peer: IpAddr, headers: &HeaderMap, proxies: &Proxies) -> Caller {
    let peer = peer.to_canonical();
    if !proxies.holds(peer) {
        return Caller(peer);
    }
    let (old, new) = (chain(headers, X_FORWARDED_FOR), chain(headers, FORWARDED));
    let chain = match (old.is_empty(), new.is_empty()) {
        (true, true) => return Caller(peer),
        (false, true) => old,
        (true, false) => new,
        (false, false) if old == new => old,
        (false, false) => return Caller(peer),
    };
    let mut last = peer;
    for address in chain.into_iter().rev() {
        // A proxy may hide an address, or a caller may have written nonsense: what is known is the proxy behind it.
        let Some(address) = address else { break };
        last = address;
        if !proxies.holds(address) {
            break;
        }
    }
    Caller(last)
}

/// The addresses of a chain, the caller's first; `None` for one that can't be read.
fn chain(headers: &HeaderMap, name: &str) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?"));
    let hops = lines.flat_map(|line| line.split(','));
    if name == X_FORWARDED_FOR {
        return hops.map(|hop| address(hop.trim())).collect();
    }
    hops.map(|hop| {
        let pairs = hop.split(';').filter_map(|pair| pair.trim().split_once('='));
        let mut named = pairs.filter(|(key, _)| key.eq_ignore_ascii_case("for"));
        named.next().and_then(|(_, value)| address(value.trim_matches('"')))
    })
    .collect()
}

/// `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None if text.matches(':').count() == 1 => text.split_once(':')?.0,
        None => text,
    };
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// An address, shown as its network: an address is personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caller(IpAddr);

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                write!(f, "{a}.{b}.{c}.*")
            }
            IpAddr::V6(address) => {
                let [a, b, c, ..] = address.segments();
                write!(f, "{a:x}:{b:x}:{c:x}:*")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn check(peer: &str, headers: &[(&str, &str)], expected: &str) {
        let proxies =
            Proxies::parse(&["10.0.0.0/8".to_owned(), "fd00::/8".to_owned(), "192.0.2.1".to_owned()]).unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let found = caller(peer.parse().unwrap(), &map, &proxies);
        assert_eq!(found.0.to_string(), expected, "{peer} {headers:?}");
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        check("203.0.113.7", &[("x-forwarded-for", "198.51.100.1")], "203.0.113.7");
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &[("x-forwarded-for", "198.51.100.1")], "198.51.100.1");
        check("::ffff:10.0.0.1", &[("x-forwarded-for", "198.51.100.1")], "198.51.100.1");
        check("192.0.2.1", &[("x-forwarded-for", "198.51.100.1:4711")], "198.51.100.1");
        check("192.0.2.2", &[("x-forwarded-for", "198.51.100.1")], "192.0.2.2");
    }

    #[test]
    fn what_the_caller_wrote_before_the_proxy_s_own_word_is_not_believed() {
        check("10.0.0.1", &[("x-forwarded-for", "1.2.3.4, 198.51.100.1")], "198.51.100.1");
        check(
            "10.0.0.1",
            &[("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "198.51.100.1, 10.9.9.9")],
            "198.51.100.1",
        );
        check("10.0.0.1", &[("x-forwarded-for", "198.51.100.1, nonsense")], "10.0.0.1");
        check("10.0.0.1", &[("x-forwarded-for", "10.1.1.1, 10.2.2.2")], "10.1.1.1");
    }

    #[test]
    fn forwarded_is_read_and_two_chains_must_agree() {
        check("10.0.0.1", &[("forwarded", "for=198.51.100.1;proto=https, for=10.3.3.3")], "198.51.100.1");
        check("fd00::1", &[("forwarded", "For=\"[2001:db8::7]:4711\"")], "2001:db8::7");
        check("10.0.0.1", &[("forwarded", "for=unknown")], "10.0.0.1");
        check("10.0.0.1", &[("forwarded", "for=198.51.100.1"), ("x-forwarded-for", "198.51.100.1")], "198.51.100.1");
        check("10.0.0.1", &[("forwarded", "for=1.2.3.4"), ("x-forwarded-for", "198.51.100.1")], "10.0.0.1");
    }

    #[test]
    fn an_address_is_shown_as_its_network() {
        assert_eq!(Caller("203.0.113.7".parse().unwrap()).to_string(), "203.0.113.*");
        assert_eq!(Caller("2001:db8:1:2::7".parse().unwrap()).to_string(), "2001:db8:1:*");
        assert!(Proxies::parse(&["10.0.0.0/99".to_owned()]).is_err());
    }
}
