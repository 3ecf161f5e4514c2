//! Senders in trouble: what waits, who tries, and what goes on; step by step.

use crate::{
    commands,
    records::CircuitRow,
    testing::{OFFER, START, Stage, THANKS, failure, inbound, meta, order, status},
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

fn order_of(stage: &mut Stage, n: u32) -> Message {
    let before: Vec<_> = stage.outbound().into_iter().map(|message| message.id).collect();
    stage.post(&order(&n.to_string(), n));
    stage.settle();
    stage.outbound().into_iter().find(|message| !before.contains(&message.id)).unwrap()
}

fn unknown() -> SendResult {
    SendResult::Unknown { reason: "no answer came in time".to_owned() }
}

/// Moves on in small steps until this moment after the start.
fn pass(stage: &mut Stage, ms: i64) {
    let end = stage.now().plus_ms(ms);
    while stage.now() < end {
        stage.advance((end.ms() - stage.now().ms()).min(60_000));
        stage.settle();
    }
}

fn state_of(stage: &Stage) -> String {
    commands::senders(stage.app()).unwrap()[0]["state"].as_str().unwrap().to_owned()
}

#[test]
fn what_an_operator_must_mend_holds_all_messages_and_one_tries_for_them() {
    let mut stage = Stage::new(&[THANKS]);
    stage.channel().refuse_as("131042");
    let first = order_of(&mut stage, 1);
    assert_eq!(first.state, State::Queued, "it waits, and is not lost: {:?}", first.history);
    let others: Vec<Message> = (2..6).map(|n| order_of(&mut stage, n)).collect();
    assert_eq!(stage.channel().sent().len(), 1, "nothing more is sent");
    for other in &others {
        let decision = other.gate.last().unwrap();
        assert_eq!((other.state, decision.check.as_str()), (State::Queued, "sender health"));
        assert!(decision.reason.contains("131042"), "{}", decision.reason);
    }
    assert_eq!(commands::senders(stage.app()).unwrap()[0]["waiting"], 5);
    // The first probe fails, the second does not.
    stage.channel().refuse_as("131042");
    pass(&mut stage, 6 * 60_000);
    assert_eq!((stage.channel().sent().len(), circuits(&stage)[0].failed_probes), (2, 1), "one tries");
    pass(&mut stage, 15 * 60_000);
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
        order_of(&mut stage, n);
    }
    let count = |stage: &Stage, state| stage.outbound().iter().filter(|message| message.state == state).count();
    assert_eq!((count(&stage, State::Unknown), count(&stage, State::Queued)), (5, 15));
    assert_eq!(state_of(&stage), "paused: the provider gives no good answer");
    // Each probe that is not answered costs one more, at growing pauses.
    pass(&mut stage, 10 * 60_000);
    assert!((7..=9).contains(&count(&stage, State::Unknown)), "{}", count(&stage, State::Unknown));
    assert_eq!(count(&stage, State::Accepted), 0);
    pass(&mut stage, 30 * 60_000);
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
    pass(&mut stage, 10 * 60_000);
    assert_eq!(state_of(&stage), "paused: the provider gives no good answer");
    let others: Vec<_> = (2..6).map(|n| order_of(&mut stage, n).id).collect();
    pass(&mut stage, 20 * 60_000);
    assert!(others.iter().all(|id| stage.message(*id).state == State::Accepted), "{:?}", circuits(&stage));
    pass(&mut stage, 24 * 60 * 60_000);
    assert!([State::Failed, State::Refused].contains(&stage.message(bad).state));
}

#[test]
fn what_waits_for_a_circuit_past_its_time_is_refused_and_says_why() {
    let mut stage = Stage::new(&[THANKS]);
    let pause = commands::Pause { reason: Some("new contract".to_owned()) };
    assert!(commands::pause(stage.app(), "shop", &pause).is_ok());
    let waiting = order_of(&mut stage, 1);
    assert_eq!(waiting.state, State::Queued);
    pass(&mut stage, 24 * 60 * 60_000);
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
    let message = order_of(&mut stage, 1);
    stage.crash();
    pass(&mut stage, 3 * 60 * 60_000);
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
    order_of(&mut stage, 1);
    order_of(&mut stage, 2);
    stage.advance(5 * 60_000 + 31_000);
    while !circuits(&stage).iter().any(|circuit| circuit.probe.is_some()) {
        stage.step();
    }
    stage.crash();
    stage.settle();
    let unknown = |stage: &Stage| stage.outbound().iter().filter(|message| message.state == State::Unknown).count();
    assert_eq!((unknown(&stage), circuits(&stage)[0].probe), (1, None));
    pass(&mut stage, 12 * 60_000);
    assert_eq!(unknown(&stage), 1);
    assert_eq!(stage.outbound().iter().filter(|message| message.state == State::Accepted).count(), 1);
    assert!(circuits(&stage).is_empty());
}

