//! The optional interface `connector`, bound to the host: tasks of the model go in, checked steps come out.

use super::{
    bindings::tidegate::plugin::types as wit,
    into,
    read::{Bad, Inside, Read, at_most, each, required},
};
use crate::{error::CallError, fetch, limits::cut, plugin::Identity, worlds::Failed};
use tidegate_model::{
    connector::{Finding, FoundItem, Report, Severity, Step, Subscription, SubscriptionState, Task},
    outcome::{Answer, ConnectionInfo, Failure, Request},
};

mod bindings {
    //! Generated from `wit/connector.wit`, with the types of the world `plugin`.

    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "connecting",
        exports: { default: async },
        with: { "tidegate:plugin/types@0.1.0": crate::worlds::v0_1::bindings::tidegate::plugin::types },
    });
}

pub(super) use bindings::ConnectingPre;
use bindings::exports::tidegate::plugin::connector as guest;

/// Most requests of one step.
const REQUESTS: usize = 50;
/// Most subscriptions of a report.
const SUBSCRIPTIONS: usize = 500;
/// Most findings of a report.
const FINDINGS: usize = 50;
/// Most items of a page.
const ITEMS: usize = 250;
/// Headers of an item, and the bytes of one.
const HEADERS: usize = 32;
/// Longest text of a report, in bytes; a cursor may be as long.
const TEXT_BYTES: usize = 2 << 10;

/// A task as the guest is given it.
pub(super) fn task(task: &Task) -> guest::Task {
    let target = |target: &tidegate_model::connector::Target| guest::Target {
        url: target.url.clone(),
        topics: target.topics.clone(),
    };
    match task {
        Task::Check(at) => guest::Task::Check(target(at)),
        Task::Subscribe(at) => guest::Task::Subscribe(target(at)),
        Task::Unsubscribe(at) => guest::Task::Unsubscribe(target(at)),
        Task::Backfill(span) => {
            guest::Task::Backfill(guest::Span { since: span.since.to_string(), cursor: span.cursor.clone() })
        }
    }
}

/// Answers as the guest is given them.
pub(super) fn answers(answers: &[Answer]) -> Vec<wit::Answer> {
    answers.iter().map(into::answer).collect()
}

/// The step as the host understands it. A mistake is the plugin's, and ends the task.
pub(super) fn step(
    identity: &Identity,
    connection: &ConnectionInfo,
    of: &Task,
    step: guest::Step,
) -> Result<Step, Failed> {
    let read = match step {
        guest::Step::Need(requests) => need(identity, connection, of, requests).map(Step::Need),
        guest::Step::Done(value) => report(identity, value).inside("done").map(Step::Done),
        guest::Step::Failed(value) => Ok(Step::Failed(failure(&value))),
    };
    read.map_err(|Bad { field, reason }| {
        let reason = format!("{field}: {reason}");
        Failed::Answer(CallError::BadOutcome { plugin: identity.manifest.id.clone(), reason })
    })
}

fn failure(value: &wit::Failure) -> Failure {
    Failure { field: value.field.as_deref().map(text), reason: text(&value.reason), retryable: value.retryable }
}

fn need(
    identity: &Identity,
    connection: &ConnectionInfo,
    of: &Task,
    requests: Vec<wit::Request>,
) -> Read<Vec<Request>> {
    at_most("need", &requests, REQUESTS)?;
    if requests.is_empty() {
        return Err(Bad::new("need", "expected at least one request, found none"));
    }
    each("need", requests, |request| {
        let headers =
            request.headers.into_iter().map(|header| (header.name.to_ascii_lowercase(), header.value)).collect();
        let request = Request { method: request.method, url: request.url, headers, body: request.body };
        fetch::check_connecting(&request, &identity.manifest, connection, of.writes())
            .map_err(|(field, reason)| Bad::new(field, reason))?;
        Ok(request)
    })
}

fn report(identity: &Identity, report: guest::Report) -> Read<Report> {
    at_most("subscriptions", &report.subscriptions, SUBSCRIPTIONS)?;
    at_most("findings", &report.findings, FINDINGS)?;
    at_most("items", &report.items, ITEMS)?;
    if report.cursor.as_ref().is_some_and(|cursor| cursor.len() > TEXT_BYTES) {
        return Err(Bad::new("cursor", format!("{TEXT_BYTES} bytes are the most")));
    }
    Ok(Report {
        subscriptions: each("subscriptions", report.subscriptions, subscription)?,
        findings: each("findings", report.findings, finding)?,
        items: each("items", report.items, |item| found(identity, item))?,
        cursor: report.cursor,
    })
}

fn subscription(value: guest::Subscription) -> Read<Subscription> {
    Ok(Subscription {
        id: text(&required("id", value.id)?),
        topic: text(&value.topic),
        state: match value.state {
            guest::SubscriptionState::Active => SubscriptionState::Active,
            guest::SubscriptionState::Paused => SubscriptionState::Paused,
            guest::SubscriptionState::Disabled => SubscriptionState::Disabled,
        },
        reason: value.reason.as_deref().map(text),
    })
}

fn finding(value: guest::Finding) -> Read<Finding> {
    Ok(Finding {
        severity: match value.severity {
            guest::Severity::Note => Severity::Note,
            guest::Severity::Warning => Severity::Warning,
            guest::Severity::Problem => Severity::Problem,
        },
        problem: text(&required("problem", value.problem)?),
        advice: value.advice.as_deref().map(text),
    })
}

fn found(identity: &Identity, item: guest::FoundItem) -> Read<FoundItem> {
    let most = identity.manifest.limits.body_bytes;
    if item.body.len() as u64 > most {
        return Err(Bad::new("body", format!("{} bytes, and {most} is the most", item.body.len())));
    }
    at_most("headers", &item.headers, HEADERS)?;
    let headers = each("headers", item.headers, |header| {
        let plain = header.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let fits = header.value.len() <= TEXT_BYTES && !header.value.contains(char::is_control);
        if header.name.is_empty() || !plain || !fits {
            return Err(Bad::new("name", "expected a name in lower case and a value of one line"));
        }
        Ok((header.name, header.value))
    })?;
    Ok(FoundItem { headers, body: item.body })
}

fn text(text: &str) -> String {
    cut(text, TEXT_BYTES).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{super::read::instant, *};
    use tidegate_model::{Timestamp, connector::Span};

    #[test]
    fn a_span_is_told_as_an_instant() {
        let since = Timestamp::from_ms(1_772_359_200_000);
        let guest::Task::Backfill(span) = task(&Task::Backfill(Span { since, cursor: None })) else { panic!("a span") };
        assert_eq!(instant("since", &span.since).unwrap(), since);
    }
}
