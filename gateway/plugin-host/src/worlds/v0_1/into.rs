//! From the model to the contract: what a plugin is given.

use super::bindings::tidegate::plugin::types as wit;
use tidegate_model::outcome::{Answer, ConnectionInfo, Item};

pub(in crate::worlds) fn connection(connection: &ConnectionInfo) -> wit::Connection {
    let settings = if connection.settings.is_empty() { "{}" } else { &connection.settings };
    wit::Connection {
        name: connection.name.clone(),
        account: connection.account.clone(),
        settings: settings.to_owned(),
    }
}

pub(in crate::worlds) fn items(items: &[Item]) -> Vec<wit::Item> {
    items.iter().map(item).collect()
}

fn item(item: &Item) -> wit::Item {
    wit::Item {
        id: item.id.to_string(),
        topic: item.topic.clone(),
        headers: headers(&item.headers),
        body: item.body.clone(),
        envelope: item.envelope.clone(),
        received_at: item.received_at.to_string(),
        state: item.state.clone(),
        answers: item.answers.iter().map(answer).collect(),
    }
}

fn headers(headers: &[(String, String)]) -> Vec<wit::Header> {
    headers.iter().map(|(name, value)| wit::Header { name: name.clone(), value: value.clone() }).collect()
}

pub(in crate::worlds) fn answer(answer: &Answer) -> wit::Answer {
    match answer {
        Answer::Response { status, headers: all, body } => {
            wit::Answer::Response(wit::Response { status: *status, headers: headers(all), body: body.clone() })
        }
        Answer::Failed(reason) => wit::Answer::Failed(reason.clone()),
    }
}