#[test]
fn a_number_that_is_not_on_whatsapp_is_left_alone_until_it_writes_or_the_mark_is_old() {
    for writes in [false, true] {
        let mut stage = Stage::new(&[THANKS]);
        stage.channel().refuse_as("131026");
        assert_eq!(order_of(&mut stage, 1).state, State::Failed);
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
            order_of(&mut stage, 1);
            stage.post(&meta(&[inbound("stop", 1, "STOP", stage.now().plus_ms(1_000))]));
        } else {
            stage.channel().refuse_as("130403");
            assert_eq!(order_of(&mut stage, 1).state, State::Failed);
            let second = order_of_again(&mut stage, "again");
            assert_eq!((second.state, second.gate.last().unwrap().check.as_str()), (State::Refused, "suppression"));
            stage.post(&meta(&[inbound("hello", 1, "hello", stage.now().plus_ms(1_000))]));
        }
        stage.settle();
        let expected = if stop { State::Refused } else { State::Accepted };
        assert_eq!(order_of_again(&mut stage, "later").state, expected);
    }
}

/// A message that the provider took.
fn taken(stage: &mut Stage) -> (Message, String) {
    let message = order_of(stage, 1);
    let provider_id = message.provider_id.clone().unwrap();
    (message, provider_id)
}

#[test]
fn a_failure_by_webhook_leads_to_what_the_code_says_and_only_once() {
    for (code, space) in [(131050, Space::Suppressions), (131026, Space::Unreachable), (131042, Space::Circuits)] {
        let mut stage = Stage::new(&[THANKS]);
        let (message, provider_id) = taken(&mut stage);
        let failed = failure(&provider_id, Some(message.id), 1, code, START.plus_ms(5_000));
        stage.post(&meta(std::slice::from_ref(&failed)));
        stage.settle();
        let rows = [stage.rows_of(space, 0), stage.rows(space)].concat();
        assert!(!rows.is_empty(), "{code}");
        let failed_once = stage.message(message.id);
        assert_eq!(failed_once.state, State::Failed);
        assert!(failed_once.history.last().unwrap().note.as_deref().unwrap().starts_with(&code.to_string()));
        stage.post(&meta(&[failed]));
        stage.settle();
        assert_eq!(stage.message(message.id), failed_once, "{code}");
        assert_eq!([stage.rows_of(space, 0), stage.rows(space)].concat(), rows, "{code}");
    }
}

#[test]
fn a_failure_after_the_message_arrived_leads_to_nothing() {
    let mut stage = Stage::new(&[THANKS]);
    let (message, provider_id) = taken(&mut stage);
    stage.post(&meta(&[
        status(&provider_id, Some(message.id), 1, "delivered", START.plus_ms(1_000)),
        failure(&provider_id, Some(message.id), 1, 131026, START.plus_ms(2_000)),
    ]));
    stage.settle();
    assert_eq!(stage.message(message.id).state, State::Delivered);
    assert!(stage.rows(Space::Unreachable).is_empty());
}

#[test]
fn an_arrival_after_a_failure_takes_the_mark_back() {
    let mut stage = Stage::new(&[THANKS]);
    let (message, provider_id) = taken(&mut stage);
    stage.post(&meta(&[failure(&provider_id, Some(message.id), 1, 131026, START.plus_ms(1_000))]));
    stage.settle();
    assert_eq!(stage.rows(Space::Unreachable).len(), 1);
    stage.post(&meta(&[status(&provider_id, Some(message.id), 1, "delivered", START.plus_ms(2_000))]));
    stage.settle();
    assert_eq!((stage.message(message.id).state, stage.rows(Space::Unreachable).len()), (State::Delivered, 0));
}

/// An advertisement that the provider took and did not deliver, for now.
fn put_off() -> (Stage, Message, String) {
    let mut stage = Stage::new(&[OFFER]);
    stage.post(&meta(&[crate::testing::preference(1, "resume", START)]));
    stage.interpret();
    let (message, provider_id) = taken(&mut stage);
    stage.post(&meta(&[failure(&provider_id, Some(message.id), 1, 131049, START.plus_ms(1_000))]));
    stage.settle();
    (stage, message, provider_id)
}

