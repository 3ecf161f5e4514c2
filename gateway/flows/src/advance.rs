//! The engine: moves a run until it waits or ends, and says what should happen. Decides from its arguments alone, so the same arguments give the same result.

use crate::{
    Flow, Outcome, Position, Run, RunState, TemplateSet, Visit,
    flow::{Compiled, SendWork, SmsWork, Work},
    scope::Scope,
    template::on_one_line,
};
use serde_json::Value;
use tidegate_model::{
    Timestamp,
    message::{Category, ChannelKind, Content},
};

/// Steps one advance may take: a flow that goes in circles without a wait fails instead.
pub const STEP_BUDGET: usize = 1_000;

/// What happened to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input {
    /// It begins.
    Start,
    /// A timer fired. A timer whose wait is over is ignored, so each wait ends once. Whether it is due is the caller's knowledge: it is not asked again.
    Timer {
        /// Its number, from [`Effect::Wait`].
        wait: u32,
    },
    /// The contact wrote. A message that is no reply to what the run waits for is ignored.
    Reply {
        /// When the message was received.
        received_at: Timestamp,
        /// The channel that it came by.
        channel: ChannelKind,
        /// The message, as `event.message` has it: what conditions and texts read as `reply`.
        message: Value,
    },
}

/// What is known around a run.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The contact's fields by name, as a JSON object.
    pub contact: &'a Value,
    /// The contact's language (`it`, `pt-BR`), for the choice among a template's languages.
    pub contact_language: Option<&'a str>,
    /// The WhatsApp sender for steps that name none.
    pub default_sender: Option<&'a str>,
    /// The SMS sender for steps that name none.
    pub default_sms_sender: Option<&'a str>,
}

/// What should happen.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// A message goes to the send gate.
    Send {
        /// The step.
        step: String,
        /// The channel that it goes by.
        channel: ChannelKind,
        /// Name of the sender; `None` when neither the step nor the workspace names one.
        sender: Option<String>,
        /// Category of the template, or of the step's text.
        category: Category,
        /// The template's name, language code and values, and the text as the person reads it; or the text alone.
        content: Content,
    },
    /// One message could not be made: it is not sent, and the run goes on.
    SendFailed {
        /// The step.
        step: String,
        /// Why, for an operator.
        reason: String,
    },
    /// The run waits: at `due_at`, [`Input::Timer`] with this number should come.
    Wait {
        /// Number of the wait, unique in the run.
        wait: u32,
        /// When.
        due_at: Timestamp,
    },
    /// The run ended; its state says how.
    Finished,
}

/// Moves a run until it waits or ends. An input that the run does not wait for returns it unchanged, without effects.
pub fn advance(
    flow: &Flow,
    templates: &TemplateSet,
    run: Run,
    input: &Input,
    context: &Context<'_>,
    now: Timestamp,
) -> (Run, Vec<Effect>) {
    advance_within(STEP_BUDGET, flow, templates, run, input, context, now)
}

/// [`advance`] with a budget of steps.
fn advance_within(
    budget: usize,
    flow: &Flow,
    templates: &TemplateSet,
    mut run: Run,
    input: &Input,
    context: &Context<'_>,
    now: Timestamp,
) -> (Run, Vec<Effect>) {
    let Some(resumes) = resumes(&run.state, input) else { return (run, Vec::new()) };
    if let Input::Reply { message, .. } = input {
        run.vars.reply = Some(message.clone());
    }
    let vars = std::mem::take(&mut run.vars);
    let scope = Scope::new(&vars, context.contact, now);
    let mut walk = Walk { flow, templates, context, scope, now, run, effects: Vec::new() };
    walk.run.updated_at = now;
    match walk.begin(&resumes) {
        Ok(Next::Step(next)) => walk.walk(next, budget),
        Ok(Next::NotEntered) => walk.run.state = RunState::NotEntered,
        Err(reason) => walk.fail(resumes.map(|(step, _)| step), reason),
    }
    let Walk { mut run, effects, .. } = walk;
    run.vars = vars;
    (run, effects)
}

/// The step that goes on, and how its wait ended; none of it at the start. `None` when the run does not wait for this.
fn resumes(state: &RunState, input: &Input) -> Option<Option<(String, Outcome)>> {
    Some(match (state, input) {
        (RunState::Active, Input::Start) => None,
        (RunState::Waiting { step, timer, .. }, Input::Timer { wait }) if timer == wait => {
            Some((step.clone(), Outcome::Waited))
        }
        (RunState::WaitingForReply { step, timer, .. }, Input::Timer { wait }) if timer == wait => {
            Some((step.clone(), Outcome::NoResponse))
        }
        (
            RunState::WaitingForReply { step, since, due_at, channel: wanted, .. },
            Input::Reply { received_at, channel, .. },
        ) if (since..=due_at).contains(&received_at) && wanted.is_none_or(|wanted| wanted == *channel) => {
            Some((step.clone(), Outcome::Replied))
        }
        _ => return None,
    })
}

/// Where a run goes on.
enum Next {
    Step(Option<usize>),
    NotEntered,
}

struct Walk<'a> {
    flow: &'a Flow,
    templates: &'a TemplateSet,
    context: &'a Context<'a>,
    scope: Scope<'a>,
    now: Timestamp,
    run: Run,
    effects: Vec<Effect>,
}

