//! Looks through a text's tags for what the engine would only notice while rendering: unknown filters, tests and statements.

use super::filters::{FILTERS, TESTS};
use crate::error::hint;

/// Statements a text may use. Not `set` or `with`: what a text reads must be seen from its source.
const STATEMENTS: &[&str] = &["if", "elif", "else", "endif", "for", "endfor"];

/// Most words and signs in one tag.
const MAX_TOKENS: usize = 100;
/// Deepest nesting of brackets, and of statements: the parser recurses on both.
const MAX_NESTING: usize = 6;

/// # Errors
/// The first thing that is refused.
pub(super) fn lint(source: &str) -> Result<(), String> {
    let mut rest = source;
    let mut open = 0usize;
    while let Some(start) = ["{{", "{%", "{#"].iter().filter_map(|tag| rest.find(tag)).min() {
        let (tag, inner) = rest[start..].split_at(2);
        if tag == "{#" {
            let end = inner.find("#}").ok_or("a comment is not closed by #}")?;
            rest = &inner[end + 2..];
            continue;
        }
        let tokens = tokens(inner, if tag == "{%" { "%}" } else { "}}" });
        if tag == "{%" {
            let word = tokens.list.iter().find(|word| !matches!(**word, "-" | "+")).copied();
            known("statement", word, STATEMENTS)?;
            match word {
                Some("if" | "for") => open += 1,
                Some("endif" | "endfor") => open = open.saturating_sub(1),
                _ => {}
            }
        }
        sizes(&tokens, open)?;
        names(&tokens.list)?;
        rest = &inner[tokens.len..];
    }
    Ok(())
}

fn sizes(tokens: &Tokens<'_>, open: usize) -> Result<(), String> {
    let (mut depth, mut deepest) = (0usize, open);
    for word in &tokens.list {
        match *word {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    if deepest > MAX_NESTING {
        return Err(format!("brackets and statements are nested at most {MAX_NESTING} deep in a text"));
    }
    if tokens.count > MAX_TOKENS {
        return Err(format!("one {{{{ … }}}} has at most {MAX_TOKENS} words and signs, this one has {}", tokens.count));
    }
    Ok(())
}

fn names(words: &[&str]) -> Result<(), String> {
    for (at, word) in words.iter().enumerate() {
        let next = |n: usize| words.get(at + n).copied();
        match *word {
            "|" => known("filter", next(1), FILTERS)?,
            "is" if next(1) == Some("not") => known("test", next(2), TESTS)?,
            "is" => known("test", next(1), TESTS)?,
            _ => {}
        }
    }
    Ok(())
}

fn known(what: &str, name: Option<&str>, list: &[&str]) -> Result<(), String> {
    match name {
        Some(name) if list.contains(&name) => Ok(()),
        // A tag that ends here is a mistake that the engine explains.
        None => Ok(()),
        Some(name) => Err(format!(
            "there is no {what} {name:?}{}; a text can use {}",
            hint(name, list.iter().copied()),
            list.join(", ")
        )),
    }
}

/// The words of a tag, and where it ends.
struct Tokens<'a> {
    list: Vec<&'a str>,
    /// All of them, also those that can't be names.
    count: usize,
    len: usize,
}

fn tokens<'a>(inner: &'a str, end: &str) -> Tokens<'a> {
    let mut list = Vec::new();
    let mut count = 0;
    let mut at = 0;
    while at < inner.len() && !inner[at..].starts_with(end) {
        let rest = &inner[at..];
        let first = rest.chars().next().unwrap_or(' ');
        let len = match first {
            '\'' | '"' => quoted(rest, first),
            c if is_word(c) => rest.find(|c: char| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        count += usize::from(!first.is_whitespace());
        // A name after a dot is a field, whatever it is called; texts in quotes are no names.
        if !first.is_whitespace() && first != '\'' && first != '"' {
            match list.last() {
                Some(&".") if is_word(first) => drop(list.pop()),
                _ => list.push(&rest[..len]),
            }
        }
        at += len;
    }
    Tokens { list, count, len: at }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Bytes of a text in quotes, with its quotes.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}
