//! Values around an item: found from the item's own ancestors, and written as one JSON object.

use super::{Part, Pointer, RawValue, Token, pointer};

/// Finds values around items. The items of a delivery come in order and share their surroundings, so each answer is kept until the surroundings change.
pub(super) struct Around<'m, 'a> {
    each: Option<&'m Pointer>,
    kept: Vec<Kept<'m, 'a>>,
}

struct Kept<'m, 'a> {
    pointer: &'m Pointer,
    ancestor: &'a RawValue,
    found: Vec<&'a RawValue>,
}

impl<'m, 'a> Around<'m, 'a> {
    pub(super) fn new(each: Option<&'m Pointer>) -> Self {
        Self { each, kept: Vec::new() }
    }

    /// What the pointer finds for this item: its `*` stand for the elements that the item is in.
    pub(super) fn select(&mut self, pointer: &'m Pointer, part: &Part<'a>) -> Vec<&'a RawValue> {
        let shared = self.each.map_or(0, |each| pointer.shared_with(each));
        // The part may end before the pointer does, when the body lacks what `each` names.
        let depth = shared.min(part.path.len().saturating_sub(1));
        let (Some(&ancestor), rest) = (part.path.get(depth), &pointer.tokens()[depth..]) else { return Vec::new() };
        if depth < shared && rest.contains(&Token::Each) {
            return Vec::new();
        }
        let same = |kept: &&mut Kept<'m, 'a>| std::ptr::eq(kept.pointer, pointer);
        match self.kept.iter_mut().find(same) {
            Some(kept) if std::ptr::eq(kept.ancestor, ancestor) => kept.found.clone(),
            Some(kept) => {
                kept.ancestor = ancestor;
                kept.found = pointer::select(ancestor, rest);
                kept.found.clone()
            }
            None => {
                let found = pointer::select(ancestor, rest);
                self.kept.push(Kept { pointer, ancestor, found: found.clone() });
                found
            }
        }
    }
}

/// The values around an item as one JSON object, nested as in the body without its arrays; `None` when the manifest asks for none.
pub(super) fn write<'m, 'a>(pointers: &'m [Pointer], around: &mut Around<'m, 'a>, part: &Part<'a>) -> Option<String> {
    if pointers.is_empty() {
        return None;
    }
    let mut members = Vec::with_capacity(pointers.len());
    for pointer in pointers {
        if let Some(&value) = around.select(pointer, part).first() {
            members.push(Member { names: names(pointer), value });
        }
    }
    let mut text = String::new();
    object(&members, 0, &mut text);
    Some(text)
}

struct Member<'p, 'a> {
    names: Vec<&'p str>,
    value: &'a RawValue,
}

fn names(pointer: &Pointer) -> Vec<&str> {
    pointer
        .tokens()
        .iter()
        .filter_map(|token| match token {
            Token::Each => None,
            Token::Name(name) => Some(name.as_str()),
        })
        .collect()
}

/// Writes the members that share their first `depth` names as an object.
fn object(members: &[Member<'_, '_>], depth: usize, text: &mut String) {
    text.push('{');
    let mut written: Vec<&str> = Vec::new();
    for member in members {
        let Some(&name) = member.names.get(depth) else { continue };
        if written.contains(&name) {
            continue;
        }
        if !written.is_empty() {
            text.push(',');
        }
        written.push(name);
        text.push_str(&serde_json::Value::from(name).to_string());
        text.push(':');
        if member.names.len() == depth + 1 {
            text.push_str(member.value.get());
        } else {
            object(&below(members, &member.names[..=depth]), depth + 1, text);
        }
    }
    text.push('}');
}

fn below<'p, 'a>(members: &[Member<'p, 'a>], names: &[&str]) -> Vec<Member<'p, 'a>> {
    let inside = members.iter().filter(|member| member.names.starts_with(names));
    inside.map(|member| Member { names: member.names.clone(), value: member.value }).collect()
}
