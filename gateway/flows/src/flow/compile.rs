//! From a definition to a flow that can run: checks every rule, compiles, links each step to the next.

use super::{Compiled, Flow, SendWork, SmsWork, Work};
use crate::{
    Action, Branch, Definition, Fault, Invalid, Send, Sms, Step, condition::Condition, format_duration, parse_duration,
    text::Texts,
};
use std::collections::BTreeMap;
use tidegate_model::event::Kind;

/// Longest name of a flow, trigger or step.
const MAX_NAME: usize = 64;
/// Most kinds and triggers that start one flow.
const MAX_ON: usize = 32;
/// Most steps of one flow.
const MAX_STEPS: usize = 200;
/// Deepest nesting of branches.
const MAX_NESTING: usize = 8;

pub(super) fn compile(definition: Definition) -> Result<Flow, Invalid> {
    let mut compiler = Compiler { texts: Texts::new(), steps: Vec::new(), index: BTreeMap::new(), faults: Vec::new() };
    compiler.head(&definition);
    compiler.ids(&definition.steps, "", 0);
    let condition = definition.condition.as_deref().and_then(|source| compiler.condition(source, "if"));
    let first = compiler.list(&definition.steps, "", None);
    if !compiler.faults.is_empty() {
        return Err(Invalid { faults: compiler.faults });
    }
    // Ids are unique, so each number was given a step.
    let steps = compiler.steps.into_iter().flatten().collect();
    let version = definition.version();
    Ok(Flow { definition, version, condition, steps, first, texts: compiler.texts, index: compiler.index })
}

struct Compiler {
    texts: Texts,
    /// In the order of the file; `None` until linked.
    steps: Vec<Option<Compiled>>,
    index: BTreeMap<String, usize>,
    faults: Vec<Fault>,
}

impl Compiler {
    fn fault(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.faults.push(Fault { field: field.into(), message: message.into() });
    }

    fn head(&mut self, it: &Definition) {
        if !is_kebab(&it.flow) {
            self.fault(
                "flow",
                format!("expected a name in kebab-case such as order-confirmation, found {:?}", shown(&it.flow)),
            );
        }
        if it.on.is_empty() || it.on.len() > MAX_ON {
            self.fault("on", format!("expected 1 to {MAX_ON} event kinds (order.placed) or triggers (cart-abandoned)"));
        }
        for name in it.on.iter().filter(|name| Kind::new(name.as_str()).is_err() && !is_kebab(name)) {
            let message = format!(
                "expected an event kind such as order.placed, or a trigger in kebab-case, found {:?}",
                shown(name)
            );
            self.fault("on", message);
        }
        if it.steps.is_empty() {
            self.fault("steps", "a flow needs at least one step");
        }
    }

    /// Gives each step its number, in the order of the file.
    fn ids(&mut self, steps: &[Step], prefix: &str, depth: usize) {
        if depth > MAX_NESTING {
            return self.fault(prefix, format!("branches are nested at most {MAX_NESTING} deep; start another flow"));
        }
        for (at, step) in steps.iter().enumerate() {
            let field = field(prefix, at);
            if !is_id(&step.id) {
                let message =
                    format!("expected an id of a-z, 0-9, - and _ (at most {MAX_NAME}), found {:?}", shown(&step.id));
                self.fault(format!("{field}.id"), message);
            }
            if self.index.insert(step.id.clone(), self.steps.len()).is_some() {
                self.fault(
                    format!("{field}.id"),
                    format!("another step has the id {}; ids are unique in a flow", shown(&step.id)),
                );
            }
            self.steps.push(None);
            if self.steps.len() == MAX_STEPS + 1 {
                self.fault("steps", format!("a flow has at most {MAX_STEPS} steps; start another flow"));
            }
            for (key, steps) in step.action.branches() {
                self.ids(steps, &format!("{field}.{key}"), depth + 1);
            }
        }
    }

