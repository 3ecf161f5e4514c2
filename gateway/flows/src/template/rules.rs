//! What a template must be: our rules, and Meta's (message templates, "components" page and the errors 2388293 and 2388299). A
//! template that breaks them would be refused by Meta, or each of its messages would.

use super::{Language, ParameterFormat, Part, TemplateDefinition};
use crate::{Fault, error::hint};
use std::collections::BTreeSet;
use tidegate_model::message::Category;

/// Longest name (Meta).
const MAX_NAME: usize = 512;
/// Longest body, in characters, with its variables as `{{1}}` (Meta).
const MAX_BODY: usize = 1_024;

fn fault(faults: &mut Vec<Fault>, field: impl Into<String>, message: impl Into<String>) {
    faults.push(Fault { field: field.into(), message: message.into() });
}

pub(super) fn check_names(it: &TemplateDefinition, faults: &mut Vec<Fault>) {
    let letters = |text: &str, digits: bool| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || (digits && b.is_ascii_digit()))
    };
    if !letters(&it.template, true) || it.template.len() > MAX_NAME {
        let message = format!(
            "Meta allows a-z, 0-9 and _ in a template's name, at most {MAX_NAME}; found {:?}",
            shown(&it.template)
        );
        fault(faults, "template", message);
    }
    if it.category == Category::Service {
        fault(faults, "category", "a template is marketing, utility or authentication; service messages have none");
    }
    let named = it.format == ParameterFormat::Named;
    for (at, name) in it.parameters.iter().enumerate() {
        if !letters(name, !named) {
            let allowed = if named {
                "a-z and _ in the name of a variable (format: named)"
            } else {
                "a-z, 0-9 and _ in the name of a variable"
            };
            let who = if named { "Meta allows" } else { "expected" };
            fault(faults, format!("parameters[{at}]"), format!("{who} {allowed}, found {:?}", shown(name)));
        }
        if it.parameters[..at].contains(name) {
            fault(faults, format!("parameters[{at}]"), format!("{name} is there twice"));
        }
    }
    if !it.languages.contains_key(&it.default_language) {
        let known: Vec<_> = it.languages.keys().map(String::as_str).collect();
        let message =
            format!("expected one of the languages ({}), found {:?}", known.join(", "), shown(&it.default_language));
        fault(faults, "default_language", message);
    }
}

/// The parts of a body.
pub(super) fn body(it: &TemplateDefinition, language: &Language, field: &str, faults: &mut Vec<Fault>) -> Vec<Part> {
    if !is_code(&language.code) {
        let message = format!(
            "expected Meta's code of a language, such as it, en_US or pt_BR (with _), found {:?}",
            shown(&language.code)
        );
        fault(faults, format!("{field}.code"), message);
    }
    let field = format!("{field}.body");
    let parts = match split(&it.parameters, &language.body) {
        Ok(parts) => parts,
        Err(message) => {
            fault(faults, field, message);
            return Vec::new();
        }
    };
    for message in check_body(it, &parts) {
        fault(faults, field.clone(), message);
    }
    parts
}

fn check_body(it: &TemplateDefinition, parts: &[Part]) -> Vec<String> {
    let mut wrong = Vec::new();
    let is_variable = |part: Option<&Part>| matches!(part, Some(Part::Variable(_)));
    let outer =
        |part: Option<&Part>| is_variable(part) || matches!(part, Some(Part::Text(text)) if text.trim().is_empty());
    if parts.is_empty() {
        wrong.push("a body needs a text".to_owned());
    } else if outer(parts.first()) || outer(parts.last()) {
        wrong.push(
            "Meta refuses a body that begins or ends with a variable (error 2388299); put words before and after"
                .to_owned(),
        );
    }
    if parts.windows(2).any(|pair| is_variable(pair.first()) && is_variable(pair.get(1))) {
        wrong.push("two variables touch each other; put a word between them".to_owned());
    }
    let used: BTreeSet<usize> =
        parts.iter().filter_map(|part| if let Part::Variable(at) = part { Some(*at) } else { None }).collect();
    let unused: Vec<_> =
        it.parameters.iter().enumerate().filter(|(at, _)| !used.contains(at)).map(|(_, name)| name.as_str()).collect();
    if !unused.is_empty() {
        let message = format!(
            "the body does not use {}; Meta refuses a message with more values than variables (error 132000)",
            unused.join(", ")
        );
        wrong.push(message);
    }
    let length = parts.iter().map(|part| length(it, part)).sum::<usize>();
    if length > MAX_BODY {
        wrong.push(format!("Meta allows a body of {MAX_BODY} characters, this one has {length}"));
    }
    wrong
}

/// Characters of a part, as it is written at Meta.
fn length(it: &TemplateDefinition, part: &Part) -> usize {
    match part {
        Part::Text(text) => text.chars().count(),
        Part::Variable(at) => match it.format {
            ParameterFormat::Positional => 4 + (at + 1).to_string().len(),
            ParameterFormat::Named => 4 + it.parameters[*at].len(),
        },
    }
}

fn split(names: &[String], body: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = body.trim_end();
    while let Some(start) = rest.find("{{") {
        let (text, tail) = rest.split_at(start);
        let end = tail.find("}}").ok_or("{{ is not closed by }}")?;
        let name = tail[2..end].trim();
        let at = names.iter().position(|known| known == name).ok_or_else(|| {
            let hint = hint(name, names.iter().map(String::as_str));
            format!(
                "there is no parameter {:?}{hint}; a body takes names from `parameters`, as in {{{{first_name}}}}",
                shown(name)
            )
        })?;
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
        parts.push(Part::Variable(at));
        rest = &tail[end + 2..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
}

/// `en`, `fil`, `en_US`, `zh_CN`.
fn is_code(code: &str) -> bool {
    let (language, region) = code.split_once('_').map_or((code, None), |(language, region)| (language, Some(region)));
    let lower = (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_lowercase());
    lower
        && region.is_none_or(|region| (2..=3).contains(&region.len()) && region.bytes().all(|b| b.is_ascii_uppercase()))
}

fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}
