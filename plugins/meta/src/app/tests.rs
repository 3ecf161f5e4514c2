//! The connector against accounts that behave as Graph's documentation says.

use super::*;
use crate::Meta;
use serde_json::{Value, json};
use tidegate_plugin_sdk::{Answer, Connection, Step, SubscriptionState, Task, testing};

const URL: &str = "https://gateway.example/in/meta";
const APP: &str = "670843887433847";
const PAGE: &str = r#"{"app_id": 670843887433847, "account_type": "page"}"#;
const WHATSAPP: &str = r#"{"app_id": 670843887433847, "account_type": "whatsapp"}"#;
const OWN: &str = r#"{"app_id": 670843887433847, "own_address": true}"#;

/// An account: who hears of it, and everything that it was asked.
#[derive(Default)]
struct Fake {
    apps: Vec<Value>,
    /// Addresses of the account's numbers, as Graph tells them; none when the token may not see them.
    numbers: Option<Vec<Value>>,
    forms: Vec<(&'static str, &'static str)>,
    /// By form.
    leads: Vec<(&'static str, u64, &'static str)>,
    asked: Vec<String>,
    refuses: Option<(u16, u32)>,
}

impl Fake {
    fn on_page(fields: &[&str]) -> Self {
        let other = json!({"id": "111", "name": "A funnel", "subscribed_fields": ["leadgen"]});
        let own = json!({"id": APP, "name": "Ours", "subscribed_fields": fields});
        Self { apps: if fields.is_empty() { vec![other] } else { vec![other, own] }, ..Self::default() }
    }

    fn on_whatsapp(aim: Option<&str>) -> Self {
        let mut own = json!({"whatsapp_business_api_data": {"id": APP, "name": "Ours", "link": "https://www.facebook.com/games/?app_id=1"}});
        if let Some(aim) = aim {
            own["override_callback_uri"] = json!(aim);
        }
        Self { apps: vec![own], ..Self::default() }
    }

