//! What each check objects to, and what it lets pass.

use super::*;
use crate::circuit::{Cause, CircuitScope, Trip};

const NOW: Timestamp = Timestamp::from_ms(1_000_000_000);

fn text() -> Content {
    Content::Text { text: "hello".to_owned() }
}

fn template_content() -> Content {
    Content::Template { name: "order".to_owned(), language: "en".to_owned(), parameters: vec![], text: "hi".to_owned() }
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
        unreachable: None,
        circuits: &[],
        not_before: None,
        expires_at: NOW.plus_ms(1_000),
        waited_for: None,
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
    let open = Window { last_inbound_at: NOW.plus_ms(-1_000), closed_at: None };
    check(&GateInput { window: Some(open), ..input(&text) }, Verdict::Sent, "all");
    let closed = Window { last_inbound_at: NOW.plus_ms(-crate::window::WINDOW_MS), closed_at: None };
    check(&GateInput { window: Some(closed), ..input(&text) }, Verdict::Refused, "window");
    check(&GateInput { window: Some(open.after_closing(NOW)), ..input(&text) }, Verdict::Refused, "window");
}

#[test]
fn an_opt_out_stops_everything_and_a_marketing_stop_only_marketing() {
    let template = template_content();
    let held = |scope| [Suppression { scope, since: NOW, reason: "sent STOP".to_owned() }];
    let (all, marketing) = (held(SuppressionScope::All), held(SuppressionScope::Marketing));
    let blocked = held(SuppressionScope::Blocked);
    check(&GateInput { suppressions: &blocked, ..input(&template) }, Verdict::Refused, "suppression");
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

fn circuit(marketing_only: bool, pause_ms: i64) -> Circuit {
    let trip = Trip {
        cause: Cause::Refusal,
        code: "368".to_owned(),
        reason: "blocked".to_owned(),
        marketing_only,
        pause_ms: Some(pause_ms),
    };
    Circuit::open(CircuitScope::Sender { sender: 1 }, &trip, NOW)
}

#[test]
fn an_open_circuit_makes_a_message_wait_until_its_probe_and_never_past_its_expiry() {
    let template = template_content();
    let open = [circuit(false, 1_000), circuit(false, 10_000)];
    let late = NOW.plus_ms(60_000);
    let input = GateInput { circuits: &open, expires_at: late, ..input(&template) };
    check(&input, Verdict::DeferredUntil(NOW.plus_ms(10_000)), "sender health");
    let soon = NOW.plus_ms(5_000);
    check(&GateInput { expires_at: soon, ..input.clone() }, Verdict::DeferredUntil(soon), "sender health");
    assert_eq!(decide(&input, NOW.plus_ms(10_000)).verdict, Verdict::Sent, "as the probe");
    let marketing = [circuit(true, 10_000)];
    check(&GateInput { circuits: &marketing, ..input }, Verdict::Sent, "all");
}

#[test]
fn what_waited_too_long_says_what_it_waited_for() {
    let template = template_content();
    let input = GateInput { waited_for: Some("the sender is paused"), ..input(&template) };
    let decision = decide(&input, NOW.plus_ms(1_000));
    assert_eq!((decision.verdict, decision.check.as_str()), (Verdict::Refused, "expiry"));
    assert!(decision.reason.contains("the sender is paused"), "{}", decision.reason);
}

#[test]
fn an_address_that_is_not_on_the_channel_is_left_alone_until_the_mark_is_old() {
    let template = template_content();
    let mark = Unreachable { since: NOW, until: NOW.plus_ms(500), reason: "131026".to_owned() };
    let input = GateInput { unreachable: Some(&mark), ..input(&template) };
    check(&input, Verdict::Refused, "reachable");
    assert_eq!(decide(&input, NOW.plus_ms(500)).verdict, Verdict::Sent);
}

#[test]
fn a_pause_of_the_message_s_own_is_kept() {
    let template = template_content();
    let at = NOW.plus_ms(300);
    check(&GateInput { not_before: Some(at), ..input(&template) }, Verdict::DeferredUntil(at), "pause");
    check(&GateInput { not_before: Some(NOW), ..input(&template) }, Verdict::Sent, "all");
}
