//! The words of an expression.

/// A word, with where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name(String),
    Int(u64),
    Double(f64),
    Text(String),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// Longer ones first.
const SIGNS: [&str; 25] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",", "(", ")", "[", "]",
    "{", "}", "=",
];

/// The words, each with the column (from 1) where it begins.
pub(super) fn words(source: &str) -> Result<Vec<(Token, usize)>, String> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(c) = source[at..].chars().next() {
        let rest = &source[at..];
        let column = source[..at].chars().count() + 1;
        let raw = rest.starts_with("r'") || rest.starts_with("r\"");
        let (token, len) = match c {
            c if c.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            'r' if raw => quoted(rest, 1, column)?,
            '\'' | '"' => quoted(rest, 0, column)?,
            '0'..='9' => number(rest, column)?,
            c if c.is_ascii_alphabetic() || c == '_' => {
                let len = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                (Token::Name(rest[..len].to_owned()), len)
            }
            _ => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => (Token::Sign(sign), sign.len()),
                None => return Err(format!("{c:?} (column {column}) means nothing here")),
            },
        };
        found.push((token, column));
        at += len;
    }
    Ok(found)
}

fn number(rest: &str, column: usize) -> Result<(Token, usize), String> {
    let digits = |from: usize| rest[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut len = digits(0);
    let mut is_double = false;
    if rest[len..].starts_with('.') && digits(len + 1) > 0 {
        is_double = true;
        len += 1 + digits(len + 1);
    }
    if rest[len..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[len + 1..].starts_with(['+', '-']));
        let exponent = digits(len + 1 + sign);
        if exponent > 0 {
            is_double = true;
            len += 1 + sign + exponent;
        }
    }
    if rest[len..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
        return Err(format!("expected a number such as 10 or 2.5 (column {column})"));
    }
    let text = &rest[..len];
    let token = if is_double { text.parse().ok().map(Token::Double) } else { text.parse().ok().map(Token::Int) };
    token.map(|token| (token, len)).ok_or_else(|| format!("the number {text} is too large (column {column})"))
}

/// A text in quotes after `prefix` bytes; with a prefix, without escapes.
fn quoted(rest: &str, prefix: usize, column: usize) -> Result<(Token, usize), String> {
    let mut chars = rest[prefix..].char_indices();
    let quote = chars.next().map_or('"', |(_, quote)| quote);
    let mut text = String::new();
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Ok((Token::Text(text), prefix + at + c.len_utf8())),
            '\\' if prefix == 0 => match chars.next() {
                Some((_, c @ ('\\' | '\'' | '"'))) => text.push(c),
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                _ => return Err(format!(r#"after a \ in quotes comes \, ', ", n or t (column {column})"#)),
            },
            c => text.push(c),
        }
    }
    Err(format!("a text in quotes is not closed (column {column})"))
}
