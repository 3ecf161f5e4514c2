//! What a plugin that looks after its connections implements: the provider's side, without any I/O. It knows no provider.

use crate::{
    Answer, Connection, Error, Header, Request, Response,
    bindings::tidegate::plugin::types::Failure,
    connector_bindings::exports::tidegate::plugin::connector::{
        Finding, FoundItem, Guest, Report, Severity, Span, Step, Subscription, SubscriptionState, Target, Task,
    },
    json, url,
};
use serde::Deserialize;

/// In the body of a request that writes: the secret that the gateway made for the connection, and that no plugin sees.
pub const WEBHOOK_SECRET: &str = "{{webhook_secret}}";

/// In the body of a request that writes: the endpoint's `verify_token`, for a provider that asks an address for it before it sends there.
pub const VERIFY_TOKEN: &str = "{{verify_token}}";

/// Looks after the provider's side of a connection.
///
/// Every function is called anew with each answer, as [`crate::Plugin::interpret`] is: it depends on its arguments alone. A task may have been cut halfway the time
/// before: look first, then make what is missing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no connector",
    label = "expected a type that implements `tidegate_plugin_sdk::Connector`",
    note = "write `impl Connector for {Self}`, or `export!({Self});` for a plugin without one"
)]
pub trait Connector {
    /// What the provider sends to the target, and what is wrong with it. Changes nothing.
    ///
    /// # Errors
    /// Why it can't be told, for an operator. What [`Calls::call`] gives is passed on with `?`.
    fn check(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error>;

    /// Has the provider send the topics to the target, and leaves others as they are.
    ///
    /// # Errors
    /// As for [`Connector::check`].
    fn subscribe(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error>;

    /// Has the provider send the topics to the target no more.
    ///
    /// # Errors
    /// As for [`Connector::check`].
    fn unsubscribe(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error>;

    /// Reads a page of what changed. By default there is nothing to read.
    ///
    /// # Errors
    /// As for [`Connector::check`].
    fn backfill(calls: &mut Calls<'_>, span: &Span) -> Result<Report, Error> {
        let _ = (calls, span);
        Ok(Report::default())
    }
}

/// The requests of one task, and their answers.
#[derive(Debug)]
pub struct Calls<'a> {
    connection: &'a Connection,
    answers: &'a [Answer],
    next: usize,
    needed: Vec<Request>,
}

impl<'a> Calls<'a> {
    /// The connection.
    pub fn connection(&self) -> &'a Connection {
        self.connection
    }

    /// The plugin's settings for the connection.
    ///
    /// # Errors
    /// When they do not fit `T`; the reason names the setting.
    pub fn settings<T: Deserialize<'a>>(&self) -> Result<T, Error> {
        json::parse(&self.connection.settings)
    }

    /// Makes a request. Any status is an answer.
    ///
    /// # Errors
    /// [`Error::Need`] while there is no answer: pass it on with `?`. A failure when there will be none.
    pub fn call(&mut self, request: Request) -> Result<&'a Response, Error> {
        let answer = self.answers.get(self.next);
        self.next += 1;
        match answer {
            Some(Answer::Response(response)) => Ok(response),
            Some(Answer::Failed(reason)) => Err(Error::new(format!("the provider gave no answer: {reason}"))),
            None => {
                self.needed.push(request);
                Err(Error::Need)
            }
        }
    }
}

impl Request {
    /// A request that writes, with a JSON body. The texts [`WEBHOOK_SECRET`] and [`VERIFY_TOKEN`] in it stand for secrets.
    ///
    /// # Errors
    /// When the body can't be written as JSON.
    pub fn write_json<T: serde::Serialize>(method: &str, url: impl Into<String>, body: &T) -> Result<Self, Error> {
        Ok(Self { method: method.to_owned(), ..Self::post_json(url, body)? })
    }

    /// A `POST` of a form.
    pub fn write_form(url: impl Into<String>, fields: &[(&str, &str)]) -> Self {
        let pair = |(name, value): &(&str, &str)| [name, "=", &url::escaped(value)].concat();
        let body = fields.iter().map(pair).collect::<Vec<_>>().join("&");
        let request = Self { method: "POST".to_owned(), url: url.into(), body: Some(body), ..Self::default() };
        request.with_header("content-type", "application/x-www-form-urlencoded")
    }

    /// A `DELETE`.
    pub fn delete(url: impl Into<String>) -> Self {
        Self { method: "DELETE".to_owned(), url: url.into(), ..Self::default() }
    }
}

