//! The connector against an app that behaves as HubSpot's documentation says.

use super::*;
use crate::Hubspot;
use serde_json::{Value, json};
use tidegate_plugin_sdk::{Answer, Step, Task, testing};

const API: &str = "https://api.hubapi.com/webhooks/2026-03/39522895";
const URL: &str = "https://gateway.example/in/hubspot";
const SETTINGS: &str = r#"{"app_id": 39522895, "phones": ["phone"], "properties": ["tier"]}"#;

/// An app: its settings, its subscriptions, and everything that it was asked.
#[derive(Default)]
struct Fake {
    aim: Option<Value>,
    hooks: Vec<Value>,
    asked: Vec<String>,
    refuses: Option<u16>,
}

impl Fake {
    fn hook(&mut self, event: &str, property: Option<&str>, active: bool) {
        let id = (self.hooks.len() + 1).to_string();
        let mut hook = json!({"id": id, "eventType": event, "active": active, "createdAt": "2026-01-24T16:27:59Z"});
        if let Some(property) = property {
            hook["propertyName"] = json!(property);
        }
        self.hooks.push(hook);
    }

    fn answer(&mut self, request: &Request) -> Answer {
        let path = request.url.strip_prefix(API).unwrap_or_else(|| panic!("{}", request.url)).to_owned();
        self.asked.push(format!("{} {path}", request.method));
        let answer = |status: u16, body: Value| {
            Answer::Response(Response { status, headers: Vec::new(), body: body.to_string() })
        };
        if let Some(status) = self.refuses {
            return answer(status, json!({"status": "error", "category": "INVALID_AUTHENTICATION"}));
        }
        let body = || -> Value { serde_json::from_str(request.body.as_deref().unwrap_or("null")).unwrap() };
        match (request.method.as_str(), path.as_str()) {
            ("GET", "/settings") => match &self.aim {
                Some(aim) => answer(200, aim.clone()),
                None => answer(404, json!({"status": "error", "category": "OBJECT_NOT_FOUND"})),
            },
            ("GET", "/subscriptions") => answer(200, json!({ "results": self.hooks })),
            ("PUT", "/settings") => {
                assert!(body()["throttling"]["maxConcurrentRequests"].is_u64(), "HubSpot wants it");
                self.aim = Some(body());
                answer(200, body())
            }
            ("POST", "/subscriptions") => {
                let asked = body();
                self.hook(asked["eventType"].as_str().unwrap(), asked["propertyName"].as_str(), true);
                answer(201, self.hooks.last().cloned().unwrap())
            }
            ("PATCH", _) => {
                let id = path.rsplit('/').next().unwrap();
                let hook = self.hooks.iter_mut().find(|hook| hook["id"] == id).expect("it is there");
                hook["active"] = body()["active"].clone();
                answer(200, hook.clone())
            }
            _ => panic!("{} {path}", request.method),
        }
    }
}

fn target(topics: &[&str]) -> Target {
    Target { url: URL.to_owned(), topics: topics.iter().map(|topic| (*topic).to_owned()).collect() }
}

fn done(settings: &str, task: &Task, app: &mut Fake) -> Result<Report, String> {
    match testing::connect::<Hubspot>(&testing::connection(settings), task, |request| app.answer(request)) {
        Step::Done(report) => Ok(report),
        Step::Failed(failure) => Err(failure.reason),
        Step::Need(_) => panic!("every request has an answer"),
    }
}

fn problems(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.problem.as_str()).collect()
}

#[test]
fn an_app_is_aimed_here_and_subscribed_by_property_once() {
    let mut app = Fake::default();
    let wanted = target(&["contact.creation", "contact.propertyChange", "deal.propertyChange"]);
    let report = done(SETTINGS, &Task::Check(wanted.clone()), &mut app).unwrap();
    assert!(problems(&report)[0].contains("no target URL") && report.findings.len() == 4, "{report:?}");
    let report = done(SETTINGS, &Task::Subscribe(wanted.clone()), &mut app).unwrap();
    assert!(report.findings.is_empty(), "{report:?}");
    assert_eq!(app.aim.as_ref().unwrap()["targetUrl"], URL);
    let properties: Vec<&str> = app.hooks.iter().filter_map(|hook| hook["propertyName"].as_str()).collect();
    assert!(["email", "phone", "tier", "lifecyclestage", "dealstage"].iter().all(|name| properties.contains(name)));
    assert!(!properties.contains(&"mobilephone"), "the connection reads other phones: {properties:?}");
    app.asked.clear();
    done(SETTINGS, &Task::Subscribe(wanted), &mut app).unwrap();
    assert!(app.asked.iter().all(|asked| asked.starts_with("GET")), "{:?}", app.asked);
}

