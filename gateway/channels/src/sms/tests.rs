//! A sender on the wire: a listener on this machine plays the provider, one canned conversation a case.

use super::*;
use crate::{
    Action, ProviderRefusal,
    testing::{self, Then, answer},
};
use std::{collections::BTreeMap, time::Duration};
use tidegate_model::{MessageId, contact::WhatsappAddress, message::Content, phone::E164};

const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";
const SECRET: &str = "authTokenThatNobodyMaySee";
const TAKEN: &str = r#"{"sid":"SM1","status":"queued","error_code":null}"#;

fn config(base_url: &str) -> TwilioConfig {
    TwilioConfig {
        name: "texts".to_owned(),
        account_sid: ACCOUNT.to_owned(),
        credentials: Credentials::new(ACCOUNT, SECRET).unwrap(),
        from: Some("+14155552671".to_owned()),
        messaging_service: None,
        status_callback: "https://hooks.example/in/twilio".to_owned(),
        validity_s: None,
        base_url: base_url.to_owned(),
        timeout: Duration::from_millis(400),
    }
}

fn hello() -> Outgoing {
    Outgoing {
        id: MessageId::derive(0, &[b"hello"]),
        to: WhatsappAddress::Phone(E164::parse("+16505551234", None).unwrap()),
        content: Content::Text { text: "Hello & 50 % off?\nÉ €".to_owned() },
    }
}

async fn attempt(then: Then, change: fn(&mut TwilioConfig)) -> (SendResult, String) {
    testing::attempt(then, async |base_url| {
        let mut config = config(&base_url);
        change(&mut config);
        TwilioSender::new(HttpClient::new().unwrap(), config).unwrap().send(hello()).await
    })
    .await
}

#[track_caller]
fn refused(result: SendResult) -> ProviderRefusal {
    match result {
        SendResult::Refused(refusal) => refusal,
        other => panic!("expected a refusal, found {other:?}"),
    }
}

