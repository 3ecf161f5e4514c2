//! Texts by SMS: to Twilio and back, by its signed callbacks.

use crate::{bare, last_note, order_confirmation, shop, states, text};
use serde_json::Value;
use std::time::Duration;
use tidegate_double::{Failure, StatusManner};
use tidegate_test_support::{
    Customer, Gateway, PUBLIC_URL, SMS_NUMBER, SMS_SERVICE, Setup, TWILIO_ACCOUNT, TWILIO_TOKEN, twilio,
};

/// Tells each order by SMS.
const BY_SMS: &str = "
flow: order-by-sms
on: order.placed
steps:
  - id: tell
    send:
      sms: |
        Hi {{ contact.first_name | default('there') }}, your order {{ event.order.number }} ({{ event.order.total | money }}) is confirmed.
";

/// Thanks whoever answers by SMS, and not who writes by WhatsApp.
const THANKS: &str = "
flow: thanks-for-the-text
on: message.received
if: \"event.message.channel == 'sms'\"
steps:
  - id: thank
    send: { sms: \"Thank you for '{{ event.message.text }}'\", sender: texts }
";

/// Asks by SMS when the parcel may come, and goes on with what the customer answers.
const ASKS: &str = "
flow: ask-when
on: order.placed
steps:
  - id: ask
    send: { sms: \"When may your order {{ event.order.number }} come?\" }
  - id: answer
    wait_for_reply: { for: 1d, channel: sms }
    then:
      - { id: confirm, send: { sms: \"It comes: {{ reply.text }}.\" } }
    no_response:
      - { id: default, send: { sms: \"It comes on Monday.\" } }
";

fn by_sms() -> Setup {
    bare().sms().flow(BY_SMS)
}

/// The outbound SMS, newest first.
async fn texts_out(gateway: &Gateway) -> Vec<Value> {
    let mut found = gateway.outbound().await;
    found.retain(|message| message["channel"] == "sms");
    found
}

async fn ordered(gateway: &Gateway, number: u32) -> Value {
    gateway.orders(number, &Customer::nth(1)).await;
    gateway.settle().await;
    texts_out(gateway).await.remove(0)
}

fn bodies(gateway: &Gateway) -> Vec<String> {
    gateway.script().sms().into_iter().map(|sms| sms.body).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_becomes_an_sms_whose_callbacks_tell_that_it_arrived() {
    let gateway = by_sms().start().await;
    let message = ordered(&gateway, 1).await;
    let sent = gateway.script().sms().remove(0);
    assert_eq!(sent.body, "Hi Robin1, your order #1 (99.35 GBP) is confirmed.");
    assert_eq!((sent.to, sent.from.as_str()), (Customer::nth(1).phone, SMS_NUMBER));
    let callback = format!("{PUBLIC_URL}/in/twilio?mid={}#rc=5&rp=all", text(&message, "id"));
    assert_eq!(sent.status_callback, Some(callback));
    assert_eq!((&message["sender"], &message["category"]), (&"texts".into(), &"utility".into()));
    assert_eq!(message["sms"]["segments"], 1, "{message:#}");
    for _ in 0..3 {
        gateway.advance(Duration::from_secs(1)).await;
    }
    let message = gateway.only_message().await;
    assert_eq!(message["state"], "delivered", "{message:#}");
    // Twilio's first callback may come before its answer, and says the same.
    let mut steps = states(&message);
    steps.dedup();
    assert_eq!(steps, ["queued", "attempting", "accepted", "sent", "delivered"]);
    assert_eq!(message["provider_id"], sent.sid);
    let told = gateway.events_of("message.status_changed").await;
    assert_eq!(told.len(), 3, "{told:#?}");
    let listed = gateway.ask(&["message", "list"]).await;
    assert!(listed.good().contains("sms"), "{}", listed.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_that_come_twice_and_in_any_order_tell_the_same() {
    for manner in [StatusManner::Twice, StatusManner::Reversed] {
        let gateway = by_sms().start().await;
        gateway.script().set_status_manner(manner);
        ordered(&gateway, 1).await;
        gateway.advance(Duration::from_secs(5)).await;
        let message = gateway.only_message().await;
        assert_eq!(message["state"], "delivered", "{manner:?} {message:#}");
        assert_eq!(gateway.events_of("message.status_changed").await.len(), 3, "{manner:?}");
        assert_eq!(gateway.script().sms().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_by_sms_holds_sms_back_and_nothing_else() {
    let mut gateway = shop().sms().flow(BY_SMS).start().await;
    let (customer, other) = (Customer::nth(1), Customer::nth(2));
    gateway.orders(1, &customer).await;
    gateway.settle().await;
    assert_eq!((gateway.sent().len(), gateway.script().sms().len()), (1, 1));
    gateway.advance(Duration::from_secs(60)).await;
    gateway.texts(&customer, SMS_NUMBER, "Stop").await;
    gateway.orders(2, &customer).await;
    gateway.orders(3, &other).await;
    gateway.settle().await;
    assert_eq!(gateway.sent().len(), 3, "WhatsApp goes on");
    let sms = gateway.script().sms();
    assert_eq!((sms.len(), sms[1].to.as_str()), (2, other.phone.as_str()), "who did not say it still gets theirs");
    let held: Vec<Value> = texts_out(&gateway).await.into_iter().filter(|held| held["state"] == "refused").collect();
    assert_eq!((held.len(), &held[0]["gate"][0]["check"]), (1, &"suppression".into()), "{held:#?}");
    assert!(text(&held[0]["gate"][0], "reason").contains("takes no messages on sms"));
    gateway.kill9();
    gateway.start_again().await;
    gateway.advance(Duration::from_secs(60)).await;
    gateway.texts(&customer, SMS_NUMBER, "START").await;
    gateway.orders(4, &customer).await;
    gateway.settle().await;
    assert_eq!(gateway.script().sms().len(), 3);
    gateway.expect_undelivered(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_in_words_that_only_twilio_knows_is_obeyed() {
    let mut gateway = by_sms().start().await;
    let customer = Customer::nth(1);
    let url = format!("{PUBLIC_URL}/in/twilio");
    let say = |id: &'static str, word: &'static str| {
        let form = [
            ("AccountSid", TWILIO_ACCOUNT),
            ("Body", "genug davon"),
            ("From", customer.phone.as_str()),
            ("MessageSid", id),
            ("MessagingServiceSid", SMS_SERVICE.0),
            ("OptOutType", word),
            ("SmsStatus", "received"),
            ("To", SMS_SERVICE.1),
        ];
        twilio(&url, &form, TWILIO_TOKEN)
    };
    let answer = gateway.post("twilio", &say("SM1", "STOP")).await;
    answer.stored();
    assert_eq!((answer.content_type.as_deref(), answer.body.as_str()), (Some("text/xml"), "<Response/>"));
    gateway.settle().await;
    assert_eq!(ordered(&gateway, 1).await["gate"][0]["check"], "suppression");
    gateway.advance(Duration::from_secs(60)).await;
    gateway.post("twilio", &say("SM2", "START")).await.stored();
    gateway.settle().await;
    assert_eq!(ordered(&gateway, 2).await["state"], "accepted");
    gateway.expect_undelivered(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_starts_a_flow_and_its_repeat_starts_nothing() {
    let gateway = bare().sms().flow(THANKS).start().await;
    let customer = Customer::nth(1);
    gateway.texts(&customer, SMS_NUMBER, "Yes please & soon").await;
    gateway.writes(&customer, "and by WhatsApp too").await;
    assert_eq!(bodies(&gateway), ["Thank you for 'Yes please & soon'"]);
    let form = [
        ("AccountSid", TWILIO_ACCOUNT),
        ("Body", "once"),
        ("From", customer.phone.as_str()),
        ("MessageSid", "SM77"),
        ("SmsStatus", "received"),
        ("To", SMS_NUMBER),
    ];
    let played = twilio(&format!("{PUBLIC_URL}/in/twilio"), &form, TWILIO_TOKEN);
    gateway.post("twilio", &played).await.stored();
    gateway.post("twilio", &played).await.stored();
    gateway.settle().await;
    assert_eq!(bodies(&gateway), ["Thank you for 'Yes please & soon'", "Thank you for 'once'"]);
    let inbound = gateway.events_of("message.received").await;
    assert_eq!(inbound.iter().filter(|event| event["about"] == "sms text").count(), 2, "{inbound:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_by_sms_wakes_the_run_that_waits_for_it_and_silence_ends_its_wait() {
    let mut gateway = bare().sms().flow(ASKS).start().await;
    let (answers, silent) = (Customer::nth(1), Customer::nth(2));
    gateway.orders(1, &answers).await;
    gateway.orders(2, &silent).await;
    gateway.settle().await;
    assert_eq!(bodies(&gateway).len(), 2);
    // The wait is on disk, and by SMS only.
    gateway.restart().await;
    gateway.writes(&answers, "not by WhatsApp").await;
    assert_eq!(bodies(&gateway).len(), 2);
    gateway.texts(&answers, SMS_NUMBER, "Tuesday").await;
    gateway.texts(&answers, SMS_NUMBER, "or Friday").await;
    assert_eq!(bodies(&gateway)[2..], ["It comes: Tuesday."]);
    gateway.advance(Duration::from_secs(25 * 3_600)).await;
    assert_eq!(bodies(&gateway)[3..], ["It comes on Monday."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_is_told_by_the_callback_and_nothing_is_sent_twice() {
    let mut gateway = by_sms().send_timeout_s(1).start().await;
    gateway.script().fail_next(1, Failure::DropAnswerAfterAccepting);
    ordered(&gateway, 1).await;
    gateway.advance(Duration::from_secs(3)).await;
    let message = gateway.only_message().await;
    assert_eq!(message["state"], "delivered", "{message:#}");
    assert_eq!(message["provider_id"], gateway.script().sms()[0].sid);
    gateway.advance(Duration::from_secs(600)).await;
    assert_eq!(gateway.script().sms().len(), 1, "once");

    // Nobody took it: unknown it stays, as the policy wants.
    gateway.script().fail_next(1, Failure::Hang);
    let lost = ordered(&gateway, 2).await;
    assert_eq!(lost["state"], "unknown", "{lost:#}");
    gateway.advance(Duration::from_secs(600)).await;
    assert_eq!((&ordered_again(&gateway).await["state"], gateway.script().sms().len()), (&"unknown".into(), 1));
    gateway.expect_undelivered(1);
}

async fn ordered_again(gateway: &Gateway) -> Value {
    texts_out(gateway).await.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_a_kill_interrupted_is_told_by_its_callback() {
    let mut gateway = by_sms().start().await;
    // The provider takes it, and is asked for nothing more until the gateway is back.
    gateway.script().set_twilio_door(TWILIO_ACCOUNT, Some("http://127.0.0.1:9")).expect("the double has the account");
    gateway.script().fail_next(1, Failure::DropAnswerAfterAccepting);
    gateway.orders(1, &Customer::nth(1)).await;
    gateway.script().wait_for(|record| record.sms.front().cloned()).await;
    gateway.kill9();
    gateway.start_again().await;
    gateway.advance(Duration::from_secs(5)).await;
    let message = gateway.only_message().await;
    assert_eq!((&message["state"], gateway.script().sms().len()), (&"delivered".into(), 1), "{message:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_signature_is_refused_and_nothing_is_stored() {
    let gateway = by_sms().start().await;
    let form = [
        ("AccountSid", TWILIO_ACCOUNT),
        ("Body", "STOP"),
        ("From", "+12025550123"),
        ("MessageSid", "SM1"),
        ("SmsStatus", "received"),
        ("To", SMS_NUMBER),
    ];
    let url = format!("{PUBLIC_URL}/in/twilio");
    let good = twilio(&url, &form, TWILIO_TOKEN);
    let elsewhere = twilio("https://other.example/in/twilio", &form, TWILIO_TOKEN);
    let mut changed = good.clone();
    changed.body.extend_from_slice(b"&Body=other");
    for (played, why) in [
        (twilio(&url, &form, "another token"), "another key"),
        (elsewhere, "another URL"),
        (changed, "another body"),
        (good.clone().without("x-twilio-signature"), "none"),
    ] {
        let answer = gateway.post("twilio", &played).await;
        assert_eq!((answer.status, answer.problem().as_str()), (401, "signature-refused"), "{why}");
    }
    gateway.settle().await;
    assert!(gateway.events().await.is_empty());
    gateway.post("twilio", &good).await.stored();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_twilio_says_of_an_address_is_kept_for_sms_alone() {
    for (failure, check) in [
        (Failure::Code { code: 21610 }, "suppression"),
        (Failure::Code { code: 21614 }, "reachable"),
        (Failure::FailedStatus { code: 30004 }, "suppression"),
        (Failure::FailedStatus { code: 30006 }, "reachable"),
    ] {
        let mut gateway = by_sms().template(order_confirmation()).flow(crate::CONFIRMATION).start().await;
        gateway.script().add_rule(tidegate_double::Rule {
            failure,
            to: None,
            number: Some(SMS_NUMBER.to_owned()),
            times: Some(1),
        });
        ordered(&gateway, 1).await;
        gateway.advance(Duration::from_secs(3)).await;
        let failed = texts_out(&gateway).await.remove(0);
        assert_eq!(failed["state"], "failed", "{failure:?} {failed:#}");
        let held = ordered(&gateway, 2).await;
        assert_eq!((&held["state"], &held["gate"][0]["check"]), (&"refused".into(), &check.into()), "{failure:?}");
        assert_eq!(gateway.sent().len(), 2, "WhatsApp reaches them");
        // A text of theirs shows that they are there; what they said no to stays so, but for a block.
        gateway.advance(Duration::from_secs(60)).await;
        gateway.texts(&Customer::nth(1), SMS_NUMBER, "are you there").await;
        let opted_out = failure == Failure::Code { code: 21610 };
        let third = ordered(&gateway, 3).await;
        assert_eq!(third["state"], if opted_out { "refused" } else { "accepted" }, "{failure:?} {third:#}");
        gateway.expect_undelivered(2 + usize::from(opted_out));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_account_waits_as_long_as_twilio_asks_and_then_sends() {
    let gateway = by_sms().start().await;
    gateway.script().fail_next(1, Failure::RateLimited { retry_after_s: 30 });
    let message = ordered(&gateway, 1).await;
    assert_eq!(message["state"], "queued", "{message:#}");
    assert!(last_note(&message).contains("20429"), "{message:#}");
    gateway.advance(Duration::from_secs(29)).await;
    assert!(gateway.script().sms().is_empty(), "not before its time");
    gateway.advance(Duration::from_secs(60)).await;
    gateway.advance(Duration::from_secs(3)).await;
    assert_eq!(gateway.only_message().await["state"], "delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_pause_the_sender_and_lose_nothing() {
    let mut gateway = by_sms().start().await;
    gateway.script().fail_next(1, Failure::Code { code: 20003 });
    let message = ordered(&gateway, 1).await;
    assert_eq!(message["state"], "queued", "{message:#}");
    let paused = gateway.ask(&["sender", "list"]).await;
    assert!(paused.good().contains("20003"), "{}", paused.out);
    gateway.advance(Duration::from_secs(600)).await;
    gateway.advance(Duration::from_secs(3)).await;
    assert_eq!(gateway.only_message().await["state"], "delivered");
    gateway.expect_undelivered(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_answers_by_sms_at_any_time_and_long_texts_are_counted() {
    let gateway = bare().sms().start().await;
    let customer = Customer::nth(1);
    let long = "Grüße aus dem Laden: heute gibt es 20 % auf alles, auch auf die Boote im Schaufenster. ".repeat(3);
    let sent = gateway
        .ask(&["message", "send", "--to", &customer.phone, "--text", &long, "--sender", "texts", "--json"])
        .await
        .json();
    gateway.settle().await;
    let message = gateway.message(&sent[0]["id"]).await;
    assert_eq!((&message["channel"], &message["state"]), (&"sms".into(), &"accepted".into()), "no window for SMS");
    assert_eq!((&message["sms"]["encoding"], &message["sms"]["segments"]), (&"GSM-7".into(), &2.into()), "{message:#}");
    let too_long = "x".repeat(1601);
    let refused =
        gateway.ask(&["message", "send", "--to", &customer.phone, "--text", &too_long, "--sender", "texts"]).await;
    assert!(refused.err.contains("1 to 1600 characters"), "{refused:?}");
    gateway.advance(Duration::from_secs(5)).await;
}
