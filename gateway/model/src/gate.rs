//! The send gate: the one door that every outbound message passes.
//!
//! A list of checks in a fixed order; the first that objects decides. It knows nothing of providers, queues or storage: what the checks need is handed in.

use crate::{
    Timestamp,
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
    /// When the message is no longer worth sending.
    pub expires_at: Timestamp,
}

type Check = fn(&GateInput<'_>, Timestamp) -> Option<(Verdict, String)>;

/// The checks, in the order in which they decide.
const CHECKS: &[(&str, Check)] = &[
    ("expiry", expiry),
    ("address", address),
    ("suppression", suppression),
    ("consent", consent),
    ("template", template),
    ("window", window),
];

/// Decides about one message now. After a deferral the whole gate runs again.
pub fn decide(input: &GateInput<'_>, now: Timestamp) -> GateDecision {
    let objection = CHECKS.iter().find_map(|(name, check)| check(input, now).map(|found| (*name, found)));
    let (check, (verdict, reason)) =
        objection.unwrap_or_else(|| ("all", (Verdict::Sent, "every check let it pass".to_owned())));
    GateDecision { at: now, verdict, check: check.to_owned(), reason }
}

fn refuse(reason: impl Into<String>) -> Option<(Verdict, String)> {
    Some((Verdict::Refused, reason.into()))
}

fn expiry(input: &GateInput<'_>, now: Timestamp) -> Option<(Verdict, String)> {
    if now < input.expires_at {
        return None;
    }
    refuse(format!("it was to be sent before {}", input.expires_at))
}

fn address(input: &GateInput<'_>, _now: Timestamp) -> Option<(Verdict, String)> {
    if input.addressed {
        return None;
    }
    refuse(format!("the contact has no address on {}: no phone number is known", input.channel))
}

fn suppression(input: &GateInput<'_>, _now: Timestamp) -> Option<(Verdict, String)> {
    let applies = |held: &&Suppression| held.scope == SuppressionScope::All || input.category == Category::Marketing;
    let held = input.suppressions.iter().find(applies)?;
    let what = match held.scope {
        SuppressionScope::All => "messages",
        SuppressionScope::Marketing => "marketing messages",
    };
    refuse(format!("the contact takes no {what} on {} since {}: {}", input.channel, held.since, held.reason))
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_000_000_000);

    fn text() -> Content {
        Content::Text { text: "hello".to_owned() }
    }

    fn template_content() -> Content {
        Content::Template {
            name: "order".to_owned(),
            language: "en".to_owned(),
            parameters: vec![],
            text: "hi".to_owned(),
        }
    }

    fn input(content: &Content) -> GateInput<'_> {
        GateInput {
            channel: ChannelKind::Whatsapp,
            category: Category::Utility,
            content,
            addressed: true,
            suppressions: &[],
            consents: &[],
            window: None,
            template_known: true,
            expires_at: NOW.plus_ms(1),
        }
    }

    fn check(input: &GateInput<'_>, verdict: Verdict, check: &str) {
        let decision = decide(input, NOW);
        assert_eq!((decision.verdict, decision.check.as_str()), (verdict, check), "{}", decision.reason);
        assert!(!decision.reason.is_empty());
    }

    fn statement(state: &str) -> ConsentStatement {
        ConsentStatement {
            channel: "whatsapp".to_owned(),
            scope: "marketing".to_owned(),
            state: state.to_owned(),
            at: None,
            method: None,
        }
    }

    #[test]
    fn a_template_needs_no_window_and_free_form_needs_an_open_one() {
        let (text, template) = (text(), template_content());
        check(&input(&template), Verdict::Sent, "all");
        check(&input(&text), Verdict::Refused, "window");
        let open = Window { last_inbound_at: NOW.plus_ms(-1_000) };
        check(&GateInput { window: Some(open), ..input(&text) }, Verdict::Sent, "all");
        let closed = Window { last_inbound_at: NOW.plus_ms(-crate::window::WINDOW_MS) };
        check(&GateInput { window: Some(closed), ..input(&text) }, Verdict::Refused, "window");
    }

    #[test]
    fn an_opt_out_stops_everything_and_a_marketing_stop_only_marketing() {
        let template = template_content();
        let held = |scope| [Suppression { scope, since: NOW, reason: "sent STOP".to_owned() }];
        let (all, marketing) = (held(SuppressionScope::All), held(SuppressionScope::Marketing));
        let granted = [statement("granted")];
        check(&GateInput { suppressions: &all, ..input(&template) }, Verdict::Refused, "suppression");
        check(&GateInput { suppressions: &marketing, ..input(&template) }, Verdict::Sent, "all");
        let promotion = GateInput { category: Category::Marketing, consents: &granted, ..input(&template) };
        check(&promotion, Verdict::Sent, "all");
        check(&GateInput { suppressions: &marketing, ..promotion }, Verdict::Refused, "suppression");
    }

    #[test]
    fn marketing_needs_granted_consent() {
        let template = template_content();
        for (consents, verdict) in [
            (vec![], Verdict::Refused),
            (vec![statement("pending")], Verdict::Refused),
            (vec![statement("denied")], Verdict::Refused),
            (vec![statement("granted")], Verdict::Sent),
        ] {
            let input = GateInput { category: Category::Marketing, consents: &consents, ..input(&template) };
            assert_eq!(decide(&input, NOW).verdict, verdict, "{consents:?}");
        }
    }

    #[test]
    fn a_late_message_a_missing_address_and_a_removed_template_are_refused_with_a_reason() {
        let template = template_content();
        check(&GateInput { addressed: false, ..input(&template) }, Verdict::Refused, "address");
        check(&GateInput { expires_at: NOW, ..input(&template) }, Verdict::Refused, "expiry");
        check(&GateInput { template_known: false, ..input(&template) }, Verdict::Refused, "template");
    }
}