#[test]
fn a_message_that_was_put_off_by_webhook_is_sent_again_after_a_day_and_not_before() {
    let (mut stage, message, provider_id) = put_off();
    let waiting = stage.message(message.id);
    assert_eq!((waiting.state, waiting.earlier.as_slice()), (State::Queued, [provider_id.clone()].as_slice()));
    for word in ["sent", "failed"] {
        let mut late = failure(&provider_id, Some(message.id), 1, 131049, START.plus_ms(3_000));
        if word == "sent" {
            late = status(&provider_id, Some(message.id), 1, "sent", START.plus_ms(500));
        }
        stage.post(&meta(&[late]));
        stage.settle();
        assert_eq!(stage.message(message.id).state, State::Queued, "{word} of the earlier attempt starts nothing");
    }
    pass(&mut stage, 24 * 60 * 60_000 - 1_000);
    assert_eq!(stage.channel().times(message.id), 1);
    pass(&mut stage, 60_000);
    assert_eq!((stage.channel().times(message.id), stage.message(message.id).state), (2, State::Accepted));
    pass(&mut stage, 3 * 24 * 60 * 60_000);
    assert_eq!(stage.channel().times(message.id), 2);
}

#[test]
fn a_message_that_was_put_off_and_arrived_after_all_is_not_sent_again() {
    let (mut stage, message, provider_id) = put_off();
    stage.post(&meta(&[status(&provider_id, Some(message.id), 1, "delivered", START.plus_ms(9_000))]));
    stage.settle();
    pass(&mut stage, 2 * 24 * 60 * 60_000);
    assert_eq!((stage.channel().times(message.id), stage.message(message.id).state), (1, State::Delivered));
}

#[test]
fn the_window_that_the_provider_closed_is_closed_for_us() {
    let mut stage = Stage::new(&[]);
    stage.post(&meta(&[inbound("hello", 1, "hello", START)]));
    stage.settle();
    let reply = |stage: &mut Stage| {
        let body = serde_json::json!({"to": crate::testing::phone(1), "text": "How are you?"});
        let id = commands::reply(stage.app(), &serde_json::from_value(body).unwrap());
        let id = id.unwrap_or_else(|_| panic!("the reply is taken"));
        stage.settle();
        stage.message(id)
    };
    stage.advance(1_000);
    stage.channel().refuse_as("131047");
    let refused = reply(&mut stage);
    assert_eq!(refused.state, State::Failed);
    assert!(refused.history.last().unwrap().note.as_deref().unwrap().contains("send a template"));
    let next = reply(&mut stage);
    assert_eq!((next.state, next.gate.last().unwrap().check.as_str()), (State::Refused, "window"));
    stage.advance(1_000);
    stage.post(&meta(&[inbound("again", 1, "hello again", stage.now())]));
    stage.settle();
    assert_eq!(reply(&mut stage).state, State::Accepted);
}

#[test]
fn statuses_of_another_sender_move_nothing() {
    let mut stage = Stage::new(&[THANKS]);
    let (message, provider_id) = taken(&mut stage);
    let mut foreign = failure(&provider_id, Some(message.id), 1, 131026, START.plus_ms(1_000));
    foreign["value"]["metadata"]["phone_number_id"] = serde_json::json!("999999999999999");
    stage.post(&meta(&[foreign]));
    stage.settle();
    assert_eq!(stage.message(message.id), message);
    assert!(stage.rows(Space::Unreachable).is_empty());
}

#[test]
fn what_stays_unknown_follows_the_policy() {
    let late = |stage: &mut Stage| pass(stage, 60 * 60_000);
    for (policy, state, times) in
        [("keep", State::Unknown, 1), ("drop", State::Failed, 1), ("resend", State::Accepted, 2)]
    {
        let mut stage = Stage::new(&[THANKS]);
        stage
            .reconfigure("[workspaces.main]", &format!("[sending]\nunknown_utility = \"{policy}\"\n[workspaces.main]"));
        stage.channel().answer(unknown());
        let message = order_of(&mut stage, 1);
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
    let message = order_of(&mut stage, 1);
    pass(&mut stage, 3 * 60 * 60_000);
    let found = stage.message(message.id);
    assert_eq!((found.state, stage.channel().times(message.id)), (State::Failed, 2));
    assert!(found.history.last().unwrap().note.as_deref().unwrap().contains("never known"), "{:?}", found.history);
}

#[test]
fn a_status_in_time_spares_an_unknown_message_its_policy() {
    let mut stage = Stage::new(&[THANKS]);
    stage.reconfigure("[workspaces.main]", "[sending]\nunknown_utility = \"resend\"\n[workspaces.main]");
    stage.channel().answer(unknown());
    let message = order_of(&mut stage, 1);
    stage.post(&meta(&[status("wamid.found", Some(message.id), 1, "sent", START.plus_ms(2_000))]));
    stage.settle();
    pass(&mut stage, 60 * 60_000);
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
