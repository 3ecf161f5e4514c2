//! The parts of a body that `items.each` points at, each with the values it was reached through.

use super::{Cow, Pointer, RawValue, Token, pointer};

/// A part of the body that becomes an item.
#[derive(Debug, Clone)]
pub(super) struct Part<'a> {
    /// The item; `None` when the whole body is the item and nothing looks into it, or it is no JSON.
    pub(super) value: Option<&'a RawValue>,
    /// The body and every value on the way to the item, the item last.
    pub(super) path: Vec<&'a RawValue>,
}

impl<'a> Part<'a> {
    pub(super) fn text(&self) -> Cow<'a, str> {
        Cow::Borrowed(self.value.map_or("", RawValue::get))
    }
}

/// What `each` points at, in order, and in its place every part that lacks what comes next on the way.
pub(super) fn parts<'a>(root: &'a RawValue, each: &Pointer) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    descend(&mut vec![root], root, each.tokens(), &mut parts);
    parts
}

fn descend<'a>(path: &mut Vec<&'a RawValue>, value: &'a RawValue, rest: &[Token], parts: &mut Vec<Part<'a>>) {
    let found = match rest.first() {
        None => None,
        Some(Token::Each) => pointer::elements(value),
        Some(token @ Token::Name(_)) => Some(pointer::step(value, token)).filter(|found| !found.is_empty()),
    };
    let Some(found) = found else {
        parts.push(Part { value: Some(value), path: path.clone() });
        return;
    };
    for next in found {
        path.push(next);
        descend(path, next, &rest[1..], parts);
        path.pop();
    }
}
