//! Messages through the gate and back: refusals, deferrals, retries on domain time.

use crate::{
    pipeline::Progress,
    testing::{OFFER, START, Stage, THANKS, WORKSPACE, inbound, meta, order},
};
use std::time::Duration;
use tidegate_channels::{Action, SendResult};
use tidegate_model::message::{Message, State, Verdict};
use tidegate_store::{Key, KeyRange, Order, Space, records};

fn only(stage: &Stage) -> Message {
    let mut messages = stage.outbound();
    assert_eq!(messages.len(), 1);
    messages.remove(0)
}

fn ordered(flow: &str) -> Stage {
    let stage = Stage::new(&[flow]);
    stage.post(&order("1", 1));
    stage.interpret();
    stage
}

#[test]
fn a_refusal_of_the_gate_is_kept_in_words() {
    let mut stage = ordered(OFFER);
    stage.settle();
    let message = only(&stage);
    assert_eq!(message.state, State::Refused);
    let [decision] = message.gate.as_slice() else { panic!("{:?}", message.gate) };
    assert_eq!((decision.verdict, decision.check.as_str()), (Verdict::Refused, "consent"));
    assert!(decision.reason.contains("consent \"granted\""), "{}", decision.reason);
    assert_eq!(message.history.last().unwrap().note.as_deref(), Some(decision.reason.as_str()));
    assert!(stage.channel().sent().is_empty());
}

/// Steps of messages and timers only: pure work stays where it is.
fn send_only(stage: &mut Stage) {
    loop {
        let moved = records::promote_due(stage.app().store(), stage.now().ms(), 128).unwrap().moved;
        if stage.send_step() == Progress::Idle && moved == 0 {
            return;
        }
    }
}

#[test]
fn marketing_waits_for_what_a_person_may_have_said_and_the_whole_gate_runs_again() {
    let mut stage = ordered(OFFER);
    stage.post(&meta(&[inbound("stop", 1, "STOP", START)]));
    let mut pauses = 0;
    for _ in 0..1_000 {
        send_only(&mut stage);
        assert_eq!(only(&stage).state, State::Queued);
        stage.advance(1_000);
        pauses += 1;
    }
    let waiting = only(&stage);
    let decision = waiting.gate.last().unwrap();
    assert_eq!(decision.check, "unread");
    assert!(matches!(decision.verdict, Verdict::DeferredUntil(until) if until > START), "{decision:?}");
    let row = stage.rows(Space::Messages)[0].to_string();
    assert!(row.len() < 10_000, "{} bytes after {pauses} pauses: a long wait must not outgrow its row", row.len());
    stage.settle();
    let message = only(&stage);
    assert_eq!((message.state, message.gate.last().unwrap().check.as_str()), (State::Refused, "suppression"));
    assert!(stage.channel().sent().is_empty());
}

#[test]
fn a_refused_attempt_is_repeated_with_growing_pauses_and_given_up_at_last() {
    let mut stage = ordered(THANKS);
    for _ in 0..6 {
        stage.channel().refuse_for_now(None);
    }
    let mut pauses = Vec::new();
    stage.settle();
    for attempt in 1..6 {
        let message = only(&stage);
        assert_eq!((message.state, message.attempts), (State::Queued, attempt));
        let from = stage.now();
        while stage.channel().times(message.id) == usize::from(attempt) {
            stage.advance(500);
            stage.settle();
            assert!(stage.now().ms() - from.ms() < 600_000, "the attempt does not come");
        }
        pauses.push(stage.now().ms() - from.ms());
    }
    assert!(pauses.is_sorted_by(|a, b| a < b), "{pauses:?}");
    let message = only(&stage);
    assert_eq!((message.state, message.attempts, stage.channel().times(message.id)), (State::Failed, 6, 6));
    assert_eq!(message.errors[0].code, "130429");
    assert_eq!(message.gate.len(), 6, "the gate decides about every attempt");
}

#[test]
fn the_provider_s_pause_is_kept() {
    let mut stage = ordered(THANKS);
    stage.channel().refuse_for_now(Some(Duration::from_secs(3_600)));
    stage.settle();
    stage.advance(3_599_000);
    stage.settle();
    assert_eq!(stage.channel().sent().len(), 1);
    stage.advance(60_000);
    stage.settle();
    assert_eq!((stage.channel().sent().len(), only(&stage).state), (2, State::Accepted));
}

#[test]
fn what_is_not_known_to_have_failed_is_not_sent_again() {
    let answers = [
        (SendResult::Unknown { reason: "the connection broke".to_owned() }, State::Unknown),
        (
            SendResult::Accepted {
                provider_id: "wamid.1".to_owned(),
                wa_id: None,
                user_id: None,
                held: Some("paused".to_owned()),
            },
            State::Accepted,
        ),
    ];
    for (answer, state) in answers {
        let mut stage = ordered(THANKS);
        stage.channel().answer(answer);
        stage.settle();
        stage.advance(3_600_000);
        stage.settle();
        assert_eq!((only(&stage).state, stage.channel().sent().len()), (state, 1));
    }
    let mut stage = ordered(THANKS);
    stage.channel().refuse("131026", Action::Fail);
    stage.settle();
    assert_eq!(only(&stage).state, State::Failed);
    assert!(only(&stage).history.last().unwrap().note.as_deref().unwrap().starts_with("131026: "));
}

#[test]
fn a_message_whose_sender_was_removed_is_refused_with_the_reason() {
    let mut stage = ordered(THANKS);
    let sender = "[[senders]]\nname = \"shop\"\nworkspace = \"main\"\nchannel = \"whatsapp\"\nphone_number_id = \"106540352242922\"\naccess_token = \"token-of-the-tests\"\n";
    stage.reconfigure_all(&[(sender, ""), ("default_sender = \"shop\"\n", "")]);
    stage.settle();
    let message = only(&stage);
    assert_eq!((message.state, message.gate[0].check.as_str()), (State::Refused, "sender"));
    assert!(message.gate[0].reason.contains("\"shop\""), "{}", message.gate[0].reason);
}

#[test]
fn a_message_that_waited_too_long_is_not_sent() {
    let mut stage = ordered(THANKS);
    stage.advance(24 * 3_600_000);
    stage.settle();
    assert_eq!((only(&stage).state, only(&stage).gate[0].check.as_str()), (State::Refused, "expiry"));
}

#[test]
fn a_wait_of_the_flow_is_one_timer_and_comes_back_once() {
    let mut stage = ordered(THANKS);
    stage.settle();
    assert_eq!(stage.app().store().stats().timers, 1);
    stage.advance(2 * 86_400_000 - 1);
    stage.settle();
    assert_eq!(stage.outbound().len(), 1);
    stage.advance(1);
    stage.settle();
    assert_eq!((stage.outbound().len(), stage.channel().sent().len()), (2, 2));
    let runs = KeyRange::prefix(&Key::new(Space::Runs, WORKSPACE));
    assert_eq!(stage.app().store().range(&runs, Order::Forward, 9).unwrap().len(), 1);
}