    fn answer(&mut self, request: &Request) -> Answer {
        let path = request.url.strip_prefix("https://graph.facebook.com/v25.0/").expect("it is Graph");
        self.asked.push(format!("{} {path} {}", request.method, request.body.as_deref().unwrap_or_default()));
        let answer = |status: u16, body: Value| {
            Answer::Response(Response { status, headers: Vec::new(), body: body.to_string() })
        };
        if let Some((status, code)) = self.refuses {
            return answer(status, json!({"error": {"message": "no", "code": code}}));
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        match (request.method.as_str(), path.split_once('/').expect("an edge")) {
            ("GET", (_, "subscribed_apps")) => answer(200, json!({ "data": self.apps })),
            ("GET", (_, "phone_numbers")) => match &self.numbers {
                Some(numbers) => {
                    let number = |(n, addresses): (usize, &Value)| json!({"id": format!("10654{n}"), "display_phone_number": format!("+1 555-078-388{n}"), "webhook_configuration": addresses});
                    answer(200, json!({"data": numbers.iter().enumerate().map(number).collect::<Vec<_>>()}))
                }
                None => answer(403, json!({"error": {"message": "no", "code": 200}})),
            },
            ("POST", (_, "subscribed_apps")) => {
                let body: Value = serde_json::from_str(request.body.as_deref().unwrap()).unwrap();
                let fields: Vec<&str> =
                    body["subscribed_fields"].as_str().map(|fields| fields.split(',').collect()).unwrap_or_default();
                let is_page = body["subscribed_fields"].is_string();
                let aim = body["override_callback_uri"].as_str();
                assert_eq!(aim.is_some(), body["verify_token"] == VERIFY_TOKEN, "{body}");
                self.apps = if is_page { Self::on_page(&fields).apps } else { Self::on_whatsapp(aim).apps };
                answer(200, json!({"success": true}))
            }
            ("DELETE", (_, "subscribed_apps")) => {
                self.apps.pop();
                answer(200, json!({"success": true}))
            }
            ("GET", (_, "leadgen_forms")) => {
                let forms: Vec<Value> =
                    self.forms.iter().map(|(id, status)| json!({"id": id, "status": status})).collect();
                answer(200, json!({"data": forms, "paging": {"cursors": {"before": "a", "after": "b"}}}))
            }
            ("GET", (form, "leads")) => {
                let of: Vec<_> = self.leads.iter().filter(|(held, ..)| *held == form).collect();
                if of.is_empty() {
                    return answer(400, json!({"error": {"message": "gone", "code": 100, "error_subcode": 33}}));
                }
                // One lead on a page.
                let at = query.split_once("after=").map_or(0, |(_, after)| after.parse::<usize>().unwrap());
                let (_, id, created) = of[at];
                let mut paging = json!({"cursors": {"after": (at + 1).to_string()}});
                if at + 1 < of.len() {
                    paging["next"] = json!("https://graph.facebook.com/?access_token=xxx");
                }
                answer(200, json!({"data": [{"id": id.to_string(), "created_time": created}], "paging": paging}))
            }
            other => panic!("{other:?}"),
        }
    }
}

fn connection(settings: &str) -> Connection {
    Connection { account: Some("102290129340398".to_owned()), ..testing::connection(settings) }
}

fn target(topics: &[&str]) -> Target {
    Target { url: URL.to_owned(), topics: topics.iter().map(|topic| (*topic).to_owned()).collect() }
}

/// What is wished for when nobody names topics.
fn usual() -> Target {
    target(&[OF_WHATSAPP, &[LEADGEN]].concat())
}

fn done(connection: &Connection, task: &Task, graph: &mut Fake) -> Result<Report, String> {
    match testing::connect::<Meta>(connection, task, |request| graph.answer(request)) {
        Step::Done(report) => Ok(report),
        Step::Failed(failure) => Err(failure.reason),
        Step::Need(_) => panic!("every request has an answer"),
    }
}

fn check(settings: &str, target: Target, graph: &mut Fake) -> Result<Report, String> {
    done(&connection(settings), &Task::Check(target), graph)
}

fn problems(report: &Report) -> Vec<&str> {
    let serious = report.findings.iter().filter(|finding| finding.severity != Severity::Note);
    serious.map(|finding| finding.problem.as_str()).collect()
}

#[test]
fn a_page_tells_the_app_of_leads_beside_what_it_told_before() {
    let mut graph = Fake::on_page(&["messages"]);
    let report = check(PAGE, usual(), &mut graph).unwrap();
    assert_eq!(problems(&report), [format!("the account tells the app {APP} nothing of leads")]);
    assert!(report.subscriptions.is_empty(), "{report:?}");
    let report = done(&connection(PAGE), &Task::Subscribe(usual()), &mut graph).unwrap();
    assert!(problems(&report).is_empty(), "{report:?}");
    assert!(
        matches!(report.subscriptions.as_slice(), [held] if held.topic == LEADGEN && held.state == SubscriptionState::Active)
    );
    assert_eq!(graph.apps[1]["subscribed_fields"], json!(["messages", "leadgen"]));
    // What the app's own webhooks are is said, since nobody sees it here.
    let note = report.findings[0].advice.as_deref().unwrap();
    assert!(note.contains(URL) && note.contains("fields leadgen") && note.contains("Webhooks, Page"), "{note}");
    graph.asked.clear();
    done(&connection(PAGE), &Task::Subscribe(usual()), &mut graph).unwrap();
    assert!(graph.asked.iter().all(|asked| asked.starts_with("GET")), "{:?}", graph.asked);

    done(&connection(PAGE), &Task::Unsubscribe(target(&[LEADGEN])), &mut graph).unwrap();
    assert_eq!(graph.apps[1]["subscribed_fields"], json!(["messages"]), "what is another's stays");
    let mut graph = Fake::on_page(&["leadgen"]);
    done(&connection(PAGE), &Task::Unsubscribe(target(&[LEADGEN])), &mut graph).unwrap();
    assert_eq!(graph.apps.len(), 1, "the app is off the page, and the other stays");
}

#[test]
fn a_whatsapp_account_tells_the_app_everything_or_nothing() {
    let mut graph = Fake::default();
    let report = check(WHATSAPP, usual(), &mut graph).unwrap();
    assert_eq!(problems(&report), [format!("the account tells the app {APP} nothing")]);
    let report = done(&connection(WHATSAPP), &Task::Subscribe(usual()), &mut graph).unwrap();
    assert_eq!((problems(&report).len(), report.subscriptions.len()), (0, OF_WHATSAPP.len()));
    // Fewer fields can't be heard: what else comes is not taken away, or nothing would come.
    let some = target(&["user_preferences", "account_update"]);
    done(&connection(WHATSAPP), &Task::Unsubscribe(some), &mut graph).unwrap();
    assert_eq!(graph.apps.len(), 1);
    let all = check(WHATSAPP, target(&[]), &mut graph).unwrap().subscriptions;
    let all: Vec<&str> = all.iter().map(|held| held.topic.as_str()).collect();
    let report = done(&connection(WHATSAPP), &Task::Unsubscribe(target(&all)), &mut graph).unwrap();
    assert!(graph.apps.is_empty() && report.subscriptions.is_empty() && report.findings.is_empty(), "{report:?}");
}

#[test]
fn messages_that_go_elsewhere_are_told_and_come_back() {
    let mut graph = Fake::on_whatsapp(Some("https://other.example/x"));
    let report = check(WHATSAPP, usual(), &mut graph).unwrap();
    assert_eq!(problems(&report), ["the account's messages go to https://other.example/x, and not here"]);
    assert!(report.subscriptions.is_empty());
    let report = done(&connection(WHATSAPP), &Task::Subscribe(usual()), &mut graph).unwrap();
    assert!(problems(&report).is_empty() && graph.apps[0].get("override_callback_uri").is_none(), "{report:?}");
    // An address of its own that is this one is as good.
    let report = check(WHATSAPP, usual(), &mut Fake::on_whatsapp(Some(URL))).unwrap();
    assert!(problems(&report).is_empty() && !report.subscriptions.is_empty(), "{report:?}");
}

#[test]
fn where_the_messages_of_each_number_go_is_told() {
    let other = "https://other.example/x";
    let check = |numbers: &[Value], expected: &[(Severity, &str)]| {
        let mut graph = Fake { numbers: Some(numbers.to_vec()), ..Fake::on_whatsapp(None) };
        let report = check(WHATSAPP, usual(), &mut graph).unwrap();
        let found: Vec<_> =
            report.findings.iter().map(|finding| (finding.severity, finding.problem.as_str())).collect();
        assert_eq!(found, expected, "{numbers:?}");
        assert_eq!(report.subscriptions.len(), OF_WHATSAPP.len());
        report.findings.into_iter().filter_map(|finding| finding.advice).collect::<Vec<_>>().concat()
    };
    let fields = (Severity::Note, FIELDS_UNSEEN);
    let advice = check(&[json!({ "application": URL })], &[fields]);
    assert!(advice.contains("user_preferences") && !advice.contains(URL), "the address is right: {advice}");
    let away = "the app's webhooks go to https://other.example/x, and not here";
    let advice = check(&[json!({ "application": other })], &[(Severity::Problem, away), fields]);
    assert!(advice.contains(URL) && advice.contains("own_address = true"), "{advice}");
    let one = "messages of the number +1 555-078-3881 go to https://other.example/x, and not here";
    let numbers = [json!({ "application": URL }), json!({ "application": URL, "phone_number": other })];
    let advice = check(&numbers, &[(Severity::Warning, one), fields]);
    assert!(advice.contains("POST /106541 with"), "{advice}");
    // What is not told is said by hand, as without numbers.
    for numbers in [&[json!({})], [].as_slice()] {
        assert!(check(numbers, &[(Severity::Note, UNSEEN)]).contains(URL));
    }
}

#[test]
fn an_account_may_have_this_gateway_as_its_own_address() {
    let away = json!({ "application": "https://app.example/x" });
    let mut graph = Fake { numbers: Some(vec![away.clone()]), ..Fake::default() };
    let report = done(&connection(OWN), &Task::Subscribe(usual()), &mut graph).unwrap();
    assert_eq!(graph.apps[0]["override_callback_uri"], URL);
    let posts: Vec<&String> = graph.asked.iter().filter(|asked| asked.starts_with("POST")).collect();
    assert!(posts.len() == 2 && posts[0].ends_with(" {}"), "first the account tells the app: {posts:?}");
    assert!(problems(&report).is_empty(), "{report:?}");
    let topics: Vec<&str> = report.subscriptions.iter().map(|held| held.topic.as_str()).collect();
    assert_eq!(topics, TO_OWN_ADDRESS, "Meta sends the others to the app's address");
    let note = &report.findings[0].problem;
    assert!(
        note.starts_with("only messages and smb_message_echoes come here") && note.contains("app.example"),
        "{note}"
    );
    // Where the app's address is this one, too, all come.
    graph.numbers = Some(vec![json!({ "application": URL })]);
    assert_eq!(check(OWN, usual(), &mut graph).unwrap().subscriptions.len(), OF_WHATSAPP.len());

    graph.numbers = Some(vec![away]);
    graph.apps = Fake::on_whatsapp(None).apps;
    let report = check(OWN, usual(), &mut graph).unwrap();
    assert!(problems(&report)[0].starts_with("the account has no address of its own"), "{report:?}");
    graph.asked.clear();
    done(&connection(OWN), &Task::Subscribe(usual()), &mut graph).unwrap();
    assert_eq!(graph.asked.iter().filter(|asked| asked.starts_with("POST")).count(), 1);
    graph.apps = Fake::on_whatsapp(Some("https://other.example/x")).apps;
    let report = check(OWN, usual(), &mut graph).unwrap();
    assert!(report.findings[0].advice.as_deref().unwrap().contains("has them come here"), "{report:?}");
    graph.apps = Fake::on_whatsapp(Some(URL)).apps;
    done(&connection(OWN), &Task::Unsubscribe(target(TO_OWN_ADDRESS)), &mut graph).unwrap();
    assert!(graph.apps.is_empty());

    let long = Target { url: format!("https://gateway.example/in/{}", "m".repeat(200)), ..usual() };
    let reason = done(&connection(OWN), &Task::Subscribe(long), &mut graph).unwrap_err();
    assert!(reason.contains("at most 200 characters"), "{reason}");
    let page = r#"{"app_id": 670843887433847, "account_type": "page", "own_address": true}"#;
    let reason = check(page, usual(), &mut Fake::on_page(&["leadgen"])).unwrap_err();
    assert!(reason.contains("a page's webhooks go to the app's address"), "{reason}");
}

#[test]
fn what_the_connection_lacks_is_told_in_words() {
    let refused = |settings: &str, graph: &mut Fake| check(settings, usual(), graph).unwrap_err();
    let page = refused(WHATSAPP, &mut Fake::on_page(&["leadgen"]));
    assert!(page.contains("a page, and not a WhatsApp business account: set `account_type = \"page\"`"), "{page}");
    let whatsapp = refused(PAGE, &mut Fake::on_whatsapp(None));
    assert!(whatsapp.contains("set `account_type = \"whatsapp\"`"), "{whatsapp}");
    let nobody = done(&testing::connection(PAGE), &Task::Check(usual()), &mut Fake::default()).unwrap_err();
    assert!(nobody.contains("add `account = "), "{nobody}");
    let report = check(PAGE, target(&["messages"]), &mut Fake::default()).unwrap();
    assert_eq!(problems(&report), ["a page tells nothing of what is wished for"]);
    for (status, code, words) in [
        (401, 190, "not valid any more"),
        (403, 200, "pages_manage_metadata"),
        (400, 100, "account_type"),
        (400, 2200, "server.public_url"),
        (400, 80001, "asked too much"),
        (500, 2, "not in order"),
    ] {
        let reason = refused(PAGE, &mut Fake { refuses: Some((status, code)), ..Fake::default() });
        assert!(reason.contains(words) && reason.contains(&format!("code {code}")), "{reason}");
    }
    // Without the app's id nothing is asked, and everything is said.
    let mut graph = Fake::default();
    let report = check("{}", usual(), &mut graph).unwrap();
    assert!(problems(&report).is_empty() && report.findings[0].advice.as_deref().unwrap().contains(URL));
    for task in [Task::Subscribe(usual()), Task::Unsubscribe(usual())] {
        let reason = done(&connection("{}"), &task, &mut graph).unwrap_err();
        assert!(reason.contains("is not seen with an account's token"), "{reason}");
    }
    assert!(graph.asked.is_empty());
}

#[test]
fn leads_of_active_forms_are_read_again_oldest_first_a_page_at_a_time() {
    let mut graph = Fake {
        forms: vec![("21", "ACTIVE"), ("22", "ARCHIVED"), ("23", "ACTIVE"), ("24", "ACTIVE")],
        leads: vec![
            ("21", 7_003, "2026-03-01T10:00:03+0000"),
            ("21", 7_001, "2026-03-01T10:00:01+0000"),
            ("23", 7_002, "2026-03-01T10:00:02+0000"),
        ],
        ..Fake::default()
    };
    let span = |cursor| Span { since: "2026-03-01T09:50:00Z".to_owned(), cursor };
    let first = done(&connection(PAGE), &Task::Backfill(span(None)), &mut graph).unwrap();
    // A form that is gone meanwhile is no reason to read no other.
    let ids = |report: &Report| -> Vec<Value> {
        let body = |item: &tidegate_plugin_sdk::FoundItem| serde_json::from_str::<Value>(&item.body).unwrap();
        report.items.iter().map(|item| body(item)["entry"][0]["changes"][0]["value"]["leadgen_id"].clone()).collect()
    };
    assert_eq!(ids(&first), ["7002", "7003"]);
    let value =
        json!({"leadgen_id": "7002", "page_id": "102290129340398", "form_id": "23", "created_time": 1_772_359_202});
    let entry =
        json!({"id": "102290129340398", "time": 1_772_359_202, "changes": [{"field": "leadgen", "value": value}]});
    let body = serde_json::from_str::<Value>(&first.items[0].body).unwrap();
    assert_eq!(body, json!({"object": "page", "entry": [entry]}));
    assert!(graph.asked.iter().any(|asked| asked.contains("%22GREATER_THAN%22%2C%22value%22%3A1772358599")));
    let second = done(&connection(PAGE), &Task::Backfill(span(first.cursor)), &mut graph).unwrap();
    assert_eq!((ids(&second), second.cursor), (vec![json!("7001")], None));
    assert!(!graph.asked.iter().any(|asked| asked.contains("22/leads")));

    graph.asked.clear();
    let nothing = done(&connection(WHATSAPP), &Task::Backfill(span(None)), &mut graph).unwrap();
    assert!(nothing.items.is_empty() && graph.asked.is_empty());
}
