//! A sender on the wire: a listener on this machine plays the provider, one canned conversation a case.

use super::*;
use crate::{
    Action, ProviderRefusal,
    testing::{self, Then, answer},
};
use std::time::Duration;
use tidegate_model::{MessageId, contact::WhatsappAddress, message::Content, phone::E164};
use tokio::{io::AsyncWriteExt, net::TcpListener};

const TOKEN: &str = "EAAtestTokenThatNobodyMaySee";
const ACCEPTED: &str = r#"{"messaging_product":"whatsapp","contacts":[{"input":"+16505551234","wa_id":"16505551234"}],"messages":[{"id":"wamid.A"}]}"#;

fn config(base_url: &str) -> WhatsappConfig {
    WhatsappConfig {
        name: "main".to_owned(),
        phone_number_id: "106540352242922".to_owned(),
        access_token: Token::new(TOKEN).unwrap(),
        base_url: base_url.to_owned(),
        graph_version: "v25.0".to_owned(),
        timeout: Duration::from_millis(400),
    }
}

fn hello() -> Outgoing {
    Outgoing {
        id: MessageId::derive(0, &[b"hello"]),
        to: WhatsappAddress::Phone(E164::parse("+16505551234", None).unwrap()),
        content: Content::Text { text: "Hello".to_owned() },
    }
}

async fn send(base_url: &str) -> SendResult {
    let sender = WhatsappSender::new(HttpClient::new().unwrap(), config(base_url)).unwrap();
    sender.send(hello()).await
}

/// One attempt against a provider that reads the request, then does something: the outcome, and the request.
async fn attempt(then: Then) -> (SendResult, String) {
    testing::attempt(then, async |base_url| send(&base_url).await).await
}

#[track_caller]
fn refused(result: SendResult) -> ProviderRefusal {
    match result {
        SendResult::Refused(refusal) => refusal,
        other => panic!("expected a refusal, found {other:?}"),
    }
}

#[tokio::test]
async fn a_send_is_one_post_with_the_token_in_its_header_only() {
    let (result, request) = attempt(answer("200 OK", "", ACCEPTED)).await;
    let SendResult::Accepted { provider_id, wa_id, .. } = result else {
        panic!("accepted, not {result:?}");
    };
    assert_eq!((provider_id.as_str(), wa_id.as_deref()), ("wamid.A", Some("16505551234")));
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v25.0/106540352242922/messages HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("authorization: Bearer {TOKEN}\r\n")), "{head}");
    assert!(head.contains("content-type: application/json\r\n"), "{head}");
    assert_eq!(body, request_body(&hello()).unwrap().to_string());
}

#[tokio::test]
async fn an_answer_lost_after_the_request_may_have_left_is_unknown() {
    for then in [
        Then::Close,
        Then::StaySilent,
        Then::Answer("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"messages\""),
        answer("200 OK", "", "<html>"),
        answer("500 Internal Server Error", "", ""),
        Then::Answer("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 900\r\n\r\n<html>"),
        Then::Answer("no http at all\r\n\r\n"),
    ] {
        let (result, _) = attempt(then).await;
        let SendResult::Unknown { reason } = &result else {
            panic!("{result:?}");
        };
        assert!(reason.contains("may have been sent"), "{reason}");
        assert!(!reason.contains("http://"), "{reason}");
    }
}

#[tokio::test]
async fn a_provider_that_nobody_reaches_refused_for_certain() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    for base_url in
        [format!("http://{address}"), format!("https://{address}"), "https://no-such-host.invalid".to_owned()]
    {
        let refusal = refused(send(&base_url).await);
        assert_eq!(refusal.code, "connect", "{base_url}");
        assert_eq!(refusal.action, Action::Retry { after: None });
        assert!(!refusal.details.unwrap().contains("106540352242922"));
    }
}

