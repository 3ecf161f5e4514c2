//! What fixtures do not show: shapes that are rare, broken or of other channels. Whole callbacks are in `fixtures/`.

use super::Twilio;
use tidegate_plugin_sdk::{Event, Outcome, Payload, testing};

fn outcome(topic: &str, form: &str) -> Outcome {
    let item = testing::item(topic, form);
    testing::interpret::<Twilio>(&[testing::with_header(item, ":query", "mid=msg_1")]).remove(0)
}

fn events(topic: &str, form: &str) -> Vec<Event> {
    match outcome(topic, form) {
        Outcome::Done(done) => done.events,
        other => panic!("expected events, found {other:?}"),
    }
}

fn status(word: &str, more: &str) -> tidegate_plugin_sdk::Status {
    let form = format!("MessageSid=SM1&MessageStatus={word}&From=%2B14155550100&To=%2B12025550123{more}");
    match events(word, &form).remove(0).payload {
        Payload::Status(status) => status,
        other => panic!("expected a status, found {other:?}"),
    }
}

const TEXT: &str = "SmsStatus=received&MessageSid=SM1&From=%2B12025550123&To=%2B14155550100&Body=Hi";

#[test]
fn every_word_of_twilio_s_has_its_rung() {
    for (word, state) in [
        ("accepted", "accepted"),
        ("scheduled", "accepted"),
        ("queued", "accepted"),
        ("sending", "accepted"),
        ("sent", "sent"),
        ("delivered", "delivered"),
        ("read", "read"),
        ("undelivered", "failed"),
        ("failed", "failed"),
        ("canceled", "failed"),
    ] {
        let found = status(word, "");
        assert_eq!((found.state.as_str(), found.callback_data.as_deref()), (state, Some("msg_1")), "{word}");
        assert!(found.errors.is_empty());
    }
    assert!(matches!(outcome("partially_delivered", "MessageSid=SM1&From=1"), Outcome::Skip(_)));
}

#[test]
fn a_failure_says_why_and_zero_is_no_error() {
    let found = status("undelivered", "&ErrorCode=30003&ErrorMessage=Unreachable");
    assert_eq!((found.errors[0].code.as_str(), found.errors[0].title.as_deref()), ("30003", Some("Unreachable")));
    assert!(status("delivered", "&ErrorCode=0").errors.is_empty());
}

#[test]
fn the_sender_is_the_service_where_one_is_told() {
    assert_eq!(status("sent", "").sender, "+14155550100");
    assert_eq!(status("sent", "&MessagingServiceSid=MG1").sender, "MG1");
    let of = |form: &str| match events("received", form).remove(0).payload {
        Payload::Message(message) => message.sender,
        other => panic!("expected a message, found {other:?}"),
    };
    assert_eq!(of(TEXT), "+14155550100");
    assert_eq!(of(&format!("{TEXT}&MessagingServiceSid=MG1")), "MG1");
}

#[test]
fn an_opt_out_that_twilio_recognised_is_an_event_of_its_own() {
    let consent = |more: &str| {
        let mut events = events("received", &format!("{TEXT}{more}"));
        let event = (events.len() == 2).then(|| events.remove(1))?;
        assert_eq!(event.kind, "contact.consent_changed");
        let consent = event.contact?.consents.remove(0);
        Some((consent.channel, consent.scope, consent.state))
    };
    let sms = |state: &str| Some(("sms".to_owned(), "transactional".to_owned(), state.to_owned()));
    assert_eq!(consent("&OptOutType=STOP"), sms("denied"));
    assert_eq!(consent("&OptOutType=START"), sms("granted"));
    assert_eq!(consent("&OptOutType=HELP"), None);
    assert_eq!(consent(""), None);
}

#[test]
fn media_are_told_the_first_and_the_others() {
    let form = format!(
        "{TEXT}&NumMedia=3&MediaUrl0=https%3A%2F%2Fapi.twilio.com%2FMedia%2FME1&MediaContentType0=image%2Fjpeg\
         &MediaUrl1=https%3A%2F%2Fa.example%2F2&MediaContentType1=audio%2Famr"
    );
    let Payload::Message(message) = events("received", &form).remove(0).payload else { panic!("a message") };
    let media = message.media.unwrap();
    assert_eq!((message.message_type.as_str(), media.id.as_deref()), ("image", Some("ME1")));
    let content = message.content.unwrap();
    assert_eq!(content, r#"{"more_media":[{"url":"https://a.example/2","mime_type":"audio/amr"}]}"#);
    let none = events("received", &format!("{TEXT}&NumMedia=x")).remove(0);
    assert!(matches!(none.payload, Payload::Message(message) if message.media.is_none()));
}

#[test]
fn what_is_no_sms_is_skipped_and_what_is_broken_names_its_field() {
    let skipped = outcome("received", "MessageSid=SM1&From=whatsapp%3A%2B12025550123&To=whatsapp%3A%2B1&Body=x");
    assert!(matches!(skipped, Outcome::Skip(reason) if reason.contains("whatsapp")));
    assert!(matches!(outcome("delivered", "MessageSid=SM1&From=rcs%3Aagent&To=%2B1"), Outcome::Skip(_)));
    let field = |topic: &str, form: &str| match outcome(topic, form) {
        Outcome::Failed(failure) => failure.field.unwrap_or_default(),
        other => panic!("expected a failure, found {other:?}"),
    };
    assert_eq!(field("", "Body=x"), "/MessageStatus");
    assert_eq!(field("sent", "From=%2B1"), "/MessageSid");
    assert_eq!(field("sent", "MessageSid=SM1"), "/From");
    assert_eq!(field("received", "MessageSid=SM1&To=%2B1"), "/From");
    assert_eq!(field("received", "MessageSid=SM1&From=%2B12025550123"), "/To");
}

#[test]
fn a_text_that_was_read_again_has_the_time_that_it_was_sent_at() {
    let check = |more: &str, expected: &str| {
        let told = events("received", &format!("{TEXT}&OptOutType=STOP{more}"));
        let consent = told[1].contact.as_ref().unwrap().consents[0].at.as_deref();
        assert_eq!(
            (told[0].occurred_at.as_str(), told[1].occurred_at.as_str(), consent),
            (expected, expected, Some(expected))
        );
    };
    check("&DateSent=2026-02-28T09%3A00%3A00Z", "2026-02-28T09:00:00Z");
    check("&DateSent=yesterday", "2026-03-01T10:00:00Z");
    check("", "2026-03-01T10:00:00Z");
}
