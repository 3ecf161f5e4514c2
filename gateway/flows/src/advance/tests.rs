//! Runs, from their first step to their last.

use super::*;
use crate::{parse_flow, parse_template, run_id};
use proptest::prelude::*;
use serde_json::json;
use tidegate_model::{ContactId, EventId, outcome::Trigger};

const FLOW: &str = r#"
flow: order-confirmation
on: [order.placed, order-vip]
if: "event.order.total.amount != '0'"
steps:
  - id: pause
    wait: 5m
  - id: big
    if: "double(event.order.total.amount) >= 100.0"
    then:
      - { id: vip, send: { template: hello, sender: vip, parameters: { name: "{{ contact.first_name }}", number: "VIP {{ event.order.number }}" } } }
      - { id: vip-pause, wait: 1h }
    else:
      - { id: plain, send: { template: hello, parameters: { name: "{{ contact.first_name | default('you') }}", number: "{{ event.order.number }}" } } }
  - { id: rest, wait: 2d }
  - { id: after, send: { template: hello, parameters: { name: "{{ contact.first_name | default('you') }}", number: "{{ trigger.gift | default('none') }}" } } }
"#;

fn templates() -> TemplateSet {
    let text = "template: hello\ncategory: utility\nparameters: [name, number]\ndefault_language: en\nlanguages:\n  en: { code: en_US, body: 'Hi {{name}}, order {{number}}.' }\n  it: { code: it, body: 'Ciao {{name}}, ordine {{number}}!' }";
    TemplateSet::new([parse_template("t", text).unwrap()]).unwrap()
}

fn at(minutes: i64) -> Timestamp {
    Timestamp::parse("2026-03-30T10:00:00Z").unwrap().plus_ms(minutes * 60_000)
}

fn begin(flow: &Flow, amount: &str) -> Run {
    let event = EventId::derive(at(0).ms(), &[b"order 1"]);
    let json = json!({ "kind": "order.placed", "order": { "number": "#1", "total": { "amount": amount, "currency": "EUR" } } });
    let trigger = Trigger {
        name: "order-vip".to_owned(),
        event: 0,
        variables: json!({ "gift": "mug" }).as_object().unwrap().clone(),
    };
    Run::new(flow, ContactId::derive(0, &[b"ada"]), event, json, Some(&trigger), at(0))
}

fn go(flow: &Flow, run: Run, input: &Input, contact: &Value, now: Timestamp) -> (Run, Vec<Effect>) {
    let context = Context {
        contact,
        contact_language: contact["language"].as_str(),
        default_sender: Some("shop"),
        default_sms_sender: Some("texts"),
    };
    advance(flow, &templates(), run, input, &context, now)
}

/// What was sent, as sender, text.
fn sent(effects: &[Effect]) -> Vec<(&str, &str)> {
    let text = |effect: &'_ Effect| matches!(effect, Effect::Send { .. });
    effects
        .iter()
        .filter(|effect| text(effect))
        .map(|effect| match effect {
            Effect::Send { sender, content, .. } => (sender.as_deref().unwrap_or(""), content.text().unwrap_or("")),
            _ => ("", ""),
        })
        .collect()
}

#[test]
fn a_run_waits_branches_sends_and_ends() {
    let flow = parse_flow("f", FLOW).unwrap();
    let contact = json!({ "first_name": "Ada" });
    let run = begin(&flow, "120.00");
    assert_eq!(run.id, run_id(run.event, "order-confirmation"));

    let (run, effects) = go(&flow, run, &Input::Start, &contact, at(0));
    assert_eq!(effects, [Effect::Wait { wait: 1, due_at: at(5) }]);
    let (run, effects) = go(&flow, run, &Input::Timer { wait: 1 }, &contact, at(5));
    assert_eq!(sent(&effects), [("vip", "Hi Ada, order VIP #1.")]);
    assert_eq!(effects[1], Effect::Wait { wait: 2, due_at: at(65) });
    let (run, effects) = go(&flow, run, &Input::Timer { wait: 2 }, &contact, at(65));
    assert_eq!(effects, [Effect::Wait { wait: 3, due_at: at(65 + 2 * 1440) }]);
    let (run, effects) = go(&flow, run, &Input::Timer { wait: 3 }, &contact, at(9000));
    assert_eq!(sent(&effects), [("shop", "Hi Ada, order mug.")]);
    assert_eq!(effects[1], Effect::Finished);
    insta::assert_json_snapshot!("a_finished_run", run);
}

