//! Looks at a condition before the parser does: the parser recurses on brackets, and takes up to 200 KiB of stack for each.
//! So the lexing here must agree with the parser's: the few forms of text that would make it hard are refused.

/// Deepest nesting of brackets.
const MAX_NESTING: usize = 6;

/// # Errors
/// What is refused, in words for its author.
pub(super) fn check(source: &str) -> Result<(), String> {
    let mut rest = source;
    let mut depth = 0usize;
    while let Some(c) = rest.chars().next() {
        let len = match c {
            '\'' | '"' => quoted(rest, c, false)?,
            '`' => return Err("names in backticks are not used; write event.order['the name']".to_owned()),
            '/' if rest.starts_with("//") => return Err("comments belong beside the condition, after a #".to_owned()),
            c if is_word(c) => word(rest)?,
            c => c.len_utf8(),
        };
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            return Err(format!(
                "brackets are nested at most {MAX_NESTING} deep; split the condition into several steps"
            ));
        }
        rest = &rest[len..];
    }
    Ok(())
}

/// Bytes of a word, with the text in quotes that may follow an `r`.
fn word(rest: &str) -> Result<usize, String> {
    let len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    match (&rest[..len], rest[len..].chars().next()) {
        ("r" | "R", Some(quote @ ('\'' | '"'))) => Ok(len + quoted(&rest[len..], quote, true)?),
        (name, Some('\'' | '"')) => Err(format!("{name} stands before a quote; only r may, as in r'[0-9]+'")),
        _ => Ok(len),
    }
}

/// Bytes of a text in quotes, with its quotes.
fn quoted(rest: &str, quote: char, raw: bool) -> Result<usize, String> {
    if rest.starts_with("'''") || rest.starts_with("\"\"\"") {
        return Err("texts in three quotes are not used; write one quote".to_owned());
    }
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Ok(at + 1),
            '\n' | '\r' => break,
            '\\' if !raw => match chars.next() {
                Some((_, '\\' | '\'' | '"' | 'n' | 't')) => {}
                _ => return Err(r#"after a \ in quotes comes \, ', ", n or t; for a pattern write r'\d+'"#.to_owned()),
            },
            _ => {}
        }
    }
    Err("a text in quotes is not closed on its line".to_owned())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
