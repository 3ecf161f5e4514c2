//! WordPress keeps some secrets with HTML entities in them, and decodes these before it signs.

/// The characters that WordPress decodes, by name and number. The hexadecimal forms of `<` and `>` are not among them.
const NAMED: [(&str, char); 4] = [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&'), ("&quot;", '"')];
const DECIMAL: [(&str, char); 5] = [("39", '\''), ("34", '"'), ("60", '<'), ("62", '>'), ("38", '&')];
const HEXADECIMAL: [(&str, char); 3] = [("27", '\''), ("22", '"'), ("26", '&')];

/// Decodes as `wp_specialchars_decode` does with `ENT_QUOTES`: once, so that `&amp;lt;` becomes `&lt;`; numbers with leading zeros too; any other entity stays.
///
/// Source: <https://developer.wordpress.org/reference/functions/wp_specialchars_decode/>.
pub(crate) fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        let (character, length) = entity(&rest[at..]).unwrap_or(('&', 1));
        decoded.push(character);
        rest = &rest[at + length..];
    }
    decoded.push_str(rest);
    decoded
}

/// The character that an entity at the start of the text stands for, and the entity's length in bytes.
fn entity(text: &str) -> Option<(char, usize)> {
    if let Some((name, character)) = NAMED.iter().find(|(name, _)| text.starts_with(name)) {
        return Some((*character, name.len()));
    }
    let (number, _) = text.strip_prefix("&#")?.split_once(';')?;
    let (digits, known) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, &HEXADECIMAL[..]),
        None => (number, &DECIMAL[..]),
    };
    let digits = digits.trim_start_matches('0');
    let (_, character) = known.iter().find(|(known, _)| *known == digits)?;
    Some((*character, "&#".len() + number.len() + 1))
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn entities_are_decoded_as_wordpress_does() {
        let check = |text: &str, expected: &str| assert_eq!(decode(text), expected, "{text}");
        check("a&amp;b", "a&b");
        check("&lt;&gt;&quot;&#039;", "<>\"'");
        check("&#39;&#00039;&#x27;&#X0027;", "''''");
        check("&#34;&#x22;&#60;&#62;&#38;&#x26;", "\"\"<>&&");
        check("&amp;lt;", "&lt;");
        check("&#38;#39;", "&#39;");
        check("&&amp;&", "&&&");
    }

    #[test]
    fn what_wordpress_leaves_alone_stays() {
        let texts =
            ["", "plain", "a&b", "&", "&&", "&;", "&#;", "&#x;", "&apos;", "&AMP;", "&LT;", "&lt", "&#39", "&#40;"];
        for text in texts.into_iter().chain(["&#x3c;", "&#x3e;", "&nbsp;", "ü&euro;ü"]) {
            assert_eq!(decode(text), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_decoded_without_a_panic(text in "[&#x;0-9a-z ü]{0,40}") {
            proptest::prop_assert!(decode(&text).len() <= text.len());
        }
    }
}