#[test]
fn the_other_branch_speaks_the_contacts_language_and_uses_defaults() {
    let flow = parse_flow("f", FLOW).unwrap();
    let contact = json!({ "first_name": null, "language": "it-IT" });
    let (run, _) = go(&flow, begin(&flow, "99.99"), &Input::Start, &contact, at(0));
    let (_, effects) = go(&flow, run, &Input::Timer { wait: 1 }, &contact, at(5));
    assert_eq!(sent(&effects), [("shop", "Ciao you, ordine #1!")]);
    let Effect::Send { step, category, content, .. } = &effects[0] else { panic!() };
    assert_eq!((step.as_str(), *category), ("plain", Category::Utility));
    insta::assert_json_snapshot!("the_content_of_a_message", content);
}

#[test]
fn a_run_whose_entry_condition_is_false_never_begins() {
    let flow = parse_flow("f", FLOW).unwrap();
    let (run, effects) = go(&flow, begin(&flow, "0"), &Input::Start, &json!({}), at(0));
    assert_eq!((run.state.clone(), effects), (RunState::NotEntered, vec![]));
    assert!(run.state.is_final() && run.trail.is_empty());
}

fn one(step: &str) -> (Run, Vec<Effect>) {
    let flow = parse_flow("f", &format!("flow: x\non: order.placed\nsteps:\n  - {step}\n  - {{ id: end, wait: 5m }}"))
        .unwrap();
    go(&flow, begin(&flow, "1"), &Input::Start, &json!({ "blank": " \n", "lines": "a\nb" }), at(0))
}

#[test]
fn a_message_that_can_not_be_made_stops_alone_and_says_why() {
    let check = |parameters: &str, expected: &str| {
        let (run, effects) = one(&format!("{{ id: a, send: {{ template: hello, parameters: {{ {parameters} }} }} }}"));
        assert_eq!(effects[0], Effect::SendFailed { step: "a".to_owned(), reason: expected.to_owned() });
        assert!(matches!(effects[1], Effect::Wait { .. }) && !run.state.is_final());
        assert_eq!(run.trail[0].outcome, Outcome::SendFailed { reason: expected.to_owned() });
    };
    check(
        "name: '{{ contact.first_name }}', number: '1'",
        "name: contact.first_name has no value, and no default; write {{ contact.first_name | default('…') }}",
    );
    check(
        "name: '{{ contact.blank }}', number: '1'",
        "name: it is empty, and WhatsApp refuses empty values; write a default",
    );
    check("name: a", "the step gives no number, which the template hello needs");
    let (_, effects) = one("{ id: a, send: { template: bye } }");
    assert_eq!(effects[0], Effect::SendFailed { step: "a".to_owned(), reason: "there is no template bye".to_owned() });
    let (_, effects) =
        one("{ id: a, send: { template: hello, parameters: { name: '{{ contact.lines }}', number: '1' } } }");
    assert_eq!(sent(&effects), [("shop", "Hi a b, order 1.")]);
}

#[test]
fn a_condition_without_a_value_fails_the_run_in_words_for_an_operator() {
    let (run, effects) = one("{ id: a, if: \"event.order.note == 'x'\", then: [{ id: b, wait: 5m }] }");
    assert_eq!(effects, [Effect::Finished]);
    let RunState::Failed { step, reason } = &run.state else { panic!("{run:?}") };
    assert_eq!(step.as_deref(), Some("a"));
    assert!(reason.contains("event.order.note has no value here"), "{reason}");
    assert_eq!(run.trail.last().unwrap().outcome, Outcome::Failed);
}

#[test]
fn a_run_on_another_version_fails_instead_of_taking_its_steps() {
    let (flow, other) = (parse_flow("f", FLOW).unwrap(), parse_flow("f", &FLOW.replace("2d", "3d")).unwrap());
    let (run, effects) = go(&other, begin(&flow, "1"), &Input::Start, &json!({}), at(0));
    assert_eq!(effects, [Effect::Finished]);
    assert!(
        matches!(&run.state, RunState::Failed { step: None, reason } if reason.contains("was given version")),
        "{run:?}"
    );
}

