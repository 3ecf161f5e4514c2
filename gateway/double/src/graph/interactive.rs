//! Interactive messages: buttons, lists, a link, a Flow; with Meta's limits of 2026. Source: Meta, "Interactive reply buttons", "Interactive list", "Interactive CTA URL".

use std::collections::HashSet;

use serde_json::Value;

use super::{
    error::GraphError,
    shape::{Object, Result},
};

/// Reads the `interactive` of a message; gives the text as the person reads it.
pub(crate) fn read(value: &Value) -> Result<String> {
    let keys = ["type", "header", "body", "footer", "action"];
    let object = Object::strict(value, "interactive", &keys)?;
    let kind = object.text("type", 32)?;
    let action = Object::open(object.need("action")?, "interactive['action']")?;
    let max_body = if kind == "list" { 4096 } else { 1024 };
    let text = part(&object, "body", max_body)?.ok_or_else(|| object.missing("body"))?;
    part(&object, "footer", 60)?;
    match kind {
        "button" => buttons(&action)?,
        "list" => list(&action)?,
        "cta_url" => link(&action)?,
        "flow" | "location_request_message" => {
            action.text("name", 64)?;
        }
        other => {
            return Err(GraphError::with(131009, format!("interactive.type {other} is not supported")));
        }
    }
    Ok(text.to_owned())
}

/// The text of body or footer.
fn part<'a>(object: &Object<'a>, key: &'a str, max_chars: usize) -> Result<Option<&'a str>> {
    match object.get(key) {
        Some(value) => Object::strict(value, key, &["text"])?.text("text", max_chars).map(Some),
        None => Ok(None),
    }
}

fn buttons(action: &Object<'_>) -> Result<()> {
    let mut ids = HashSet::new();
    for button in action.list("buttons", 1, 3)? {
        let button = Object::strict(button, "buttons", &["type", "reply"])?;
        if button.text("type", 32)? != "reply" {
            return Err(GraphError::with(131009, "Button type must be reply"));
        }
        let reply = Object::strict(button.need("reply")?, "reply", &["id", "title"])?;
        reply.text("title", 20)?;
        if !ids.insert(reply.text("id", 256)?) {
            return Err(GraphError::with(131009, "Duplicated button ids"));
        }
    }
    Ok(())
}

fn list(action: &Object<'_>) -> Result<()> {
    action.text("button", 20)?;
    let sections = action.list("sections", 1, 10)?;
    let mut ids = HashSet::new();
    for section in sections {
        let section = Object::strict(section, "sections", &["title", "rows"])?;
        if sections.len() > 1 {
            section.text("title", 24)?;
        }
        for row in section.list("rows", 1, 10)? {
            let row = Object::strict(row, "rows", &["id", "title", "description"])?;
            row.text("title", 24)?;
            row.optional_text("description", 72)?;
            if !ids.insert(row.text("id", 200)?) {
                return Err(GraphError::with(131009, "Duplicated row ids"));
            }
        }
    }
    if ids.len() > 10 {
        return Err(GraphError::with(131009, "Total row count exceed max allowed count: 10"));
    }
    Ok(())
}

fn link(action: &Object<'_>) -> Result<()> {
    if action.text("name", 64)? != "cta_url" {
        return Err(GraphError::with(131009, "action.name must be cta_url"));
    }
    let parameters = Object::open(action.need("parameters")?, "parameters")?;
    parameters.text("display_text", 20)?;
    parameters.text("url", 2000)?;
    Ok(())
}
