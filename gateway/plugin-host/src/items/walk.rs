//! The parts of a body that `items.each` points at, each with the values it was reached through.

use super::{Cow, Pointer, RawValue, Token, pointer};
use std::cell::OnceCell;

/// A part of the body that becomes an item.
#[derive(Debug)]
pub(super) struct Part<'a> {
    /// The item; `None` when the whole body is the item and nothing looks into it, or it is no JSON.
    pub(super) value: Option<&'a RawValue>,
    /// The body and every value on the way to the item, the item last.
    pub(super) path: Vec<&'a RawValue>,
    /// Its members by name, when it is an object: several selectors look into it, and each reading goes through all of its text.
    members: OnceCell<Vec<(Cow<'a, str>, &'a RawValue)>>,
}

impl<'a> Part<'a> {
    pub(super) const fn new(value: Option<&'a RawValue>, path: Vec<&'a RawValue>) -> Self {
        Self { value, path, members: OnceCell::new() }
    }

    /// All values that the steps lead to, in order.
    pub(super) fn select(&self, tokens: &[Token]) -> Vec<&'a RawValue> {
        let Some(value) = self.value else { return Vec::new() };
        match tokens.split_first() {
            Some((Token::Name(name), rest)) if value.get().starts_with('{') => {
                let members = self.members.get_or_init(|| pointer::members(value));
                // Of several members with one name the last counts.
                let found = members.iter().rev().find(|(key, _)| key == name);
                found.map(|(_, member)| pointer::select(member, rest)).unwrap_or_default()
            }
            _ => pointer::select(value, tokens),
        }
    }

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
        parts.push(Part::new(Some(value), path.clone()));
        return;
    };
    for next in found {
        path.push(next);
        descend(path, next, &rest[1..], parts);
        path.pop();
    }
}
