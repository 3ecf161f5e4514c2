//! The fenced blocks of a Markdown text.

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block<'a> {
    /// The words after the fence: language, then attributes.
    pub(crate) info: Vec<&'a str>,
    /// The line of the opening fence, counted from 1.
    pub(crate) line: usize,
    /// What is inside, without the fences.
    pub(crate) lines: Vec<&'a str>,
}

/// All fenced blocks, in order. A block that is not closed ends with the text, as Markdown has it.
pub(crate) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().zip(1..);
    while let Some((opening, line)) = lines.next() {
        let trimmed = opening.trim_start();
        let ticks = trimmed.len() - trimmed.trim_start_matches('`').len();
        if ticks < 3 {
            continue;
        }
        let (fence, info) = trimmed.split_at(ticks);
        let inside = lines.by_ref().map(|(inner, _)| inner);
        blocks.push(Block {
            info: info.split_whitespace().collect(),
            line,
            lines: inside.take_while(|inner| inner.trim() != fence).collect(),
        });
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::{Block, blocks};

    #[test]
    fn fenced_blocks_are_found_with_their_words_and_lines() {
        let text = "# Title\n\n```sh ci=skip\na\n\nb\n```\nprose ``` with ticks\n````\n```\n````\n  ```edges\nlast";
        let block = |info: &[&'static str], line, lines: &[&'static str]| Block {
            info: info.to_vec(),
            line,
            lines: lines.to_vec(),
        };
        let expected =
            [block(&["sh", "ci=skip"], 3, &["a", "", "b"]), block(&[], 9, &["```"]), block(&["edges"], 12, &["last"])];
        assert_eq!(blocks(text), expected);
        assert_eq!(blocks("no block"), []);
    }
}