impl Report {
    /// Adds something that an operator should know.
    #[must_use]
    pub fn with_finding(mut self, severity: Severity, problem: impl Into<String>, advice: &str) -> Self {
        let advice = (!advice.is_empty()).then(|| advice.to_owned());
        self.findings.push(Finding { severity, problem: problem.into(), advice });
        self
    }
}

#[expect(clippy::derivable_impls, reason = "the type is generated")]
impl Default for Report {
    fn default() -> Self {
        Self { subscriptions: Vec::new(), findings: Vec::new(), items: Vec::new(), cursor: None }
    }
}

impl FoundItem {
    /// An item with this body and these headers, names in lower case.
    pub fn new(headers: &[(&str, &str)], body: impl Into<String>) -> Self {
        let header = |(name, value): &(&str, &str)| Header { name: (*name).to_owned(), value: (*value).to_owned() };
        Self { headers: headers.iter().map(header).collect(), body: body.into() }
    }
}

impl Subscription {
    /// One that sends.
    pub fn active(id: impl Into<String>, topic: impl Into<String>) -> Self {
        Self { id: id.into(), topic: topic.into(), state: SubscriptionState::Active, reason: None }
    }
}

impl<C: Connector> Guest for crate::__private::Component<C> {
    fn advance(connection: Connection, task: Task, answers: Vec<Answer>) -> Step {
        step::<C>(&connection, &task, &answers)
    }
}

/// One call of a connector, as the gateway makes it.
pub(crate) fn step<C: Connector + ?Sized>(connection: &Connection, task: &Task, answers: &[Answer]) -> Step {
    let mut calls = Calls { connection, answers, next: 0, needed: Vec::new() };
    let result = match task {
        Task::Check(target) => C::check(&mut calls, target),
        Task::Subscribe(target) => C::subscribe(&mut calls, target),
        Task::Unsubscribe(target) => C::unsubscribe(&mut calls, target),
        Task::Backfill(span) => C::backfill(&mut calls, span),
    };
    if !calls.needed.is_empty() {
        return Step::Need(calls.needed);
    }
    let failed = |field, reason, retryable| Step::Failed(Failure { field, reason, retryable });
    match result {
        Ok(report) => Step::Done(report),
        Err(Error::Failed { field, reason, retryable }) => failed(field, reason, retryable),
        Err(Error::Skip(reason)) => failed(None, reason, false),
        Err(Error::Need) => failed(None, "the plugin waits for answers that it did not ask for".to_owned(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    struct Hooks;

    impl Connector for Hooks {
        fn check(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
            let found: Vec<String> = calls.call(Request::get("https://a.example/hooks"))?.json()?;
            let subscriptions = found.iter().map(|id| Subscription::active(id, &target.topics[0])).collect();
            Ok(Report { subscriptions, ..Report::default() })
        }

        fn subscribe(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
            let report = Self::check(calls, target)?;
            if report.subscriptions.is_empty() {
                calls.call(Request::write_json("PUT", "https://a.example/hooks/1", &[WEBHOOK_SECRET])?)?;
                return Ok(Report { subscriptions: vec![Subscription::active("1", "x")], ..Report::default() });
            }
            Ok(report)
        }

        fn unsubscribe(_: &mut Calls<'_>, _: &Target) -> Result<Report, Error> {
            Err(Error::Need)
        }
    }

    fn target() -> Target {
        Target { url: "https://g.example/in/a".to_owned(), topics: vec!["x".to_owned()] }
    }

    #[test]
    fn a_task_goes_on_with_each_answer() {
        let mut asked = Vec::new();
        let step = testing::connect::<Hooks>(&testing::connection("{}"), &Task::Subscribe(target()), |request| {
            asked.push((request.method.clone(), request.body.clone()));
            let body = if request.method == "GET" { "[]" } else { "{}" };
            Answer::Response(Response { status: 200, headers: Vec::new(), body: body.to_owned() })
        });
        assert!(matches!(step, Step::Done(report) if report.subscriptions.len() == 1));
        let put = ("PUT".to_owned(), Some(format!("[\"{WEBHOOK_SECRET}\"]")));
        assert_eq!(asked, [("GET".to_owned(), None), put]);
    }

    #[test]
    fn what_fails_is_told_in_words() {
        let refused =
            |_: &Request| Answer::Response(Response { status: 403, headers: Vec::new(), body: String::new() });
        let step = testing::connect::<Hooks>(&testing::connection("{}"), &Task::Check(target()), refused);
        assert!(matches!(step, Step::Failed(failure) if failure.reason.contains("403")));
        let step = testing::connect::<Hooks>(&testing::connection("{}"), &Task::Unsubscribe(target()), refused);
        assert!(matches!(step, Step::Failed(failure) if failure.reason.contains("did not ask for")));
    }
}
