//! The shape of a flow file.

use super::{
    reader::{Fields, Reader},
    yaml::{Node, Yaml},
};
use crate::{Action, Branch, Definition, FORMAT, Send, Sms, Step, Wait, WaitForReply, ast::utility, parse_duration};
use std::collections::BTreeMap;
use tidegate_model::message::{Category, ChannelKind};

/// Keys of a flow.
pub(super) const FLOW_KEYS: &[&str] = &["flow", "description", "on", "if", "steps"];
/// Keys of a step. One of [`ACTIONS`] says what it does.
pub(super) const STEP_KEYS: &[&str] = &["id", "wait", "wait_for_reply", "if", "then", "else", "no_response", "send"];
/// Keys of `send`.
pub(super) const SEND_KEYS: &[&str] = &["template", "sender", "parameters", "sms", "category"];
/// Keys of `wait_for_reply`.
pub(super) const REPLY_KEYS: &[&str] = &["for", "channel"];
/// What a step can do.
const ACTIONS: &[&str] = &["wait", "wait_for_reply", "if", "send"];
/// Keys that hold steps, with the actions that they belong to.
const BRANCHES: &[(&str, &[&str])] =
    &[("then", &["if", "wait_for_reply"]), ("else", &["if"]), ("no_response", &["wait_for_reply"])];

pub(super) fn definition(reader: &mut Reader, root: &Node) -> Option<Definition> {
    let fields = reader.known(root, "", "a flow: a map with flow, on and steps", FLOW_KEYS)?;
    let flow = required_text(reader, &fields, "flow", "the flow's name in kebab-case");
    let description = fields.get("description").and_then(|node| reader.text(node, "description", "a text"));
    let on = reader
        .required(&fields, "on", "the event kind that starts the flow, such as order.placed")
        .map(|node| on(reader, node));
    let condition = fields.get("if").map(|node| condition(reader, node, "if"));
    let steps = reader.required(&fields, "steps", "a list of steps").and_then(|node| steps(reader, node, "steps"));
    Some(Definition {
        format: FORMAT,
        flow: flow?,
        description,
        on: on??,
        condition: condition.unwrap_or(Some(None))?,
        steps: steps?,
    })
}

fn on(reader: &mut Reader, node: &Node) -> Option<Vec<String>> {
    const EXPECTED: &str = "an event kind such as order.placed, or a list of them";
    let mut names = match &node.value {
        Yaml::List(_) => {
            let items = reader.list(node, "on", EXPECTED)?;
            items
                .into_iter()
                .map(|(path, item)| reader.text(item, &path, "an event kind such as order.placed"))
                .collect::<Option<_>>()?
        }
        _ => vec![reader.text(node, "on", EXPECTED)?],
    };
    names.sort();
    names.dedup();
    Some(names)
}

/// A condition; bare `true` and `false` are conditions too.
fn condition(reader: &mut Reader, node: &Node, path: &str) -> Option<Option<String>> {
    match &node.value {
        Yaml::Bool(value) => Some(Some(value.to_string())),
        _ => reader.text(node, path, "a condition such as \"event.order.total.currency == 'EUR'\"").map(Some),
    }
}

fn steps(reader: &mut Reader, node: &Node, path: &str) -> Option<Vec<Step>> {
    let items = reader.list(node, path, "a list of steps")?;
    // Every step is read, so that every mistake is told.
    let steps: Vec<_> = items.into_iter().map(|(path, item)| step(reader, item, &path)).collect();
    steps.into_iter().collect()
}

fn step(reader: &mut Reader, node: &Node, path: &str) -> Option<Step> {
    let fields =
        reader.known(node, path, "a step: a map with an id and one of wait, wait_for_reply, if, send", STEP_KEYS)?;
    let id = required_text(reader, &fields, "id", "every step has one, of a-z, 0-9, - and _");
    let does: Vec<_> = ACTIONS.iter().copied().filter(|key| fields.get(key).is_some()).collect();
    let action = match does.as_slice() {
        ["wait"] => wait(reader, &fields),
        ["wait_for_reply"] => wait_for_reply(reader, &fields).map(Action::WaitForReply),
        ["if"] => branch(reader, &fields).map(Action::If),
        ["send"] => send(reader, &fields),
        [] => {
            reader.problem(node.place, path, "the step does nothing: add one of wait, wait_for_reply, if, send");
            None
        }
        more => {
            reader.problem(
                node.place,
                path,
                format!("a step does one thing, this one has {}; make two steps", more.join(" and ")),
            );
            None
        }
    };
    for (key, actions) in BRANCHES {
        if let Some(inner) = fields.get(key)
            && !actions.iter().any(|action| fields.get(action).is_some())
        {
            let message = format!("`{key}` belongs to `{}`", actions.join("` or `"));
            reader.problem(inner.place, &fields.path(key), message);
        }
    }
    Some(Step { id: id?, action: action? })
}

fn wait(reader: &mut Reader, fields: &Fields<'_>) -> Option<Action> {
    let for_ms = duration(reader, fields.get("wait")?, &fields.path("wait"))?;
    Some(Action::Wait(Wait { for_ms }))
}

