//! The send gate: the one door that every outbound message passes.
//!
//! A list of checks in a fixed order; the first that objects decides. It knows nothing of providers, queues or storage: what the checks need is handed in.

use crate::{
    Timestamp,
    circuit::Circuit,
    contact::ConsentStatement,
    message::{Category, ChannelKind, Content, GateDecision, Verdict},
    window::Window,
};
use serde::{Deserialize, Serialize};

/// Somebody does not want messages on an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Which messages.
    pub scope: SuppressionScope,
    /// Since when.
    pub since: Timestamp,
    /// Why, for an operator; never the person's own words.
    pub reason: String,
}

/// What a suppression holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionScope {
    /// Every message.
    All,
    /// Marketing only (the provider's own "stop promotions").
    Marketing,
    /// Every message, because the person blocked the sender's number; a message of theirs shows that they did not, or not any more.
    Blocked,
}

/// An address is not on the channel, as far as its provider told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreachable {
    /// Since when.
    pub since: Timestamp,
    /// Until when nothing more is sent there.
    pub until: Timestamp,
    /// The provider's code and words.
    pub reason: String,
}

impl Unreachable {
    /// Whether it still holds messages back.
    pub fn holds(&self, now: Timestamp) -> bool {
        now < self.until
    }
}

/// Everything the checks look at.
#[derive(Debug, Clone)]
pub struct GateInput<'a> {
    /// Channel of the message.
    pub channel: ChannelKind,
    /// Category of the message.
    pub category: Category,
    /// What it says.
    pub content: &'a Content,
    /// Whether there is an address on this channel to send to.
    pub addressed: bool,
    /// Suppressions of every address the contact has on this channel.
    pub suppressions: &'a [Suppression],
    /// What is known of the contact's consent.
    pub consents: &'a [ConsentStatement],
    /// The customer service window between the sender and the contact.
    pub window: Option<Window>,
    /// Whether the configuration still has the template, when it is one.
    pub template_known: bool,
    /// What is known against reaching the address on this channel.
    pub unreachable: Option<&'a Unreachable>,
    /// Open circuits of everything that the message needs: sender, account, template.
    pub circuits: &'a [Circuit],
    /// Before this it is not to be tried, as its last refusal said.
    pub not_before: Option<Timestamp>,
    /// When the message is no longer worth sending.
    pub expires_at: Timestamp,
    /// What it has waited for so far.
    pub waited_for: Option<&'a str>,
}

type Check = fn(&GateInput<'_>, Timestamp) -> Option<(Verdict, String)>;

/// The checks, in the order in which they decide.
const CHECKS: &[(&str, Check)] = &[
    ("expiry", expiry),
    ("pause", pause),
    ("address", address),
    ("suppression", suppression),
    ("reachable", reachable),
    ("consent", consent),
    ("template", template),
    ("window", window),
    ("sender health", health),
];

/// Decides about one message now. After a deferral the whole gate runs again.
pub fn decide(input: &GateInput<'_>, now: Timestamp) -> GateDecision {
    let objection = CHECKS.iter().find_map(|(name, check)| check(input, now).map(|found| (*name, found)));
    let (check, (verdict, reason)) =
        objection.unwrap_or_else(|| ("all", (Verdict::Sent, "every check let it pass".to_owned())));
    // Whatever it waits for: when it expires is the last time to look.
    let verdict = match verdict {
        Verdict::DeferredUntil(until) => Verdict::DeferredUntil(until.min(input.expires_at)),
        Verdict::Sent | Verdict::Refused => verdict,
    };
    GateDecision { at: now, verdict, check: check.to_owned(), reason }
}

fn refuse(reason: impl Into<String>) -> Option<(Verdict, String)> {
    Some((Verdict::Refused, reason.into()))
}

fn expiry(input: &GateInput<'_>, now: Timestamp) -> Option<(Verdict, String)> {
    if now < input.expires_at {
        return None;
    }
    let waited = input.waited_for.map_or_else(String::new, |reason| format!("; it waited, because {reason}"));
    refuse(format!("it was to be sent before {}{waited}", input.expires_at))
}

fn pause(input: &GateInput<'_>, now: Timestamp) -> Option<(Verdict, String)> {
    let until = input.not_before.filter(|at| now < *at)?;
    Some((Verdict::DeferredUntil(until), format!("its last attempt was refused, and the next may be made at {until}")))
}

fn address(input: &GateInput<'_>, _now: Timestamp) -> Option<(Verdict, String)> {
    if input.addressed {
        return None;
    }
    refuse(format!("the contact has no address on {}: no phone number is known", input.channel))
}

fn suppression(input: &GateInput<'_>, _now: Timestamp) -> Option<(Verdict, String)> {
    let applies =
        |held: &&Suppression| held.scope != SuppressionScope::Marketing || input.category == Category::Marketing;
    let held = input.suppressions.iter().find(applies)?;
    let what = match held.scope {
        SuppressionScope::All | SuppressionScope::Blocked => "messages",
        SuppressionScope::Marketing => "marketing messages",
    };
    refuse(format!("the contact takes no {what} on {} since {}: {}", input.channel, held.since, held.reason))
}

fn reachable(input: &GateInput<'_>, now: Timestamp) -> Option<(Verdict, String)> {
    let held = input.unreachable.filter(|held| held.holds(now))?;
    refuse(format!(
        "{} did not reach the contact at {} ({}); nothing is sent there by it until {}, or until they write",
        input.channel, held.since, held.reason, held.until
    ))
}

fn consent(input: &GateInput<'_>, _now: Timestamp) -> Option<(Verdict, String)> {
    if input.category != Category::Marketing {
        return None;
    }
    let channel = input.channel.to_string();
    let statement = input.consents.iter().find(|held| held.channel == channel && held.scope == "marketing");
    match statement.map(|held| held.state.as_str()) {
        Some("granted") => None,
        Some(state) => {
            refuse(format!("marketing on {channel} needs consent \"granted\"; the contact's is \"{state}\""))
        }
        None => refuse(format!("marketing on {channel} needs consent \"granted\"; the contact has given none")),
    }
}

fn template(input: &GateInput<'_>, _now: Timestamp) -> Option<(Verdict, String)> {
    match input.content {
        Content::Template { name, .. } if !input.template_known => {
            refuse(format!("the configuration has no template {name} any more; add it to the workspace's templates"))
        }
        Content::Template { .. } | Content::Text { .. } | Content::Received { .. } => None,
    }
}

fn window(input: &GateInput<'_>, now: Timestamp) -> Option<(Verdict, String)> {
    let free_form = matches!(input.content, Content::Text { .. });
    if !free_form || input.channel != ChannelKind::Whatsapp {
        return None;
    }
    match input.window {
        Some(window) if window.is_open(now) => None,
        Some(window) => refuse(format!(
            "the customer service window closed at {} (24 hours after the contact's last message): send a template",
            window.open_until()
        )),
        None => refuse(
            "the contact has never written to this sender, so no customer service window is open: send a template",
        ),
    }
}

/// Waits for what is known not to work. Of several, the one that lasts longest decides.
fn health(input: &GateInput<'_>, now: Timestamp) -> Option<(Verdict, String)> {
    let holding = input.circuits.iter().filter(|circuit| circuit.holds(input.category));
    let waits = holding.filter_map(|circuit| circuit.waits_until(now).map(|until| (until, circuit)));
    let (until, circuit) = waits.max_by_key(|(until, _)| *until)?;
    Some((Verdict::DeferredUntil(until), circuit.words()))
}

#[cfg(test)]
mod tests;
