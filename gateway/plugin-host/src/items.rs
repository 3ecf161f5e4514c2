//! Cuts a delivery into items, as the manifest says. Pure: the gateway, the author's tests and a replay get the same items from the same bytes.

use crate::{
    manifest::{Items, Manifest, Selector},
    pointer::{self, Pointer, Token},
};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

mod envelope;
mod form;
mod headers;
mod walk;

pub use form::query_header;
pub use headers::guest_headers;
use walk::Part;

/// Most items of one delivery. Meta promises at most 1 000 updates.
pub const MAX_ITEMS: usize = 10_000;

/// One item of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitItem<'a> {
    /// Its place in the delivery, from 0.
    pub index: usize,
    /// What the provider says it is; empty when the selector finds nothing.
    pub topic: String,
    /// The provider's account it belongs to.
    pub route: Option<String>,
    /// The same for the same item: 16 bytes of SHA-256 over what the selectors find, or over the item and its envelope when they find nothing.
    pub dedupe_key: [u8; 16],
    /// The same for another item that tells the same thing: as `dedupe_key`, over what the manifest's `fold` finds; `None` when a part of it is missing.
    pub fold_key: Option<[u8; 16]>,
    /// Key of the state that the plugin keeps for it.
    pub state_key: Option<String>,
    /// Its text, as received.
    pub body: Cow<'a, str>,
    /// What surrounds it, as JSON text.
    pub envelope: Option<String>,
}

impl SplitItem<'_> {
    /// The same without its text, which may not live as long.
    fn without_text<'t>(self) -> SplitItem<'t> {
        let Self { index, topic, route, dedupe_key, fold_key, state_key, envelope, body: _ } = self;
        SplitItem { index, topic, route, dedupe_key, fold_key, state_key, envelope, body: Cow::Borrowed("") }
    }
}

/// Why a delivery can't be cut. It is parked; trying again does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// Items are text.
    #[error("the body is not UTF-8 text: byte {offset} is wrong")]
    NotUtf8 {
        /// Offset of the first wrong byte.
        offset: usize,
    },
    /// The manifest's `items.each` needs JSON.
    #[error("the body is not JSON, so its items can't be found: {reason}")]
    NotJson {
        /// What is wrong, and at which line and column.
        reason: String,
    },
    /// More than [`MAX_ITEMS`].
    #[error("the body holds {found} items, and {MAX_ITEMS} is the most")]
    TooManyItems {
        /// How many there are.
        found: usize,
    },
}

/// Cuts a delivery into items. `headers` are those of the delivery, in any case.
///
/// Where `items.each` finds nothing, the part that lacks it becomes an item of its own (with no topic), so that it is seen and not lost; an empty array holds no items.
///
/// # Errors
/// When the body is not UTF-8, or not JSON where `items.each` needs it, or holds too many items.
pub fn split<'a>(
    manifest: &Manifest,
    headers: &[(String, String)],
    body: &'a [u8],
) -> Result<Vec<SplitItem<'a>>, SplitError> {
    let text = std::str::from_utf8(body).map_err(|error| SplitError::NotUtf8 { offset: error.valid_up_to() })?;
    let items = &manifest.items;
    if items.form {
        return Ok(vec![cut_form(items, headers, text)]);
    }
    let parsed = if needs_json(items) { Some(pointer::parse(text)) } else { None };
    let root = match (parsed, &items.each) {
        (Some(Err(error)), Some(_)) => return Err(SplitError::NotJson { reason: error.to_string() }),
        (Some(parsed), _) => parsed.ok(),
        (None, _) => None,
    };
    let (Some(each), Some(root)) = (&items.each, root) else {
        let whole = Part::new(root, Vec::new());
        return Ok(vec![Cutter::new(items, headers, text, None).cut(0, Cow::Borrowed(text), &whole)]);
    };
    let parts = walk::parts(root, each);
    if parts.len() > MAX_ITEMS {
        return Err(SplitError::TooManyItems { found: parts.len() });
    }
    let mut cutter = Cutter::new(items, headers, text, Some(each));
    Ok(parts.iter().enumerate().map(|(index, part)| cutter.cut(index, part.text(), part)).collect())
}

/// The one item of a form, whose fields are found as those of a JSON object are.
fn cut_form<'a>(items: &Items, headers: &[(String, String)], text: &'a str) -> SplitItem<'a> {
    let json = form::as_json(text);
    // What `as_json` writes is JSON.
    let whole = Part::new(pointer::parse(&json).ok(), Vec::new());
    let cut = Cutter::new(items, headers, text, None).cut(0, Cow::Borrowed(text), &whole);
    SplitItem { body: Cow::Borrowed(text), ..cut.without_text() }
}

