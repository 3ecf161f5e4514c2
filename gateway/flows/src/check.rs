//! Looks for mistakes that a flow can be read with: before a contact meets them.

use crate::{
    Flow, TemplateSet,
    error::hint,
    flow::{Compiled, SendWork, Work},
    format_duration,
    need::{Need, Needs},
};
use std::fmt;
use tidegate_model::event::{KINDS, Kind};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Probably not what was meant.
    Warning,
    /// A message or a contact will be lost to it.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// The step; `None` for the flow as a whole.
    pub step: Option<String>,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.step {
            Some(step) => write!(f, "{}: step {step}: {}", self.severity, self.message),
            None => write!(f, "{}: {}", self.severity, self.message),
        }
    }
}

/// What the workspace allows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// How long events and runs are kept, in milliseconds; a longer wait is a mistake. `None` does not ask.
    pub retention_ms: Option<i64>,
}

/// Every finding, in the order of the steps.
pub fn check(flow: &Flow, templates: &TemplateSet, limits: &Limits) -> Vec<Finding> {
    let mut check = Check { flow, templates, limits, findings: Vec::new(), step: None };
    check.head();
    for step in &flow.steps {
        check.step = Some(&step.id);
        check.step(step);
    }
    check.findings
}

struct Check<'a> {
    flow: &'a Flow,
    templates: &'a TemplateSet,
    limits: &'a Limits,
    findings: Vec<Finding>,
    step: Option<&'a str>,
}

impl<'a> Check<'a> {
    fn add(&mut self, severity: Severity, message: impl Into<String>) {
        let step = self.step.map(str::to_owned);
        self.findings.push(Finding { severity, step, message: message.into() });
    }

    fn head(&mut self) {
        let flow = self.flow;
        for name in flow.on() {
            if Kind::new(name.as_str()).is_ok_and(|kind| !kind.is_canonical()) {
                let hint = hint(name, KINDS.iter().copied());
                self.add(
                    Severity::Warning,
                    format!("{name} is no canonical event kind, so a plugin must declare it{hint}"),
                );
            }
        }
        if let Some(condition) = &flow.condition {
            if condition.constant() == Some(false) {
                self.add(
                    Severity::Error,
                    format!("the entry condition {:?} is never true: the flow never starts", condition.source()),
                );
            }
            self.variables(condition.needs());
        }
    }

    fn step(&mut self, step: &'a Compiled) {
        match &step.work {
            Work::Wait { for_ms } | Work::WaitForReply { for_ms, .. } => self.wait(*for_ms),
            Work::If { condition, then, otherwise } => {
                if let Some(value) = condition.constant() {
                    self.unreachable(value, if value { *otherwise } else { *then }, step.next);
                }
                self.variables(condition.needs());
            }
            Work::Send(send) => self.send(send),
            Work::Sms(sms) => self.variables(sms.text.needs()),
        }
    }

    fn wait(&mut self, for_ms: i64) {
        if let Some(kept) = self.limits.retention_ms
            && for_ms > kept
        {
            let (wait, kept) = (format_duration(for_ms), format_duration(kept));
            self.add(
                Severity::Error,
                format!("it waits {wait}, and records are kept for {kept}; wait less, or keep them longer"),
            );
        }
    }

    fn unreachable(&mut self, value: bool, first: Option<usize>, join: Option<usize>) {
        // A branch without steps begins where the two meet again.
        let dead = first.filter(|first| Some(*first) != join).and_then(|first| self.flow.steps.get(first));
        let message = match dead {
            Some(step) => format!(
                "the condition is always {value}: step {} and what follows it in its branch is never reached",
                step.id
            ),
            None => format!("the condition is always {value}"),
        };
        self.add(Severity::Warning, message);
    }

    fn send(&mut self, send: &SendWork) {
        for text in send.parameters.values() {
            self.variables(text.needs());
        }
        let Some(template) = self.templates.get(&send.template) else {
            let hint = hint(&send.template, self.templates.iter().map(crate::Template::name));
            return self.add(Severity::Error, format!("there is no template {}{hint}", send.template));
        };
        let wanted = &template.definition().parameters;
        for name in wanted.iter().filter(|name| !send.parameters.contains_key(*name)) {
            self.add(Severity::Error, format!("it gives no {name}, which the template {} needs", send.template));
        }
        for name in send.parameters.keys().filter(|name| !wanted.contains(name)) {
            let hint = hint(name, wanted.iter().map(String::as_str));
            self.add(
                Severity::Warning,
                format!("it gives {name}, which the template {} does not use{hint}", send.template),
            );
        }
    }

    fn variables(&mut self, needs: &Needs) {
        for (root, need) in needs.roots() {
            match (root, need) {
                ("event", Need::Fields(fields)) => fields.keys().for_each(|name| self.event_field(name)),
                ("trigger", _) if self.flow.on().iter().all(|name| name.contains('.')) => {
                    self.add(Severity::Error, "it reads `trigger`, but the flow is started by events only");
                }
                ("reply", _) if !self.flow.steps.iter().any(|step| matches!(step.work, Work::WaitForReply { .. })) => {
                    self.add(
                        Severity::Error,
                        "it reads `reply`, but no step of the flow waits for one: `wait_for_reply`",
                    );
                }
                _ => {}
            }
        }
    }

    /// An event has its envelope, and the details of its kind. Nothing is known of the events behind triggers and plugins' own kinds.
    fn event_field(&mut self, field: &str) {
        const ENVELOPE: &[&str] = &["id", "connection", "kind", "occurred_at", "entity", "contact", "extra"];
        if ENVELOPE.contains(&field) {
            return;
        }
        let kinds = self.flow.on();
        let without: Vec<_> =
            kinds.iter().filter(|kind| payload(kind).is_some_and(|payload| payload != field)).collect();
        if without.is_empty() {
            return;
        }
        let mut names: Vec<_> = kinds.iter().filter_map(|kind| payload(kind)).collect();
        names.dedup();
        let (severity, hint) = match names.contains(&field) {
            true => (Severity::Warning, String::new()),
            false => (Severity::Error, hint(field, names.iter().chain(ENVELOPE).copied())),
        };
        let without = without.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let details = names.join(", event.");
        let message =
            format!("it reads event.{field}{hint}, which {without} does not have; details are in event.{details}");
        self.add(severity, message);
    }
}

/// The field with the details of a canonical kind.
fn payload(kind: &str) -> Option<&'static str> {
    if !KINDS.contains(&kind) {
        return None;
    }
    Some(match kind.split('.').next()? {
        "order" => "order",
        "shipment" => "shipment",
        "cart" => "cart",
        "contact" => "contact_change",
        "lead" => "lead",
        "deal" => "deal",
        "appointment" => "appointment",
        "form" => "form",
        "message" if kind == "message.status_changed" => "status",
        "message" => "message",
        "sender" => "sender",
        "template" => "template",
        "connection" => "connection_change",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
