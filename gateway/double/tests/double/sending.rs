//! Messages that are taken, and messages that are refused for what they are.

use tidegate_channels::{Action, Channel, SendResult};
use tidegate_double::{Limits, SentParameter, WindowRule};
use tidegate_model::contact::WhatsappAddress;

use crate::support::{
    ANN, NUMBER_ID, START_MS, Stage, TOKEN, message_id, order_sent, outgoing, sender, template, text,
};

#[tokio::test]
async fn a_template_is_taken_and_recorded_as_the_person_reads_it() {
    let stage = Stage::new().await;
    let result = stage.send(order_sent()).await;
    let SendResult::Accepted { provider_id, wa_id, held, .. } = result else {
        panic!("{result:?}");
    };
    assert!(provider_id.starts_with("wamid.HBgLMTY1MDU1NTEyMzQV"), "{provider_id}");
    assert_eq!((wa_id.as_deref(), held), (Some("16505551234"), None));
    let sent = stage.script().sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].id, provider_id);
    assert_eq!(sent[0].text, "Ciao Ann, l'ordine 17 è partito.");
    assert_eq!(sent[0].callback_data, Some(message_id("m").to_string()));
    assert_eq!(sent[0].at_ms, START_MS);
    let named = template("welcome", "en_US", &[(Some("first_name"), "Ann")]);
    Stage::accepted(stage.send(named).await);
    let sent = stage.script().wait_for_sent(|sent| sent.text == "Welcome Ann!").await;
    let value = "Ann".to_owned();
    let name = Some("first_name".to_owned());
    assert_eq!(sent.parameters, [SentParameter { name, value }]);
}

#[tokio::test]
async fn a_message_to_a_user_id_is_taken_without_a_number() {
    let stage = Stage::new().await;
    let mut outgoing = outgoing("m", order_sent());
    outgoing.to = WhatsappAddress::UserId("US.13491208655302741918".to_owned());
    let result = stage.sender.send(outgoing).await;
    let SendResult::Accepted { wa_id, user_id, .. } = result else {
        panic!("{result:?}");
    };
    assert_eq!((wa_id, user_id.as_deref()), (None, Some("US.13491208655302741918")));
}

#[tokio::test]
async fn templates_that_are_not_so_are_refused_with_metas_codes() {
    let stage = Stage::new().await;
    for (content, code, status, action) in [
        (template("order_sent", "en_US", &[]), "132001", 404, Action::Pause),
        (template("order_sent", "it", &[(None, "Ann")]), "132000", 400, Action::Fail),
        (template("order_sent", "it", &[(Some("a"), "A"), (Some("b"), "B")]), "132012", 400, Action::Fail),
        (template("order_sent", "it", &[(None, "a\nb"), (None, "c")]), "132018", 400, Action::Fail),
    ] {
        let refusal = Stage::refused(stage.send(content).await);
        assert_eq!(refusal.code, code);
        assert_eq!(refusal.http_status, Some(status), "{code}");
        assert_eq!(refusal.action, action, "{code}");
    }
    let refused = stage.script().refused();
    assert_eq!(refused.len(), 4);
    assert!(refused[1].reason.contains("number of localizable_params (1)"), "{refused:?}");
    assert_eq!(stage.script().sent().len(), 0);
}

#[tokio::test]
async fn only_the_right_token_number_and_version_may_send() {
    let stage = Stage::new().await;
    let url = stage.double.url();
    let mut answers = Vec::new();
    for (id, token, version) in [
        (NUMBER_ID, "EAAother", "v25.0"),
        ("42", TOKEN, "v25.0"),
        (NUMBER_ID, TOKEN, "v19.0"),
        (NUMBER_ID, TOKEN, "v27.0"),
    ] {
        let sender = sender(url, id, token, version);
        let refusal = Stage::refused(sender.send(outgoing("m", order_sent())).await);
        answers.push((refusal.code, refusal.http_status, refusal.title));
    }
    insta::assert_debug_snapshot!(answers);
}

#[tokio::test]
async fn free_text_outside_the_window_fails_by_webhook_and_inside_it_is_read() {
    let stage = Stage::new().await;
    let early = Stage::accepted(stage.send(text("Hello?")).await);
    stage.pass(1_000).await;
    let statuses = stage.script().statuses();
    assert_eq!((statuses.len(), statuses[0].error_code), (1, Some(131047)));
    assert_eq!(statuses[0].message_id, early);

    stage.script().inbound_text(NUMBER_ID, ANN, "Ann", "hi").unwrap();
    let day_ms = 24 * 3_600_000;
    stage.pass(day_ms - 1).await;
    Stage::accepted(stage.send(text("just in time")).await);
    stage.pass(5_000).await;
    Stage::accepted(stage.send(text("too late")).await);
    stage.pass(5_000).await;
    let codes: Vec<_> = stage.script().statuses().iter().map(|s| s.error_code).collect();
    assert_eq!(codes, [Some(131047), None, None, None, Some(131047)]);
}

#[tokio::test]
async fn the_window_can_be_refused_in_the_answer() {
    let stage = Stage::with(|config| config.window = WindowRule::Answer).await;
    let refusal = Stage::refused(stage.send(text("Hello?")).await);
    assert_eq!((refusal.code.as_str(), refusal.action), ("131047", Action::Template));
    stage.script().inbound_text(NUMBER_ID, ANN, "Ann", "hi").unwrap();
    Stage::accepted(stage.send(text("Hello!")).await);
}

#[tokio::test]
async fn a_person_is_one_whether_reached_by_number_or_user_id() {
    let stage = Stage::with(|config| config.window = WindowRule::Answer).await;
    stage.script().inbound_text(NUMBER_ID, ANN, "Ann", "hi").unwrap();
    stage.script().settle().await;
    let value = stage.received.values().remove(0);
    let user_id = value["messages"][0]["from_user_id"].as_str().unwrap();
    assert_eq!(value["contacts"][0]["user_id"], user_id);
    let mut outgoing = outgoing("m", text("Hello!"));
    outgoing.to = WhatsappAddress::UserId(user_id.to_owned());
    let result = stage.sender.send(outgoing).await;
    assert!(matches!(result, SendResult::Accepted { wa_id: None, user_id: Some(id), .. } if id == user_id));
}

#[tokio::test]
async fn limits_hold_when_they_are_asked_for() {
    let pair = Limits { pair: true, per_second: None };
    let stage = Stage::with(|config| config.limits = pair).await;
    for _ in 0..45 {
        Stage::accepted(stage.send(order_sent()).await);
    }
    let refusal = Stage::refused(stage.send(order_sent()).await);
    assert_eq!(refusal.code, "131056");
    assert!(matches!(refusal.action, Action::Retry { after: Some(_) }));
    stage.pass(6_000).await;
    Stage::accepted(stage.send(order_sent()).await);
}

#[tokio::test]
async fn the_same_requests_get_the_same_ids_from_the_same_seed() {
    let mut ids = Vec::new();
    for seed in [7, 7, 8] {
        let stage = Stage::with(|config| config.seed = seed).await;
        ids.push(Stage::accepted(stage.send(order_sent()).await));
    }
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
}
