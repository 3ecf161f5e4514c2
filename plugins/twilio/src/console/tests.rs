//! The connector against an account that behaves as Twilio's documentation says.

use super::*;
use crate::Twilio;
use serde_json::{Value, json};
use tidegate_plugin_sdk::{Answer, Connection, Step, Task, form, testing};

const ACCOUNT: &str = "AC5d1e0c7b9a3f4e2d8c6b1a0f9e8d7c6b";
const SERVICE: &str = "MG7c6b5a4f3e2d1c0b9a8f7e6d5c4b3a2f";
const URL: &str = "https://gateway.example/in/twilio";
const SETTINGS: &str = r#"{"numbers": ["+14155550100"]}"#;

/// An account: its numbers, a service, its log, and everything that it was asked.
#[derive(Default)]
struct Fake {
    numbers: Vec<Value>,
    service: Value,
    log: Vec<Value>,
    asked: Vec<String>,
    refuses: Option<u16>,
}

impl Fake {
    fn new(url: &str) -> Self {
        let number = |number: &str, url: &str| json!({"sid": format!("PN{}", &number[1..]), "phone_number": number, "sms_url": url, "sms_method": "POST", "sms_application_sid": ""});
        let service = json!({"sid": SERVICE, "inbound_request_url": null, "inbound_method": "POST", "use_inbound_webhook_on_number": false});
        Self {
            numbers: vec![number("+141555501009", "https://other.example"), number("+14155550100", url)],
            service,
            ..Self::default()
        }
    }

