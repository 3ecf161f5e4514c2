//! The whole path with a crash after every step: what is known at the end is the same, and no message goes out twice.

use super::Progress;
use crate::testing::{START, Stage, THANKS, Webhook, inbound, meta, order, status};
use serde_json::Value;
use std::collections::BTreeMap;
use tidegate_model::message::{Message, State};
use tidegate_store::Queue;

const DAY_MS: i64 = 86_400_000;

/// What happens in the story.
enum Scene {
    /// A provider sends a webhook, again and again until it is acknowledged.
    Post(Box<Webhook>),
    /// The gateway does what there is to do.
    Settle,
    /// A customer stops, and a status of the first message comes, in one webhook.
    StopAndStatus,
    /// Time passes.
    Pass(i64),
}

fn story() -> Vec<Scene> {
    vec![
        Scene::Post(Box::new(order("first", 1))),
        Scene::Post(Box::new(order("second", 2))),
        Scene::Post(Box::new(order("first", 1))),
        Scene::Settle,
        Scene::Post(Box::new(order("second", 2))),
        Scene::StopAndStatus,
        Scene::Settle,
        Scene::Pass(2 * DAY_MS),
        Scene::Settle,
    ]
}

/// Plays the story with a crash after this step. Gives how many steps there were.
struct Play {
    stage: Stage,
    steps: usize,
    crash_after: Option<usize>,
}

impl Play {
    fn new(crash_after: Option<usize>) -> Self {
        Self { stage: Stage::new(&[THANKS]), steps: 0, crash_after }
    }

    fn run(mut self) -> Self {
        for scene in story() {
            match scene {
                Scene::Post(webhook) => self.post(&webhook),
                Scene::StopAndStatus => self.stop_and_status(),
                Scene::Pass(ms) => self.stage.advance(ms),
                Scene::Settle => {
                    while self.stage.step() == Progress::Done {
                        self.step_is_done();
                    }
                }
            }
        }
        self
    }

    fn post(&mut self, webhook: &Webhook) {
        self.stage.post(webhook);
        self.step_is_done();
    }

    fn step_is_done(&mut self) {
        self.steps += 1;
        if self.crash_after == Some(self.steps) {
            self.stage.crash();
        }
    }

    /// The provider tells a status only of what it was given.
    fn stop_and_status(&mut self) {
        let at = START.plus_ms(60_000);
        let mut changes = vec![inbound("stop", 2, "STOP", at)];
        let thanked = self.stage.outbound().into_iter().find(|message| to(message).ends_with("00001")).unwrap();
        if self.stage.channel().times(thanked.id) > 0 {
            changes.push(status(&format!("wamid.{}", thanked.id), Some(thanked.id), 1, "delivered", at));
        }
        self.post(&meta(&changes));
    }
}

fn to(message: &Message) -> String {
    let address = serde_json::to_value(&message.address).unwrap();
    address["phone"].as_str().unwrap().to_owned()
}

/// Everything but the messages and what tells of their ids at the provider.
fn known(play: &Play) -> BTreeMap<&'static str, Vec<Value>> {
    let mut state = play.stage.state();
    state.retain(|label, _| !label.contains("message"));
    state
}

#[test]
fn a_crash_after_any_step_changes_nothing_but_the_message_that_it_cut() {
    let whole = Play::new(None).run();
    let expected = whole.stage.outbound();
    let states: Vec<State> = expected.iter().map(|message| message.state).collect();
    assert_eq!(states.len(), 4, "two thanks and two questions: {states:?}");
    assert!(states.contains(&State::Delivered) && states.contains(&State::Refused), "{states:?}");
    let events = known(&whole);
    assert!(whole.steps > 15, "{}", whole.steps);
    let mut cut = 0;
    for step in 1..=whole.steps {
        let play = Play::new(Some(step)).run();
        let stage = &play.stage;
        assert_eq!([stage.ready(Queue::Pure), stage.ready(Queue::Io)], [0, 0], "after step {step}");
        let found = stage.outbound();
        assert_eq!(found.len(), expected.len(), "after step {step}");
        let mut unknown = 0;
        for (message, expected) in found.iter().zip(&expected) {
            assert!(stage.channel().times(message.id) <= 1, "sent twice after step {step}: {message:?}");
            if message.history.iter().any(|held| held.state == State::Unknown) {
                unknown += 1;
            } else {
                assert_eq!(message, expected, "after step {step}");
            }
        }
        assert!(unknown <= 1, "after step {step}");
        cut += unknown;
        // The status that the provider does not tell of a message it was never given is all that may be missing.
        let told =
            found.iter().all(|message| message.state == State::Refused || stage.channel().times(message.id) == 1);
        if told {
            assert_eq!(known(&play), events, "after step {step}");
        }
    }
    // Each of the three messages that were sent can be cut after its mark, and after its call.
    assert_eq!(cut, 6);
}
