//! The shape of a template file.

use super::{
    flow::required_text,
    reader::{Fields, Reader},
    yaml::Node,
};
use crate::{Language, ParameterFormat, TemplateDefinition, error::hint};
use std::collections::BTreeMap;
use tidegate_model::message::Category;

const TEMPLATE_KEYS: &[&str] = &["template", "category", "parameters", "format", "default_language", "languages"];
const LANGUAGE_KEYS: &[&str] = &["code", "body"];
const CATEGORIES: &[(&str, Category)] =
    &[("marketing", Category::Marketing), ("utility", Category::Utility), ("authentication", Category::Authentication)];
const FORMATS: &[(&str, ParameterFormat)] =
    &[("positional", ParameterFormat::Positional), ("named", ParameterFormat::Named)];

pub(super) fn definition(reader: &mut Reader, root: &Node) -> Option<TemplateDefinition> {
    let fields = reader.known(root, "", "a template: a map with template, category and languages", TEMPLATE_KEYS)?;
    let template = required_text(reader, &fields, "template", "the template's name at the provider");
    let category = required_text(reader, &fields, "category", "marketing, utility or authentication")
        .and_then(|text| choice(reader, &fields, "category", &text, CATEGORIES));
    let parameters = fields.get("parameters").map(|node| names(reader, node));
    let format = fields.get("format").map(|node| {
        let text = reader.text(node, "format", "positional or named")?;
        choice(reader, &fields, "format", &text, FORMATS)
    });
    let default_language = required_text(reader, &fields, "default_language", "a key of languages");
    let languages = reader.required(&fields, "languages", "a map from languages to a code and a body");
    let languages = languages.and_then(|node| self::languages(reader, node));
    Some(TemplateDefinition {
        template: template?,
        category: category?,
        parameters: parameters.unwrap_or_else(|| Some(Vec::new()))?,
        format: format.unwrap_or_else(|| Some(ParameterFormat::default()))?,
        default_language: default_language?,
        languages: languages?,
    })
}

fn choice<T: Copy>(reader: &mut Reader, fields: &Fields<'_>, key: &str, text: &str, known: &[(&str, T)]) -> Option<T> {
    let found = known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    if let (None, Some(node)) = (found, fields.get(key)) {
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        let shown: String = text.chars().take(60).collect();
        let message =
            format!("expected one of {}, found {shown:?}{}", names.join(", "), hint(text, names.iter().copied()));
        reader.problem(node.place, key, message);
    }
    found
}

fn names(reader: &mut Reader, node: &Node) -> Option<Vec<String>> {
    let items = reader.list(node, "parameters", "a list of the body's variables, in order")?;
    let names: Vec<_> =
        items.into_iter().map(|(path, item)| reader.text(item, &path, "the name of a variable")).collect();
    names.into_iter().collect()
}

fn languages(reader: &mut Reader, node: &Node) -> Option<BTreeMap<String, Language>> {
    let fields = reader.map(node, "languages", "a map from languages to a code and a body")?;
    let languages: Vec<_> = fields
        .iter()
        .map(|(name, node)| {
            let fields = reader.known(node, &fields.path(name), "a map with code and body", LANGUAGE_KEYS)?;
            let code = required_text(reader, &fields, "code", "the provider's code of the language, such as en_US");
            let body = required_text(reader, &fields, "body", "the text of the message");
            Some((name.to_owned(), Language { code: code?, body: body? }))
        })
        .collect();
    languages.into_iter().collect()
}
