//! Senders in trouble: what waits, who tries, and what goes on; step by step.

use crate::{
    commands,
    records::CircuitRow,
    testing::{OFFER, START, Stage, THANKS, inbound, meta, order, status},
};
use tidegate_channels::SendResult;
use tidegate_model::{
    circuit::Circuit,
    event::ProviderError,
    message::{Message, State},
};
use tidegate_store::Space;

fn circuits(stage: &Stage) -> Vec<Circuit> {
    [0, crate::testing::WORKSPACE]
        .into_iter()
        .flat_map(|workspace| stage.rows_of(Space::Circuits, workspace))
        .map(|row| serde_json::from_value::<CircuitRow>(row).unwrap().circuit)
        .collect()
}

fn unknown() -> SendResult {
    SendResult::Unknown { reason: "no answer came in time".to_owned() }
}

fn state_of(stage: &Stage) -> String {
    commands::senders(stage.app()).unwrap()[0]["state"].as_str().unwrap().to_owned()
}

#[test]
fn what_an_operator_must_mend_holds_all_messages_and_one_tries_for_them() {
    let mut stage = Stage::new(&[THANKS]);
    stage.channel().refuse_as("131042");
    let first = stage.order_of(1);
    assert_eq!(first.state, State::Queued, "it waits, and is not lost: {:?}", first.history);
    let others: Vec<Message> = (2..6).map(|n| stage.order_of(n)).collect();
    assert_eq!(stage.channel().sent().len(), 1, "nothing more is sent");
    for other in &others {
        let decision = other.gate.last().unwrap();
        assert_eq!((other.state, decision.check.as_str()), (State::Queued, "sender health"));
        assert!(decision.reason.contains("131042"), "{}", decision.reason);
    }
    assert_eq!(commands::senders(stage.app()).unwrap()[0]["waiting"], 5);
    // The first probe fails, the second does not.
    stage.channel().refuse_as("131042");
    stage.pass(6 * 60_000);
    assert_eq!((stage.channel().sent().len(), circuits(&stage)[0].failed_probes), (2, 1), "one tries");
    stage.pass(15 * 60_000);
    assert!(circuits(&stage).is_empty());
    assert_eq!(state_of(&stage), "sends");
    assert!(stage.outbound().iter().all(|message| message.state == State::Accepted));
    assert_eq!(stage.channel().sent().len(), 7, "five messages, and two refusals");
}

#[test]
fn a_pause_of_a_template_holds_that_template_only() {
    let ask = THANKS.replace("thanks", "asking").replace("template: asking", "template: ask");
    let mut stage = Stage::new(&[THANKS, &ask]);
    stage.channel().refuse_as("132015");
    stage.post(&order("1", 1));
    stage.settle();
    let mut states: Vec<State> = stage.outbound().iter().map(|message| message.state).collect();
    states.sort_by_key(|state| *state == State::Queued);
    assert_eq!(states, [State::Accepted, State::Queued]);
    assert!(state_of(&stage).starts_with("sends, but"), "{}", state_of(&stage));
}

