//! Addresses of providers' APIs, checked once at the start.

use reqwest::Url;

/// Reads the address of an API: https, or plain http to this machine.
///
/// # Errors
/// What it does or has; the address is not repeated, it may hold a password.
pub(crate) fn base(text: &str) -> Result<Url, &'static str> {
    let Ok(url) = Url::parse(text) else {
        return Err("cannot be read as an address");
    };
    match url.scheme() {
        "https" => {}
        "http" if is_this_machine(&url) => {}
        "http" => return Err("is plain http, which would show the credentials to the network"),
        _ => return Err("is neither https nor http"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has a user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a query or fragment");
    }
    Ok(url)
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