/// Whether anything in the manifest looks into the body.
fn needs_json(items: &Items) -> bool {
    let selectors = [&items.topic, &items.route].into_iter().flatten();
    let selectors = selectors.chain(&items.state).chain(&items.dedupe).chain(&items.fold);
    let looks_inside =
        |selector: &Selector| matches!(selector, Selector::Pointer(_) | Selector::FirstOf(_) | Selector::Envelope(_));
    items.each.is_some() || selectors.into_iter().any(looks_inside)
}

/// Cuts the items of one delivery, one after the other.
struct Cutter<'m, 'a> {
    items: &'m Items,
    headers: &'m [(String, String)],
    whole: &'a str,
    around: envelope::Around<'m, 'a>,
}

impl<'m, 'a> Cutter<'m, 'a> {
    fn new(items: &'m Items, headers: &'m [(String, String)], whole: &'a str, each: Option<&'m Pointer>) -> Self {
        Self { items, headers, whole, around: envelope::Around::new(each) }
    }

    fn cut(&mut self, index: usize, body: Cow<'a, str>, part: &Part<'a>) -> SplitItem<'a> {
        let items = self.items;
        let envelope = envelope::write(&items.envelope, &mut self.around, part);
        SplitItem {
            index,
            topic: self.first(items.topic.as_ref(), part).unwrap_or_default(),
            route: self.first(items.route.as_ref(), part),
            dedupe_key: self.dedupe_key(part, &body, envelope.as_deref()),
            fold_key: self.fold_key(part),
            state_key: items.state.iter().find_map(|selector| self.first(Some(selector), part)),
            body,
            envelope,
        }
    }

    fn first(&mut self, selector: Option<&'m Selector>, part: &Part<'a>) -> Option<String> {
        self.values(selector?, part).into_iter().next().map(Cow::into_owned)
    }

    /// Every value that the selector finds for an item.
    fn values(&mut self, selector: &'m Selector, part: &Part<'a>) -> Vec<Cow<'a, str>> {
        let in_item = |pointer: &Pointer| part.select(pointer.tokens());
        let found = match selector {
            Selector::Header(name) => {
                let values = self.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
                return values.map(|(_, value)| Cow::Owned(value.clone())).collect();
            }
            Selector::Pointer(pointer) => in_item(pointer),
            Selector::FirstOf(pointers) => {
                let told = |found: &Vec<&RawValue>| found.iter().any(|value| pointer::text_of(value).is_some());
                pointers.iter().map(in_item).find(told).unwrap_or_default()
            }
            Selector::Envelope(pointer) => self.around.select(pointer, part),
            // Whatever is found is hashed.
            Selector::Body(_) => return vec![Cow::Borrowed(self.whole)],
        };
        found.into_iter().filter_map(pointer::text_of).collect()
    }

    fn dedupe_key(&mut self, part: &Part<'a>, body: &str, envelope: Option<&str>) -> [u8; 16] {
        let mut hash = Sha256::new();
        let mut found = false;
        for selector in &self.items.dedupe {
            let values = self.values(selector, part);
            found |= !values.is_empty();
            hash.update((values.len() as u64).to_be_bytes());
            values.iter().for_each(|value| add(&mut hash, value));
        }
        if !found {
            hash = Sha256::new_with_prefix(b"text");
            add(&mut hash, body);
            add(&mut hash, envelope.unwrap_or_default());
        }
        short(hash)
    }

    fn fold_key(&mut self, part: &Part<'a>) -> Option<[u8; 16]> {
        let selectors = Some(&self.items.fold).filter(|selectors| !selectors.is_empty())?;
        let mut hash = Sha256::new_with_prefix(b"fold");
        for selector in selectors {
            let values = self.values(selector, part);
            values.first()?;
            hash.update((values.len() as u64).to_be_bytes());
            values.iter().for_each(|value| add(&mut hash, value));
        }
        Some(short(hash))
    }
}

fn short(hash: Sha256) -> [u8; 16] {
    let digest = hash.finalize();
    std::array::from_fn(|place| digest[place])
}

/// Adds a text with its length, so that two texts never run into each other.
fn add(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text);
}

#[cfg(test)]
mod tests;
