//! Titles as people read them: WordPress writes dashes and quotes as HTML entities.

/// The entities that WordPress' texts have, beside numbers.
const NAMED: [(&str, char); 14] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("ndash", '–'),
    ("mdash", '—'),
    ("hellip", '…'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("times", '×'),
];
/// Longest entity, in bytes, without `&` and `;`.
const ENTITY_BYTES: usize = 8;

/// The text with its entities as characters. What is no known entity stays.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let name = rest.split(';').next().filter(|name| name.len() <= ENTITY_BYTES && name.len() < rest.len());
        match name.and_then(|name| Some((name, character(name)?))) {
            Some((name, character)) => {
                plain.push(character);
                rest = &rest[name.len() + 1..];
            }
            None => plain.push('&'),
        }
    }
    plain.push_str(rest);
    plain
}

fn character(name: &str) -> Option<char> {
    let Some(number) = name.strip_prefix('#') else {
        return NAMED.iter().find(|(known, _)| *known == name).map(|(_, character)| *character);
    };
    let number = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(number).filter(|character| !character.is_control())
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn entities_are_read_and_other_text_stays() {
        let check = |text: &str, expected: &str| assert_eq!(plain(text), expected, "{text}");
        check("Ship Your Idea &ndash; Color: Black", "Ship Your Idea – Color: Black");
        check("Tom &amp; Jerry&#8217;s 10&#x22; mug", "Tom & Jerry’s 10\" mug");
        check("&amp;lt;", "&lt;");
        for text in ["", "a & b", "&", "&;", "&#;", "&#0;", "&#x110000;", "&unknown;", "R&D;", "a&amp", "é & ü;"] {
            check(text, text);
        }
    }
}
