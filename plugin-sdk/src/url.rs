//! Where a provider is asked, and with what.

/// The root of a host: by http on this machine, where nobody has a certificate, and by https elsewhere. The gateway decides whether it is asked at all.
///
/// ```
/// use tidegate_plugin_sdk::url;
/// assert_eq!(url::root("api.example.com"), "https://api.example.com");
/// assert_eq!(url::root("localhost:9000"), "http://localhost:9000");
/// assert_eq!(url::root("localhost.example.com"), "https://localhost.example.com");
/// ```
pub fn root(host: &str) -> String {
    let name = host.split(':').next().unwrap_or_default();
    let scheme = if matches!(name, "127.0.0.1" | "localhost") { "http" } else { "https" };
    [scheme, "://", host].concat()
}

/// A text as a part of a query or a path: all but letters, digits, `-`, `_`, `.` and `~` is percent-encoded.
///
/// ```
/// use tidegate_plugin_sdk::url;
/// assert_eq!(url::escaped("a b/ü"), "a%20b%2F%C3%BC");
/// ```
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
