//! Which headers a plugin may see.

use crate::manifest::{Manifest, Signature};

/// Headers that carry secrets under fixed names.
const SECRET_NAMES: &[&str] = &["authorization", "proxy-authorization", "cookie", "set-cookie"];
/// Parts of names that providers give to headers with signatures, keys and tokens.
const SECRET_PARTS: &[&str] = &["hmac", "signature", "secret", "token", "api-key", "apikey", "password"];

/// The headers of a delivery that a plugin is given: names in lower case, without signatures, credentials and cookies.
pub fn guest_headers(manifest: &Manifest, headers: &[(String, String)]) -> Vec<(String, String)> {
    let signatures: Vec<&str> = match &manifest.signature {
        Some(Signature::Scheme(scheme)) => scheme.ways().map(|way| way.header.as_str()).collect(),
        Some(Signature::Token(rule)) => vec![rule.header.as_str()],
        Some(Signature::Named { .. }) | None => Vec::new(),
    };
    headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .filter(|(name, _)| !is_secret(name) && !signatures.iter().any(|header| name.eq_ignore_ascii_case(header)))
        .map(|(name, value)| (name, value.clone()))
        .collect()
}

fn is_secret(name: &str) -> bool {
    SECRET_NAMES.contains(&name) || SECRET_PARTS.iter().any(|part| name.contains(part))
}
