//! Runs a plugin natively, in a unit test: no component, no gateway. For tests against the real host there are fixtures (`tidegate-plugin-testing`).

use crate::{Answer, Connection, Connector, Header, Item, Outcome, Plugin, Request, Step, Task};

/// How many rounds of requests [`interpret_answering`] answers before it gives up.
const MAX_ROUNDS: usize = 8;
/// The same of a connector's task, which asks for one thing after the other.
const MAX_STEPS: usize = 64;

/// An item of a topic, received at 2026-03-01T10:00:00Z.
pub fn item(topic: &str, body: &str) -> Item {
    Item {
        id: "item_test".to_owned(),
        topic: topic.to_owned(),
        body: body.to_owned(),
        received_at: "2026-03-01T10:00:00Z".to_owned(),
        ..Item::default()
    }
}

/// The same item with one more header.
#[must_use]
pub fn with_header(mut item: Item, name: &str, value: &str) -> Item {
    item.headers.push(Header { name: name.to_ascii_lowercase(), value: value.to_owned() });
    item
}

/// A connection with these settings (a JSON object).
pub fn connection(settings: &str) -> Connection {
    Connection { name: "test".to_owned(), account: None, settings: settings.to_owned() }
}

/// Interprets items of a connection without settings.
pub fn interpret<P: Plugin>(items: &[Item]) -> Vec<Outcome> {
    P::interpret_chunk(&connection("{}"), items)
}

/// Interprets items of a connection.
pub fn interpret_for<P: Plugin>(connection: &Connection, items: &[Item]) -> Vec<Outcome> {
    P::interpret_chunk(connection, items)
}

/// Interprets one item as the gateway does: answers what the plugin says it needs, and calls it again.
pub fn interpret_answering<P: Plugin>(
    connection: &Connection,
    mut item: Item,
    mut answer: impl FnMut(&Request) -> Answer,
) -> Outcome {
    for _ in 0..MAX_ROUNDS {
        let outcome = P::interpret_chunk(connection, std::slice::from_ref(&item)).pop();
        match outcome {
            Some(Outcome::Need(requests)) => item.answers.extend(requests.iter().map(&mut answer)),
            Some(outcome) => return outcome,
            None => break,
        }
    }
    Outcome::Failed(crate::bindings::tidegate::plugin::types::Failure {
        field: None,
        reason: format!("no outcome after {MAX_ROUNDS} rounds of requests"),
        retryable: false,
    })
}

/// Sees a connector's task through as the gateway does: answers what it says it needs, and calls it again.
pub fn connect<C: Connector>(connection: &Connection, task: &Task, mut answer: impl FnMut(&Request) -> Answer) -> Step {
    let mut answers = Vec::new();
    for _ in 0..MAX_STEPS {
        match crate::connector::step::<C>(connection, task, &answers) {
            Step::Need(requests) => answers.extend(requests.iter().map(&mut answer)),
            step => return step,
        }
    }
    Step::Failed(crate::bindings::tidegate::plugin::types::Failure {
        field: None,
        reason: format!("not done after {MAX_STEPS} requests"),
        retryable: false,
    })
}
