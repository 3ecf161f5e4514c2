//! Message templates: what a provider approved, and how it reads with its variables filled in. Meta's rules on names, lengths and variables are kept here.

use crate::{Fault, Invalid};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap};
use tidegate_model::message::{Category, Content, Parameter};

mod rules;

/// Which way a provider names the variables of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterFormat {
    /// `{{1}}`, `{{2}}`: by their order in `parameters`.
    #[default]
    Positional,
    /// `{{first_name}}`.
    Named,
}

/// A template as its file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateDefinition {
    /// Name, ours and the provider's.
    pub template: String,
    /// Category it was approved in.
    pub category: Category,
    /// Names of the body's variables, in the provider's order.
    pub parameters: Vec<String>,
    /// How the provider names them.
    #[serde(default)]
    pub format: ParameterFormat,
    /// Key in `languages` for contacts whose language is not there.
    pub default_language: String,
    /// Its languages by our name for them (`en`, `pt-br`).
    pub languages: BTreeMap<String, Language>,
}

/// A template in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Language {
    /// The provider's code, exact: `en` and `en_US` are two languages at Meta.
    pub code: String,
    /// The body, with `{{name}}` for each parameter.
    pub body: String,
}

/// A template that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    definition: TemplateDefinition,
    /// The parts of each body.
    bodies: BTreeMap<String, Vec<Part>>,
}

/// A part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// Position in `parameters`.
    Variable(usize),
}

impl Template {
    /// Checks a template.
    ///
    /// # Errors
    /// Everything that breaks a rule, ours or Meta's.
    pub fn new(definition: TemplateDefinition) -> Result<Self, Invalid> {
        let mut faults = Vec::new();
        rules::check_names(&definition, &mut faults);
        let mut bodies = BTreeMap::new();
        for (key, language) in &definition.languages {
            let parts = rules::body(&definition, language, &format!("languages.{key}"), &mut faults);
            bodies.insert(key.clone(), parts);
        }
        if faults.is_empty() { Ok(Self { definition, bodies }) } else { Err(Invalid { faults }) }
    }

    /// What its file says.
    pub fn definition(&self) -> &TemplateDefinition {
        &self.definition
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.definition.template
    }

    /// Its category.
    pub fn category(&self) -> Category {
        self.definition.category
    }

    /// The key of the language for a contact: the contact's own (`pt-BR`), else its first part (`pt`), else the default.
    pub fn language_for(&self, contact: Option<&str>) -> &str {
        let wanted = contact.map(|text| text.trim().to_ascii_lowercase().replace('_', "-"));
        let find = |wanted: &str| {
            let normal = |key: &str| key.to_ascii_lowercase().replace('_', "-");
            self.definition.languages.keys().find(|key| normal(key) == wanted)
        };
        let found = wanted
            .as_deref()
            .and_then(|wanted| find(wanted).or_else(|| find(wanted.split('-').next().unwrap_or(wanted))));
        found.unwrap_or(&self.definition.default_language)
    }

    /// The message with its values, in one of its languages. `None` when there is no such language, or values are missing.
    pub(crate) fn content(&self, language: &str, values: Vec<String>) -> Option<Content> {
        let parts = self.bodies.get(language)?;
        let code = self.definition.languages.get(language)?.code.clone();
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Variable(at) => text.push_str(values.get(*at)?),
            }
        }
        let named = self.definition.format == ParameterFormat::Named;
        let names = self.definition.parameters.iter();
        let parameters =
            names.zip(values).map(|(name, value)| Parameter { name: named.then(|| name.clone()), value }).collect();
        Some(Content::Template { name: self.definition.template.clone(), language: code, parameters, text })
    }
}

/// A value as Meta takes it: on one line, without tabs, with at most four spaces in a row (else the message is refused).
pub(crate) fn on_one_line(value: &str) -> Cow<'_, str> {
    let value = value.trim();
    let fine = !value.contains(|c: char| c.is_whitespace() && c != ' ') && !value.contains("     ");
    if fine { Cow::Borrowed(value) } else { Cow::Owned(value.split_whitespace().collect::<Vec<_>>().join(" ")) }
}

/// The templates of a workspace, by name.
#[derive(Debug, Clone, Default)]
pub struct TemplateSet(BTreeMap<String, Template>);

impl TemplateSet {
    /// A set of templates.
    ///
    /// # Errors
    /// When two have the same name.
    pub fn new(templates: impl IntoIterator<Item = Template>) -> Result<Self, Invalid> {
        let mut set = BTreeMap::new();
        for template in templates {
            let name = template.name().to_owned();
            if set.insert(name.clone(), template).is_some() {
                let message = format!("two templates are named {name}; rename one");
                return Err(Invalid { faults: vec![Fault { field: "template".to_owned(), message }] });
            }
        }
        Ok(Self(set))
    }

    /// The template of a name.
    pub fn get(&self, name: &str) -> Option<&Template> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Template> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests;
