//! The connector against an account that behaves as Calendly's documentation says.

use super::*;
use crate::Calendly;
use serde_json::{Value, json};
use tidegate_plugin_sdk::{Answer, Step, Task, testing};

const API: &str = "https://api.calendly.com";
const URL: &str = "https://gateway.example/in/calendly";
const ME: &str = "https://api.calendly.com/users/AAAA";
const ORGANIZATION: &str = "https://api.calendly.com/organizations/BBBB";

/// An account: subscriptions, and everything that it was asked.
#[derive(Default)]
struct Account {
    hooks: Vec<Value>,
    asked: Vec<String>,
    refuses: Option<u16>,
}

impl Account {
    fn with(states: &[(&str, &[&str])]) -> Self {
        let hook = |(n, (state, events)): (usize, &(&str, &[&str]))| {
            json!({"uri": format!("{API}/webhook_subscriptions/H{n}"), "callback_url": URL, "state": state,
                "events": events, "scope": "organization"})
        };
        Self { hooks: states.iter().enumerate().map(hook).collect(), ..Self::default() }
    }

    fn answer(&mut self, request: &Request) -> Answer {
        let path = request.url.trim_start_matches(API).to_owned();
        self.asked.push(format!("{} {path}", request.method));
        let answer = |status: u16, body: Value| {
            Answer::Response(Response { status, headers: Vec::new(), body: body.to_string() })
        };
        if let Some(status) = self.refuses {
            return answer(status, json!({"title": "Permission Denied"}));
        }
        match request.method.as_str() {
            "GET" if path == "/users/me" => {
                answer(200, json!({"resource": {"uri": ME, "current_organization": ORGANIZATION}}))
            }
            "GET" => answer(200, json!({"collection": self.hooks, "pagination": {"next_page_token": null}})),
            "DELETE" => {
                self.hooks.retain(|hook| hook["uri"] != request.url.as_str());
                answer(204, Value::Null)
            }
            _ => {
                let mut hook: Value = serde_json::from_str(request.body.as_deref().unwrap_or_default()).unwrap();
                assert_eq!(hook["signing_key"], WEBHOOK_SECRET);
                assert_eq!(hook["user"].is_null(), hook["scope"] == "organization");
                if self.hooks.iter().any(|held| held["callback_url"] == hook["url"]) {
                    return answer(409, json!({"title": "Already Exists"}));
                }
                hook["callback_url"] = hook["url"].take();
                hook["uri"] = json!(format!("{API}/webhook_subscriptions/NEW"));
                hook["state"] = json!("active");
                self.hooks.push(hook.clone());
                answer(201, json!({ "resource": hook }))
            }
        }
    }

    fn sees(&mut self, settings: &str, task: &Task) -> Step {
        testing::connect::<Calendly>(&testing::connection(settings), task, |request| self.answer(request))
    }
}

fn target(topics: &[&str]) -> Target {
    Target { url: URL.to_owned(), topics: topics.iter().map(|&topic| topic.to_owned()).collect() }
}

#[track_caller]
fn done(step: Step) -> Report {
    match step {
        Step::Done(report) => report,
        other => panic!("expected a report, found {other:?}"),
    }
}

fn topics(report: &Report) -> Vec<&str> {
    report.subscriptions.iter().map(|held| held.topic.as_str()).collect()
}

#[test]
fn a_subscription_that_was_switched_off_is_made_anew_with_what_it_had() {
    let mut account = Account::with(&[("disabled", &["invitee.created", "invitee.canceled"])]);
    let wanted = target(&["invitee.created"]);
    let found = done(account.sees("{}", &Task::Check(wanted.clone())));
    assert!(found.findings[0].problem.contains("switched the subscription to invitee.created off"), "{found:?}");
    let made = done(account.sees("{}", &Task::Subscribe(wanted)));
    assert_eq!(topics(&made), ["invitee.canceled", "invitee.created"]);
    assert!(made.findings.is_empty() && made.subscriptions.iter().all(|held| held.id == "NEW"), "{made:?}");
    assert!(account.asked.contains(&"DELETE /webhook_subscriptions/H0".to_owned()), "{:?}", account.asked);
}

#[test]
fn what_a_cut_left_twice_becomes_one() {
    let mut account = Account::with(&[("active", &["invitee.created"]), ("active", &["invitee.created"])]);
    let wanted = target(&["invitee.created"]);
    let found = done(account.sees("{}", &Task::Check(wanted.clone())));
    assert!(found.findings[0].problem.contains("several subscriptions"), "{found:?}");
    done(account.sees("{}", &Task::Subscribe(wanted)));
    assert_eq!(account.hooks.len(), 1);
}

#[test]
fn unsubscribing_leaves_the_other_events() {
    let mut account = Account::with(&[("active", &["invitee.created", "invitee.canceled"])]);
    let left = done(account.sees("{}", &Task::Unsubscribe(target(&["invitee.canceled"]))));
    assert_eq!(topics(&left), ["invitee.created"]);
    let left = done(account.sees("{}", &Task::Unsubscribe(target(&["invitee.created"]))));
    assert!(topics(&left).is_empty() && account.hooks.is_empty());
}

#[test]
fn a_person_has_no_routing_forms() {
    let mut account = Account::default();
    let wanted = target(&["invitee.created", "routing_form_submission.created"]);
    let made = done(account.sees(r#"{"scope": "user"}"#, &Task::Subscribe(wanted)));
    assert_eq!(topics(&made), ["invitee.created"]);
    assert!(made.findings[0].problem.contains("whole organizations only"), "{made:?}");
    assert!(account.asked[1].contains("scope=user&user=https%3A%2F%2Fapi.calendly.com%2Fusers%2FAAAA"));
}

#[test]
fn a_refusal_says_what_to_do() {
    for (status, words) in [(401, "make another one"), (403, "paid plan"), (500, "answered 500")] {
        let mut account = Account { refuses: Some(status), ..Account::default() };
        let step = account.sees("{}", &Task::Check(target(&["invitee.created"])));
        assert!(matches!(&step, Step::Failed(failure) if failure.reason.contains(words)), "{step:?}");
    }
}