#[test]
fn what_is_another_gateways_is_told_and_what_is_switched_off_is_switched_on() {
    let mut app = Fake {
        aim: Some(json!({"targetUrl": "https://other.example/x", "throttling": {"maxConcurrentRequests": 25}})),
        ..Fake::default()
    };
    app.hook("contact.creation", None, false);
    app.hook("company.creation", None, true);
    let report = done(SETTINGS, &Task::Check(target(&["contact.creation"])), &mut app).unwrap();
    assert!(problems(&report)[0].contains("https://other.example/x"), "{report:?}");
    assert!(problems(&report)[1].contains("switched the subscription to contact.creation off"), "{report:?}");
    assert!(matches!(report.subscriptions.as_slice(), [held] if held.state == SubscriptionState::Paused));
    let report = done(SETTINGS, &Task::Subscribe(target(&["contact.creation"])), &mut app).unwrap();
    assert!(report.findings.is_empty() && report.subscriptions[0].state == SubscriptionState::Active, "{report:?}");
    assert_eq!(
        app.aim.as_ref().unwrap()["throttling"]["maxConcurrentRequests"],
        25,
        "what the app keeps to is its own"
    );
    assert_eq!(app.hooks.len(), 2, "others are as they were");
}

#[test]
fn an_app_that_nobody_can_change_from_outside_is_told_what_to_set_by_hand() {
    let mut app = Fake::default();
    let wanted = target(&["contact.creation", "deal.propertyChange"]);
    let report = done("{}", &Task::Check(wanted.clone()), &mut app).unwrap();
    let [finding] = report.findings.as_slice() else { panic!("{report:?}") };
    let advice = finding.advice.as_deref().unwrap();
    assert!(finding.severity == Severity::Note && advice.contains(URL), "{finding:?}");
    assert!(advice.contains("contact.creation, deal.propertyChange of dealstage"), "{advice}");
    let report = done("{}", &Task::Check(target(&[])), &mut app).unwrap();
    assert!(report.findings[0].advice.as_deref().unwrap().contains("contact.propertyChange of email"), "{report:?}");
    assert!(done("{}", &Task::Subscribe(wanted.clone()), &mut app).unwrap_err().contains(URL));
    assert!(app.asked.is_empty());
    // A project's app, or a private one, has no such API.
    for (status, words) in [(401, "not valid any more"), (403, "older kind"), (404, "older kind"), (503, "in order")] {
        app.refuses = Some(status);
        let reason = done(SETTINGS, &Task::Subscribe(wanted.clone()), &mut app).unwrap_err();
        assert!(reason.contains(words), "{status}: {reason}");
    }
}

#[test]
fn an_account_takes_no_subscription_away_that_serves_others() {
    let mut app = Fake { aim: Some(json!({"targetUrl": URL})), ..Fake::default() };
    app.hook("contact.creation", None, true);
    let reason = done(SETTINGS, &Task::Unsubscribe(target(&["contact.creation"])), &mut app).unwrap_err();
    assert!(reason.contains("remove the app there") && app.hooks.len() == 1, "{reason}");
    let report = done(SETTINGS, &Task::Check(target(&[])), &mut app).unwrap();
    assert!(problems(&report)[0].contains("serve every account") && report.subscriptions.is_empty(), "{report:?}");
    // The address that the gateway had before is nobody's any more.
    let before = Target { url: "https://old.example/in/hubspot".to_owned(), topics: Vec::new() };
    assert!(done(SETTINGS, &Task::Unsubscribe(before), &mut app).unwrap().findings.is_empty());
}