impl Walk<'_> {
    fn begin(&mut self, resumes: &Option<(String, Outcome)>) -> Result<Next, String> {
        if self.run.version != self.flow.version() {
            let (entered, given) = (self.run.version, self.flow.version());
            return Err(format!("the run entered version {entered} of the flow, and was given version {given}"));
        }
        let Some((id, ended)) = resumes else {
            let enters = self.flow.condition.as_ref().map_or(Ok(true), |condition| condition.holds(&self.scope))?;
            return Ok(if enters { Next::Step(self.flow.first) } else { Next::NotEntered });
        };
        let step = self.flow.step(id).ok_or_else(|| format!("the flow has no step {id}"))?;
        self.visit(id, ended.clone());
        Ok(Next::Step(match (&step.work, ended) {
            (Work::WaitForReply { then, .. }, Outcome::Replied) => *then,
            (Work::WaitForReply { no_response, .. }, Outcome::NoResponse) => *no_response,
            _ => step.next,
        }))
    }

    fn walk(&mut self, mut next: Option<usize>, budget: usize) {
        let flow = self.flow;
        for _ in 0..budget {
            let Some(step) = next.and_then(|number| flow.steps.get(number)) else { return self.complete() };
            self.run.at = Position::Step(step.id.clone());
            match &step.work {
                Work::Wait { for_ms } => {
                    let (due_at, timer) = self.wait(step, *for_ms);
                    self.run.state = RunState::Waiting { step: step.id.clone(), due_at, timer };
                    return;
                }
                Work::WaitForReply { for_ms, channel, .. } => {
                    let (due_at, timer) = self.wait(step, *for_ms);
                    let (step, since, channel) = (step.id.clone(), self.now, *channel);
                    self.run.state = RunState::WaitingForReply { step, since, due_at, timer, channel };
                    return;
                }
                Work::If { condition, then, otherwise } => match condition.holds(&self.scope) {
                    Ok(true) => {
                        self.visit(&step.id, Outcome::Then);
                        next = *then;
                    }
                    Ok(false) => {
                        self.visit(&step.id, Outcome::Else);
                        next = *otherwise;
                    }
                    Err(reason) => return self.fail(Some(step.id.clone()), reason),
                },
                Work::Send(send) => {
                    self.send(&step.id, send);
                    next = step.next;
                }
                Work::Sms(sms) => {
                    self.sms(&step.id, sms);
                    next = step.next;
                }
            }
        }
        let step = next.and_then(|number| flow.steps.get(number)).map(|step| step.id.clone());
        self.fail(step, format!("the flow took {budget} steps without a wait; it may go in circles"));
    }

    /// Until when, and the number of the timer.
    fn wait(&mut self, step: &Compiled, for_ms: i64) -> (Timestamp, u32) {
        let due_at = self.now.plus_ms(for_ms);
        self.run.waits = self.run.waits.saturating_add(1);
        let wait = self.run.waits;
        self.visit(&step.id, Outcome::Waiting { until: due_at });
        self.effects.push(Effect::Wait { wait, due_at });
        (due_at, wait)
    }

    fn send(&mut self, step: &str, send: &SendWork) {
        let sender = send.sender.as_deref().or(self.context.default_sender).map(str::to_owned);
        let made = self.message(send);
        self.made(step, (ChannelKind::Whatsapp, sender), made);
    }

    fn sms(&mut self, step: &str, sms: &SmsWork) {
        let sender = sms.sender.as_deref().or(self.context.default_sms_sender).map(str::to_owned);
        let made = sms.text.render(&self.flow.texts, &self.scope).and_then(|text| match text.trim() {
            "" => Err("the text is empty".to_owned()),
            text => Ok((sms.category, Content::Text { text: text.to_owned() })),
        });
        self.made(step, (ChannelKind::Sms, sender), made);
    }

    /// A message, or why there is none: the run goes on either way.
    fn made(
        &mut self,
        step: &str,
        (channel, sender): (ChannelKind, Option<String>),
        made: Result<(Category, Content), String>,
    ) {
        match made {
            Ok((category, content)) => {
                self.visit(step, Outcome::Sent);
                self.effects.push(Effect::Send { step: step.to_owned(), channel, sender, category, content });
            }
            Err(reason) => {
                self.visit(step, Outcome::SendFailed { reason: reason.clone() });
                self.effects.push(Effect::SendFailed { step: step.to_owned(), reason });
            }
        }
    }

    fn message(&self, send: &SendWork) -> Result<(Category, Content), String> {
        let name = &send.template;
        let template = self.templates.get(name).ok_or_else(|| format!("there is no template {name}"))?;
        let names = &template.definition().parameters;
        let values = names.iter().map(|parameter| self.value(send, parameter)).collect::<Result<Vec<_>, _>>()?;
        let language = template.language_for(self.context.contact_language);
        let content = template
            .content(language, values)
            .ok_or_else(|| format!("the template {name} has no language {language}"))?;
        Ok((template.category(), content))
    }

    fn value(&self, send: &SendWork, name: &str) -> Result<String, String> {
        let text = send.parameters.get(name);
        let text =
            text.ok_or_else(|| format!("the step gives no {name}, which the template {} needs", send.template))?;
        let value = text.render(&self.flow.texts, &self.scope).map_err(|why| format!("{name}: {why}"))?;
        match on_one_line(&value) {
            line if line.is_empty() => {
                Err(format!("{name}: it is empty, and WhatsApp refuses empty values; write a default"))
            }
            line => Ok(line.into_owned()),
        }
    }

    fn complete(&mut self) {
        self.run.at = Position::End;
        self.run.state = RunState::Completed;
        self.effects.push(Effect::Finished);
    }

    fn fail(&mut self, step: Option<String>, reason: String) {
        if let Some(step) = &step {
            self.visit(step, Outcome::Failed);
        }
        self.run.state = RunState::Failed { step, reason };
        self.effects.push(Effect::Finished);
    }

    fn visit(&mut self, step: &str, outcome: Outcome) {
        self.run.trail.push(Visit { step: step.to_owned(), at: self.now, outcome });
    }
}

#[cfg(test)]
mod tests;
