//! Forms: what a browser posts, and what follows the `?` of a URL.

use crate::manifest::Manifest;
use serde_json::{Map, Value};

/// Name of the header that carries what a plugin may know of the URL. No request has a header of this name: `:` is not allowed there.
const QUERY: &str = ":query";

/// What the plugin is told of the URL that was called: the parameters that its manifest names, as a header; `None` when the URL has none of them.
///
/// `query` is what follows the `?`.
pub fn query_header(manifest: &Manifest, query: &str) -> Option<(String, String)> {
    let wanted = |pair: &&str| {
        let (name, _) = pair.split_once('=').unwrap_or((pair, ""));
        manifest.items.query.iter().any(|wanted| *wanted == plain(name))
    };
    let pairs: Vec<&str> = query.split('&').filter(wanted).collect();
    (!pairs.is_empty()).then(|| (QUERY.to_owned(), pairs.join("&")))
}

/// A form as a JSON object of texts; of a name that is there twice the first counts.
pub(super) fn as_json(form: &str) -> String {
    let mut fields = Map::new();
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        fields.entry(plain(name)).or_insert_with(|| Value::String(plain(value)));
    }
    Value::Object(fields).to_string()
}

/// Text of a form, read: `+` is a space, `%` and two hexadecimal digits are a byte. What is no UTF-8 then is replaced.
fn plain(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match rest {
            [b'%', high, low, ..] => digit(*high).zip(digit(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        rest = if escaped.is_some() { &rest[3..] } else { after };
        bytes.push(escaped.unwrap_or(if byte == b'+' { b' ' } else { byte }));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_an_object_of_texts() {
        let check = |form: &str, expected: &str| assert_eq!(as_json(form), expected, "{form}");
        check("", "{}");
        check(
            "Body=a+b%26c%E2%82%AC&From=%2B1202&Body=2&Empty=&bare",
            r#"{"Body":"a b&c€","From":"+1202","Empty":"","bare":""}"#,
        );
        check("a=%zz%4&%C3=%C3", "{\"a\":\"%zz%4\",\"\u{fffd}\":\"\u{fffd}\"}");
        check("a=\"b\"", r#"{"a":"\"b\""}"#);
    }

    #[test]
    fn of_a_url_only_what_the_manifest_names_is_told() {
        let manifest = |query: &str| {
            let text =
                format!("id = \"a\"\nname = \"A\"\nversion = \"0.1.0\"\n[items]\nform = true\nquery = [{query}]\n");
            Manifest::parse("plugin.toml", &text).unwrap()
        };
        let told = |named: &str, query: &str| query_header(&manifest(named), query).map(|(_, value)| value);
        assert_eq!(told("\"mid\"", "token=secret&mid=msg_1&x").as_deref(), Some("mid=msg_1"));
        assert_eq!(told("\"mid\", \"a b\"", "a+b=1&mid&c=2").as_deref(), Some("a+b=1&mid"));
        assert_eq!(told("\"mid\"", "amid=1&"), None);
        assert_eq!(told("", "mid=1"), None);
    }
}