#[test]
fn a_spam_limit_of_marketing_lets_the_rest_go_on() {
    let mut stage = Stage::new(&[OFFER, THANKS]);
    stage
        .post(&meta(&[crate::testing::preference(1, "resume", START), crate::testing::preference(2, "resume", START)]));
    stage.interpret();
    stage.channel().refuse_as("131048");
    stage.post(&order("1", 1));
    stage.settle();
    stage.post(&order("2", 2));
    stage.settle();
    let held: Vec<_> = circuits(&stage).into_iter().map(|circuit| circuit.marketing_only).collect();
    let sent = stage.channel().sent().len();
    let waiting = stage.outbound().iter().filter(|message| message.state == State::Queued).count();
    // Whichever of the first two was refused: if the advertisement, only advertisements wait.
    match held.as_slice() {
        [true] => assert_eq!((waiting, sent), (2, 3)),
        [false] => assert_eq!(waiting, 4 - (sent - 1)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_provider_that_does_not_answer_costs_a_few_messages_and_the_rest_wait() {
    let mut stage = Stage::new(&[THANKS]);
    for _ in 0..9 {
        stage.channel().answer(unknown());
    }
    for n in 1..=20 {
        stage.order_of(n);
    }
    let count = |stage: &Stage, state| stage.outbound().iter().filter(|message| message.state == state).count();
    assert_eq!((count(&stage, State::Unknown), count(&stage, State::Queued)), (5, 15));
    assert_eq!(state_of(&stage), "paused: the provider gives no good answer");
    // Each probe that is not answered costs one more, at growing pauses.
    stage.pass(10 * 60_000);
    assert!((7..=9).contains(&count(&stage, State::Unknown)), "{}", count(&stage, State::Unknown));
    assert_eq!(count(&stage, State::Accepted), 0);
    stage.pass(30 * 60_000);
    assert_eq!((count(&stage, State::Accepted), count(&stage, State::Unknown)), (11, 9));
    assert!(circuits(&stage).is_empty(), "it was answered at last");
}

#[test]
fn a_message_that_can_never_be_sent_does_not_hold_up_the_others() {
    let mut stage = Stage::new(&[THANKS]);
    let mut refusal =
        tidegate_channels::refusal_of(&ProviderError { code: "131000".to_owned(), ..ProviderError::default() });
    refusal.http_status = Some(500);
    stage.post(&order("1", 1));
    stage.interpret();
    let bad = stage.outbound()[0].id;
    stage.channel().always(bad, SendResult::Refused(refusal));
    stage.pass(10 * 60_000);
    assert_eq!(state_of(&stage), "paused: the provider gives no good answer");
    let others: Vec<_> = (2..6).map(|n| stage.order_of(n).id).collect();
    stage.pass(20 * 60_000);
    assert!(others.iter().all(|id| stage.message(*id).state == State::Accepted), "{:?}", circuits(&stage));
    stage.pass(24 * 60 * 60_000);
    assert!([State::Failed, State::Refused].contains(&stage.message(bad).state));
}

#[test]
fn what_waits_for_a_circuit_past_its_time_is_refused_and_says_why() {
    let mut stage = Stage::new(&[THANKS]);
    let pause = commands::Pause { reason: Some("new contract".to_owned()) };
    assert!(commands::pause(stage.app(), "shop", &pause).is_ok());
    let waiting = stage.order_of(1);
    assert_eq!(waiting.state, State::Queued);
    stage.pass(24 * 60 * 60_000);
    let late = stage.message(waiting.id);
    let decision = late.gate.last().unwrap();
    assert_eq!((late.state, decision.check.as_str()), (State::Refused, "expiry"));
    assert!(decision.reason.contains("new contract"), "{}", decision.reason);
    assert!(stage.channel().sent().is_empty());
}

#[test]
fn an_operator_s_pause_lasts_over_restarts_and_a_resume_takes_effect_at_once() {
    let mut stage = Stage::new(&[THANKS]);
    let pause = commands::Pause { reason: None };
    assert!(commands::pause(stage.app(), "shop", &pause).is_ok());
    let message = stage.order_of(1);
    stage.crash();
    stage.pass(3 * 60 * 60_000);
    assert_eq!((stage.message(message.id).state, state_of(&stage).as_str()), (State::Queued, "paused by an operator"));
    assert!(commands::resume(stage.app(), "shop").is_ok());
    assert!(commands::resume(stage.app(), "shop").is_err(), "nothing holds it any more");
    stage.settle();
    assert_eq!(stage.message(message.id).state, State::Accepted, "without any time passing");
}

#[test]
fn a_crash_while_a_probe_is_out_leaves_one_message_unknown_and_lets_another_try() {
    let mut stage = Stage::new(&[THANKS]);
    stage.channel().refuse_as("368");
    stage.order_of(1);
    stage.order_of(2);
    stage.advance(5 * 60_000 + 31_000);
    while !circuits(&stage).iter().any(|circuit| circuit.probe.is_some()) {
        stage.step();
    }
    stage.crash();
    stage.settle();
    let unknown = |stage: &Stage| stage.outbound().iter().filter(|message| message.state == State::Unknown).count();
    assert_eq!((unknown(&stage), circuits(&stage)[0].probe), (1, None));
    stage.pass(12 * 60_000);
    assert_eq!(unknown(&stage), 1);
    assert_eq!(stage.outbound().iter().filter(|message| message.state == State::Accepted).count(), 1);
    assert!(circuits(&stage).is_empty());
}

#[test]
fn a_number_that_is_not_on_whatsapp_is_left_alone_until_it_writes_or_the_mark_is_old() {
    for writes in [false, true] {
        let mut stage = Stage::new(&[THANKS]);
        stage.channel().refuse_as("131026");
        assert_eq!(stage.order_of(1).state, State::Failed);
        let second = order_of_again(&mut stage, "again");
        assert_eq!((second.state, second.gate.last().unwrap().check.as_str()), (State::Refused, "reachable"));
        if writes {
            stage.post(&meta(&[inbound("here", 1, "hello", stage.now().plus_ms(1_000))]));
            stage.settle();
        } else {
            stage.advance(7 * 24 * 60 * 60_000);
            stage.settle();
        }
        assert_eq!(order_of_again(&mut stage, "later").state, State::Accepted, "writes: {writes}");
    }
}

fn order_of_again(stage: &mut Stage, unique: &str) -> Message {
    let before: Vec<_> = stage.outbound().into_iter().map(|message| message.id).collect();
    let mut again = order(unique, 1);
    again.script.body["id"] = serde_json::json!(6_100_000_000_usize + before.len());
    stage.post(&again);
    stage.settle();
    let found = stage.outbound().into_iter().filter(|message| !before.contains(&message.id));
    found.min_by_key(|message| (message.step.as_deref() != Some("thank"), message.id)).unwrap()
}

#[test]
fn a_person_who_blocks_is_left_alone_until_they_write_and_a_stop_stays() {
    for stop in [false, true] {
        let mut stage = Stage::new(&[THANKS]);
        if stop {
            stage.channel().refuse_as("130403");
            stage.order_of(1);
            stage.post(&meta(&[inbound("stop", 1, "STOP", stage.now().plus_ms(1_000))]));
        } else {
            stage.channel().refuse_as("130403");
            assert_eq!(stage.order_of(1).state, State::Failed);
            let second = order_of_again(&mut stage, "again");
            assert_eq!((second.state, second.gate.last().unwrap().check.as_str()), (State::Refused, "suppression"));
            stage.post(&meta(&[inbound("hello", 1, "hello", stage.now().plus_ms(1_000))]));
        }
        stage.settle();
        let expected = if stop { State::Refused } else { State::Accepted };
        assert_eq!(order_of_again(&mut stage, "later").state, expected);
    }
}

#[test]
fn what_stays_unknown_follows_the_policy() {
    let late = |stage: &mut Stage| stage.pass(60 * 60_000);
    for (policy, state, times) in
        [("keep", State::Unknown, 1), ("drop", State::Failed, 1), ("resend", State::Accepted, 2)]
    {
        let mut stage = Stage::new(&[THANKS]);
        stage
            .reconfigure("[workspaces.main]", &format!("[sending]\nunknown_utility = \"{policy}\"\n[workspaces.main]"));
        stage.channel().answer(unknown());
        let message = stage.order_of(1);
        late(&mut stage);
        let found = stage.message(message.id);
        assert_eq!((found.state, stage.channel().times(message.id)), (state, times), "{policy}");
        if policy == "keep" {
            assert!(found.history.last().unwrap().note.as_deref().unwrap().contains("stays unknown"));
        }
        // A status that comes late, with our id, still tells.
        stage.post(&meta(&[status("wamid.late", Some(message.id), 1, "delivered", stage.now())]));
        stage.settle();
        assert_eq!(stage.message(message.id).state, State::Delivered, "{policy}");
    }
}

#[test]
fn what_is_sent_again_is_sent_again_once() {
    let mut stage = Stage::new(&[THANKS]);
    stage.reconfigure("[workspaces.main]", "[sending]\nunknown_utility = \"resend\"\n[workspaces.main]");
    for _ in 0..5 {
        stage.channel().answer(unknown());
    }
    let message = stage.order_of(1);
    stage.pass(3 * 60 * 60_000);
    let found = stage.message(message.id);
    assert_eq!((found.state, stage.channel().times(message.id)), (State::Failed, 2));
    assert!(found.history.last().unwrap().note.as_deref().unwrap().contains("never known"), "{:?}", found.history);
}

#[test]
fn a_status_in_time_spares_an_unknown_message_its_policy() {
    let mut stage = Stage::new(&[THANKS]);
    stage.reconfigure("[workspaces.main]", "[sending]\nunknown_utility = \"resend\"\n[workspaces.main]");
    stage.channel().answer(unknown());
    let message = stage.order_of(1);
    stage.post(&meta(&[status("wamid.found", Some(message.id), 1, "sent", START.plus_ms(2_000))]));
    stage.settle();
    stage.pass(60 * 60_000);
    let found = stage.message(message.id);
    assert_eq!((found.state, stage.channel().times(message.id)), (State::Sent, 1));
    assert_eq!(found.provider_id.as_deref(), Some("wamid.found"));
}

/// Trouble of every kind, one after the other, with a crash after this step.
fn troubled(crash_after: Option<usize>) -> (Stage, usize) {
    let mut stage = Stage::new(&[THANKS]);
    stage.reconfigure("[workspaces.main]", "[sending]\nunknown_utility = \"resend\"\n[workspaces.main]");
    let mut steps = 0;
    let mut settle = |stage: &mut Stage| {
        while stage.step() == crate::pipeline::Progress::Done {
            steps += 1;
            if crash_after == Some(steps) {
                stage.crash();
            }
        }
    };
    for code in ["131016", "131042"] {
        stage.channel().refuse_as(code);
    }
    stage.channel().answer(unknown());
    for n in 1..=3 {
        stage.post(&order(&n.to_string(), n));
    }
    for _ in 0..120 {
        settle(&mut stage);
        stage.advance(60_000);
    }
    (stage, steps)
}

#[test]
fn a_crash_in_any_state_of_trouble_loses_nothing_and_attempts_nothing_twice_at_once() {
    let (whole, steps) = troubled(None);
    assert!(steps > 20, "{steps}");
    assert!(whole.outbound().iter().all(|message| message.state == State::Accepted), "{:?}", whole.outbound());
    for step in 1..=steps {
        let (stage, _) = troubled(Some(step));
        for message in stage.outbound() {
            // One that was cut and then met the silence is given up: by policy it is sent once more, and no more.
            let given_up = message.state == State::Failed && message.resends == 1;
            assert!(message.state == State::Accepted || given_up, "after step {step}: {:?}", message.history);
            // Every attempt but the last ended with a definite refusal, or was given up as unknown.
            let attempts = message.history.iter().filter(|held| held.state == State::Attempting).count();
            let ends =
                message.history.iter().filter(|held| [State::Queued, State::Unknown].contains(&held.state)).count();
            assert!(ends >= attempts, "after step {step}: {:?}", message.history);
            assert!(message.resends <= 1);
        }
        assert!(circuits(&stage).is_empty(), "after step {step}");
    }
}
