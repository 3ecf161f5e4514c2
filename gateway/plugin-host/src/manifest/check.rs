//! What a manifest says, checked: names, patterns, ranges, and that its parts fit each other.

use super::{HandshakeKind, Limits, Manifest, ManifestError, Selector, Signature, locate};
use crate::{own_kinds::OwnKinds, pointer::Pointer};
use tidegate_model::event::Kind;

mod capabilities;

/// Longest id of a plugin, in characters.
const ID_MAX: usize = 64;

/// The first mistake.
pub(super) fn check(file: &str, text: &str, manifest: &Manifest) -> Result<(), ManifestError> {
    mistake(manifest).map_or(Ok(()), |(key, reason)| {
        Err(ManifestError { file: file.to_owned(), line: locate::line_of(text, &key), key, reason, nearest: None })
    })
}

pub(super) type Mistake = (String, String);

/// The first mistake: the key and what is wrong.
pub(super) fn mistake(manifest: &Manifest) -> Option<Mistake> {
    identity(manifest)
        .or_else(|| super::build::mistake(manifest.build.as_ref()?))
        .or_else(|| topics(manifest))
        .or_else(|| signature(manifest))
        .or_else(|| unsigned(manifest))
        .or_else(|| handshake(manifest))
        .or_else(|| response(manifest))
        .or_else(|| items(manifest))
        .or_else(|| limits(&manifest.limits))
        .or_else(|| capabilities::mistake(manifest))
        .or_else(|| super::connector::mistake(manifest))
        .or_else(|| config_schema(manifest))
        .or_else(|| events(manifest))
}

pub(super) fn at(key: impl Into<String>, reason: impl Into<String>) -> Option<Mistake> {
    Some((key.into(), reason.into()))
}

/// Whether a plugin may have this id: lower-case words of letters and digits joined by `-`, at most 64 characters.
pub fn is_plugin_id(text: &str) -> bool {
    is_kebab_case(text) && text.len() <= ID_MAX
}

/// Whether the text is lower-case words of letters and digits joined by `-`.
pub(crate) fn is_kebab_case(text: &str) -> bool {
    let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.split('-').all(word)
}

fn identity(manifest: &Manifest) -> Option<Mistake> {
    let Manifest { id, name, version, .. } = manifest;
    if !is_plugin_id(id) {
        return at("id", format!("expected lower-case words joined by `-`, at most {ID_MAX} characters, found {id:?}"));
    }
    if name.trim().is_empty() {
        return at("name", "expected a name for people, found nothing");
    }
    semver::Version::parse(version)
        .err()
        .and_then(|error| at("version", format!("expected a version such as 1.2.0, found {version:?}: {error}")))
}

fn topics(manifest: &Manifest) -> Option<Mistake> {
    let topics = &manifest.topics;
    for (index, topic) in topics.iter().enumerate() {
        if topic.name.is_empty() {
            return at(format!("topics.{index}.name"), "expected the provider's name of the topic, found nothing");
        }
        if topics[..index].iter().any(|earlier| earlier.name == topic.name) {
            return at(format!("topics.{index}.name"), format!("the topic {:?} is listed twice", topic.name));
        }
    }
    let unlisted = manifest.items.priority.iter().find(|name| topics.iter().all(|topic| topic.name != **name));
    unlisted.and_then(|name| at("items.priority", format!("the topic {name:?} is not listed in `topics`")))
}

fn signature(manifest: &Manifest) -> Option<Mistake> {
    match manifest.signature.as_ref()? {
        Signature::Named { scheme } if scheme.is_empty() => {
            at("signature.scheme", "expected the name of a scheme, found nothing")
        }
        Signature::Scheme(scheme) if scheme.header.is_empty() => {
            at("signature.header", "expected the name of a header, found nothing")
        }
        Signature::Scheme(scheme) if scheme.parts.is_empty() => {
            at("signature.parts", "a signature of nothing proves nothing; name what is signed")
        }
        Signature::Token(rule) if rule.header.is_empty() => {
            at("signature.header", "expected the name of a header, found nothing")
        }
        Signature::Named { .. } | Signature::Scheme(_) | Signature::Token(_) => None,
    }
}

fn unsigned(manifest: &Manifest) -> Option<Mistake> {
    let index = manifest.unsigned.iter().position(|rule| rule.form.is_empty())?;
    at(format!("unsigned.{index}.form"), "expected at least one field, found none: every empty form would be answered")
}

fn handshake(manifest: &Manifest) -> Option<Mistake> {
    let handshake = manifest.handshake.as_ref()?;
    match handshake.kind {
        HandshakeKind::Challenge => {
            [("mode", &handshake.mode), ("token", &handshake.token), ("challenge", &handshake.challenge)]
                .into_iter()
                .find(|(_, name)| name.is_empty())
                .and_then(|(key, _)| {
                    at(format!("handshake.{key}"), "expected the name of a query parameter, found nothing")
                })
        }
    }
}

fn response(manifest: &Manifest) -> Option<Mistake> {
    let status = manifest.response.status;
    if !(200..=299).contains(&status) {
        return at("response.status", format!("expected 200 to 299 (it answers what was accepted), found {status}"));
    }
    None
}