/// The fields of a posted form.
fn fields(request: &str) -> BTreeMap<String, String> {
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let url = Url::parse(&format!("http://form?{body}")).unwrap();
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn a_send_is_one_form_with_the_credentials_in_its_header_only() {
    let (result, request) = attempt(answer("201 Created", "", TAKEN), |_| {}).await;
    let SendResult::Accepted { provider_id, .. } = result else { panic!("accepted, not {result:?}") };
    assert_eq!(provider_id, "SM1");
    let (head, _) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with(&format!("POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1\r\n")), "{head}");
    let basic = "QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjphdXRoVG9rZW5UaGF0Tm9ib2R5TWF5U2Vl";
    assert!(head.contains(&format!("authorization: Basic {basic}\r\n")), "{head}");
    assert!(head.contains("content-type: application/x-www-form-urlencoded\r\n"), "{head}");
    let fields = fields(&request);
    let callback = format!("https://hooks.example/in/twilio?mid={}#rc=5&rp=all", hello().id);
    let expected = [
        ("Body", "Hello & 50 % off?\nÉ €"),
        ("From", "+14155552671"),
        ("StatusCallback", callback.as_str()),
        ("To", "+16505551234"),
    ];
    let found: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_messaging_service_sends_alone_or_by_one_of_its_numbers() {
    let alone = |config: &mut TwilioConfig| {
        config.from = None;
        config.messaging_service = Some(SERVICE.to_owned());
        config.validity_s = Some(600);
    };
    let (_, request) = attempt(answer("201 Created", "", TAKEN), alone).await;
    let found = fields(&request);
    assert_eq!((found.get("From"), found["MessagingServiceSid"].as_str()), (None, SERVICE));
    assert_eq!(found["ValidityPeriod"], "600");
    let both = |config: &mut TwilioConfig| config.messaging_service = Some(SERVICE.to_owned());
    let (_, request) = attempt(answer("201 Created", "", TAKEN), both).await;
    let found = fields(&request);
    assert_eq!((found["From"].as_str(), found["MessagingServiceSid"].as_str()), ("+14155552671", SERVICE));
}

#[tokio::test]
async fn an_answer_lost_after_the_request_may_have_left_is_unknown() {
    for then in [
        Then::Close,
        Then::StaySilent,
        Then::Answer("HTTP/1.1 201 Created\r\ncontent-length: 900\r\n\r\n{\"sid\""),
        answer("201 Created", "", "<html>"),
        answer("500 Internal Server Error", "", r#"{"code":20500,"message":"Internal","status":500}"#),
        answer("503 Service Unavailable", "retry-after: 5\r\n", ""),
        Then::Answer("no http at all\r\n\r\n"),
    ] {
        let (result, _) = attempt(then, |_| {}).await;
        let SendResult::Unknown { reason } = &result else { panic!("{result:?}") };
        assert!(reason.contains("may have been sent"), "{reason}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_secret_read_back_is_struck_out() {
    let moved = answer("307 Temporary Redirect", "location: http://127.0.0.1:1/\r\n", "");
    assert_eq!(refused(attempt(moved, |_| {}).await.0).code, "http_307");
    let body = format!(r#"{{"code":20003,"message":"Authenticate {SECRET}","status":401}}"#);
    let refusal = refused(attempt(answer("401 Unauthorized", "", &body), |_| {}).await.0);
    assert_eq!((refusal.title.as_str(), refusal.action), ("Authenticate ***", Action::Pause));
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_without_asking() {
    let sender = TwilioSender::new(HttpClient::new().unwrap(), config("https://no-such-host.invalid")).unwrap();
    let text = |text: &str| Content::Text { text: text.to_owned() };
    let template = Content::Template {
        name: "order".to_owned(),
        language: "en".to_owned(),
        parameters: Vec::new(),
        text: "Hello".to_owned(),
    };
    for (content, words) in
        [(text(" \n"), "empty"), (text(&"é".repeat(1601)), "1601 characters"), (template, "send: { sms: … }")]
    {
        let refusal = refused(sender.send(Outgoing { content, ..hello() }).await);
        assert_eq!((refusal.code.as_str(), refusal.action), ("content", Action::Fail));
        assert!(refusal.details.as_ref().unwrap().contains(words), "{refusal:?}");
    }
    let hidden = WhatsappAddress::UserId("US.1".to_owned());
    let refusal = refused(sender.send(Outgoing { to: hidden, ..hello() }).await);
    assert!(refusal.details.unwrap().contains("phone number"));
    let long = Outgoing { content: text(&"é".repeat(1600)), ..hello() };
    assert_eq!(refused(sender.send(long).await).code, "connect", "1600 characters are sent");
}

#[test]
fn settings_are_checked_and_the_wrong_one_is_named() {
    let check = |change: fn(&mut TwilioConfig), expected: &str| {
        let mut config = config("https://api.twilio.com");
        change(&mut config);
        let made = TwilioSender::new(HttpClient::new().unwrap(), config);
        let error = made.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.starts_with(expected), "{expected}: {error}");
    };
    check(|c| c.account_sid = "AC1".to_owned(), "account_sid:");
    check(|c| c.account_sid = SERVICE.to_owned(), "account_sid:");
    check(|c| c.from = None, "from:");
    check(|c| c.from = Some("415 555".to_owned()), "from:");
    check(|c| c.from = Some("whatsapp:+14155552671".to_owned()), "from:");
    check(|c| c.from = Some("ALongSenderName".to_owned()), "from:");
    check(|c| c.messaging_service = Some(ACCOUNT.to_owned()), "messaging_service:");
    check(|c| c.validity_s = Some(0), "validity_s:");
    check(|c| c.status_callback = "https://my_host.example/in/sms".to_owned(), "the address for Twilio's callbacks");
    check(|c| c.status_callback = "/in/sms".to_owned(), "the address for Twilio's callbacks");
    check(|c| c.base_url = "http://api.twilio.com".to_owned(), "base_url:");
    check(|c| c.timeout = Duration::ZERO, "timeout:");
    for good in ["+14155552671", "12345", "HarbourPine", "Shop 24"] {
        let config = TwilioConfig { from: Some(good.to_owned()), ..config("https://api.twilio.com") };
        assert!(TwilioSender::new(HttpClient::new().unwrap(), config).is_ok(), "{good}");
    }
}

#[test]
fn nothing_that_is_printed_shows_the_secret() {
    let sender = TwilioSender::new(HttpClient::new().unwrap(), config("http://[::1]:8080/twilio/")).unwrap();
    assert_eq!(sender.url.path(), format!("/twilio/2010-04-01/Accounts/{ACCOUNT}/Messages.json"));
    for shown in [format!("{sender:?}"), format!("{:?}", sender.authorization)] {
        assert!(!shown.contains(SECRET) && !shown.contains("4155552671"), "{shown}");
    }
    assert!(Credentials::new(ACCOUNT, " \n").is_err());
    assert!(Credentials::new("US0123456789abcdef0123456789abcdef", SECRET).is_err());
    let key = Credentials::new("SK0123456789abcdef0123456789abcdef", "s3cret\n").unwrap();
    assert!(key.header().is_sensitive());
}
