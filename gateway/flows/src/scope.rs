//! The variables that conditions and texts can read, and nothing else.

use crate::{error::hint, need::Needs, run::Vars};
use serde_json::Value;
use tidegate_model::Timestamp;

/// The variables: the event, the trigger's own variables, the contact's fields, the contact's last reply, and the time as RFC 3339 text.
pub(crate) const ROOTS: [&str; 5] = ["event", "trigger", "contact", "reply", "now"];

/// Their values at one moment.
pub(crate) struct Scope<'a> {
    event: &'a Value,
    trigger: &'a Value,
    contact: &'a Value,
    reply: &'a Value,
    now: Value,
}

impl<'a> Scope<'a> {
    /// Values for one advance.
    pub(crate) fn new(vars: &'a Vars, contact: &'a Value, now: Timestamp) -> Self {
        static NONE: Value = Value::Null;
        let trigger = vars.trigger.as_ref().unwrap_or(&NONE);
        let reply = vars.reply.as_ref().unwrap_or(&NONE);
        Self { event: &vars.event, trigger, contact, reply, now: Value::String(now.to_string()) }
    }

    /// A variable's value; null when there is none of that name.
    pub(crate) fn get(&self, root: &str) -> &Value {
        match root {
            "event" => self.event,
            "trigger" => self.trigger,
            "contact" => self.contact,
            "reply" => self.reply,
            "now" => &self.now,
            _ => &Value::Null,
        }
    }

    /// The needed paths that lead to nothing, each cut after its first missing name.
    pub(crate) fn missing(&self, needs: &Needs) -> Vec<String> {
        needs.paths().iter().filter_map(|path| self.missing_in(path)).collect()
    }

    fn missing_in(&self, path: &str) -> Option<String> {
        let mut names = path.split('.');
        let mut walked = names.next()?.to_owned();
        let mut value = self.get(&walked);
        for name in names {
            walked = format!("{walked}.{name}");
            match value.get(name) {
                None | Some(Value::Null) => return Some(walked),
                Some(inner) => value = inner,
            }
        }
        None
    }
}

/// Refuses names that are no variable: they would never have a value.
pub(crate) fn unknown_root(needs: &Needs) -> Option<String> {
    let (name, _) = needs.roots().find(|(name, _)| !ROOTS.contains(name))?;
    Some(format!("there is no variable {name:?}{}; the variables are {}", hint(name, ROOTS), ROOTS.join(", ")))
}