    /// Links a list of steps, last first, so that each knows what follows. Returns the first.
    fn list(&mut self, steps: &[Step], prefix: &str, after: Option<usize>) -> Option<usize> {
        let mut next = after;
        for (at, step) in steps.iter().enumerate().rev() {
            let work = self.work(step, &field(prefix, at), next);
            let number = self.index.get(&step.id).copied();
            if let (Some(number), Some(work)) = (number, work) {
                self.steps[number] = Some(Compiled { id: step.id.clone(), work, next });
            }
            next = number;
        }
        next
    }

    fn work(&mut self, step: &Step, field: &str, next: Option<usize>) -> Option<Work> {
        match &step.action {
            Action::Wait(wait) => {
                self.duration(wait.for_ms, &format!("{field}.wait"));
                Some(Work::Wait { for_ms: wait.for_ms })
            }
            Action::WaitForReply(wait) => {
                self.duration(wait.for_ms, &format!("{field}.wait_for_reply"));
                let then = self.list(&wait.then, &format!("{field}.then"), next);
                let no_response = self.list(&wait.no_response, &format!("{field}.no_response"), next);
                Some(Work::WaitForReply { for_ms: wait.for_ms, channel: wait.channel, then, no_response })
            }
            Action::If(branch) => self.branch(branch, field, next),
            Action::Send(send) => self.send(send, &step.id, field),
            Action::Sms(sms) => self.sms(sms, &step.id, field),
        }
    }

    fn duration(&mut self, ms: i64, field: &str) {
        if parse_duration(&format_duration(ms)) != Ok(ms) {
            self.fault(field, "expected whole seconds, from 1s to 400d");
        }
    }

    fn branch(&mut self, branch: &Branch, field: &str, next: Option<usize>) -> Option<Work> {
        if branch.then.is_empty() && branch.otherwise.is_empty() {
            self.fault(format!("{field}.then"), "an `if` needs steps in `then` or in `else`");
        }
        let then = self.list(&branch.then, &format!("{field}.then"), next);
        let otherwise = self.list(&branch.otherwise, &format!("{field}.else"), next);
        let condition = self.condition(&branch.condition, &format!("{field}.if"))?;
        Some(Work::If { condition, then, otherwise })
    }

    fn send(&mut self, send: &Send, id: &str, field: &str) -> Option<Work> {
        if send.template.is_empty() {
            self.fault(format!("{field}.send.template"), "expected the name of a template");
        }
        let before = self.faults.len();
        let mut parameters = BTreeMap::new();
        for (name, source) in &send.parameters {
            match self.texts.compile(format!("{id}/{name}"), source) {
                Ok(text) => drop(parameters.insert(name.clone(), text)),
                Err(why) => self.fault(format!("{field}.send.parameters.{name}"), why),
            }
        }
        let sound = self.faults.len() == before;
        sound.then(|| Work::Send(SendWork { template: send.template.clone(), sender: send.sender.clone(), parameters }))
    }

    fn sms(&mut self, sms: &Sms, id: &str, field: &str) -> Option<Work> {
        if sms.text.trim().is_empty() {
            self.fault(format!("{field}.send.sms"), "expected the text of the message");
            return None;
        }
        // A block of YAML ends with a line end, which would be sent and billed.
        match self.texts.compile(format!("{id}/sms"), sms.text.trim()) {
            Ok(text) => Some(Work::Sms(SmsWork { text, sender: sms.sender.clone(), category: sms.category })),
            Err(why) => {
                self.fault(format!("{field}.send.sms"), why);
                None
            }
        }
    }

    fn condition(&mut self, source: &str, field: &str) -> Option<Condition> {
        Condition::compile(source).map_err(|why| self.fault(field, why)).ok()
    }
}

fn field(prefix: &str, at: usize) -> String {
    if prefix.is_empty() { format!("steps[{at}]") } else { format!("{prefix}[{at}]") }
}

fn is_id(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(letter)
}

fn is_kebab(text: &str) -> bool {
    let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= MAX_NAME && text.split('-').all(word)
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
