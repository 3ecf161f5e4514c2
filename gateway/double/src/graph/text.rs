//! Bodies of templates: their placeholders, and the text that a person reads.

/// What stands between `{{` and `}}`, in order.
pub(crate) fn placeholders(body: &str) -> Vec<String> {
    pieces(body)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Hole(name) => Some(name.to_owned()),
            Piece::Words(_) => None,
        })
        .collect()
}

/// The body with every placeholder filled; one that has no value stays as it is.
pub(crate) fn fill<'a>(body: &str, value: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut text = String::with_capacity(body.len() + 32);
    for piece in pieces(body) {
        match piece {
            Piece::Words(words) => text.push_str(words),
            Piece::Hole(name) => match value(name) {
                Some(value) => text.push_str(value),
                None => {
                    text.push_str("{{");
                    text.push_str(name);
                    text.push_str("}}");
                }
            },
        }
    }
    text
}

enum Piece<'a> {
    Words(&'a str),
    Hole(&'a str),
}

fn pieces(body: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = body;
    while let Some((words, (hole, after))) =
        rest.split_once("{{").and_then(|(words, after)| Some((words, after.split_once("}}")?)))
    {
        pieces.push(Piece::Words(words));
        pieces.push(Piece::Hole(hole.trim()));
        rest = after;
    }
    pieces.push(Piece::Words(rest));
    pieces
}