#[tokio::test]
async fn a_failed_tls_handshake_refused_for_certain() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("https://{}", listener.local_addr().unwrap());
    let provider = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    };
    let (result, ()) = tokio::join!(send(&base_url), provider);
    assert_eq!(refused(result).code, "connect");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_token_read_back_is_struck_out() {
    let moved = answer("307 Temporary Redirect", "location: http://127.0.0.1:1/\r\n", "");
    assert_eq!(refused(attempt(moved).await.0).code, "http_307");
    let body =
        format!(r#"{{"error":{{"message":"Malformed access token {TOKEN}","code":190,"error_user_msg":"{TOKEN}?"}}}}"#);
    let refusal = refused(attempt(answer("401 Unauthorized", "", &body)).await.0);
    assert_eq!(refusal.title, "Malformed access token ***");
    assert_eq!(refusal.details.as_deref(), Some("***?"));
    assert_eq!(refusal.action, Action::Pause);
}

#[tokio::test]
async fn a_refusal_whose_reason_was_lost_is_asked_again() {
    let cut = "HTTP/1.1 400 Bad Request\r\ncontent-length: 900\r\nretry-after: 9\r\n\r\n{\"error\"";
    let refusal = refused(attempt(Then::Answer(cut)).await.0);
    let after = Some(Duration::from_secs(9));
    assert_eq!(refusal.action, Action::Retry { after });
    assert_eq!(refusal.code, "http_400");
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_without_asking() {
    let client = HttpClient::new().unwrap();
    let sender = WhatsappSender::new(client, config("https://no-such-host.invalid")).unwrap();
    let mut outgoing = hello();
    outgoing.content = Content::Text { text: String::new() };
    let refusal = refused(sender.send(outgoing).await);
    assert_eq!((refusal.code.as_str(), refusal.action), ("content", Action::Fail));
    assert_eq!(refusal.error().code, "content");
}

#[test]
fn settings_are_checked_and_the_wrong_one_is_named() {
    let check = |change: fn(&mut WhatsappConfig), expected: &str| {
        let mut config = config("https://graph.facebook.com");
        change(&mut config);
        let made = WhatsappSender::new(HttpClient::new().unwrap(), config);
        let error = made.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.starts_with(expected), "{expected}: {error}");
        assert!(!error.contains("secret"), "{error}");
    };
    check(|c| c.phone_number_id = "+1 555".to_owned(), "phone_number_id:");
    check(|c| c.phone_number_id = "../me".to_owned(), "phone_number_id:");
    check(|c| c.graph_version = "25.0".to_owned(), "graph_version:");
    check(|c| c.graph_version = "v25".to_owned(), "graph_version:");
    check(|c| c.graph_version = "v25.0/me".to_owned(), "graph_version:");
    check(|c| c.base_url = "graph.facebook.com".to_owned(), "base_url:");
    check(|c| c.base_url = "http://graph.facebook.com".to_owned(), "base_url:");
    check(|c| c.base_url = "ftp://graph.facebook.com".to_owned(), "base_url:");
    check(|c| c.base_url = "https://u:secret@graph.facebook.com".to_owned(), "base_url:");
    check(|c| c.base_url = "https://graph.facebook.com?k=secret".to_owned(), "base_url:");
    check(|c| c.timeout = Duration::ZERO, "timeout:");
    check(|c| c.timeout = Duration::from_secs(3600), "timeout:");
}

#[test]
fn nothing_that_is_printed_shows_the_token() {
    let sender = WhatsappSender::new(HttpClient::new().unwrap(), config("http://[::1]:8080/graph/")).unwrap();
    assert_eq!(sender.url.path(), "/graph/v25.0/106540352242922/messages");
    for shown in [format!("{sender:?}"), format!("{:?}", sender.authorization)] {
        assert!(!shown.contains(TOKEN), "{shown}");
    }
    assert_eq!(sender.name(), "main");
    assert_eq!(Token::new(" \n").err(), Some(TokenError::Empty));
    assert_eq!(Token::new("EAA x").err(), Some(TokenError::Characters));
}
