//! Plugins as authors write them.

use super::*;
use crate::{Answer, Level, Order, Request, Response, json, testing};
use serde::{Deserialize, Serialize};

/// Fetches two things at once, then one that depends on them; counts in its state.
struct Fetching;

#[derive(Deserialize)]
struct Settings {
    #[serde(default)]
    shout: bool,
}

#[derive(Serialize, Deserialize, Default)]
struct Count {
    seen: u32,
}

impl Plugin for Fetching {
    fn interpret(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
        if item.topic == "boring" {
            return Err(Error::skip("nothing to tell"));
        }
        let settings: Settings = ctx.settings()?;
        let seen = ctx.state::<Count>()?.unwrap_or_default().seen + 1;
        ctx.set_state(&Count { seen })?;
        ctx.log(Level::Debug, "asks");
        let parts = ctx.fetch_all([Request::get("https://a.example/1"), Request::get("https://a.example/2")])?;
        let last = ctx.fetch(Request::post_json("https://a.example/search", &[&parts[0].body, &parts[1].body])?)?;
        let key = if settings.shout { last.body.to_uppercase() } else { last.body };
        let event = Event::new("order.placed", &key, &item.received_at)
            .with_payload(Order { id: key.clone(), ..Order::default() })
            .with_entity("order", &key, None);
        Ok(Interpretation::from(event).with_trigger("seen", &key, json::Object::new().text("who", Some("me")).finish()))
    }
}

fn answer(request: &Request) -> Answer {
    let body = request.body.clone().unwrap_or_else(|| request.url.rsplit('/').next().unwrap_or_default().to_owned());
    Answer::Response(Response { status: 200, headers: vec![], body })
}

#[test]
fn a_fetch_is_asked_for_and_then_answered() {
    let outcome = testing::interpret::<Fetching>(&[testing::item("t", "")]).remove(0);
    let Outcome::Need(requests) = outcome else { panic!("{outcome:?}") };
    assert_eq!(
        requests.iter().map(|request| request.url.as_str()).collect::<Vec<_>>(),
        ["https://a.example/1", "https://a.example/2"]
    );

    let outcome = testing::interpret_answering::<Fetching>(
        &testing::connection(r#"{"shout": true}"#),
        testing::item("t", ""),
        answer,
    );
    let Outcome::Done(done) = outcome else { panic!("{outcome:?}") };
    assert_eq!(done.events[0].event_key, r#"["1","2"]"#);
    assert_eq!(done.triggers[0].variables, r#"{"who":"me"}"#);
    assert_eq!(done.state.as_deref(), Some(r#"{"seen":1}"#));
    assert_eq!(done.events[0].contact, None);
}

#[test]
fn the_second_round_asks_only_for_what_is_new() {
    let mut item = testing::item("t", "");
    item.answers = vec![answer(&Request::get("x/1")), answer(&Request::get("x/2"))];
    let outcome = testing::interpret::<Fetching>(&[item]).remove(0);
    let Outcome::Need(requests) = outcome else { panic!("{outcome:?}") };
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].body.as_deref(), Some(r#"["1","2"]"#));
}

#[test]
fn skips_failures_bad_settings_and_missing_answers_become_outcomes() {
    let of = |connection: &Connection, item: Item| testing::interpret_for::<Fetching>(connection, &[item]).remove(0);
    assert_eq!(
        of(&testing::connection("{}"), testing::item("boring", "")),
        Outcome::Skip("nothing to tell".to_owned())
    );
    let failed = |reason: &str| Outcome::Failed(Failure { field: None, reason: reason.to_owned(), retryable: false });
    assert_eq!(
        of(&testing::connection(r#"{"shout": 1}"#), testing::item("t", "")),
        failed("the settings of the connection, /shout: invalid type: integer `1`, expected a boolean")
    );
    let mut item = testing::item("t", "");
    item.state = Some("[]".to_owned());
    assert_eq!(
        of(&testing::connection("{}"), item),
        failed("the stored state, /: invalid length 0, expected struct Count with 1 element")
    );
    let mut item = testing::item("t", "");
    item.answers = vec![answer(&Request::get("x/1")), Answer::Failed("host not found".to_owned())];
    assert_eq!(of(&testing::connection("{}"), item), failed("the provider gave no answer: host not found"));
}

/// Swallows the need of an answer.
struct Careless;

impl Plugin for Careless {
    fn interpret(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
        let name = ctx
            .fetch(Request::get("https://a.example/name"))
            .map_or_else(|_| "nobody".to_owned(), |response| response.body);
        Ok(Event::new("hello.said", &name, &item.received_at).into())
    }
}

#[test]
fn a_swallowed_need_is_still_asked_for() {
    let outcome = testing::interpret_answering::<Careless>(&testing::connection("{}"), testing::item("t", ""), answer);
    let Outcome::Done(done) = outcome else { panic!("{outcome:?}") };
    assert_eq!(done.events[0].event_key, "name");
}

#[test]
fn errors_may_be_marked_as_worth_another_try() {
    let error = Error::field("/customer/phone", "expected a number").retryable();
    assert_eq!(
        error,
        Error::Failed {
            field: Some("/customer/phone".to_owned()),
            reason: "expected a number".to_owned(),
            retryable: true
        }
    );
    assert_eq!(Error::skip("x").retryable(), Error::skip("x"));
}

#[test]
fn headers_are_found_in_any_case() {
    let item = testing::with_header(testing::item("t", ""), "X-Shop", "a");
    assert_eq!(item.header("x-sHop"), Some("a"));
    assert_eq!(item.header("x-other"), None);
}
