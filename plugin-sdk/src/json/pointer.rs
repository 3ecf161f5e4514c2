//! The JSON pointer of a place in a text. Only for errors, so that reading itself keeps no path.

/// What an error at the end of an object or array is about.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum About {
    /// The object itself: it misses a field.
    Whole,
    /// The value it ends with.
    LastPart,
}

struct Frame<'a> {
    /// Key (as written), or `None` in an array or before the first key.
    key: Option<&'a str>,
    /// Position in an array.
    index: Option<usize>,
    is_object: bool,
}

/// The pointer of the value at a line and column (both from 1, in bytes).
pub(super) fn at(text: &str, line: usize, column: usize, about: About) -> String {
    let line_start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    walk(text, (line_start + column).saturating_sub(1), about)
}

fn walk(text: &str, last: usize, about: About) -> String {
    let bytes = text.as_bytes();
    let (mut frames, mut at, mut wants_key): (Vec<Frame<'_>>, usize, bool) = (Vec::new(), 0, false);
    while at <= last && at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' => {
                enter_value(&mut frames);
                wants_key = bytes[at] == b'{';
                frames.push(Frame { key: None, index: None, is_object: wants_key });
            }
            b'}' | b']' if at == last && about == About::LastPart => break,
            b'}' | b']' => drop(frames.pop()),
            b',' => wants_key = frames.last().is_some_and(|frame| frame.is_object),
            b'"' => {
                let end = string_end(bytes, at);
                match frames.last_mut().filter(|_| wants_key) {
                    Some(frame) => frame.key = text.get(at + 1..end),
                    None => enter_value(&mut frames),
                }
                (at, wants_key) = (end, false);
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                enter_value(&mut frames);
                at += bytes[at..]
                    .iter()
                    .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.'))
                    .count()
                    - 1;
            }
            _ => {}
        }
        at += 1;
    }
    render(&frames)
}

/// A value begins: in an array it is the next one.
fn enter_value(frames: &mut [Frame<'_>]) {
    if let Some(frame) = frames.last_mut().filter(|frame| !frame.is_object) {
        frame.index = Some(frame.index.map_or(0, |index| index + 1));
    }
}

/// Where the string that begins at `start` has its closing quote.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

fn render(frames: &[Frame<'_>]) -> String {
    let mut pointer = String::new();
    for frame in frames {
        match (frame.key, frame.index) {
            (Some(key), _) => pointer += &format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            (None, Some(index)) => pointer += &format!("/{index}"),
            (None, None) => {}
        }
    }
    pointer
}
