//! JSON as Meta writes it: everything beyond ASCII as `\uXXXX` in lower case, and `/` as `\/`. Whoever writes the body anew gets other bytes, and a wrong signature.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

struct Escaped;

impl Formatter for Escaped {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let plain = |c: char| c.is_ascii() && c != '/';
        let mut rest = fragment;
        while let Some(place) = rest.find(|c| !plain(c)) {
            writer.write_all(&rest.as_bytes()[..place])?;
            let mut chars = rest[place..].chars();
            match chars.next() {
                Some('/') => writer.write_all(b"\\/")?,
                Some(c) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
                None => {}
            }
            rest = chars.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

/// Writes a value so.
pub(crate) fn to_vec(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(1024);
    value.serialize(&mut Serializer::with_formatter(&mut bytes, Escaped))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_beyond_ascii_is_escaped_and_reads_back_the_same() {
        let check = |text: &str, expected: &str| {
            let bytes = to_vec(&text).unwrap();
            assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expected);
            assert_eq!(serde_json::from_slice::<String>(&bytes).unwrap(), text);
        };
        check("äöå", r#""\u00e4\u00f6\u00e5""#);
        check("a/b 😀\n\"", r#""a\/b \ud83d\ude00\n\"""#);
        check("plain", r#""plain""#);
        check("", r#""""#);
    }
}