    fn answer(&mut self, request: &Request) -> Answer {
        self.asked.push(format!("{} {}", request.method, request.url));
        let answer = |status: u16, body: Value| {
            Answer::Response(Response { status, headers: Vec::new(), body: body.to_string() })
        };
        if let Some(status) = self.refuses {
            return answer(status, json!({"code": 20003, "message": "Authenticate"}));
        }
        let (whole, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
        let fields = form::parse(request.body.as_deref().unwrap_or_default());
        let of_service = whole.strip_prefix("https://messaging.twilio.com/v1/Services/");
        let root = format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/");
        let resource = whole.strip_prefix(root.as_str()).unwrap_or_default().to_owned();
        match (request.method.as_str(), of_service, resource.as_str()) {
            ("GET", Some(SERVICE), _) => answer(200, self.service.clone()),
            ("GET", Some(_), _) => answer(200, json!({"phone_numbers": [{"phone_number": "+14155550100"}]})),
            ("POST", Some(SERVICE), _) => {
                self.service["inbound_request_url"] = json!(fields.raw("InboundRequestUrl"));
                answer(200, self.service.clone())
            }
            ("GET", None, "IncomingPhoneNumbers.json") => {
                let query = form::parse(query);
                let wanted = query.get("PhoneNumber").unwrap();
                let is_like = |number: &&Value| number["phone_number"].as_str().unwrap().contains(wanted);
                let found: Vec<&Value> = self.numbers.iter().filter(is_like).collect();
                answer(200, json!({ "incoming_phone_numbers": found }))
            }
            ("POST", None, path) => {
                let id = path.trim_start_matches("IncomingPhoneNumbers/").trim_end_matches(".json");
                let number = self.numbers.iter_mut().find(|number| number["sid"] == id).expect("it is there");
                let changed =
                    [("SmsUrl", "sms_url"), ("SmsMethod", "sms_method"), ("SmsApplicationSid", "sms_application_sid")];
                for (name, of) in changed {
                    if let Some(value) = fields.raw(name) {
                        number[of] = json!(value);
                    }
                }
                answer(200, number.clone())
            }
            // One text on a page, the newest first.
            ("GET", None, "Messages.json") => {
                let at: usize = form::parse(query).get("Page").map_or(0, |page| page.parse().unwrap());
                let next = (at + 1 < self.log.len())
                    .then(|| format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json?Page={}", at + 1));
                answer(
                    200,
                    json!({"messages": self.log.get(at).into_iter().collect::<Vec<_>>(), "next_page_uri": next}),
                )
            }
            ("GET", None, path) if path.ends_with("/Media.json") => {
                let uri = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/MM1/Media/ME1.json");
                answer(200, json!({"media_list": [{"sid": "ME1", "content_type": "image/jpeg", "uri": uri}]}))
            }
            other => panic!("{other:?}"),
        }
    }
}

fn connection(settings: &str) -> Connection {
    Connection { account: Some(ACCOUNT.to_owned()), ..testing::connection(settings) }
}

fn target() -> Target {
    Target { url: URL.to_owned(), topics: vec![RECEIVED.to_owned()] }
}

fn done(settings: &str, task: &Task, account: &mut Fake) -> Result<Report, String> {
    match testing::connect::<Twilio>(&connection(settings), task, |request| account.answer(request)) {
        Step::Done(report) => Ok(report),
        Step::Failed(failure) => Err(failure.reason),
        Step::Need(_) => panic!("every request has an answer"),
    }
}

fn problems(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.problem.as_str()).collect()
}

#[test]
fn texts_come_here_and_twilio_tries_again() {
    let mut account = Fake::new("https://demo.twilio.com/welcome?token=abc");
    let report = done(SETTINGS, &Task::Check(target()), &mut account).unwrap();
    assert_eq!(problems(&report), ["texts to +14155550100 go to https://demo.twilio.com/welcome, and not here"]);
    assert!(report.subscriptions.is_empty());
    let report = done(SETTINGS, &Task::Subscribe(target()), &mut account).unwrap();
    assert!(problems(&report).is_empty() && report.subscriptions.len() == 1, "{report:?}");
    assert_eq!(account.numbers[1]["sms_url"], "https://gateway.example/in/twilio#rc=5&rp=all");
    assert_eq!(account.numbers[0]["sms_url"], "https://other.example", "it only begins alike");
    account.asked.clear();
    done(SETTINGS, &Task::Subscribe(target()), &mut account).unwrap();
    assert!(account.asked.iter().all(|asked| asked.starts_with("GET")), "{:?}", account.asked);
    done(SETTINGS, &Task::Unsubscribe(target()), &mut account).unwrap();
    assert_eq!(account.numbers[1]["sms_url"], "");
}

#[test]
fn whatever_keeps_a_text_away_is_told_and_mended() {
    let check = |set: &dyn Fn(&mut Value), expected: &str| {
        let mut account = Fake::new(&format!("{URL}{AGAIN}"));
        set(&mut account.numbers[1]);
        let report = done(SETTINGS, &Task::Check(target()), &mut account).unwrap();
        assert!(matches!(problems(&report).as_slice(), [problem] if problem.contains(expected)), "{report:?}");
        let report = done(SETTINGS, &Task::Subscribe(target()), &mut account).unwrap();
        assert!(problems(&report).is_empty(), "{expected}: {report:?}");
    };
    check(&|number| number["sms_url"] = json!(""), "go nowhere");
    check(&|number| number["sms_application_sid"] = json!("AP1"), "go to the TwiML app AP1");
    check(&|number| number["sms_method"] = json!("GET"), "told by GET");
    check(&|number| number["sms_url"] = json!(URL), "tries to tell of a text to +14155550100 once");
}

#[test]
fn a_service_takes_the_texts_of_its_numbers_or_leaves_them() {
    let settings = format!(r#"{{"messaging_service": "{SERVICE}"}}"#);
    let mut account = Fake::new("");
    let report = done(&settings, &Task::Check(target()), &mut account).unwrap();
    assert_eq!(problems(&report), [format!("texts to the service {SERVICE} go nowhere")]);
    let report = done(&settings, &Task::Subscribe(target()), &mut account).unwrap();
    assert!(problems(&report).is_empty() && report.subscriptions[0].id == SERVICE, "{report:?}");
    account.service["use_inbound_webhook_on_number"] = json!(true);
    let report = done(&settings, &Task::Check(target()), &mut account).unwrap();
    assert!(problems(&report)[0].contains("leaves what people write to its numbers"), "{report:?}");
    // One of two places tells nothing: the topic is not heard, so that it is mended.
    let both = format!(r#"{{"messaging_service": "{SERVICE}", "numbers": ["+14155550100"]}}"#);
    account.service["use_inbound_webhook_on_number"] = json!(false);
    let report = done(&both, &Task::Check(target()), &mut account).unwrap();
    assert!(report.subscriptions.is_empty() && problems(&report) == ["texts to +14155550100 go nowhere"], "{report:?}");
}

#[test]
fn what_the_connection_lacks_is_told_in_words() {
    let mut account = Fake::new(URL);
    let report = done(r#"{"numbers": ["+14155550199"]}"#, &Task::Check(target()), &mut account).unwrap();
    assert_eq!(problems(&report), ["the account has no number +14155550199"]);
    let report = done("{}", &Task::Check(target()), &mut account).unwrap();
    assert!(problems(&report)[0].contains("which numbers are looked after"), "{report:?}");
    let step = testing::connect::<Twilio>(&testing::connection(SETTINGS), &Task::Check(target()), |_| {
        panic!("nothing is asked")
    });
    assert!(matches!(step, Step::Failed(failure) if failure.reason.contains("add `account = ")));
    for (status, words) in [(401, "api_key and api_secret"), (404, "the account's SID"), (503, "in order")] {
        let mut account = Fake { refuses: Some(status), ..Fake::new(URL) };
        let reason = done(SETTINGS, &Task::Check(target()), &mut account).unwrap_err();
        assert!(reason.contains(words), "{status}: {reason}");
    }
}

#[test]
fn lost_texts_are_read_again_as_their_webhooks_would_have_told_them() {
    let text = |sid: &str, direction: &str, sent: &str, media: &str| {
        json!({"sid": sid, "direction": direction, "from": "+447946000001", "to": "+14155550100", "body": "Hi & bye ü", "status": "received",
            "num_media": media, "num_segments": "1", "messaging_service_sid": null, "date_sent": sent, "date_created": sent})
    };
    let mut account = Fake::new(URL);
    account.log = vec![
        text("MM1", "inbound", "Sun, 01 Mar 2026 10:05:00 +0000", "1"),
        text("SM2", "outbound-api", "Sun, 01 Mar 2026 10:04:00 +0000", "0"),
        text("SM3", "inbound", "Sun, 01 Mar 2026 10:03:00 +0000", "0"),
        text("SM4", "inbound", "Sun, 01 Mar 2026 09:00:00 +0000", "0"),
        text("SM5", "inbound", "Sun, 01 Mar 2026 08:00:00 +0000", "0"),
    ];
    let both = format!(r#"{{"messaging_service": "{SERVICE}", "numbers": ["+14155550100"]}}"#);
    let (mut cursor, mut items) = (None, Vec::new());
    for _ in 0..4 {
        let span = Span { since: "2026-03-01T10:00:00Z".to_owned(), cursor: cursor.take() };
        let report = done(&both, &Task::Backfill(span), &mut account).unwrap();
        items.extend(report.items);
        cursor = report.cursor;
    }
    assert_eq!(cursor, None, "what is older is not read: {:?}", account.asked);
    assert!(account.asked.iter().any(|asked| asked.contains("To=%2B14155550100&DateSent%3E=2026-03-01&")));
    let bodies: Vec<_> = items.iter().map(|item| form::parse(&item.body)).collect();
    let [first, second] = bodies.as_slice() else { panic!("{items:?}") };
    let of = |name: &str| (first.get(name), second.get(name));
    assert_eq!(of("MessageSid"), (Some("MM1"), Some("SM3")));
    assert_eq!(of("Body"), (Some("Hi & bye ü"), Some("Hi & bye ü")));
    assert_eq!(of("SmsStatus"), (Some(RECEIVED), Some(RECEIVED)));
    assert_eq!(of("DateSent"), (Some("2026-03-01T10:05:00Z"), Some("2026-03-01T10:03:00Z")));
    let media = format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/MM1/Media/ME1");
    assert_eq!(of("MediaUrl0"), (Some(media.as_str()), None));
    assert_eq!(of("AccountSid").0, Some(ACCOUNT));
}
