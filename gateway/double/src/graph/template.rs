//! Template messages: the template must exist in the language, and the parameters of its body must be its own. Headers and buttons are checked for their shape
//! only: a double's templates are made of a body.

use serde_json::Value;

use super::{
    error::GraphError,
    shape::{Object, Result},
    text::fill,
};
use crate::{
    config::{Parameters, Template},
    record::SentParameter,
};

/// Longest body after its placeholders are filled (Meta, "Template components").
const MAX_BODY_CHARS: usize = 1024;
/// Longest text of one parameter (Meta's OpenAPI document).
const MAX_PARAMETER_CHARS: usize = 32_768;
/// Longest name.
const MAX_NAME_CHARS: usize = 512;
/// Most components of a message, and parameters of a component: more than any template has.
const MAX_PARTS: usize = 64;

/// A template message that is good.
#[derive(Debug)]
pub(crate) struct Filled<'a> {
    pub(crate) template: &'a Template,
    pub(crate) parameters: Vec<SentParameter>,
    pub(crate) text: String,
}

/// Reads the `template` of a message.
pub(crate) fn read<'a>(value: &Value, templates: &'a [Template]) -> Result<Filled<'a>> {
    let object = Object::strict(value, "template", &["name", "language", "components", "namespace"])?;
    let template = find(&object, templates)?;
    let mut parameters = Vec::new();
    if object.get("components").is_some() {
        for component in object.list("components", 0, MAX_PARTS)? {
            if let Some(body) = component_of(component)? {
                parameters = body;
            }
        }
    }
    check_parameters(template, &parameters)?;
    let text = fill(&template.body, |name| value_of(template, &parameters, name));
    if text.chars().count() > MAX_BODY_CHARS {
        return Err(GraphError::of(132005));
    }
    Ok(Filled { template, parameters, text })
}

fn find<'a>(object: &Object<'_>, templates: &'a [Template]) -> Result<&'a Template> {
    let name = object.text("name", MAX_NAME_CHARS)?;
    let language = Object::strict(object.need("language")?, "template['language']", &["code", "policy"])?;
    let code = language.text("code", 32)?;
    templates
        .iter()
        .find(|template| template.name == name && template.language == code)
        .ok_or_else(|| GraphError::with(132001, format!("template name ({name}) does not exist in {code}")))
}

/// Checks a component; gives the parameters when it is the body.
fn component_of(value: &Value) -> Result<Option<Vec<SentParameter>>> {
    let name = "template['components']";
    let keys = ["type", "sub_type", "index", "parameters", "cards"];
    let object = Object::strict(value, name, &keys)?;
    let kind = object.text("type", 32)?.to_ascii_lowercase();
    match kind.as_str() {
        "body" => {
            let list = object.list("parameters", 0, MAX_PARTS)?;
            list.iter().map(body_parameter).collect::<Result<Vec<_>>>().map(Some)
        }
        "header" | "limited_time_offer" => {
            typed_parameters(&object)?;
            Ok(None)
        }
        "button" => {
            object.text("sub_type", 32)?;
            check_index(&object)?;
            typed_parameters(&object)?;
            Ok(None)
        }
        "carousel" => {
            object.list("cards", 1, 10)?;
            Ok(None)
        }
        other => Err(GraphError::parameter(format!(
            "Param {name}['type'] must be one of {{HEADER, BODY, BUTTON, CAROUSEL, LIMITED_TIME_OFFER}} - got \"{other}\"."
        ))),
    }
}

/// A button's place: Meta's own examples write it as a string and as a number.
fn check_index(object: &Object<'_>) -> Result<()> {
    let index = match object.need("index")? {
        Value::String(text) => text.parse::<u64>().ok(),
        other => other.as_u64(),
    };
    match index {
        Some(0..=9) => Ok(()),
        _ => Err(GraphError::with(131009, "Button index invalid")),
    }
}

/// Each parameter has a type, and under it a value.
fn typed_parameters(object: &Object<'_>) -> Result<()> {
    for parameter in object.list("parameters", 1, MAX_PARTS)? {
        let parameter = Object::open(parameter, "parameter")?;
        let kind = parameter.text("type", 32)?;
        parameter.need(kind)?;
    }
    Ok(())
}

fn body_parameter(value: &Value) -> Result<SentParameter> {
    let keys = ["type", "parameter_name", "text", "currency", "date_time"];
    let object = Object::strict(value, "parameter", &keys)?;
    let name = object.optional_text("parameter_name", 64)?;
    let value = match object.text("type", 32)? {
        "text" => object.text("text", MAX_PARAMETER_CHARS)?,
        kind @ ("currency" | "date_time") => {
            let inner = Object::open(object.need(kind)?, kind)?;
            inner.text("fallback_value", MAX_PARAMETER_CHARS)?
        }
        kind => {
            return Err(GraphError::with(
                132012,
                format!("body: Parameter of type {kind} is not a parameter of a body"),
            ));
        }
    };
    check_value(value)?;
    Ok(SentParameter { name: name.map(str::to_owned), value: value.to_owned() })
}

/// Meta refuses line breaks, tabs and runs of spaces in values (seen in many public reports, and on no page that was found).
fn check_value(value: &str) -> Result<()> {
    if value.contains(['\n', '\r', '\t']) || value.contains("     ") {
        return Err(GraphError::with(
            132018,
            "Param text cannot have new-line/tab characters or more than 4 consecutive spaces",
        ));
    }
    Ok(())
}

fn check_parameters(template: &Template, given: &[SentParameter]) -> Result<()> {
    let expected = template.parameters.names();
    if given.len() != expected.len() {
        return Err(GraphError::with(
            132000,
            format!(
                "body: number of localizable_params ({}) does not match the expected number of params ({})",
                given.len(),
                expected.len()
            ),
        ));
    }
    let format = |details: String| Err(GraphError::with(132012, details));
    match &template.parameters {
        Parameters::Positional(_) => match given.iter().find_map(|p| p.name.as_deref()) {
            Some(name) => {
                format(format!("body: Parameter name {name} was given, but the template has positional parameters"))
            }
            None => Ok(()),
        },
        Parameters::Named(names) => {
            let of = |name: &String| given.iter().any(|p| p.name.as_ref() == Some(name));
            match names.iter().find(|name| !of(name)) {
                Some(name) => format(format!("body: Parameter name {name} is missing")),
                None => Ok(()),
            }
        }
    }
}

fn value_of<'a>(template: &Template, given: &'a [SentParameter], name: &str) -> Option<&'a str> {
    let parameter = match &template.parameters {
        Parameters::Positional(_) => given.get(name.parse::<usize>().ok()?.checked_sub(1)?),
        Parameters::Named(_) => given.iter().find(|p| p.name.as_deref() == Some(name)),
    };
    parameter.map(|parameter| parameter.value.as_str())
}