fn items(manifest: &Manifest) -> Option<Mistake> {
    let items = &manifest.items;
    let stars = items.each.as_ref().map_or(0, Pointer::stars);
    if items.form && items.each.is_some() {
        return at("items.each", "a form is one item: take `each` or `form` out");
    }
    if items.query.iter().any(String::is_empty) {
        return at("items.query", "expected names of query parameters, found an empty one");
    }
    for (index, pointer) in items.envelope.iter().enumerate() {
        if let Some(reason) = unbound(items.each.as_ref(), pointer) {
            return at(format!("items.envelope.{index}"), reason);
        }
        if let Some(other) =
            items.envelope.iter().enumerate().find(|(place, other)| *place != index && other.contains_place(pointer))
        {
            return at(
                format!("items.envelope.{index}"),
                format!("{pointer} is inside {}: name each place once", other.1),
            );
        }
    }
    let single = [("topic", &items.topic), ("route", &items.route)];
    let single = single.into_iter().filter_map(|(key, selector)| Some((key.to_owned(), selector.as_ref()?)));
    let state_key = |index| if items.state.len() == 1 { "state".to_owned() } else { format!("state.{index}") };
    let state = items.state.iter().enumerate().map(|(index, selector)| (state_key(index), selector));
    let dedupe = items.dedupe.iter().enumerate().map(|(index, selector)| (format!("dedupe.{index}"), selector));
    let fold = items.fold.iter().enumerate().map(|(index, selector)| (format!("fold.{index}"), selector));
    for (key, selector) in single.chain(state).chain(dedupe).chain(fold) {
        let reason = match selector {
            Selector::Body(_) if !key.starts_with("dedupe.") => Some(
                "a digest tells repeats apart and nothing else: use it under `dedupe`, and `header` or `pointer` here"
                    .to_owned(),
            ),
            selector => bad_selector(items.each.as_ref(), selector),
        };
        if let Some(reason) = reason {
            return at(format!("items.{key}"), reason);
        }
    }
    let shared = |selector: &Selector| !matches!(selector, Selector::Pointer(_) | Selector::FirstOf(_));
    if stars > 0 && !items.dedupe.is_empty() && items.dedupe.iter().all(shared) {
        return at(
            "items.dedupe",
            "all items of a delivery would count as one: add a `pointer` to what tells them apart",
        );
    }
    let of_header = |selector: &Selector| matches!(selector, Selector::Header(_));
    if !items.fold.is_empty() && (items.dedupe.is_empty() || !items.dedupe.iter().all(of_header)) {
        return at(
            "items.fold",
            "`fold` counts beside ids of deliveries: name these in `dedupe`, by headers only; or put what is here into `dedupe`",
        );
    }
    if !items.fold.is_empty() && items.fold.iter().all(shared) {
        return at("items.fold", "deliveries of different things would count as one: add a `pointer` to the thing");
    }
    None
}

fn bad_selector(each: Option<&Pointer>, selector: &Selector) -> Option<String> {
    match selector {
        Selector::Header(name) if name.is_empty() => Some("expected the name of a header, found nothing".to_owned()),
        Selector::FirstOf(pointers) if pointers.is_empty() => Some("expected pointers, found none".to_owned()),
        Selector::Header(_) | Selector::Pointer(_) | Selector::FirstOf(_) | Selector::Body(_) => None,
        Selector::Envelope(pointer) => unbound(each, pointer),
    }
}

/// Why the `*` of a pointer around the item don't stand for elements of `each`.
fn unbound(each: Option<&Pointer>, pointer: &Pointer) -> Option<String> {
    if pointer.tokens().is_empty() {
        return Some("expected a pointer to a part of the body, found the whole body".to_owned());
    }
    let Some(each) = each else {
        return Some("there is nothing around the item unless `items.each` is set; use `pointer`".to_owned());
    };
    (!pointer.bound_by(each))
        .then(|| format!("each `*` of {pointer} must stand where `items.each` ({each}) has one, after the same names"))
}

fn limits(limits: &Limits) -> Option<Mistake> {
    let ranges = [
        ("body_bytes", limits.body_bytes, Limits::BODY_BYTES),
        ("memory_bytes", limits.memory_bytes, Limits::MEMORY_BYTES),
        ("deadline_ms", limits.deadline_ms, Limits::DEADLINE_MS),
        ("chunk_items", limits.chunk_items, Limits::CHUNK_ITEMS),
        ("outcome_bytes", limits.outcome_bytes, Limits::OUTCOME_BYTES),
    ];
    let (key, value, range) = ranges.into_iter().find(|(_, value, range)| !range.contains(value))?;
    at(format!("limits.{key}"), format!("expected {} to {}, found {value}", range.start(), range.end()))
}

/// Whether it is a valid JSON Schema: of a wrong one nobody would know what it checks.
fn config_schema(manifest: &Manifest) -> Option<Mistake> {
    let schema = manifest.config_schema.as_ref()?;
    let error = jsonschema::validator_for(schema).err()?;
    let place = error.instance_path().to_string();
    at(
        "config_schema",
        format!("it is no valid JSON Schema{}{place}: {error}", if place.is_empty() { "" } else { ", at " }),
    )
}

fn events(manifest: &Manifest) -> Option<Mistake> {
    for (index, own) in manifest.events.iter().enumerate() {
        let key = format!("events.{index}.kind");
        match Kind::new(own.kind.as_str()) {
            Err(error) => return at(key, error.to_string()),
            Ok(kind) if kind.is_canonical() => {
                return at(key, format!("{kind} is a kind of the canonical model already"));
            }
            Ok(_) if manifest.events[..index].iter().any(|earlier| earlier.kind == own.kind) => {
                return at(key, format!("{} is declared twice", own.kind));
            }
            Ok(_) => {}
        }
    }
    match OwnKinds::new(&manifest.events) {
        Ok(_) => None,
        Err((index, reason)) => at(format!("events.{index}.schema"), reason),
    }
}
