//! What is wrong with a flow or template, in words for the person who wrote it.

use std::fmt;

/// One mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, as the caller named it.
    pub file: String,
    /// Line, from 1; 0 when the place is unknown.
    pub line: u64,
    /// Column, from 1; 0 when the place is unknown.
    pub column: u64,
    /// The field, such as `steps[1].wait`; empty for the file as a whole.
    pub field: String,
    /// What was expected and found, and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

/// A file that is no flow (or template): every mistake that was found, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.problems))]
pub struct ParseError {
    /// The mistakes, at least one.
    pub problems: Vec<Problem>,
}

/// One mistake in a definition that has no file: a stored one, or one made by a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field, such as `steps[1].if`.
    pub field: String,
    /// What was expected and found, and what to do.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// A definition that can't be run: every mistake that was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.faults))]
pub struct Invalid {
    /// The mistakes, at least one.
    pub faults: Vec<Fault>,
}

/// A stored definition that can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Written by a newer release: upgrade the gateway.
    #[error(
        "the stored flow has format {found}, and this release reads up to {}: it was written by a newer release",
        crate::FORMAT
    )]
    Newer {
        /// Its format.
        found: u32,
    },
    /// Not the JSON of a definition: the row is damaged.
    #[error("the stored flow can't be read: {0}")]
    Json(#[from] serde_json::Error),
    /// Readable, but it can't be run.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

fn lines(items: &[impl fmt::Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The known word nearest to a misspelt one, when one is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > 64 {
        return None;
    }
    let limit = (length / 3).max(1);
    known.into_iter().map(|k| (distance(word, k), k)).filter(|(d, _)| *d <= limit).min().map(|(_, k)| k)
}

/// ` (did you mean …?)`, or nothing.
pub(crate) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map(|k| format!(" (did you mean {k}?)")).unwrap_or_default()
}

/// Changes of one letter (or swaps of two neighbours) that lead from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered_only_when_it_is_near() {
        let check = |word: &str, expected: Option<&str>| {
            assert_eq!(nearest(word, ["template", "sender", "parameters"]), expected, "{word}");
        };
        check("tempalte", Some("template"));
        check("sendr", Some("sender"));
        check("Parameters", Some("parameters"));
        check("wait", None);
        check("", None);
    }
}