#[test]
fn an_sms_is_the_step_s_own_text_by_a_sender_for_sms() {
    let check = |send: &str, expected: &[(&str, Category, &str)]| {
        let text = format!("flow: f\non: order.placed\nsteps: [{{id: tell, send: {send}}}]");
        let flow = parse_flow("f", &text).unwrap();
        let (run, effects) = go(&flow, begin(&flow, "1"), &Input::Start, &json!({}), at(0));
        assert_eq!(run.state, RunState::Completed, "a message that can't be made ends no run");
        let found = effects.iter().filter_map(|effect| match effect {
            Effect::Send { channel: ChannelKind::Sms, sender, category, content: Content::Text { text }, .. } => {
                Some((sender.as_deref().unwrap_or("-"), *category, text.as_str()))
            }
            _ => None,
        });
        assert_eq!(found.collect::<Vec<_>>(), expected, "{send}");
    };
    let text = r#""\n Order {{ event.order.number }},\n thank you \n""#;
    check(&format!("{{sms: {text}}}"), &[("texts", Category::Utility, "Order #1,\n thank you")]);
    check(
        &format!("{{sms: {text}, sender: other, category: marketing}}"),
        &[("other", Category::Marketing, "Order #1,\n thank you")],
    );
    check(r#"{sms: "{{ contact.first_name }}"}"#, &[]);
    check(r#"{sms: "{{ contact.first_name | default(' ') }}"}"#, &[]);
}

#[test]
fn a_run_that_takes_too_many_steps_fails() {
    let flow = parse_flow("f", FLOW).unwrap();
    let (run, _) = go(&flow, begin(&flow, "1"), &Input::Start, &json!({}), at(0));
    let contact = json!({});
    let context = Context { contact: &contact, contact_language: None, default_sender: None, default_sms_sender: None };
    let (run, _) = advance_within(1, &flow, &templates(), run, &Input::Timer { wait: 1 }, &context, at(5));
    assert!(
        matches!(&run.state, RunState::Failed { reason, .. } if reason.contains("took 1 steps without a wait")),
        "{run:?}"
    );
}

#[test]
fn debug_output_of_a_run_and_its_effects_has_no_personal_data() {
    let flow = parse_flow("f", FLOW).unwrap();
    let contact = json!({ "first_name": "Ada" });
    let (run, _) = go(&flow, begin(&flow, "120"), &Input::Start, &contact, at(0));
    let shown = format!("{:?}", go(&flow, run, &Input::Timer { wait: 1 }, &contact, at(5)));
    assert!(!shown.contains("Ada") && !shown.contains("#1") && !shown.contains("120"), "{shown}");
}

/// An input with what may have happened before it.
fn inputs() -> impl Strategy<Value = Vec<(Input, bool)>> {
    let input = prop_oneof![Just(Input::Start), (0..5u32).prop_map(|wait| Input::Timer { wait })];
    prop::collection::vec((input, any::<bool>()), 0..20)
}

proptest! {
    #[test]
    fn stale_timers_repetitions_and_restarts_change_nothing(inputs in inputs(), amount in prop::sample::select(vec!["0", "5", "120", "x"])) {
        let flow = parse_flow("f", FLOW).unwrap();
        let contact = json!({ "first_name": "Ada" });
        let mut run = begin(&flow, amount);
        let mut resolved = Vec::new();
        let mut messages = 0;
        for (step, (input, restart)) in inputs.into_iter().enumerate() {
            let now = at(step as i64 * 10_000);
            let before = run.clone();
            let waits_for = match &run.state {
                RunState::Waiting { timer, .. } => Some(Input::Timer { wait: *timer }),
                RunState::Active => Some(Input::Start),
                _ => None,
            };
            let (after, effects) = go(&flow, run, &input, &contact, now);
            // The same arguments, also after both went through the store, give the same result.
            let stored: Run = serde_json::from_str(&serde_json::to_string(&before).unwrap()).unwrap();
            prop_assert_eq!(&stored, &before);
            let loaded = Flow::load(&flow.definition().to_json()).unwrap();
            let again = go(&loaded, stored, &input, &contact, now);
            prop_assert_eq!(&again, &(after.clone(), effects.clone()));
            if waits_for.as_ref() == Some(&input) {
                prop_assert!(!resolved.contains(&input), "an input was taken twice");
                prop_assert_ne!(&after.state, &before.state);
                resolved.push(input);
            } else {
                prop_assert_eq!(&after, &before);
                prop_assert!(effects.is_empty());
            }
            messages += sent(&effects).len();
            run = if restart { serde_json::from_str(&serde_json::to_string(&after).unwrap()).unwrap() } else { after };
        }
        prop_assert!(messages <= 2);
    }
}

const ASKS: &str = r#"
flow: asks
on: order.placed
steps:
  - id: answer
    wait_for_reply: { for: 1h, channel: sms }
    then:
      - { id: thank, send: { sms: "You said {{ reply.text }}." } }
    no_response:
      - { id: remind, send: { sms: "You said {{ reply.text | default('nothing') }}." } }
  - { id: again, wait_for_reply: 1d }
  - { id: last, send: { sms: "And then {{ reply.text | default('nothing') }}." } }
"#;

fn reply(minutes: i64, channel: ChannelKind, text: &str) -> Input {
    Input::Reply { received_at: at(minutes), channel, message: json!({ "text": text }) }
}

#[test]
fn a_reply_in_time_goes_one_way_and_none_the_other() {
    let flow = parse_flow("f", ASKS).unwrap();
    let (asked, effects) = go(&flow, begin(&flow, "1"), &Input::Start, &json!({}), at(0));
    assert_eq!(effects, [Effect::Wait { wait: 1, due_at: at(60) }]);
    let check = |input: &Input, now: i64, text: &str, outcome: Outcome| {
        let (run, effects) = go(&flow, asked.clone(), input, &json!({}), at(now));
        assert_eq!(sent(&effects), [("texts", text)]);
        assert_eq!(effects[1], Effect::Wait { wait: 2, due_at: at(now + 1440) });
        assert_eq!(run.trail[1].outcome, outcome);
        run
    };
    let replied = check(&reply(5, ChannelKind::Sms, "yes"), 6, "You said yes.", Outcome::Replied);
    // It was received in time, and read later.
    check(&reply(60, ChannelKind::Sms, "late"), 90, "You said late.", Outcome::Replied);
    let silent = check(&Input::Timer { wait: 1 }, 60, "You said nothing.", Outcome::NoResponse);

    let last = |run: &Run, input: &Input, text: &str| {
        let (run, effects) = go(&flow, run.clone(), input, &json!({}), at(2000));
        assert_eq!((sent(&effects), &effects[1]), (vec![("texts", text)], &Effect::Finished));
        assert_eq!(run.state, RunState::Completed);
    };
    last(&replied, &reply(100, ChannelKind::Whatsapp, "and more"), "And then and more.");
    last(&replied, &Input::Timer { wait: 2 }, "And then yes.");
    last(&silent, &Input::Timer { wait: 2 }, "And then nothing.");
}

#[test]
fn what_is_no_reply_changes_nothing_and_a_wait_ends_once() {
    let flow = parse_flow("f", ASKS).unwrap();
    let (asked, _) = go(&flow, begin(&flow, "1"), &Input::Start, &json!({}), at(0));
    let check = |run: &Run, input: &Input| {
        let (after, effects) = go(&flow, run.clone(), input, &json!({}), at(70));
        assert_eq!((&after, effects), (run, vec![]), "{input:?}");
    };
    check(&asked, &reply(-1, ChannelKind::Sms, "before the question"));
    check(&asked, &reply(61, ChannelKind::Sms, "too late"));
    check(&asked, &reply(5, ChannelKind::Whatsapp, "elsewhere"));
    check(&asked, &Input::Timer { wait: 2 });
    let (replied, _) = go(&flow, asked.clone(), &reply(5, ChannelKind::Sms, "yes"), &json!({}), at(6));
    check(&replied, &Input::Timer { wait: 1 });
    let (silent, _) = go(&flow, asked, &Input::Timer { wait: 1 }, &json!({}), at(60));
    check(&silent, &reply(59, ChannelKind::Sms, "the timer was first"));
}
