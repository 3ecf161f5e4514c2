//! SMS: sent with the real channel, refused strictly, opted out of as Twilio does it.

use std::time::Duration;
use tidegate_channels::{Action, Channel, Credentials, HttpClient, Outgoing, SendResult, TwilioConfig, TwilioSender};
use tidegate_clock::{ClockMode, DomainClock};
use tidegate_double::{Double, DoubleConfig, Failure, Service, TwilioAccount};
use tidegate_model::{MessageId, contact::WhatsappAddress, message::Content, phone::E164};

const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";
const NUMBER: &str = "+14155550100";
const PERSON: &str = "+447700900123";

async fn double() -> (Double, DomainClock) {
    let clock = DomainClock::new(ClockMode::Stepped { start_ms: 1_780_000_000_000 }).unwrap();
    let mut config = DoubleConfig::new(clock.clone());
    config.twilio = vec![TwilioAccount {
        account_sid: ACCOUNT.to_owned(),
        auth_token: "token".to_owned(),
        api_key: None,
        numbers: vec![NUMBER.to_owned()],
        services: vec![Service { sid: SERVICE.to_owned(), numbers: vec![NUMBER.to_owned()], advanced_opt_out: true }],
        inbound_url: None,
        door: None,
    }];
    (Double::start(config).await.unwrap(), clock)
}

fn settings(double: &Double) -> TwilioConfig {
    TwilioConfig {
        name: "texts".to_owned(),
        account_sid: ACCOUNT.to_owned(),
        credentials: Credentials::new(ACCOUNT, "token").unwrap(),
        from: Some(NUMBER.to_owned()),
        messaging_service: None,
        // Nobody is there: callbacks are lost, and the double goes on.
        status_callback: "http://127.0.0.1:9/in/twilio".to_owned(),
        validity_s: Some(600),
        base_url: double.url().to_owned(),
        timeout: Duration::from_millis(500),
    }
}

async fn send(config: TwilioConfig) -> SendResult {
    let outgoing = Outgoing {
        id: MessageId::derive(0, &[b"hello"]),
        to: WhatsappAddress::Phone(E164::parse(PERSON, None).unwrap()),
        content: Content::Text { text: "Hello & welcome".to_owned() },
    };
    TwilioSender::new(HttpClient::new().unwrap(), config).unwrap().send(outgoing).await
}

fn code(result: SendResult) -> String {
    match result {
        SendResult::Refused(refusal) => refusal.code,
        other => panic!("expected a refusal, found {other:?}"),
    }
}

#[tokio::test]
async fn a_good_message_is_taken_and_its_statuses_come_by_the_clock() {
    let (double, clock) = double().await;
    let SendResult::Accepted { provider_id, .. } = send(settings(&double)).await else { panic!("it is accepted") };
    assert!(provider_id.starts_with("SM") && provider_id.len() == 34, "{provider_id}");
    let sms = double.script().sms().remove(0);
    assert_eq!((sms.body.as_str(), sms.to.as_str(), sms.from.as_str()), ("Hello & welcome", PERSON, NUMBER));
    clock.set(clock.now_ms() + 2_000).unwrap();
    double.script().settle().await;
    let words: Vec<&str> = double.script().sms_statuses().iter().map(|told| told.status).collect();
    assert_eq!(words, ["queued", "sent", "delivered"]);
    assert!(double.script().deliveries().iter().all(|delivery| delivery.http_status.is_none()));
}

#[tokio::test]
async fn what_is_wrong_is_refused_with_twilio_s_code() {
    let (double, _) = double().await;
    let other = TwilioConfig { credentials: Credentials::new(ACCOUNT, "other").unwrap(), ..settings(&double) };
    assert_eq!(code(send(other).await), "20003");
    let strange = TwilioConfig { from: Some("+14155550999".to_owned()), ..settings(&double) };
    assert_eq!(code(send(strange).await), "21606");
    let nowhere = TwilioConfig { account_sid: ACCOUNT.replace("AC0", "AC1"), ..settings(&double) };
    assert_eq!(code(send(nowhere).await), "20404");
    double.script().fail_next(1, Failure::RateLimited { retry_after_s: 9 });
    let SendResult::Refused(busy) = send(settings(&double)).await else { panic!("it is refused") };
    assert_eq!(busy.action, Action::Retry { after: Some(Duration::from_secs(9)) });
    double.script().fail_next(1, Failure::DropAnswerAfterAccepting);
    assert!(matches!(send(settings(&double)).await, SendResult::Unknown { .. }));
    assert_eq!(double.script().sms().len(), 1, "taken, and not answered");
}

#[tokio::test]
async fn who_says_stop_is_refused_until_start_by_number_or_by_service() {
    let (double, _) = double().await;
    let by_service = || TwilioConfig { from: None, messaging_service: Some(SERVICE.to_owned()), ..settings(&double) };
    double.script().inbound_sms(NUMBER, PERSON, "stop").unwrap();
    assert_eq!(code(send(by_service()).await), "21610");
    double.script().inbound_sms(NUMBER, PERSON, "Start").unwrap();
    assert!(matches!(send(by_service()).await, SendResult::Accepted { .. }));
    assert!(double.script().inbound_sms("+14155550999", PERSON, "hi").is_err());
    assert!(double.script().inbound_sms(NUMBER, "447700900123", "hi").is_err());
}