/// `wait_for_reply: 2d`, or a map with `for` and `channel`.
fn wait_for_reply(reader: &mut Reader, fields: &Fields<'_>) -> Option<WaitForReply> {
    let (node, path) = (fields.get("wait_for_reply")?, fields.path("wait_for_reply"));
    let (for_ms, channel) = match &node.value {
        Yaml::Map(_) => {
            let inner =
                reader.known(node, &path, "a duration such as 2d, or a map with for and channel", REPLY_KEYS)?;
            let for_ms = reader
                .required(&inner, "for", "how long to wait for the reply, such as 2d")
                .and_then(|node| duration(reader, node, &inner.path("for")));
            let channel = inner.get("channel").map(|node| channel(reader, node, &inner.path("channel")));
            (for_ms, channel.map_or(Some(None), |channel| channel.map(Some)))
        }
        _ => (duration(reader, node, &path), Some(None)),
    };
    let then = fields.get("then").map_or(Some(Vec::new()), |node| steps(reader, node, &fields.path("then")));
    let no_response =
        fields.get("no_response").map_or(Some(Vec::new()), |node| steps(reader, node, &fields.path("no_response")));
    Some(WaitForReply { for_ms: for_ms?, channel: channel?, then: then?, no_response: no_response? })
}

fn channel(reader: &mut Reader, node: &Node, path: &str) -> Option<ChannelKind> {
    one_of(reader, node, path, &[("whatsapp", ChannelKind::Whatsapp), ("sms", ChannelKind::Sms)])
}

/// A value by its word.
fn one_of<T: Copy>(reader: &mut Reader, node: &Node, path: &str, words: &[(&str, T)]) -> Option<T> {
    let expected = format!("one of {}", words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", "));
    let text = reader.text(node, path, &expected)?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        reader.problem(node.place, path, format!("expected {expected}, found {text:?}"));
    }
    found
}

fn duration(reader: &mut Reader, node: &Node, path: &str) -> Option<i64> {
    if let Yaml::Number(number) = &node.value {
        reader.problem(node.place, path, format!("expected a duration with its unit, such as {number}m or {number}h"));
        return None;
    }
    let text = reader.text(node, path, "a duration such as 30s, 5m, 2h, 3d or 1h30m")?;
    match parse_duration(&text) {
        Ok(ms) => Some(ms),
        Err(error) => {
            reader.problem(node.place, path, error.to_string());
            None
        }
    }
}

fn branch(reader: &mut Reader, fields: &Fields<'_>) -> Option<Branch> {
    let condition = fields.get("if").and_then(|node| condition(reader, node, &fields.path("if")));
    let then = fields.get("then").map(|node| steps(reader, node, &fields.path("then")));
    let otherwise = fields.get("else").map(|node| steps(reader, node, &fields.path("else")));
    Some(Branch {
        condition: condition??,
        then: then.unwrap_or(Some(Vec::new()))?,
        otherwise: otherwise.unwrap_or(Some(Vec::new()))?,
    })
}

/// A template by WhatsApp, or a text by SMS.
fn send(reader: &mut Reader, fields: &Fields<'_>) -> Option<Action> {
    let path = fields.path("send");
    let fields = reader.known(fields.get("send")?, &path, "a map with a template, or with sms", SEND_KEYS)?;
    let is_sms = fields.get("sms").is_some();
    let strange: &[&str] = if is_sms { &["template", "parameters"] } else { &["category"] };
    for key in strange {
        if let Some(inner) = fields.get(key) {
            let message = if is_sms {
                "an SMS has a text of its own: write the variables into `sms`, or send by WhatsApp in another step"
            } else {
                "a template has its category: `category` belongs to `sms`"
            };
            reader.problem(inner.place, &fields.path(key), message);
        }
    }
    if is_sms { sms(reader, &fields).map(Action::Sms) } else { template(reader, &fields).map(Action::Send) }
}

fn sms(reader: &mut Reader, fields: &Fields<'_>) -> Option<Sms> {
    let text =
        reader.text(fields.get("sms")?, &fields.path("sms"), "a text such as \"Your code is {{ trigger.code }}\"");
    let category =
        fields.get("category").map_or(Some(utility()), |node| category(reader, node, &fields.path("category")));
    Some(Sms { sender: sender(reader, fields)?, text: text?, category: category? })
}

fn category(reader: &mut Reader, node: &Node, path: &str) -> Option<Category> {
    const CATEGORIES: &[(&str, Category)] = &[
        ("utility", Category::Utility),
        ("marketing", Category::Marketing),
        ("authentication", Category::Authentication),
    ];
    one_of(reader, node, path, CATEGORIES)
}

fn sender(reader: &mut Reader, fields: &Fields<'_>) -> Option<Option<String>> {
    let node = fields.get("sender");
    node.map_or(Some(None), |node| reader.text(node, &fields.path("sender"), "the name of a sender").map(Some))
}

fn template(reader: &mut Reader, fields: &Fields<'_>) -> Option<Send> {
    let template = required_text(reader, fields, "template", "the name of a template, or `sms` and a text");
    let sender = sender(reader, fields);
    let parameters = fields.get("parameters").map(|node| parameters(reader, node, &fields.path("parameters")));
    Some(Send {
        template: template?,
        sender: sender?,
        parameters: parameters.unwrap_or_else(|| Some(BTreeMap::new()))?,
    })
}

fn parameters(reader: &mut Reader, node: &Node, path: &str) -> Option<BTreeMap<String, String>> {
    let fields = reader.map(node, path, "a map from the template's parameters to texts")?;
    let texts: Vec<_> = fields
        .iter()
        .map(|(name, node)| {
            Some((
                name.to_owned(),
                reader.text(node, &fields.path(name), "a text such as \"{{ event.order.number }}\"")?,
            ))
        })
        .collect();
    texts.into_iter().collect()
}

pub(super) fn required_text(reader: &mut Reader, fields: &Fields<'_>, key: &str, expected: &str) -> Option<String> {
    let node = reader.required(fields, key, expected)?;
    reader.text(node, &fields.path(key), expected)
}
